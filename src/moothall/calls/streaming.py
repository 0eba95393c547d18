"""A call whose values and progress come one by one, through a channel that holds a few of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from moothall.calls.reply import Item, Progress

AHEAD: Final = 16
"""Values that a capability may be ahead of its caller."""


class Channel:
    """Hands chunks from one task to another; whoever is too fast waits."""

    def __init__(self) -> None:
        self._chunks: deque[Item | Progress] = deque()
        self._closed = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    async def item(self, value: object) -> None:
        """Hand a value over."""
        await self.put(Item(value))

    async def put(self, chunk: Item | Progress) -> None:
        """Hand a chunk over, as soon as there is room for it."""
        while len(self._chunks) >= AHEAD:
            self._emptied.clear()
            await self._emptied.wait()
        self._chunks.append(chunk)
        self._filled.set()

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._filled.set()

    async def get(self) -> Item | Progress | None:
        """The next chunk; None when there will be none."""
        while not self._chunks:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        self._emptied.set()
        return self._chunks.popleft()


@asynccontextmanager
async def closing(values: AsyncIterator[Any]) -> AsyncIterator[AsyncIterator[Any]]:
    """End an iterator that is left early, where it can be ended."""
    try:
        yield values
    finally:
        close = getattr(values, "aclose", None)
        if close is not None:
            await close()
