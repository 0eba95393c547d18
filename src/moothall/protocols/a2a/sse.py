"""Streams of an operation as server-sent events (A2A 1.0 §9.4.2, §11.7).

A task does not depend on whoever watches it (§3.5.2): a client that leaves ends its stream, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from starlette.types import Message, Receive, Send

from moothall.capability.spec import JsonObject
from moothall.errors import InternalError, MoothallError, Told, Unavailable
from moothall.protocols.a2a.bindings import Binding
from moothall.protocols.a2a.media import EVENTS
from moothall.protocols.headers import NOT_KEPT, Headers
from moothall.protocols.house import Streams
from moothall.protocols.intake import ClientLeft
from moothall.protocols.pumping import pumped
from moothall.telemetry import logger

_ALIVE: Final = b":\n\n"
_log = logger("a2a")


async def close(values: AsyncIterator[JsonObject]) -> None:
    """Let go of a stream that is not read any further."""
    aclose = getattr(values, "aclose", None)
    if aclose is not None:
        await aclose()


@dataclass(eq=False, slots=True)
class EventAnswer:
    """The answer to one request as events.

    Attributes:
        binding: how they are written.
        operation: whose they are.
        values: of the operation, which begins its work when the first is asked for.
        send: of ASGI.
        headers: beside those of a stream.
        heartbeat: seconds after which an idle stream shows a sign of life.
    """

    binding: Binding
    operation: str
    values: AsyncIterator[JsonObject]
    send: Send
    headers: Headers
    heartbeat: float
    started: bool = False

    async def give(self, receive: Receive, streams: Streams) -> None:
        """Send until the stream has ended, the client has left or the server stops.

        Nothing is begun before the stream has its place: who is refused one may ask again.

        Raises:
            Overloaded: too many streams are open; nothing was begun.
            Unavailable: the server stopped before anything was sent.
            ClientLeft: the connection is gone.
            MoothallError: the operation failed, and nothing was sent.
        """
        ended = await pumped(self._run, receive, streams)
        if ended == "left":
            return
        if ended == "stopped":
            await self._stop()
        await self._send({"type": "http.response.body", "body": b""})

    async def _run(self) -> None:
        first = await self._next()
        if first is None:
            raise InternalError("a stream without its task", told=Told("protocols.failed"))
        kind = [(b"content-type", EVENTS.encode()), NOT_KEPT, (b"x-accel-buffering", b"no")]
        await self._send({"type": "http.response.start", "status": 200, "headers": [*self.headers, *kind]})
        self.started = True
        try:
            await self._frames(first)
        except ClientLeft:
            raise
        except MoothallError as error:
            await self._write(self.binding.broken(error))
        except Exception:  # noqa: BLE001 - the last place where the fault can be told to who listens
            _log.exception("a stream of %s broke", self.operation)
            await self._write(self.binding.broken(InternalError("it broke", told=Told("protocols.failed"))))

    async def _frames(self, first: JsonObject) -> None:
        value: JsonObject | None = first
        waiting: asyncio.Task[JsonObject | None] | None = None
        try:
            while value is not None:
                await self._write(self.binding.frame(self.operation, value))
                waiting = asyncio.create_task(self._next())
                while not (await asyncio.wait({waiting}, timeout=self.heartbeat))[0]:
                    await self._write(_ALIVE)
                value = waiting.result()
        finally:
            if waiting is not None and not waiting.done():
                waiting.cancel()
                await asyncio.wait({waiting})

    async def _next(self) -> JsonObject | None:
        return await anext(self.values, None)

    async def _stop(self) -> None:
        """Say that the server stops, which is not how the task ended."""
        error = Unavailable("the node is stopping", told=Told("protocols.stopping"))
        if not self.started:
            raise error
        await self._write(self.binding.broken(error))

    async def _write(self, frame: bytes) -> None:
        await self._send({"type": "http.response.body", "body": frame, "more_body": True})

    async def _send(self, message: Message) -> None:
        try:
            await self.send(message)
        except OSError as error:  # so servers tell that the client is gone (ASGI, version 2.4)
            raise ClientLeft from error
