"""Row CRW-12: a second equal search is a hit, any change of what is listed invalidates it, callers share nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from moothall.directory.listing import Listing
from moothall.directory.search.cache import CacheManager, Counts
from moothall.directory.search.engine import SearchIndex
from moothall.directory.searching import Filters

PHOTO = Listing(target="local:photos", name="photos", tags=("摄影",))


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.at

    async def sleep_until(self, when: datetime) -> None:
        raise AssertionError


def everybody(listing: Listing) -> bool:
    return True


@pytest.mark.requirement("CRW-12")
async def test_a_second_equal_search_is_a_hit(index: SearchIndex) -> None:
    await index.put([PHOTO])
    cache = CacheManager(index, Hand())
    first = await cache.search("摄影", Filters(), everybody, partition="ann")
    assert await cache.search("  摄影 ", Filters(), everybody, partition="ann") is first
    assert cache.counts == Counts(hits=1, misses=1)
    await cache.search("摄影", Filters(min_trust=1), everybody, partition="ann")
    await cache.search("摄影", Filters(), everybody, partition="ann", limit=3)
    assert cache.counts == Counts(hits=1, misses=3)


@pytest.mark.requirement("CRW-12")
async def test_any_change_invalidates_it(index: SearchIndex) -> None:
    await index.put([PHOTO])
    cache = CacheManager(index, Hand())
    await cache.search("摄影", Filters(), everybody, partition="ann")
    await index.put([replace(PHOTO, target="local:more")])
    assert (await cache.search("摄影", Filters(), everybody, partition="ann")).total == 2
    await index.remove([PHOTO.target])
    assert (await cache.search("摄影", Filters(), everybody, partition="ann")).total == 1
    assert cache.counts == Counts(misses=3)


@pytest.mark.requirement("CRW-12")
async def test_callers_share_nothing(index: SearchIndex) -> None:
    await index.put([PHOTO])
    cache = CacheManager(index, Hand())
    assert (await cache.search("摄影", Filters(), everybody, partition="ann")).total == 1
    assert (await cache.search("摄影", Filters(), lambda listing: False, partition="bob")).total == 0
    assert cache.counts == Counts(misses=2)


async def test_what_a_caller_may_not_see_any_more_is_not_given_again(index: SearchIndex) -> None:
    await index.put([PHOTO])
    cache = CacheManager(index, Hand())
    await cache.search("摄影", Filters(), everybody, partition="ann")
    assert (await cache.search("摄影", Filters(), lambda listing: False, partition="ann")).hits == ()


async def test_an_answer_grows_old_and_few_are_kept(index: SearchIndex) -> None:
    await index.put([PHOTO])
    clock = Hand()
    cache = CacheManager(index, clock, most=2, seconds=10)
    await cache.search("摄影", Filters(), everybody, partition="ann")
    clock.at = 10
    await cache.search("摄影", Filters(), everybody, partition="ann")
    assert cache.counts.hits == 0
    for number in range(5):
        await cache.search(f"x{number}", Filters(), everybody, partition="ann")
    assert len(cache) == 2
    assert cache.counts.forgotten == 4
    cache.clear()
    assert len(cache) == 0
