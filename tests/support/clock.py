"""A clock that the test moves by hand."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

from moothall.clock import SystemClock

_START = datetime(2026, 1, 22, 10, 5, tzinfo=UTC)
_TURNS = 20
"""Turns of the event loop granted to whoever was woken, before the next sleeper's moment comes."""


class ManualClock:
    """Stands still until :meth:`advance`; sleepers wake in the order of their moments, then of their arrival."""

    def __init__(self, start: datetime = _START) -> None:
        self._start = self._now = start
        self._order = count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._arrival = asyncio.Event()

    def now(self) -> datetime:
        """The moment the clock stands at."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the start."""
        return (self._now - self._start).total_seconds()

    async def sleep_until(self, when: datetime) -> None:
        """Return when the clock was moved to `when` or beyond."""
        if when <= self._now:
            await asyncio.sleep(0)
            return
        waker = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (when, next(self._order), waker))
        self._arrival.set()
        await waker

    async def sleeping(self, number: int = 1) -> None:
        """Return as soon as at least `number` sleepers wait."""
        while self._waiting() < number:
            self._arrival.clear()
            await self._arrival.wait()

    async def advance(self, to: float | timedelta | datetime) -> None:
        """Move by seconds or to a moment, stopping at every sleeper's moment on the way."""
        if isinstance(to, datetime):
            target = to
        else:
            target = self._now + (to if isinstance(to, timedelta) else timedelta(seconds=to))
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            self._now = max(self._now, self._sleepers[0][0])
            while self._sleepers and self._sleepers[0][0] <= self._now:
                waker = heapq.heappop(self._sleepers)[2]
                if not waker.done():
                    waker.set_result(None)
            await self._settle()
        self._now = max(self._now, target)

    def _waiting(self) -> int:
        return sum(not waker.done() for *_, waker in self._sleepers)

    async def _settle(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)


class ShiftedClock(SystemClock):
    """The machine's clock, set to another day: it runs, but from ``start``."""

    def __init__(self, start: datetime) -> None:
        self._shift = start - datetime.now(UTC)

    def now(self) -> datetime:
        """The wall clock, shifted."""
        return super().now() + self._shift

    async def sleep_until(self, when: datetime) -> None:
        """Sleep until the shifted clock has reached `when`."""
        await super().sleep_until(when - self._shift)
