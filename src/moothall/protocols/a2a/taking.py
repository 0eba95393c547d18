"""What a request asks: the operation, its parameters and its tenant, and how it wants to be answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from moothall.capability.spec import JsonObject
from moothall.errors import MethodNotAllowed, MoothallError, Told, ValidationError
from moothall.identity.request import HttpRequest
from moothall.messages import Lang
from moothall.protocols.a2a import jsonrpc, rest
from moothall.protocols.a2a.bindings import Binding, RestBinding, RpcBinding
from moothall.protocols.a2a.failures import VersionNotSupported
from moothall.protocols.a2a.faults import ParseError
from moothall.protocols.a2a.media import A2A_JSON, EVENTS, JSON, answer_type, check_body
from moothall.protocols.a2a.requests import READERS, STREAMED
from moothall.protocols.a2a.v03 import modern
from moothall.protocols.a2a.versions import version_of
from moothall.protocols.a2a.visits import tenant_of
from moothall.protocols.intake import read_json

_HEAD: Final = "HEAD"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        operation: one of `requests.READERS`.
        request: checked, in the form of 1.0.
        tenant: whose tasks it is about.
        binding: writes the answer.
    """

    operation: str
    request: JsonObject
    tenant: str
    binding: Binding


def verbs_of(route: rest.Route | None) -> tuple[str, ...]:
    """What an address answers; None is that of JSON-RPC."""
    if route is None:
        return ("POST",)
    read = route.operations.get("GET")
    return (*route.operations, *(() if read is None or read in STREAMED else (_HEAD,)))


def check_verb(verb: str, route: rest.Route | None) -> None:
    """Let a verb pass that an address answers.

    Raises:
        MethodNotAllowed: it does not.
    """
    verbs = verbs_of(route)
    if verb not in verbs:
        told = Told("a2a.wire.not_allowed", {"methods": ", ".join(verbs)})
        raise MethodNotAllowed("another verb", told=told, details={"allowed": [*verbs, "OPTIONS"]})


async def by_rpc(request: HttpRequest, query: bytes, request_id: str, lang: Lang) -> Asked:
    """Take a request of JSON-RPC.

    Raises:
        UnsupportedMediaType: the body is not declared as JSON.
        Refused: it is no request, or not one for this door; with the error.
    """
    check_body(request.headers, rest=False)
    try:
        read = jsonrpc.read(await _json(request.body))
    except ParseError as error:
        raise jsonrpc.Refused(error) from error
    try:
        operation, version = jsonrpc.operation(read.method, version_of(request.headers, query))
        answer_type(request.headers, EVENTS if operation in STREAMED else JSON)
        params = modern(operation, read.params) if version == "0.3" else read.params
        binding = RpcBinding(read.id, version, request_id, lang)
        return Asked(operation, READERS[operation](params), tenant_of(params), binding)
    except MoothallError as error:
        raise jsonrpc.Refused(error, read.id) from error


async def by_rest(request: HttpRequest, query: bytes, route: rest.Route, request_id: str, lang: Lang) -> Asked:
    """Take a request of HTTP+JSON, whose verb has been checked.

    Raises:
        UnsupportedMediaType: the body is not declared as JSON.
        ParseError, ProtocolError: it does not have the form of its operation, or wants another version or type.
    """
    operation = route.operations["GET" if request.method == _HEAD else request.method]
    if version_of(request.headers, query) != "1.0":
        raise VersionNotSupported("wire.version", {"versions": "1.0"})
    offered = (EVENTS,) if operation in STREAMED else (A2A_JSON, JSON)
    media = answer_type(request.headers, *offered)
    body = None
    if request.method == "POST" and (request.body or request.values(b"content-type")):
        check_body(request.headers, rest=True)
        body = await _json(request.body) if request.body else None
    params = rest.request_of(operation, route, query, body)
    binding = RestBinding(request_id, lang, A2A_JSON if media == EVENTS else media)
    return Asked(operation, READERS[operation](params), tenant_of(params, route.tenant), binding)


async def _json(body: bytes) -> object:
    try:
        return await read_json(body)
    except ValidationError as error:
        raise ParseError(error.message, told=error.told) from error
