"""What sends an answer in parts, for as long as its client reads and the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Literal

from starlette.types import Receive

from moothall.protocols.house import Streams

Ended = Literal["done", "left", "stopped"]
"""How the sending ended: all was sent, the client has left, or the server stops."""


async def gone(receive: Receive) -> None:
    """Return when the client has left; the body of its request must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def pumped(run: Callable[[], Coroutine[None, None, None]], receive: Receive, streams: Streams) -> Ended:
    """Run what sends as one of the server's streams, and say how it ended; it runs no more by then.

    Raises:
        Overloaded: too many streams are open; nothing was begun.
        Exception: what it raised.
    """
    pump = streams.open(run)
    leaving = asyncio.ensure_future(gone(receive))
    try:
        await asyncio.wait({pump, leaving}, return_when=asyncio.FIRST_COMPLETED)
        left = not pump.done()
    finally:
        for task in (pump, leaving):
            task.cancel()
        await asyncio.wait({pump, leaving})
    if left:
        return "left"
    if pump.cancelled():
        return "stopped"
    pump.result()
    return "done"
