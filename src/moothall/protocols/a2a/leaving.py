"""Work for a client that may leave before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from starlette.types import Receive

from moothall.protocols.intake import ClientLeft

_QUICK: Final = 0.02
"""Seconds after which work is worth a task that notices when its client leaves."""

T = TypeVar("T")


async def gone(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def attended(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """Do work as long as somebody waits for it.

    Raises:
        ClientLeft: the client left first; the work was cancelled, and has ended.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=_QUICK)
        if not task.done():
            await _either(task, receive)
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


async def _either(task: asyncio.Future[Any], receive: Receive) -> None:
    leaving = asyncio.ensure_future(gone(receive))
    both: set[asyncio.Future[Any]] = {task, leaving}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        await asyncio.wait({leaving})
    if not task.done():
        raise ClientLeft
