"""A journal that lives as long as a connection: for sessions over frames, which end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from moothall.canonical import dumps, loads


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
        return loads(self._values[key])

    @property
    def keys(self) -> tuple[str, ...]:
        """What was recorded, in order."""
        return tuple(self._values)
