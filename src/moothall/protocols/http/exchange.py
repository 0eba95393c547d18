"""One request at the HTTP door: what it says of itself, and the sending of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from moothall.calls.ports import CallFacts
from moothall.capability.entry import Entry
from moothall.errors import Told, ValidationError
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.protocols.approving import APPROVAL_HEADER, PURPOSE_HEADER, approval_of, purpose_of
from moothall.protocols.headers import Headers, repeated
from moothall.protocols.house import REQUEST_ID

EVENTS: Final = b"text/event-stream"
_HOPS: Final = b"x-moothall-hops"
_TIMEOUT: Final = b"x-moothall-timeout"
_KEY: Final = b"idempotency-key"
_APPROVAL: Final = APPROVAL_HEADER.lower().encode()
_PURPOSE: Final = PURPOSE_HEADER.lower().encode()
_LONGEST_KEY: Final = 255
_MOST_FIELDS: Final = 1000


class Exchange:
    """A request and its answer.

    Attributes:
        headers: lower-case names; of one that occurs several times, the last.
        entry: the capability it is about, once its caller was let in: others are not told that it is there.
        principal: its caller, likewise.
        shared: what a page of another origin must be told to see the answer.
        gone: whether the client has left.
    """

    __slots__ = (
        "_send",
        "entry",
        "gone",
        "headers",
        "principal",
        "receive",
        "request_id",
        "scope",
        "shared",
        "started",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, started: float) -> None:
        self.scope = scope
        self.receive = receive
        self._send = send
        self.started = started
        self.request_id: str = scope[REQUEST_ID]
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.entry: Entry | None = None
        self.principal: Principal = ANONYMOUS
        self.shared: Headers = []
        self.gone = False

    @property
    def wants_events(self) -> bool:
        """Whether the answer is to be a stream of server-sent events."""
        return EVENTS in self.headers.get(b"accept", b"")

    def check(self) -> None:
        """Look whether every header has one meaning.

        Raises:
            ValidationError: one that must stand there once stands there twice.
        """
        if name := repeated(self.scope["headers"], self.headers):
            raise _bad(name.encode())

    def facts(self, principal: Principal) -> CallFacts:
        """What is known of the call before its arguments.

        Raises:
            ValidationError: a header has no such form.
        """
        client = self.scope.get("client")
        headers = self.headers
        timeout, hops, key = headers.get(_TIMEOUT), headers.get(_HOPS), headers.get(_KEY)
        facts = CallFacts(
            door="http",
            principal=principal,
            request_id=self.request_id,
            timeout=None if timeout is None else _seconds(timeout),
            hops=0 if hops is None else _count(hops),
            idempotency_key=None if key is None else _token(key),
            address=client[0] if client else "",
        )
        if _APPROVAL in headers:
            facts.approval = _said(_APPROVAL, approval_of(headers[_APPROVAL].decode("latin-1")))
        if _PURPOSE in headers:
            facts.purpose = _said(_PURPOSE, purpose_of(headers[_PURPOSE].decode("latin-1")))
        return facts

    def query(self, entry: Entry) -> dict[str, Any]:
        """The parameters of the query, as text; a list for what stands there twice, or is a list by its schema.

        Raises:
            ValidationError: they are no UTF-8, or too many.
        """
        found: dict[str, Any] = {}
        try:
            text = self.scope["query_string"].decode("ascii")
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise ValidationError("the query cannot be read", told=Told("protocols.query")) from error
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        listed = _lists(entry)
        return {name: values if len(values) > 1 or name in listed else values[0] for name, values in found.items()}

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole answer."""
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def start(self, headers: Headers) -> None:
        """Send the head of a good answer whose body comes in parts."""
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def write(self, frame: bytes, *, more: bool = True) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": frame, "more_body": more})

    async def until_gone(self, task: asyncio.Future[Any]) -> None:
        """Wait for the client to leave, then cancel what it will not wait for; the body must have been read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        task.cancel()


def _lists(entry: Entry) -> frozenset[str]:
    properties: Mapping[str, Any] = entry.input_schema.get("properties", {})
    return frozenset(name for name, schema in properties.items() if schema.get("type") == "array")


def _seconds(value: bytes) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not isfinite(seconds) or seconds <= 0:
        raise _bad(_TIMEOUT)
    return seconds


def _count(value: bytes) -> int:
    if not value.isdigit() or len(value) > 3:  # noqa: PLR2004 - digits; no limit of hops is that high
        raise _bad(_HOPS)
    return int(value)


def _token(value: bytes) -> str:
    key = value.decode("latin-1")
    if not 0 < len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise _bad(_KEY)
    return key


def _said(header: bytes, read: str | None) -> str:
    if read is None:
        raise _bad(header)
    return read


def _bad(header: bytes) -> ValidationError:
    name = header.decode()
    return ValidationError(f"the header {name} does not fit", told=Told("protocols.header", {"name": name}))
