"""The node's ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.server.parts import ServerParts

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from moothall.server.streams import OpenStreams


class ServerApp:
    """The application of one node; ``streams`` are the event streams that are open on it."""

    def __init__(self, outermost: ASGIApp, streams: OpenStreams) -> None:
        self.streams = streams
        self._outermost = outermost

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection."""
        await self._outermost(scope, receive, send)


def create_app(parts: ServerParts) -> ServerApp:
    """Build the application over a node's parts."""
    from moothall.server.api import build  # noqa: PLC0415 - FastAPI costs a command that opens no door its start

    return build(parts)
