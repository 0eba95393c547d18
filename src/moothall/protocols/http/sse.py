"""A call's answer as server-sent events: its values and progress as they come, then its envelope (contract of streams).

::

    event: item        data: a value
    event: progress    data: {"done", "total", "message"}
    event: end         data: the envelope, of success or of failure

The head of the answer waits for the first event, so that a call that fails at once has its own status.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final

from moothall.calls.reply import Chunk, Item, Reply
from moothall.errors import MoothallError
from moothall.protocols.headers import NOT_KEPT, Headers
from moothall.protocols.house import Streams
from moothall.protocols.http.exchange import Exchange
from moothall.protocols.http.wire import ALIVE, end_frame, item_frame, progress_frame

_HEAD: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    NOT_KEPT,
    (b"x-accel-buffering", b"no"),
]


class EventAnswer:
    """The answer to one request as events.

    ``envelope`` makes that of a reply, ``head`` goes with the start, ``pulse`` are the seconds between signs of life,
    ``stopped`` is the reply of a call that the server does not wait for.
    """

    def __init__(
        self,
        exchange: Exchange,
        envelope: Callable[[Reply[Any]], bytes],
        head: Headers,
        pulse: float,
        stopped: Callable[[], Reply[Any]],
    ) -> None:
        self._exchange = exchange
        self._stopped = stopped
        self._envelope = envelope
        self._head = head
        self._pulse = pulse
        self._turn = asyncio.Lock()
        self._started = False
        self._moved = False
        self._refused: MoothallError | None = None

    async def send(self, chunks: AsyncIterator[Chunk], streams: Streams) -> None:
        """Send until the call has ended, the client has left or the server stops.

        Raises:
            MoothallError: the call failed before its first event; nothing was sent.
            Overloaded: too many streams are open.
        """
        generator = chunks if isinstance(chunks, AsyncGenerator) else _closable(chunks)
        try:
            pump = streams.open(lambda: self._run(generator))
        except BaseException:
            await generator.aclose()
            raise
        watch = asyncio.ensure_future(self._exchange.until_gone(pump))
        try:
            await asyncio.wait([pump])
        finally:
            watch.cancel()
            if not pump.done():
                pump.cancel()
                await asyncio.wait([pump])
        if not pump.cancelled():
            pump.result()
        elif not self._exchange.gone:
            await self._abandon()
        if self._refused is not None:
            raise self._refused
        if self._started and not self._exchange.gone:
            await self._exchange.write(b"", more=False)

    async def _run(self, chunks: AsyncGenerator[Chunk]) -> None:
        beating = asyncio.ensure_future(self._beat())
        try:
            async with aclosing(chunks) as found:
                async for chunk in found:
                    if isinstance(chunk, Reply):
                        if chunk.error is not None and not self._started:
                            self._refused = chunk.error
                        else:
                            await self._put(end_frame(self._envelope(chunk)))
                        return
                    await self._put(item_frame(chunk.value) if isinstance(chunk, Item) else progress_frame(chunk))
        finally:
            beating.cancel()

    async def _put(self, frame: bytes) -> None:
        async with self._turn:
            self._moved = True
            if not self._started:
                self._started = True
                await self._exchange.start([*_HEAD, *self._head])
            await self._exchange.write(frame)

    async def _beat(self) -> None:
        """Show a sign of life whenever nothing else was sent for a while."""
        while True:
            await asyncio.sleep(self._pulse)
            if not self._moved:
                await self._put(ALIVE)
            self._moved = False

    async def _abandon(self) -> None:
        """Say that the server stops, which is not how the call ended."""
        reply = self._stopped()
        if self._started:
            await self._exchange.write(end_frame(self._envelope(reply)))
        else:
            self._refused = reply.error


async def _closable(chunks: AsyncIterator[Chunk]) -> AsyncGenerator[Chunk]:
    async for chunk in chunks:
        yield chunk
