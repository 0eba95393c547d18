"""The index is fed with all that the node has, also after a feeding that was given up or failed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from moothall import Agent, capability
from moothall.capability.registry import Registry
from moothall.directory.finding.feeding import FeedGround, Feeding
from moothall.directory.finding.store import FindingStore
from moothall.directory.listing import Listing
from moothall.directory.places import load_gazetteer
from moothall.directory.search.cache import CacheManager
from moothall.directory.search.engine import SearchIndex
from moothall.directory.search.words_known import load_search_vocabulary
from moothall.directory.searching import Filters
from moothall.errors import StorageError
from moothall.storage.store import Store
from tests.support.clock import ManualClock


class Full(SearchIndex):
    """An index whose disk is full for a while."""

    full = False

    async def put(self, listings: Iterable[Listing]) -> None:
        if self.full:
            raise StorageError("no room")
        await super().put(listings)


@capability(access="public", expose_to=("net",))
def forecast(city: str) -> str:
    """The weather forecast."""
    return city


@capability(access="public", expose_to=("net",))
def exchange(amount: int) -> int:
    """What money is worth."""
    return amount


def everybody(_listing: Listing) -> bool:
    return True


def nobody_hosted() -> Mapping[str, str]:
    return {}


@asynccontextmanager
async def fed(folder: Path) -> AsyncIterator[tuple[Feeding, Registry, Full]]:
    """An index that is fed with one capability so far."""
    store, registry = await Store.open(folder / "data"), Registry()
    registry.add("sky", Agent("sky", forecast).members)
    index = Full(folder / "search", load_search_vocabulary(), load_gazetteer())

    async def opened() -> Full:
        await index.open()
        return index

    ground = FeedGround(
        opened=opened, registry=registry, own=tuple, dids=nobody_hosted, profiles=None, store=FindingStore(store)
    )
    feeding = Feeding(ground)
    try:
        yield feeding, registry, index
    finally:
        await feeding.aclose()
        await store.close()


async def test_what_could_not_be_written_is_taken_in_by_the_next_question(tmp_path: Path) -> None:
    async with fed(tmp_path) as (feeding, registry, index):
        assert (await feeding.search("", Filters(), everybody)).total == 1
        registry.add("bank", Agent("bank", exchange).members)
        index.full = True
        with pytest.raises(StorageError):
            await feeding.search("", Filters(), everybody)
        index.full = False
        assert (await feeding.search("", Filters(), everybody)).total == 2


async def test_an_answer_that_was_kept_does_not_count_once_anything_is_touched(tmp_path: Path) -> None:
    """The owner refuses a listing: words lead to it no more, though nobody has fed the index yet."""
    async with fed(tmp_path) as (feeding, registry, _):
        cache = CacheManager(feeding, ManualClock())
        assert (await cache.search("", Filters(), everybody, partition="ann")).total == 1
        registry.add("bank", Agent("bank", exchange).members)
        assert (await cache.search("", Filters(), everybody, partition="ann")).total == 2
        assert (await cache.search("", Filters(), everybody, partition="ann")).total == 2
        assert (cache.counts.hits, cache.counts.misses) == (1, 2)
