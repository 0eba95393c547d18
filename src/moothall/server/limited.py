"""HTTP connections that neither send without end nor wait without end (RFC 9110 §15.5.9, RFC 6585 §5).

uvicorn bounds neither the header block nor the time that a request takes to arrive, so a client that sends one byte a
minute keeps its connection for ever. Here one timer runs from the first byte of a connection or request to the end of
its headers, and another from there to the end of its body; a request under way in the node is never timed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from moothall.protocols.addressed import TARGET
from moothall.protocols.house import ABORT, PUSH, Push
from moothall.telemetry import logger

_log = logger("server")


def _pushed(cycle: RequestResponseCycle, *parts: bytes) -> bool:
    """Send parts of an answer as its cycle does, but for what it waits for, see `Push`."""
    if cycle.flow.write_paused or cycle.disconnected or cycle.response_complete or not cycle.chunked_encoding:
        return False
    body = parts[0] if len(parts) == 1 else b"".join(parts)
    cycle.transport.write(b"%x\r\n%b\r\n" % (len(body), body))
    return True


@dataclass(frozen=True, slots=True)
class Limits:
    """``header_bytes`` of request line and headers together; seconds until headers and then body are complete."""

    header_bytes: int = 64 * 1024
    header_seconds: float = 20.0
    body_seconds: float = 30.0


LIMITS = Limits()


class LimitedProtocol(HttpToolsProtocol):
    """One connection under the limits; what breaks them is answered 431 or 408 and closed."""

    limits: ClassVar[Limits] = LIMITS

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to uvicorn
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._expected: float | None = None
        self._reading = False
        self._in_headers = True
        self._received = 0
        self._counted = 0
        self._refused = False
        self._answering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect the headers of the first request."""
        super().connection_made(transport)
        self._expect(self.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Time nothing any more."""
        self._expect(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, unless they make a header block too long that has not ended yet."""
        if self._refused:
            return
        self._reading = True
        if self._in_headers:
            self._received += len(data)
            if self._timer is None:
                self._expect(self.limits.header_seconds)
        super().data_received(data)
        self._reading = False
        self._arm()
        if self._in_headers and self._received > self.limits.header_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Start to count: what arrives in one piece is counted field by field."""
        self._counted = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the address as part of the headers."""
        self._counted += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, or a trailer after the body."""
        self._counted += len(name) + len(value) + len(": \r\n")
        if self._counted > self.limits.header_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request to the application, with its address as received, and expect its body."""
        if self._refused:
            return
        self._in_headers = False
        self._answering = True
        self._expect(self.limits.body_seconds)
        scope = cast("dict[str, object]", self.scope)
        scope[TARGET], scope[ABORT], scope[PUSH] = self.url, self.transport.abort, self.push
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Time nothing until the next request begins."""
        if self._refused:
            return
        self._in_headers, self._received = True, 0
        self._expect(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Answer nothing any more, unless the next request waits already."""
        self._answering = len(self.pipeline) > 0
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Time nothing any more: the connection goes on under another protocol, which minds its own."""
        self._expect(None)
        super().handle_websocket_upgrade()

    def push(self) -> Push | None:
        """What sends parts of the answer under way without waiting; None where requests wait behind it."""
        return None if self.pipeline else partial(_pushed, self.cycle)

    def _expect(self, seconds: float | None) -> None:
        """Allow what comes next so much time; most requests arrive in one piece, and none of it needs a timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._expected = seconds
        if not self._reading:
            self._arm()

    def _arm(self) -> None:
        if self._timer is None and self._expected is not None:
            self._timer = self.loop.call_later(self._expected, self._late)

    def _late(self) -> None:
        self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        """Close the connection; say why where something was asked and nothing else is being answered."""
        if self._refused:
            return
        self._refused = True
        self._expect(None)
        _log.info("a connection was closed: %s", status.phrase)
        if not self.transport.is_closing():
            if self._may_answer():
                self.transport.write(_answer(status))
            self.transport.close()

    def _may_answer(self) -> bool:
        if self._in_headers:
            return self._received > 0 and not self._answering
        return not self.cycle.response_started


def limited(limits: Limits) -> type[LimitedProtocol]:
    """The protocol with limits of its own; uvicorn takes a class."""
    return type("LimitedProtocol", (LimitedProtocol,), {"limits": limits})


def _answer(status: HTTPStatus) -> bytes:
    body = status.phrase.encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
