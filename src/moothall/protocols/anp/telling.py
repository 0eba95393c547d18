"""Calls whose progress and values are sent as they are made: JSON-RPC messages as server-sent events."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Receive, Send

from moothall.errors import Told, Unavailable
from moothall.protocols.anp import jsonrpc
from moothall.protocols.anp.asked import EVENTS
from moothall.protocols.anp.calling import Calling
from moothall.protocols.headers import NOT_KEPT, Headers
from moothall.protocols.house import Streams
from moothall.protocols.pumping import pumped

_WAITING: Final = 32
"""Messages that wait for a slow reader before the work does."""

_ALIVE: Final = b":\n\n"


class EventAnswer:
    """The answer to one request as events; ``headers`` beside its type, ``heartbeat`` seconds between signs of life."""

    def __init__(self, calling: Calling, send: Send, headers: Headers, heartbeat: float) -> None:
        self._calling = calling
        self._send = send
        self._headers = headers
        self._heartbeat = heartbeat
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)
        self._started = False

    async def give(self, receive: Receive, streams: Streams) -> None:
        """Send until the calls have ended, the client has left or the server stops.

        Raises:
            Overloaded: too many streams are open; nothing was sent.
            Unavailable: the server stopped before it began.
        """
        ended = await pumped(self._run, receive, streams)
        if ended == "left":
            return
        if ended == "stopped":
            await self._stop()
        await self._send({"type": "http.response.body", "body": b""})

    async def _run(self) -> None:
        kind = [(b"content-type", EVENTS.encode()), NOT_KEPT, (b"x-accel-buffering", b"no")]
        await self._send({"type": "http.response.start", "status": 200, "headers": [*self._headers, *kind]})
        self._started = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self._work())
            while (frame := await self._next()) is not None:
                await self._write(frame)

    async def _work(self) -> None:
        await self._calling.narrate(self._queue.put)
        await self._queue.put(None)

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(self._heartbeat):
                message = await self._queue.get()
        except TimeoutError:
            return _ALIVE
        return None if message is None else b"data: %b\n\n" % message

    async def _stop(self) -> None:
        """Say that the server stops, which is not how the calls ended."""
        error = Unavailable("the node is stopping", told=Told("protocols.stopping"))
        if not self._started:
            raise error
        response = jsonrpc.failure(None, error, self._calling.facts.request_id, self._calling.lang)
        await self._write(b"data: %b\n\n" % response)

    async def _write(self, frame: bytes) -> None:
        await self._send({"type": "http.response.body", "body": frame, "more_body": True})
