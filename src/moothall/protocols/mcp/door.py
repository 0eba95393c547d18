"""The MCP door: one address for both eras. Who sends is found out before a byte of JSON is read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    MCP_PROTOCOL_VERSION_HEADER,
    InboundLadderRejection,
    classify_inbound_request,
    find_duplicated_routing_header,
    unsupported_protocol_version_rejection,
)
from mcp_types import HEADER_MISMATCH, INVALID_REQUEST, PROTOCOL_VERSION_META_KEY, ErrorData
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.types import Receive, Scope, Send

from moothall.errors import MethodNotAllowed, MoothallError, Told, UnsupportedMediaType, UsageError, ValidationError
from moothall.protocols.headers import NOT_KEPT, latin, repeated
from moothall.protocols.house import HouseTerms
from moothall.protocols.intake import ClientLeft, read_body, read_json, received
from moothall.protocols.mcp.exchange import Exchange
from moothall.protocols.mcp.failures import protocol_error
from moothall.protocols.mcp.ground import Ground
from moothall.protocols.mcp.handshake import Handshake
from moothall.protocols.mcp.listening import held
from moothall.protocols.mcp.single import answer
from moothall.protocols.mcp.visits import UNDECIDING, Visit
from moothall.protocols.mcp.wire import PARSE_ERROR, Message, failure, read
from moothall.telemetry import logger

PATH: Final = "/mcp"
LISTEN: Final = "subscriptions/listen"
_JSON: Final = "application/json"
_ANY: Final = frozenset({"*/*", "application/*", _JSON})
_EVENTS: Final = "text/event-stream"
_ARGUMENT: Final = "mcp-param-"
_log = logger("mcp")


class McpDoor:
    """The door of one node; ``server`` is the SDK's, with our handlers."""

    def __init__(self, server: Server[Any], ground: Ground, handshake: Handshake, terms: HouseTerms) -> None:
        self._server = server
        self._ground = ground
        self._handshake = handshake
        self._terms = terms

    def claims(self, path: str) -> bool:
        """Whether an address is this door's."""
        return path == PATH

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection whose path it claims."""
        exchange = Exchange(scope, receive, send, self._terms)
        try:
            if scope["method"] == "POST":
                await self._post(exchange)
            else:
                await self._other(exchange)
        except ClientLeft:
            _log.debug("request %s: the client left", exchange.request_id)
        except asyncio.CancelledError:
            if not (exchange.gone or exchange.cancelled):
                raise
            _log.debug("request %s was cancelled by its client", exchange.request_id)
            if not exchange.gone:
                await exchange.finish()
        except MoothallError as error:
            if exchange.events:
                raise
            await exchange.refuse(error)

    async def _post(self, exchange: Exchange) -> None:
        body = await self._body(exchange)
        visit = await self._visit(exchange, body)
        try:
            value = await read_json(body)
        except ValidationError as error:
            await self._unreadable(exchange, error)
            return
        message = read(value)
        if message is not None:
            exchange.call_id = message.id
        if not await self._acceptable(exchange, message):
            return
        version = exchange.headers.get(MCP_PROTOCOL_VERSION_HEADER)
        if version in HANDSHAKE_PROTOCOL_VERSIONS or (version is None and not _enveloped(message)):
            await self._handshake.take(exchange, visit, message, body)
        else:
            await self._modern(exchange, visit, message)

    async def _other(self, exchange: Exchange) -> None:
        method = exchange.scope["method"]
        version = exchange.headers.get(MCP_PROTOCOL_VERSION_HEADER)
        allowed = ["POST"]
        if version is None or version in HANDSHAKE_PROTOCOL_VERSIONS:
            allowed = [*self._handshake.verbs, "POST"]
        if method not in allowed:
            told = Told("protocols.method", {"methods": ", ".join(allowed)})
            raise MethodNotAllowed("no such method here", told=told, details={"allowed": allowed})
        visit = await self._visit(exchange, b"")
        await self._handshake.take_other(exchange, visit)

    async def _modern(self, exchange: Exchange, visit: Visit, message: Message | None) -> None:
        if message is None:
            raise UsageError("a response to nothing", told=Told("mcp.message"))
        version = exchange.headers.get(MCP_PROTOCOL_VERSION_HEADER, "")
        if message.id is None:
            rejection = unsupported_protocol_version_rejection(version)
            if rejection is None:
                await exchange.answer(202, exchange.extra, b"")
            else:
                await _reject(exchange, rejection)
            return
        body = {"method": message.method, "params": message.params}
        verdict = classify_inbound_request(body, headers=exchange.headers)
        if isinstance(verdict, InboundLadderRejection):
            await _reject(exchange, verdict)
            return
        connection = Connection.from_envelope(
            verdict.protocol_version, verdict.client_info, verdict.client_capabilities
        )
        work = partial(answer, self._server, exchange, visit, message, connection, modern=True)
        if message.method == LISTEN:
            await held(exchange, self._ground, visit, work)
        else:
            await work()

    async def _body(self, exchange: Exchange) -> bytes:
        """The body, after its declared type.

        Raises:
            UnsupportedMediaType, PayloadTooLarge, ClientLeft: it is no JSON, too long, or never complete.
            ValidationError: a header that must stand there once stands there twice.
        """
        raw, headers = exchange.scope["headers"], exchange.headers
        if len(raw) != len(headers) and (name := repeated(raw, dict(raw))):
            raise ValidationError(f"the header {name} is there twice", told=Told("protocols.header", {"name": name}))
        kind = headers.get("content-type", "")
        if kind != _JSON and kind.partition(";")[0].strip().lower() != _JSON:
            raise UnsupportedMediaType("the body is not declared as JSON", told=Told("protocols.content_type"))
        declared = headers.get("content-length", "").encode("latin-1")
        return await read_body(exchange.receive, declared, self._terms.max_body)

    async def _visit(self, exchange: Exchange, body: bytes) -> Visit:
        """Who sent a request.

        Raises:
            Unauthenticated, PermissionDeniedError, RateLimited: as `Gateway.authenticate`.
        """
        principal = await self._ground.gateway().authenticate(received(exchange.scope, body))
        exchange.barred = partial(self._ground.suspended, principal.id)
        if principal.kind == "did":
            exchange.extra = latin(self._terms.welcome(principal))
        return Visit(
            principal=principal,
            request_id=exchange.request_id,
            address=exchange.address,
            headers=exchange.headers,
            lang=exchange.lang,
            deciding=UNDECIDING not in exchange.headers,
        )

    async def _acceptable(self, exchange: Exchange, message: Message | None) -> bool:
        """Whether the client takes what it would get, and repeats no header that says what that is."""
        raw = exchange.scope["headers"]
        if len(exchange.headers) != len(raw) and (twice := _repeated_routing(raw)):
            rejection = InboundLadderRejection(HEADER_MISMATCH, f"{twice} header appears more than once")
            await _reject(exchange, rejection)
            return False
        accept = exchange.headers.get("accept", "*/*")
        if accept == "*/*":
            return True
        kinds = {kind.partition(";")[0].strip().lower() for kind in accept.split(",")}
        fits = not kinds.isdisjoint(_ANY)
        if message is not None and message.method == LISTEN:
            fits = _EVENTS in kinds
        if not fits:
            error = ErrorData(code=INVALID_REQUEST, message="Accept application/json and text/event-stream")
            await exchange.answer(406, [NOT_KEPT], failure(exchange.call_id, error))
        return fits

    async def _unreadable(self, exchange: Exchange, error: ValidationError) -> None:
        """Answer a body that is no JSON, or means two things: JSON-RPC has a code of its own for that."""
        refused = protocol_error(error, exchange.lang).error
        told = ErrorData(code=PARSE_ERROR, message=refused.message, data=refused.data)
        await exchange.answer(400, [NOT_KEPT], failure(None, told))


async def _reject(exchange: Exchange, rejection: InboundLadderRejection) -> None:
    error = ErrorData(code=rejection.code, message=rejection.message, data=rejection.data)
    status = ERROR_CODE_HTTP_STATUS.get(rejection.code, 400)
    await exchange.answer(status, [NOT_KEPT], failure(exchange.call_id, error))


def _repeated_routing(raw: Sequence[tuple[bytes, bytes]]) -> str | None:
    """The header that says what a request is about, or repeats an argument of it, and is there twice."""
    names = [name.decode("latin-1").lower() for name, _ in raw]
    twice = find_duplicated_routing_header((name, "") for name in names)
    mirrored = (name for name in names if name.startswith(_ARGUMENT) and names.count(name) > 1)
    return twice or next(mirrored, None)


def _enveloped(message: Message | None) -> bool:
    """Whether a message says itself that it is of the era without handshakes, so that its headers must say it, too."""
    if message is None or message.params is None or message.method == "initialize":
        return False
    meta = message.params.get("_meta")
    return isinstance(meta, dict) and PROTOCOL_VERSION_META_KEY in meta
