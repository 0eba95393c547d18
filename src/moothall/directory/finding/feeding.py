"""Keeps the index of search as the node is: what changed is taken in before the next question is answered.

The index is made when it is first needed. Its truth is elsewhere: the registry of capabilities, the profiles, and what
was found on other nodes; after a start it is compared with all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol

from moothall.capability.registry import Registry
from moothall.directory.finding import local
from moothall.directory.finding.rows import START
from moothall.directory.finding.store import FindingStore
from moothall.directory.listing import Listing
from moothall.directory.registry import AgentRegistry
from moothall.directory.searching import Filters, Found, Search, Visible

_BATCH: Final = 1000


class Index(Search, Protocol):
    """A search that is kept; `moothall.directory.search.engine.SearchIndex` is one."""

    async def targets(self) -> Mapping[str, str]:
        """All that is indexed."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedGround:
    """What is fed from where.

    Attributes:
        opened: opens the index.
        registry: the capabilities.
        own: ids of those that the node itself is made of; they are not indexed.
        dids: of the hosted agents, by their names.
        profiles: of those who negotiate; None: there are none.
        store: what was found elsewhere.
    """

    opened: Callable[[], Awaitable[Index]]
    registry: Registry
    own: Callable[[], Container[str]]
    dids: Callable[[], Mapping[str, str]]
    profiles: AgentRegistry | None
    store: FindingStore


class Feeding:
    """A `Search` that is never behind what this process knows."""

    def __init__(self, ground: FeedGround) -> None:
        self._ground = ground
        self._index: Index | None = None
        self._turn = asyncio.Lock()
        self._touched, self._fed = 1, 0  # how often something changed, and which of these changes was taken in
        self._ours: dict[str, Listing] = {}
        self._state: object = None  # of what `_ours` was made of, once the index has it
        self._seq = START
        self._end = ground.registry.on_change(lambda _: self.touch())

    @property
    def opened(self) -> bool:
        """Whether the index is in use already."""
        return self._index is not None

    @property
    def version(self) -> str:
        """Of what is indexed now; empty where that is behind, so that no answer which was kept counts any more."""
        return self._index.version if self._index is not None and self._fed >= self._touched else ""

    async def search(self, query: str, filters: Filters, visible: Visible, *, limit: int = 20) -> Found:
        """The best hits; see `Search.search`."""
        return await (await self._fresh()).search(query, filters, visible, limit=limit)

    async def get(self, target: str) -> Listing | None:
        """What a target names."""
        return await (await self._fresh()).get(target)

    async def put(self, listings: Iterable[Listing]) -> None:
        """Take something in beside what is fed; the next start of the node forgets it."""
        await (await self._fresh()).put(listings)

    async def remove(self, targets: Iterable[str]) -> None:
        """Take out; what is fed comes back when it changes."""
        await (await self._fresh()).remove(targets)

    def touch(self) -> None:
        """Say that something in this process has changed."""
        self._touched += 1

    async def feed(self) -> None:
        """Take in whatever has changed, in this process or another.

        Raises:
            StorageError: it cannot be read, or not be written.
        """
        async with self._turn:
            await self._feed()

    async def aclose(self) -> None:
        """Close the index."""
        self._end()
        async with self._turn:
            index, self._index = self._index, None
            if index is not None:
                await index.aclose()

    async def _fresh(self) -> Index:
        """The index with all that had changed in this process when it was asked for."""
        touched = self._touched
        if self._fed < touched or self._index is None:
            async with self._turn:
                if self._fed < touched or self._index is None:
                    return await self._feed()
        return self._index

    async def _feed(self) -> Index:
        touched, index = self._touched, self._index
        if index is None:
            index = await self._open()
        else:
            await self._changed(index)
        self._fed = touched
        return index

    async def _open(self) -> Index:
        index = await self._ground.opened()
        try:
            before = set(await index.targets())
            self._ours, self._seq, self._state = {}, START, None
            kept = await self._changed(index)
            await index.remove(before - kept)
        except BaseException:
            with suppress(Exception):
                await index.aclose()
            raise
        self._index = index
        return index

    async def _changed(self, index: Index) -> set[str]:
        """Take in what is new, and out what is gone; the targets that were taken in, or stayed."""
        ours, state = await self._local()
        await _put(index, [each for target, each in ours.items() if self._ours.get(target) != each])
        await index.remove([target for target in self._ours if target not in ours])
        self._ours, self._state = ours, state  # not before: whoever asked may have given up, or the disk be full
        return {*ours, *await self._elsewhere(index, ours)}

    async def _local(self) -> tuple[dict[str, Listing], object]:
        """All of this node's own, and what it was made of; the same object where nothing has changed."""
        ground, snapshot, dids = self._ground, self._ground.registry.snapshot, dict(self._ground.dids())
        known = await ground.profiles.snapshot() if ground.profiles is not None else None
        state = (snapshot.version, dids, known.version if known is not None else "")
        if state == self._state:
            return self._ours, state
        own = ground.own()
        found = {each.target: each for each in local.capabilities(snapshot, own)}
        found |= {each.target: each for each in local.agents(snapshot, own, dids)}
        if known is not None:
            found |= {each.target: each for each in map(local.profile, known.profiles)}
        return found, state

    async def _elsewhere(self, index: Index, ours: Container[str]) -> set[str]:
        """Take in what was found on other nodes since the last time; the targets that were taken in."""
        taken: set[str] = set()
        house = local.house(self._ground.registry.snapshot, self._ground.own())
        while rows := await self._ground.store.since(self._seq, _BATCH):
            found = [each for _, each in rows if each.target not in ours and _called(each) not in house]
            there = [_settled(each) for each in found if each.standing != "expired"]
            await _put(index, there)
            await index.remove([each.target for each in found if each.standing == "expired"])
            taken |= {each.target for each in there}
            self._seq = rows[-1][0]
        return taken


async def _put(index: Index, listings: Sequence[Listing]) -> None:
    for start in range(0, len(listings), _BATCH):
        await index.put(listings[start : start + _BATCH])


def _called(listing: Listing) -> str:
    """What a capability is called at its agent. Those that every node has would be found once for each of them."""
    return listing.name.partition(".")[2]


def _settled(listing: Listing) -> Listing:
    """Without what changes whenever its place answers: that needs no new entry."""
    return replace(listing, provenance=replace(listing.provenance, expires_at=None))
