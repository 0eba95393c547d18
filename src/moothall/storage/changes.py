"""Changes that are made and told to their end, though whoever asked for them has gone.

What is committed counts at once: a revocation that nobody hears of, since its caller has gone in the middle, would
leave what was lent in use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Changes:
    """The changes that are under way."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[Any]] = set()

    async def make(self, change: Coroutine[Any, Any, T]) -> T:
        """Make one, and wait for it; it goes on when nobody waits any more."""
        task = asyncio.ensure_future(change)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Wait for all of them."""
        if self._under_way:
            await asyncio.wait(self._under_way)
