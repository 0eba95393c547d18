"""The node's ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moothall.server.parts import ServerParts

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from moothall.server.doors import Doors
    from moothall.server.sockets import Sockets
    from moothall.server.streams import OpenStreams


class ServerApp:
    """The application of one node; ``streams`` are the event streams that are open on it.

    ``describe`` gives the OpenAPI document of its own routes, without the node's capabilities.
    """

    def __init__(
        self,
        outermost: ASGIApp,
        doors: Doors,
        sockets: Sockets,
        streams: OpenStreams,
        describe: Callable[[], dict[str, Any]],
    ) -> None:
        self.streams = streams
        self.describe = describe
        self._doors = doors
        self._sockets = sockets
        self._outermost = outermost

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection."""
        if scope["type"] == "websocket":
            await self._sockets.enter(scope, receive, send)
            return
        door = self._doors.of(scope["path"]) if scope["type"] == "http" else None
        if door is None:
            await self._outermost(scope, receive, send)
        else:
            await self._doors.enter(door, scope, receive, send)


def create_app(parts: ServerParts) -> ServerApp:
    """Build the application over a node's parts."""
    from moothall.server.api import build  # noqa: PLC0415 - FastAPI costs a command that opens no door its start

    return build(parts)
