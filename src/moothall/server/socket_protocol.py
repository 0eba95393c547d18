"""WebSocket connections as the server library has them, with one correction of ours."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection; one that was refused with an answer has been dealt with.

    The library takes it for an application that forgot to answer, and logs an error for every stranger who knocks.
    """

    async def send(self, message: Any) -> None:  # noqa: ANN401 - ASGI's own
        """Take a message of the application."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True
