"""Waking those in this process who wait for what a driver commits; whoever waits for another process looks again."""

from __future__ import annotations

import asyncio
from typing import Final, Self

GLANCE: Final = 0.25
"""Seconds after which somebody who waits looks into the store, since the driver may be in another process."""


class Bells:
    """One bell for each run that somebody waits for."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def ring(self, run: str) -> None:
        """Something was committed to a run."""
        for bell in self._waiting.get(run, ()):
            bell.set()

    def watch(self, run: str) -> Watch:
        """Wait for news of a run within this; look after it was entered, and again after each `Watch.news`."""
        return Watch(self._waiting, run)


class Watch:
    """Somebody who waits."""

    def __init__(self, waiting: dict[str, set[asyncio.Event]], run: str) -> None:
        self._waiting = waiting
        self._run = run
        self._bell = asyncio.Event()

    def __enter__(self) -> Self:
        self._waiting.setdefault(self._run, set()).add(self._bell)
        return self

    def __exit__(self, *_: object) -> None:
        others = self._waiting[self._run]
        others.discard(self._bell)
        if not others:
            del self._waiting[self._run]

    async def news(self) -> None:
        """Return when something was committed here since the last time, or after a moment."""
        try:
            async with asyncio.timeout(GLANCE):
                await self._bell.wait()
        except TimeoutError:
            return
        self._bell.clear()
