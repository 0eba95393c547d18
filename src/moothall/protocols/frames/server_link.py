"""The connection as the server has it (ASGI)."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Receive, Send

from moothall.protocols.frames.link import NORMAL, TOO_BIG, UNFIT, ended, text_frame, too_big

_WRITING_SECONDS: Final = 30.0
"""After which a peer that takes nothing in is taken for gone."""
_CLOSING_SECONDS: Final = 2.0


class ServerLink:
    """A WebSocket that was accepted; ``most`` bytes make the longest frame."""

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive, self._send, self._most = receive, send, most
        self._sending = asyncio.Lock()
        self._closed = False

    async def send(self, frame: bytes) -> None:
        """See `Link.send`."""
        async with self._sending:
            if self._closed:
                raise ended()
            try:
                async with asyncio.timeout(_WRITING_SECONDS):
                    await self._send({"type": "websocket.send", "bytes": frame})
            except (OSError, RuntimeError) as error:  # it has gone, or might as well (TimeoutError)
                self._closed = True
                raise ended() from error

    async def receive(self) -> bytes:
        """See `Link.receive`."""
        if self._closed:
            raise ended()
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._closed = True
            raise ended()
        frame = message.get("bytes")
        if not isinstance(frame, bytes):
            await self.close(UNFIT)
            raise text_frame()
        if len(frame) > self._most:
            await self.close(TOO_BIG)
            raise too_big(self._most)
        return frame

    async def close(self, code: int = NORMAL) -> None:
        """See `Link.close`."""
        try:
            async with asyncio.timeout(_CLOSING_SECONDS), self._sending:
                if not self._closed:
                    await self._send({"type": "websocket.close", "code": code})
        except (OSError, RuntimeError):
            pass  # it has gone already, or takes nothing in (TimeoutError)
        finally:
            self._closed = True
