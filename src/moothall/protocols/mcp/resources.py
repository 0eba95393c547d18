"""Resources: what can be read at a URI, and who watches it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Final

from anyio.lowlevel import checkpoint
from mcp.server import Server
from mcp.server.connection import Connection
from mcp.server.context import HandlerResult, ServerRequestContext
from mcp.server.lowlevel.server import RequestHandler
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from moothall.capability.content import BASE64
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.capability.uri_templates import UriTemplate, read_template
from moothall.identity.principal import Principal
from moothall.protocols.mcp.answering import answer
from moothall.protocols.mcp.asking import connection_state
from moothall.protocols.mcp.content import contents
from moothall.protocols.mcp.ground import DOOR, Ground
from moothall.protocols.mcp.listings import page, title
from moothall.protocols.mcp.visits import visit_of

LISTEN: Final = "subscriptions/listen"
WATCHED: Final = "moothall.watched"
_NOT_FOUND: Final = -32002
"""The code for an unknown resource before revision 2026-07-28; since then it is that of wrong parameters."""

_MOST_WATCHED: Final = 1000
"""Resources that one session watches."""

_MOST_LISTENED: Final = 256
"""Resources that one stream watches: the rest of what it asks for is left out of what it is promised."""

_LONGEST: Final = 2048
"""Characters of a URI; a longer one is nobody's, and is not compared with those that there are."""


def register(server: Server[Any], ground: Ground) -> None:
    """Let a server answer the requests about resources."""
    add = server.add_request_handler
    add("resources/list", PaginatedRequestParams, partial(_listed, ground))
    add("resources/templates/list", PaginatedRequestParams, partial(_templates, ground))
    add("resources/read", ReadResourceRequestParams, partial(_read, ground))
    add("resources/subscribe", SubscribeRequestParams, partial(_subscribe, ground))
    add("resources/unsubscribe", UnsubscribeRequestParams, partial(_unsubscribe, ground))
    if (listening := server.get_request_handler(LISTEN)) is not None:
        add(LISTEN, SubscriptionsListenRequestParams, partial(_listen, ground, listening.handler))


def watched(connection: Connection) -> frozenset[str]:
    """The resources that the client of a session watches."""
    return frozenset(connection.state.get(WATCHED, ()))


async def readable(ground: Ground, principal: Principal, uri: str) -> bool:
    """Whether there is a resource at a URI that a caller may read."""
    return await _found(ground, principal, uri) is not None


async def _listed(ground: Ground, ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> JsonObject:
    rows = [_row(entry, "uri") for entry in await _readable(ground, ctx) if not _template(entry).variables]
    return page("resources", rows, params.cursor)


async def _templates(ground: Ground, ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> JsonObject:
    rows = [_row(entry, "uriTemplate") for entry in await _readable(ground, ctx) if _template(entry).variables]
    return page("resourceTemplates", rows, params.cursor)


async def _read(ground: Ground, ctx: ServerRequestContext[Any, Any], params: ReadResourceRequestParams) -> JsonObject:
    found = await _found(ground, visit_of(ctx).principal, params.uri)
    if found is None:
        raise _unknown(ctx, params.uri)
    return await answer(ground, ctx, *found, partial(_contents, params.uri))


async def _readable(ground: Ground, ctx: ServerRequestContext[Any, Any]) -> list[Entry]:
    return await visible_resources(ground, visit_of(ctx).principal)


def _contents(uri: str, entry: Entry, data: Any) -> JsonObject:  # noqa: ANN401 - JSON of any shape
    return {"contents": contents(entry, uri, data)}


async def _subscribe(
    ground: Ground, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams
) -> EmptyResult:
    if not await readable(ground, visit_of(ctx).principal, params.uri):
        raise _unknown(ctx, params.uri)
    watching: set[str] = connection_state(ctx).setdefault(WATCHED, set())
    if len(watching) >= _MOST_WATCHED and params.uri not in watching:
        raise MCPError(INVALID_PARAMS, f"A session watches at most {_MOST_WATCHED} resources")
    watching.add(params.uri)
    return EmptyResult()


async def _listen(
    ground: Ground,
    listening: RequestHandler[Any, SubscriptionsListenRequestParams],
    ctx: ServerRequestContext[Any, Any],
    params: SubscriptionsListenRequestParams,
) -> HandlerResult:
    """Let a stream tell of no resource that its reader may not read: not even that it has changed."""
    wanted = params.notifications.resource_subscriptions
    if wanted:
        permitted = []
        for uri in wanted[:_MOST_LISTENED]:
            await checkpoint()  # others have their turn between two look-ups
            if await readable(ground, visit_of(ctx).principal, uri):
                permitted.append(uri)
        filtered = params.notifications.model_copy(update={"resource_subscriptions": permitted})
        params = params.model_copy(update={"notifications": filtered})
    return await listening(ctx, params)


async def _unsubscribe(
    ground: Ground, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams
) -> EmptyResult:
    del ground
    connection_state(ctx).get(WATCHED, set()).discard(params.uri)
    return EmptyResult()


async def visible_resources(ground: Ground, principal: Principal) -> list[Entry]:
    """The resources that a caller may read."""
    visible = await ground.gateway().visible(principal, DOOR)
    return [entry for entry in visible if entry.spec.kind == "resource"]


async def _found(ground: Ground, principal: Principal, uri: str) -> tuple[Entry, Mapping[str, str]] | None:
    """The resource at a URI, with the values of its variables; one without variables goes before those with."""
    if len(uri) > _LONGEST:
        return None
    matching = [
        (entry, values)
        for entry in await visible_resources(ground, principal)
        if (values := _template(entry).match(uri)) is not None
    ]
    return min(matching, key=lambda match: len(match[1]), default=None)


def _unknown(ctx: ServerRequestContext[Any, Any], uri: str) -> MCPError:
    code = INVALID_PARAMS if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS else _NOT_FOUND
    return MCPError(code, "Resource not found", {"uri": uri[:_LONGEST], "code": "NOT_FOUND"})


def _template(entry: Entry) -> UriTemplate:
    return _read_once(entry.spec.uri)


_read_once = lru_cache(maxsize=4096)(read_template)


def _row(entry: Entry, place: str) -> JsonObject:
    spec = entry.spec
    row: JsonObject = {place: spec.uri, "name": entry.id, "title": title(entry), "description": spec.description}
    if kind := spec.mime_type or _usual(entry):
        row["mimeType"] = kind
    return row


def _usual(entry: Entry) -> str:
    """What a resource consists of as far as the type of its result tells."""
    schema = entry.output_schema or {}
    if schema.get("contentEncoding") == BASE64["contentEncoding"]:
        return "application/octet-stream"
    if schema.get("type") == "string":
        return "text/plain"
    return "" if entry.blocks or not schema else "application/json"
