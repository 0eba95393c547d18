"""The desk of finding: places are added, read again when their time comes, and what they list is let in or refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from moothall.clock import Clock
from moothall.directory.finding.crawling import Crawler, Ground, Report
from moothall.directory.finding.limits import MOST_PLACES, Limits
from moothall.directory.finding.places import place_of
from moothall.directory.finding.reading import Discoverer
from moothall.directory.finding.store import FindingStore, Removed
from moothall.directory.listing import Listing
from moothall.errors import Conflict, MoothallError, ServiceNotFoundError, Told
from moothall.identity.egress import Egress
from moothall.telemetry import logger

_SLACK: Final = 15.0
"""Seconds beyond those of a look around after which another process may take its place over."""

_AT_ONCE: Final = 4
_MOST_DUE: Final = 16

_log = logger("finding")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskGround:
    """What the desk stands on.

    Attributes:
        egress: the way out.
        store: what is remembered.
        discoverers: who can read what.
        clock: the time.
        limits: of one look around.
        interval: seconds after which a place is read again; 0: only when somebody asks for it.
        changed: is told of whatever changes.
    """

    egress: Egress
    store: FindingStore
    discoverers: Sequence[Discoverer]
    clock: Clock
    limits: Limits
    interval: float
    changed: Callable[[], None]


ONCE: Final = 3600.0
"""Seconds that count as the interval of a node that reads places only when asked."""


class FindingDesk:
    """One for a node.

    Attributes:
        store: what is remembered.
    """

    def __init__(self, ground: DeskGround) -> None:
        self._ground = ground
        self.store = ground.store
        interval = ground.interval or ONCE
        self._crawler = Crawler(
            Ground(ground.egress, ground.store, ground.discoverers, ground.clock, ground.limits, interval)
        )
        self._turns: dict[str, asyncio.Lock] = {}

    async def add(self, place: str) -> Report:
        """Remember a place and read it.

        Raises:
            InvalidInput: it is no place, or one that may not be called.
            Overloaded: as many as may be are remembered.
        """
        ground = self._ground
        url = place_of(place, ground.egress, ground.discoverers)
        await self.store.add(url, ground.clock.now())
        return await self.refresh(url)

    async def refresh(self, url: str) -> Report:
        """Read a place again now; of one that another led to, the place that was added by hand.

        Raises:
            ServiceNotFoundError: it is not remembered.
            Conflict: it is being read.
        """
        known = await self.store.place(url)
        for _ in range(self._ground.limits.depth + 1):
            if known is None:
                raise ServiceNotFoundError("no such place", told=Told("finding.no_source"))
            if not known.parent:
                break
            known = await self.store.place(known.parent)
        if known is None:
            raise ServiceNotFoundError("no such place", told=Told("finding.no_source"))
        async with self._turn(known.url):
            return await self._crawl(known.url, forced=True)

    async def refresh_due(self, *, early: bool = False) -> list[Report]:
        """Read every place whose time has come, each by one process, and let go of what is stale.

        Args:
            early: all of them are read, although their time has not come, but for those that keep failing.

        Raises:
            StorageError: what is remembered cannot be read.
        """
        ground = self._ground
        reports: list[Report] = []
        if ground.interval:
            ahead = timedelta(seconds=ground.interval if early else 0)
            due = await self.store.due(ground.clock.now() + ahead, MOST_PLACES if early else _MOST_DUE)
            turns = asyncio.Semaphore(_AT_ONCE)
            found = await asyncio.gather(*(self._in_turn(each.url, turns, ahead) for each in due))
            reports = [each for each in found if each is not None]
        if await self.store.sweep(ground.clock.now()):
            ground.changed()
        return reports

    async def remove(self, url: str) -> Removed:
        """Forget a place; raises as `FindingStore.remove`."""
        try:
            return await self.store.remove(url)
        finally:
            self._ground.changed()

    async def approve(self, target: str, digest: str, trust: int | None) -> Listing:
        """Let a description be used; raises as `FindingStore.approve`."""
        try:
            return await self.store.approve(target, digest, trust)
        finally:
            self._ground.changed()

    async def refuse(self, target: str) -> Listing:
        """Let it never be used; raises as `FindingStore.refuse`."""
        try:
            return await self.store.refuse(target)
        finally:
            self._ground.changed()

    async def _in_turn(self, url: str, turns: asyncio.Semaphore, ahead: timedelta) -> Report | None:
        async with turns:
            try:
                async with self._turn(url):
                    now = self._ground.clock.now()
                    until = now + timedelta(seconds=self._ground.limits.seconds + _SLACK)
                    taken = await self.store.claim(url, now + ahead, until)
                    return await self._crawl(url, forced=False) if taken else None
            except Exception as error:  # noqa: BLE001 - logged; one place holds up neither the others nor what is stale
                known = isinstance(error, MoothallError)
                _log.warning("the place %s was not read again: %s", url, error, exc_info=not known)
                return None

    async def _crawl(self, url: str, *, forced: bool) -> Report:
        try:
            return await self._crawler.crawl(url, forced=forced)
        finally:
            self._ground.changed()

    @asynccontextmanager
    async def _turn(self, url: str) -> AsyncIterator[None]:
        """One look around at a place at a time.

        Raises:
            Conflict: another is under way.
        """
        lock = self._turns.setdefault(url, asyncio.Lock())
        if lock.locked():
            raise Conflict("it is being read", told=Told("finding.being_read"))
        async with lock:
            try:
                yield
            finally:
                self._turns.pop(url, None)
