"""When the traces of erased text are overwritten: together, at once in a small store, behind the answer in a large one.

Rewriting a file takes time in proportion to its size, and writers wait for it. So whoever asks while one rewriting is
under way shares the next one with all others who ask meanwhile; and where it would take more than a second or so,
nobody's answer waits for it, and it takes no more than a fifth of the writers' time, however many erasures there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from moothall.telemetry import logger

LARGE: Final = 128 * 1024 * 1024
"""Bytes of a store from which on the rewriting happens behind the answer."""
_GATHER: Final = 0.02
"""Seconds in which others who erase at the same time may join."""
_REST: Final = 4.0
"""Rewritings behind the answer rest for so many times as long as the last one took."""

_log = logger("storage")


class Scrubbing:
    """Shares the rewritings of one store among those who ask for them.

    Args:
        pay: does what is owed, and tells whether it could be done.
        size: the bytes of the store now.

    Attributes:
        failed: whether the last rewriting could not be done, so that somebody should ask again.
    """

    def __init__(self, pay: Callable[[], Awaitable[bool]], size: Callable[[], int]) -> None:
        self._pay = pay
        self._size = size
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[bool] | None = None
        self._under_way: set[asyncio.Task[bool]] = set()
        self._behind: asyncio.Task[None] | None = None
        self._asked = self._stopped = False
        self._took = 0.0
        self.failed = False

    async def at_once(self) -> bool:
        """Do what is owed, together with all who ask before it begins; False when it could not be done."""
        if self._next is None:
            self._next = asyncio.create_task(self._share(), name="storage: scrubbing")
            self._under_way.add(self._next)
            self._next.add_done_callback(self._under_way.discard)
        return await asyncio.shield(self._next)

    async def in_time(self) -> None:
        """Do what is owed: before this returns in a small store, soon in a large one."""
        size = self._size()
        if size < LARGE:
            await self.at_once()
            return
        self._asked = True
        if self._behind is None or self._behind.done():
            _log.info("the store has %d MiB: traces of erased text are overwritten in the background", size >> 20)
            self._behind = asyncio.create_task(self._go_on(), name="storage: scrubbing in the background")

    async def stop(self) -> None:
        """Finish what is under way; what has not begun is owed still, and done at the next start."""
        self._stopped = True
        if self._behind is not None:
            self._behind.cancel()
            await asyncio.gather(self._behind, return_exceptions=True)
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _share(self) -> bool:
        await asyncio.sleep(_GATHER)
        async with self._turn:
            self._next = None  # who asks from now on may have erased too late for this one
            if self._stopped:
                return False
            began = asyncio.get_running_loop().time()
            self.failed = not await self._paid()
            self._took = asyncio.get_running_loop().time() - began
            return not self.failed

    async def _paid(self) -> bool:
        try:
            return await self._pay()
        except Exception:  # noqa: BLE001 - nobody may be waiting for it, and the erasure it belongs to stands
            _log.exception("overwriting the traces of erased text failed; it is tried again within the hour")
            return False

    async def _go_on(self) -> None:
        while self._asked:
            self._asked = False
            await self.at_once()
            await asyncio.sleep(_REST * self._took)
