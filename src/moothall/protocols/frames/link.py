"""One connection that carries frames: bytes in, bytes out, in order; what both sides of a WebSocket look like."""

from __future__ import annotations

from typing import Final, Protocol

from moothall.errors import ProtocolViolation, SessionEnded, Told

NORMAL: Final = 1000
GOING: Final = 1001
UNFIT: Final = 1003
POLICY: Final = 1008
TOO_BIG: Final = 1009
FAILED: Final = 1011
"""Codes of closing (RFC 6455 §7.4.1)."""


class Link(Protocol):
    """A connection."""

    async def send(self, frame: bytes) -> None:
        """Send one frame, whole.

        Raises:
            SessionEnded: the connection is closed.
        """
        ...

    async def receive(self) -> bytes:
        """The next frame.

        Raises:
            SessionEnded: the connection is closed, by whichever side.
            ProtocolViolation: what came is text, or longer than a frame may be; the connection is closed by it.
        """
        ...

    async def close(self, code: int = NORMAL) -> None:
        """Close it; again and again does no harm."""
        ...


def ended() -> SessionEnded:
    """The error of a connection that is closed."""
    return SessionEnded("the connection is closed", told=Told("agreeing.link_closed"))


def text_frame() -> ProtocolViolation:
    """The error of a frame that is no bytes."""
    return ProtocolViolation("frames are bytes, not text", told=Told("agreeing.text_frame"))


def too_big(most: int) -> ProtocolViolation:
    """The error of a frame that is too long."""
    return ProtocolViolation("a frame is too long", told=Told("agreeing.frame_long", {"most": most}))
