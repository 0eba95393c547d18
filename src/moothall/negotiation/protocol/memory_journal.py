"""A journal that lives as long as a connection: for sessions over frames, which end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from moothall.canonical import dumps, loads

MOST: Final = 1_000
"""Choices that are remembered: a conversation that goes on for ever has no end of them."""


class MemoryJournal:
    """Remembers what was chosen under which key, as a durable run would, in memory."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def step(self, key: str, fn: Callable[[], Awaitable[object]]) -> object:
        """The value recorded under a key, or that of ``fn``, recorded now; it went through JSON.

        Raises:
            What ``fn`` raises; then nothing is recorded.
        """
        async with self._turns.setdefault(key, asyncio.Lock()):
            if key not in self._values:
                self._values[key] = dumps(await fn())
                self._forget()
            value = self._values[key]
        return loads(value)

    def _forget(self) -> None:
        """Keep to what there may be; nobody asks again for what was chosen long ago."""
        while len(self._values) > MOST:
            oldest = next(iter(self._values))
            del self._values[oldest]
            self._turns.pop(oldest, None)

    @property
    def keys(self) -> tuple[str, ...]:
        """What was recorded, in order."""
        return tuple(self._values)
