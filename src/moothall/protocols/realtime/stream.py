"""What somebody hears, as server-sent events (row RTC-01).

::

    id: TOKEN       where to go on after this event (header ``Last-Event-ID``)
    data: the event
    :               a sign of life, with the token of now
    event: end      data: why the stream ends, {"code", "message", "resume"}
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from moothall.canonical import dumps
from moothall.errors import MoothallError
from moothall.messages import Lang, explain
from moothall.protocols.headers import NOT_KEPT
from moothall.protocols.house import ABORT, PUSH, STREAMS, Push, Streams
from moothall.protocols.pumping import pumped
from moothall.protocols.realtime.callers import Caller
from moothall.protocols.realtime.connections import Connection
from moothall.protocols.realtime.feed import Batch
from moothall.protocols.realtime.presence import RealtimeCommunicationManager
from moothall.protocols.realtime.wanted import Wanted

_HEAD: Final = [(b"content-type", b"text/event-stream; charset=utf-8"), NOT_KEPT, (b"x-accel-buffering", b"no")]
_AGAIN_MS: Final = 2_000
_PIECE: Final = 256 * 1024
"""Bytes that are sent at once."""


class Stream(Response):
    """The answer that goes on for as long as its reader may hear and wants to."""

    def __init__(
        self,
        manager: RealtimeCommunicationManager,
        caller: Caller,
        wanted: Wanted,
        after: str,
        *,
        lang: Lang,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__()
        self._manager, self._caller, self._wanted, self._after = manager, caller, wanted, after
        self._lang, self._more = lang, list(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection.

        Raises:
            MoothallError: as `RealtimeCommunicationManager.connected`; nothing was sent.
        """
        streams: Streams = scope[STREAMS] if STREAMS in scope else _Loose()
        async with self._manager.connected("sse", self._caller, self._wanted, after=self._after) as connection:
            push: Push | None = scope.get(PUSH, _nothing)()
            ended = await pumped(lambda: self._pump(connection, send, push), receive, streams)
        if ended == "stopped" and connection.stuck:
            scope.get(ABORT, _nothing)()
        elif ended != "left":
            await send({"type": "http.response.body", "body": b""})

    async def _pump(self, connection: Connection, send: Send, push: Push | None) -> None:
        connection.pump = asyncio.current_task()

        async def put(frame: bytes) -> None:
            connection.writing()
            await send({"type": "http.response.body", "body": frame, "more_body": True})
            connection.written()

        await send({"type": "http.response.start", "status": 200, "headers": [*_HEAD, *self._more]})
        await put(f"retry: {_AGAIN_MS}\nid: {connection.token}\n\n".encode())
        if push is not None:
            connection.pushes(partial(self._pushed, connection, push))
        try:
            async with aclosing(connection.batches()) as batches:
                async for batch in batches:
                    if batch is None:
                        await put(f":\nid: {connection.token}\n\n".encode())
                        continue
                    for piece in pieces(batch):
                        await put(piece)
                    self._manager.delivered(connection, batch)
        except MoothallError as error:
            said = explain(error, self._lang)
            data = {"code": error.envelope_code, "message": said.why or said.message, "resume": connection.token}
            await put(b"event: end\ndata: " + dumps(data) + b"\n\n")

    def _pushed(self, connection: Connection, push: Push, batch: Batch) -> bool:
        """Send a batch at once, where that can be and it is not long."""
        found = pieces(batch)
        if len(found) > 1 or not push(found[0]):
            return False
        self._manager.delivered(connection, batch)
        return True


def pieces(batch: Batch) -> list[bytes]:
    """The events of a batch as they are sent, several together."""
    if len(batch.entries) == 1:
        entry = batch.entries[0]
        return [b"id: %b%d%b\ndata: %b\n\n" % (batch.before, entry.seq + 1, batch.after, entry.json)]
    made, parts, size = [], list[bytes](), 0
    for entry in batch.entries:
        parts += (b"id: ", batch.before, b"%d" % (entry.seq + 1), batch.after, b"\ndata: ", entry.json, b"\n\n")
        size += len(entry.json)
        if size > _PIECE:
            made.append(b"".join(parts))
            parts, size = [], 0
    if parts:
        made.append(b"".join(parts))
    return made


class _Loose:
    """Runs streams where no server counts them."""

    def open(self, run: Callable[[], Coroutine[None, None, None]]) -> asyncio.Task[None]:
        return asyncio.create_task(run())


def _nothing() -> None:
    """There is no connection to break."""
