"""The doors of capabilities in the server: which of them a request is for, and what is checked before it gets there.

They stand beside the API of spec C, not behind it: no framework, bodies up to a size of their own, errors as the
envelope of a call. What any page in a browser could have sent is refused here as it is there (row NEG-API-29).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, Protocol

from starlette.types import Message, Receive, Scope, Send

from moothall.calls.request_ids import fresh
from moothall.clock import Clock
from moothall.errors import HostRefused, InternalError, InvalidInput, MoothallError, Told
from moothall.messages import Lang
from moothall.protocols.addressed import check_path, check_target
from moothall.protocols.headers import NOT_KEPT, failure_headers, status_of
from moothall.protocols.house import REQUEST_ID, STREAMS
from moothall.protocols.http.wire import body_headers, failure
from moothall.protocols.intake import ClientLeft
from moothall.server.admission import Admission
from moothall.server.language import accepted
from moothall.server.streams import OpenStreams
from moothall.telemetry import logger
from moothall.tracing import HEADER, current, received

DRAIN: Final = 32 * 1024 * 1024
"""Bytes dropped after a body was refused: most clients read no answer before they have sent everything, and a
connection that is closed under them destroys it on its way."""

DRAIN_SECONDS: Final = 10.0
"""As long as that is waited for; the connection closes then."""

_NOT_SNIFFED: Final = (b"x-content-type-options", b"nosniff")
_NOT_EMBEDDED: Final = [(b"referrer-policy", b"no-referrer"), (b"cross-origin-resource-policy", b"same-origin")]
"""For what a page could load as an image or a script: never the answer to a POST, whose body must be JSON."""

_TOO_LARGE: Final = 413
_TRACE: Final = HEADER.encode()
_KNOWN_HOSTS: Final = 64
_OF_PAGES: Final = (b"origin", b"sec-fetch-site", b"sec-fetch-mode")
_log = logger("server")


class Door(Protocol):
    """An ASGI application for some paths; it raises MoothallError for what it does not answer itself."""

    def claims(self, path: str) -> bool:
        """Whether a path is this door's; asked for every request."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request; its id and the server's open streams are in the scope."""
        ...


class Doors:
    """The doors of one server behind their boundary."""

    def __init__(
        self, doors: Sequence[Door], admission: Admission, streams: OpenStreams, clock: Clock, lang: Lang
    ) -> None:
        self._doors = tuple(doors)
        self._admission = admission
        self._streams = streams
        self._clock = clock
        self._lang = lang
        self._hosts: set[bytes] = set()

    def of(self, path: str) -> Door | None:
        """The door that a path belongs to."""
        for door in self._doors:
            if door.claims(path):
                return door
        return None

    async def enter(self, door: Door, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, and its answer out."""
        scope[REQUEST_ID] = fresh()
        scope[STREAMS] = self._streams
        answer = _Answer(scope, receive, send)
        trace = current.set(_trace(scope))
        try:
            self._admit(scope)
            await door(scope, answer.receive, answer.send)
        except ClientLeft:
            _log.debug("request %s: the client left", answer.request_id)
        except MoothallError as error:
            await self._refuse(error, scope, answer)
        except Exception:  # noqa: BLE001 - the last place where a fault can be logged and answered
            _log.exception("request %s failed: %s %s", answer.request_id, scope["method"], scope["path"])
            await self._refuse(InternalError("the node failed", told=Told("protocols.failed")), scope, answer)
        finally:
            current.reset(trace)

    def _admit(self, scope: Scope) -> None:
        """Check whom the request was meant for and which page sent it.

        Raises:
            HostRefused, OriginRefused: it was for another name, or from a page of a foreign origin.
            InvalidInput: its address has a NUL character, or could mean another one.
        """
        raw = scope["headers"]
        headers = dict(raw)
        host = headers.get(b"host")
        if "\0" in scope["path"]:
            raise InvalidInput("a NUL character in the address", told=Told("why.address_nul"))
        check_target(scope)
        check_path(scope)
        if len(headers) == len(raw) and host in self._hosts and not any(name in headers for name in _OF_PAGES):
            return
        every: dict[str, list[str]] = {}
        for name, value in raw:
            every.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1").strip())
        self._admission.check(scope["method"], every, has_body=False)
        if host is None:
            raise HostRefused("no Host")
        if len(self._hosts) < _KNOWN_HOSTS:
            self._hosts.add(host)

    async def _refuse(self, error: MoothallError, scope: Scope, answer: _Answer) -> None:
        if answer.started:
            return
        lang = accepted(dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")) or self._lang
        body = failure(error, answer.request_id, self._now(), lang)
        headers = [*body_headers(body), NOT_KEPT, *failure_headers(error, lang)]
        await answer.send({"type": "http.response.start", "status": status_of(error), "headers": headers})
        await answer.send({"type": "http.response.body", "body": body})

    def _now(self) -> datetime:
        return self._clock.now()


def _trace(scope: Scope) -> str:
    """The trace that a request belongs to; none, where it names two."""
    named = [value for name, value in scope["headers"] if name == _TRACE]
    return received(named[0].decode("latin-1").strip()) if len(named) == 1 else ""


class _Answer:
    """Sends on, with our headers; knows whether anything was sent, and whether all was received."""

    __slots__ = ("_complete", "_posted", "_receive", "_refused", "_send", "request_id", "started")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.request_id: str = scope[REQUEST_ID]
        self._posted = scope["method"] == "POST"
        self.started = False
        self._refused = False
        self._complete = False
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """Take the next message of the request; after its last one the client's leaving is all that can come."""
        message = await self._receive()
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            own = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode()), _NOT_SNIFFED]
            if not self._posted:
                own += _NOT_EMBEDDED
            if message["status"] == _TOO_LARGE:
                self._refused = True
                own.append((b"connection", b"close"))
            message = {**message, "headers": own}
        elif self._refused and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _drain(self) -> None:
        """Drop what the client still sends, for a while; the answer is out already."""
        size = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._complete and size <= DRAIN:
                    message = await self.receive()
                    size += len(message.get("body", b""))
