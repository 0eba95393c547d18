"""Prompts: capabilities whose results are put to a language model."""

from __future__ import annotations

from functools import partial
from typing import Any

from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, GetPromptRequestParams, PaginatedRequestParams

from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.capability.tool_names import tool_names
from moothall.protocols.mcp.answering import answer
from moothall.protocols.mcp.content import messages
from moothall.protocols.mcp.ground import DOOR, Ground
from moothall.protocols.mcp.listings import page, title
from moothall.protocols.mcp.visits import visit_of


def register(server: Server[Any], ground: Ground) -> None:
    """Let a server answer the requests about prompts."""
    server.add_request_handler("prompts/list", PaginatedRequestParams, partial(_listed, ground))
    server.add_request_handler("prompts/get", GetPromptRequestParams, partial(_get, ground))


async def visible_prompts(ground: Ground, ctx: ServerRequestContext[Any, Any]) -> dict[str, Entry]:
    """The prompts that the sender of a message may use, by name."""
    gateway = ground.gateway()
    visible = await gateway.visible(visit_of(ctx).principal, DOOR)
    seen = {entry.id for entry in visible if entry.spec.kind == "prompt"}
    return {name: entry for name, entry in tool_names(gateway.snapshot).items() if entry.id in seen} if seen else {}


async def _listed(ground: Ground, ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> JsonObject:
    rows = [_row(name, entry) for name, entry in (await visible_prompts(ground, ctx)).items()]
    return page("prompts", rows, params.cursor)


async def _get(ground: Ground, ctx: ServerRequestContext[Any, Any], params: GetPromptRequestParams) -> JsonObject:
    entry = (await visible_prompts(ground, ctx)).get(params.name)
    if entry is None:
        raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.name}", {"code": "NOT_FOUND"})
    return await answer(ground, ctx, entry, params.arguments or {}, _prompt)


def _prompt(entry: Entry, data: Any) -> JsonObject:  # noqa: ANN401 - JSON of any shape
    return {"description": entry.spec.description, "messages": messages(entry, data)}


def _row(name: str, entry: Entry) -> JsonObject:
    schema = entry.input_schema
    required = frozenset(schema.get("required", ()))
    arguments = [
        {
            "name": key,
            "required": key in required,
            **({"description": said} if (said := item.get("description")) else {}),
        }
        for key, item in schema.get("properties", {}).items()
    ]
    return {"name": name, "title": title(entry), "description": entry.spec.description, "arguments": arguments}
