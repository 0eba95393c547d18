"""Messages about a protocol over frames: what came is kept in order until somebody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from moothall.canonical import dumps
from moothall.errors import CallTimeout, MoothallError
from moothall.negotiation.protocol.limits import MAX_MESSAGE_BYTES
from moothall.negotiation.protocol.needs import JsonObject

MOST_WAITING: Final = 64
"""Messages that are kept; who sends more without waiting for an answer does not follow the conversation."""
MOST_BYTES: Final = 4 * MAX_MESSAGE_BYTES
"""Bytes of them all."""


class FrameCarrier:
    """Fills `ports.Carrier` over a connection that somebody else reads.

    Args:
        peer: the DID that the other side proved.
        send: hands a message over.
        events: set whenever a message came, by what it is about.
    """

    def __init__(self, peer: str, send: Callable[[JsonObject], Awaitable[None]]) -> None:
        self._peer, self._send = peer, send
        self._came: asyncio.Queue[tuple[JsonObject | MoothallError, int]] = asyncio.Queue(MOST_WAITING)
        self._bytes = 0
        self._closed: MoothallError | None = None
        self._end = asyncio.Event()

    @property
    def peer(self) -> str:
        """The DID that the other side proved."""
        return self._peer

    async def send(self, message: JsonObject) -> None:
        """Hand a message over.

        Raises:
            SessionEnded, NodeUnreachable: it cannot be.
        """
        if self._closed is not None:
            raise self._closed
        await self._send(message)

    @property
    def waiting(self) -> bool:
        """Whether something came that nobody has received."""
        return not self._came.empty()

    def put(self, item: JsonObject | MoothallError) -> bool:
        """Keep what came, a message or what was wrong with it; whether there was room."""
        size = 0 if isinstance(item, MoothallError) else len(dumps(item))
        if self._came.full() or self._bytes + size > MOST_BYTES:
            return False
        self._came.put_nowait((item, size))
        self._bytes += size
        return True

    def close(self, error: MoothallError) -> None:
        """Nothing comes any more; what came before can still be had."""
        self._closed = self._closed or error
        self._end.set()

    async def receive(self, seconds: float) -> JsonObject:
        """The next message.

        Raises:
            CallTimeout: none came in time.
            ProtocolViolation, PayloadTooLarge: what came is none.
            SessionEnded: the connection is over.
        """
        if self._came.empty() and self._closed is not None:
            raise self._closed
        getting = asyncio.ensure_future(self._came.get())
        ending = asyncio.ensure_future(self._end.wait())
        try:
            await asyncio.wait({getting, ending}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not getting.done():
                raise self._closed or CallTimeout("no message came in time")
            item, size = getting.result()
            self._bytes -= size
        finally:
            getting.cancel()
            ending.cancel()
        if isinstance(item, MoothallError):
            raise item
        return item
