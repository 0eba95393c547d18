"""A WebSocket that was accepted: JSON in text frames, one after the other (row RTC-02)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from moothall.canonical import dumps, strict_json
from moothall.errors import (
    InvalidInput,
    MoothallError,
    Overloaded,
    PayloadTooLarge,
    PermissionDeniedError,
    RateLimited,
    SessionEnded,
    Told,
    Unauthenticated,
    Unavailable,
    ValidationError,
)
from moothall.protocols.house import ABORT, PUSH, Push

NORMAL: Final = 1000
GOING: Final = 1001
UNFIT: Final = 1003
TOO_BIG: Final = 1009
FAILED: Final = 1011
AGAIN: Final = 1013
UNPROVED: Final = 4001
"""The code with which a connection is closed whose client does not prove who it is, or may be here no more."""

_CODES: Final = (
    ((Unauthenticated, PermissionDeniedError), UNPROVED),
    ((PayloadTooLarge,), TOO_BIG),
    ((Unavailable,), GOING),
    ((Overloaded, RateLimited), AGAIN),
    ((InvalidInput,), UNFIT),
)
_CLOSING_SECONDS: Final = 2.0


class SocketLink:
    """A WebSocket; ``most`` bytes make the longest frame that is taken."""

    def __init__(self, socket: WebSocket, most: int, seconds: float) -> None:
        self._socket, self._most, self._seconds = socket, most, seconds
        self._turn = asyncio.Lock()
        self._closed = False
        self._push: Push | None = socket.scope.get(PUSH, _none)()

    async def receive(self) -> Mapping[str, Any]:
        """The next frame.

        Raises:
            SessionEnded: the client has gone.
            PayloadTooLarge: the frame is too long.
            InvalidInput: it is no JSON object; the connection goes on.
        """
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            self._closed = True
            raise _gone()
        text = message.get("text")
        if not isinstance(text, str):
            raise InvalidInput("frames are text", told=Told("realtime.frame"))
        data = text.encode()
        if len(data) > self._most:
            raise PayloadTooLarge("a frame is too long", told=Told("realtime.frame_long", {"most": self._most}))
        try:
            frame = strict_json(data)
        except ValidationError as error:
            raise InvalidInput("a frame is no JSON", told=Told("realtime.frame")) from error
        if not isinstance(frame, dict):
            raise InvalidInput("a frame is no object", told=Told("realtime.frame"))
        return frame

    async def send(self, frame: Mapping[str, Any]) -> None:
        """Send a frame.

        Raises:
            SessionEnded: the client has gone, or takes nothing in for too long.
            TypeError: it is no JSON.
        """
        data = dumps(frame)
        try:
            async with asyncio.timeout(self._seconds):
                await self.send_json(data)
        except TimeoutError as error:
            self.abort()
            raise _gone() from error

    def push(self, *frames: bytes) -> bool:
        """Send frames that are JSON already without waiting; False where that cannot be, and none was sent."""
        return self._push is not None and not self._closed and not self._turn.locked() and self._push(*frames)

    async def send_json(self, *frames: bytes) -> None:
        """Send frames that are JSON already, however long that takes.

        Raises:
            SessionEnded: the client has gone.
        """
        async with self._turn:
            if self._closed:
                raise _gone()
            try:
                for frame in frames:
                    await self._socket.send({"type": "websocket.send", "text": frame.decode()})
            except (OSError, RuntimeError, WebSocketDisconnect) as error:
                self._closed = True
                raise _gone() from error

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close it; one that is closed stays so."""
        if self._closed:
            return
        try:
            async with asyncio.timeout(_CLOSING_SECONDS), self._turn:
                if not self._closed:
                    await self._socket.send({"type": "websocket.close", "code": code, "reason": reason})
        except TimeoutError:
            self.abort()
        except (OSError, RuntimeError, WebSocketDisconnect):
            pass  # it has gone already
        finally:
            self._closed = True

    def abort(self) -> None:
        """Break the connection of a client that takes nothing in."""
        self._closed = True
        abort: Callable[[], None] | None = self._socket.scope.get(ABORT)
        if abort is not None:
            abort()


def code_of(error: MoothallError) -> int:
    """The code with which a connection is closed that an error ends."""
    for kinds, code in _CODES:
        if isinstance(error, kinds):
            return code
    return FAILED


def _none() -> None:
    """Nothing can be sent without waiting."""


def _gone() -> SessionEnded:
    return SessionEnded("the connection has ended", told=Told("realtime.ended"))
