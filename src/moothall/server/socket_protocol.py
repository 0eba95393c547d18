"""WebSocket connections as the server library has them, with one correction of ours."""

from __future__ import annotations

from struct import pack
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from moothall.protocols.house import ABORT, PUSH, Push

_TEXT: Final = 0x81
"""A whole text frame that is not masked (RFC 6455 §5.2)."""

_SHORT, _LONG = 125, 2**16


def _head(size: int) -> bytes:
    """What a text frame of so many bytes begins with."""
    if size <= _SHORT:
        return pack("!BB", _TEXT, size)
    return pack("!BBH", _TEXT, 126, size) if size < _LONG else pack("!BBQ", _TEXT, 127, size)


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection; one that was refused with an answer has been dealt with.

    The library takes it for an application that forgot to answer, and logs an error for every stranger who knocks.
    """

    def handle_connect(self, event: Any) -> None:  # noqa: ANN401 - the library's own
        """Hand the connection to the application, which may break it for a client that takes nothing in."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            scope: dict[str, Any] = self.scope  # type: ignore[assignment]  # as the library types it
            scope[ABORT], scope[PUSH] = self.transport.abort, self.push

    def push(self) -> Push | None:
        """What sends text frames without waiting; None where frames are packed."""
        return None if self.conn.extensions else self._pushed

    def _pushed(self, *texts: bytes) -> bool:
        """Send frames as the library does, which makes an object of each; see `Push`."""
        if not self.writable.is_set() or self.disconnected or self.close_sent or self.conn.state is not State.OPEN:
            return False
        self.transport.write(b"".join([part for text in texts for part in (_head(len(text)), text)]))
        return True

    async def send(self, message: Any) -> None:  # noqa: ANN401 - ASGI's own
        """Take a message of the application."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True
