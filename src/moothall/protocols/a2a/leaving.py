"""Work for a client that may leave before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from starlette.types import Receive

from moothall.protocols.intake import ClientLeft
from moothall.protocols.pumping import gone

_QUICK: Final = 0.02
"""Seconds after which work is worth a task that notices when its client leaves."""

T = TypeVar("T")


async def attended(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """Do work as long as somebody waits for it; within this task, since most work is done in no time.

    Raises:
        ClientLeft: the client left first; the work was cancelled. What it had begun elsewhere may still be ending.
    """
    watch = _Watch(receive, asyncio.current_task())
    timer = asyncio.get_running_loop().call_later(_QUICK, watch.begin)
    try:
        return await work
    except asyncio.CancelledError:
        if watch.takes_back():
            raise ClientLeft from None
        raise
    finally:
        timer.cancel()
        watch.end()


class _Watch:
    """Cancels a task when a client leaves."""

    __slots__ = ("_left", "_receive", "_watching", "_work")

    def __init__(self, receive: Receive, work: asyncio.Task[Any] | None) -> None:
        self._receive = receive
        self._work = work
        self._watching: asyncio.Task[None] | None = None
        self._left = False

    def begin(self) -> None:
        self._watching = asyncio.ensure_future(self._watch())

    def end(self) -> None:
        if self._watching is not None:
            self._watching.cancel()

    def takes_back(self) -> bool:
        """Whether it was this that cancelled the task; the task goes on then, and nobody else cancelled it."""
        return self._left and self._work is not None and self._work.uncancel() == 0

    async def _watch(self) -> None:
        await gone(self._receive)
        self._left = True
        if self._work is not None:
            self._work.cancel()
