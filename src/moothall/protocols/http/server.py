"""The HTTP door: ``POST /api/v1/capabilities/{[agent.]name[@version]}`` and the addresses of `api_service`.

Plain ASGI, since every call takes this way: identity and permission are settled before a byte of JSON is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from moothall.calls.ports import Admitted, Gateway, Params
from moothall.calls.reply import Metadata, Reply
from moothall.capability.entry import Entry
from moothall.errors import (
    Conflict,
    InternalError,
    MethodNotAllowed,
    MoothallError,
    ServiceNotFoundError,
    Told,
    Unavailable,
    UnsupportedMediaType,
    ValidationError,
)
from moothall.identity.principal import Principal
from moothall.protocols.headers import NOT_KEPT, Headers, failure_headers, latin, status_of
from moothall.protocols.house import STREAMS, Streams
from moothall.protocols.http.attendance import Attendance
from moothall.protocols.http.exchange import Exchange
from moothall.protocols.http.listing import Listings
from moothall.protocols.http.routes import BELOW, CALL, CAPABILITIES, Found, Routes
from moothall.protocols.http.sharing import remembered, shared
from moothall.protocols.http.sse import EventAnswer
from moothall.protocols.http.terms import Terms
from moothall.protocols.http.wire import body_headers, failure, success
from moothall.protocols.intake import ClientLeft, read_body, read_json, received
from moothall.telemetry import logger

_JSON: Final = b"application/json"
_NO_LENGTH: Final = frozenset({b"", b"0"})
_READ: Final = frozenset({"GET", "HEAD"})
_log = logger("http")


class HttpDoor:
    """The door of one node.

    Raises:
        Conflict: a capability wants an address that is not free.
    """

    def __init__(self, gateway: Gateway, terms: Terms) -> None:
        self._gateway = gateway
        self._terms = terms
        self._routes = Routes.of(gateway.snapshot)
        for path in filter(terms.taken, self._routes.paths):
            raise Conflict(
                f"a capability wants {path}, which the node has itself",
                told=Told("protocols.path_ours", {"path": path}),
                hint="give it another path in @api_service",
            )
        self._listings = Listings(gateway)
        self._attendance = Attendance()

    @property
    def routes(self) -> Routes:
        """The addresses as they are now."""
        snapshot = self._gateway.snapshot
        if snapshot is not self._routes.snapshot:
            routes = Routes.of(snapshot)
            if ours := set(filter(self._terms.taken, routes.paths)):
                _log.error("capabilities want addresses that the node has itself: %s", ", ".join(sorted(ours)))
                routes = routes.without(ours)
            self._routes = routes
        return self._routes

    def claims(self, path: str) -> bool:
        """Whether an address is this door's."""
        return path.startswith(BELOW) or path == CAPABILITIES or path in self.routes.paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection whose path it claims."""
        exchange = Exchange(scope, receive, send, self._terms.clock.monotonic())
        path = scope["path"]
        try:
            if scope["method"] == CALL and path.startswith(BELOW):
                await self._call(exchange, self.routes.named(path[len(BELOW) :]), CALL)
            else:
                await self._take(exchange)
        except ClientLeft:
            _log.debug("request %s: the client left", exchange.request_id)
        except asyncio.CancelledError:
            if not exchange.gone:
                raise
            _log.debug("request %s: the client left, its call was cancelled", exchange.request_id)
        except MoothallError as error:
            await self._fail(exchange, error)

    async def _take(self, exchange: Exchange) -> None:
        method, path = exchange.scope["method"], exchange.scope["path"]
        if path == CAPABILITIES:
            verbs: Mapping[str, Found | None] = {"GET": None}
        elif path.startswith(BELOW):
            verbs = {CALL: self.routes.named(path[len(BELOW) :])}
        else:
            verbs = self.routes.paths[path]
        if "GET" in verbs:
            verbs = {**verbs, "HEAD": verbs["GET"]}
        known = verbs.get(method)
        if method == "OPTIONS":
            await self._options(exchange, verbs)
        elif method not in verbs:
            allowed = sorted(verbs)
            told = Told("protocols.method", {"methods": ", ".join(allowed)})
            raise MethodNotAllowed("no such method here", told=told, details={"allowed": allowed})
        elif known is None:
            await self._list(exchange)
        else:
            await self._call(exchange, known, method)

    async def _options(self, exchange: Exchange, verbs: Mapping[str, Found | None]) -> None:
        """Say which verbs there are, and to a browser that asks first whether its page may send them."""
        wanted = exchange.headers.get(b"access-control-request-method", b"").decode("latin-1").upper()
        found = verbs.get(wanted)
        headers = shared(found.entry if found else None, self._terms.origins, exchange.headers)
        if len(headers) > 1:
            headers.append(remembered())
        await exchange.answer(204, [(b"allow", ", ".join([*sorted(verbs), "OPTIONS"]).encode()), *headers], b"")

    async def _list(self, exchange: Exchange) -> None:
        body = await self._body(exchange)
        principal = await self._gateway.authenticate(received(exchange.scope, body))
        status, headers, listing = await self._listings.answer(principal, exchange.scope["headers"])
        await exchange.answer(status, [*headers, *self._welcome(principal)], listing)

    async def _call(self, exchange: Exchange, found: Found, method: str) -> None:
        exchange.shared = shared(found.entry, self._terms.origins, exchange.headers)
        body = await self._body(exchange)
        gateway = self._gateway
        principal = exchange.principal = await gateway.authenticate(received(exchange.scope, body))
        admitted = await gateway.admit(found.target, exchange.facts(principal))
        entry = exchange.entry = admitted.entry
        params = await _arguments(exchange, entry, method, body)
        if exchange.wants_events:
            await self._events(exchange, admitted, params)
            return
        self._attendance.enter(exchange)
        try:
            reply = await gateway.run(admitted, params)
        finally:
            self._attendance.leave(exchange)
        if reply.error is not None:
            raise reply.error
        try:
            envelope = success(reply, exchange.request_id, self._metadata(exchange, admitted, reply))
        except TypeError as error:
            raise InternalError("the result is no JSON", told=Told("protocols.failed")) from error
        head = [*body_headers(envelope), *self._head(exchange), *exchange.shared]
        if method != CALL:
            head.append(NOT_KEPT)
        if principal.kind == "did":
            head += self._welcome(principal)
        if reply.replayed:
            head.append((b"idempotency-replayed", b"true"))
        await exchange.answer(200, head, envelope)

    async def _events(self, exchange: Exchange, admitted: Admitted, params: Params) -> None:
        def envelope(reply: Reply[Any]) -> bytes:
            if reply.error is not None:
                return self._failure(exchange, reply.error)[0]
            return success(reply, exchange.request_id, self._metadata(exchange, admitted, reply))

        def stopped() -> Reply[Any]:
            error = Unavailable("the node is stopping", told=Told("protocols.stopping"))
            return Reply(request_id=exchange.request_id, timestamp=self._terms.clock.now(), error=error)

        streams: Streams = exchange.scope[STREAMS]
        head = [*self._head(exchange), *self._welcome(exchange.principal), *exchange.shared]
        events = EventAnswer(exchange, envelope, head, self._terms.heartbeat, stopped)
        await events.send(self._gateway.stream(admitted, params), streams)

    async def _body(self, exchange: Exchange) -> bytes:
        """The body, after its declared type.

        Raises:
            UnsupportedMediaType, PayloadTooLarge, ClientLeft: it is no JSON, too long, or never complete.
            ValidationError: as `Exchange.check`.
        """
        exchange.check()
        headers = exchange.headers
        length = headers.get(b"content-length", b"")
        if length in _NO_LENGTH and b"transfer-encoding" not in headers:
            return b""
        kind = headers.get(b"content-type", b"")
        if kind != _JSON and not _is_json(kind):
            raise UnsupportedMediaType("the body is not declared as JSON", told=Told("protocols.content_type"))
        return await read_body(exchange.receive, length, self._terms.max_body)

    def _head(self, exchange: Exchange) -> Headers:
        elapsed = self._terms.clock.monotonic() - exchange.started
        headers = [(b"x-processing-time", b"%.6f" % elapsed)]
        if exchange.entry is not None:
            headers.append((b"x-api-version", exchange.entry.spec.version.encode()))
        return headers

    def _welcome(self, principal: Principal) -> Headers:
        if principal.kind != "did":
            return []
        return latin(self._terms.welcome(principal))

    def _metadata(self, exchange: Exchange, admitted: Admitted, reply: Reply[Any]) -> Metadata | None:
        if not admitted.entry.spec.include_metadata:
            return None
        return reply.metadata or Metadata(
            processing_time=self._terms.clock.monotonic() - exchange.started,
            api_version=admitted.entry.spec.version,
            rate_limit_remaining=admitted.remaining,
        )

    def _failure(self, exchange: Exchange, error: MoothallError) -> tuple[bytes, Headers]:
        wanted = exchange.headers.get(b"accept-language", b"").decode("latin-1")
        lang = self._terms.accepted(wanted) or self._terms.lang
        challenged = self._terms.challenge(error)
        mirror = None if challenged is None else challenged.mirror
        body = failure(error, exchange.request_id, self._terms.clock.now(), lang, mirror)
        headers = failure_headers(error, lang)
        if challenged is not None:
            headers += latin(challenged.headers)
        return body, headers

    async def _fail(self, exchange: Exchange, error: MoothallError) -> None:
        body, headers = self._failure(exchange, error)
        if not any(name == NOT_KEPT[0] for name, _ in headers):
            headers.append(NOT_KEPT)
        missing = isinstance(error, ServiceNotFoundError) and exchange.entry is None
        page = [] if missing else exchange.shared  # of what is hidden, pages hear no more than of what is not there
        head = [*body_headers(body), *self._head(exchange), *headers, *page]
        await exchange.answer(status_of(error), head, body)


async def _arguments(exchange: Exchange, entry: Entry, method: str, body: bytes) -> Params:
    """The arguments of a call; nothing at all is no arguments.

    Raises:
        ValidationError: the body is no JSON object, or the query cannot be read.
    """
    if method in _READ or (method == "DELETE" and not body):
        return exchange.query(entry)
    if not body:
        return {}
    arguments = await read_json(body)
    if not isinstance(arguments, dict):
        raise ValidationError("the body is no JSON object", told=Told("protocols.no_object"))
    return entry.locate(arguments)


def _is_json(kind: bytes) -> bool:
    plain = kind.partition(b";")[0].strip().lower()
    return plain == _JSON or (plain.startswith(b"application/") and plain.endswith(b"+json"))
