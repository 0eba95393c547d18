"""Completion: values that an argument of a prompt or of a resource template may have."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Any, Final

from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CompleteRequestParams, PromptReference

from moothall.calls.ports import CallFacts
from moothall.calls.target import Target
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.errors import CallTimeout, InternalError, MoothallError, Told
from moothall.protocols.mcp.failures import protocol_error
from moothall.protocols.mcp.ground import DOOR, Ground
from moothall.protocols.mcp.prompts import visible_prompts
from moothall.protocols.mcp.resources import visible_resources
from moothall.protocols.mcp.schemas import input_schema
from moothall.protocols.mcp.visits import visit_of
from moothall.telemetry import logger

MOST: Final = 100
"""Values of one answer; the protocol allows no more."""

_MOST_LOOKED_AT: Final = 10_000
_SECONDS: Final = 5.0
_LOG = logger("mcp")


def register(server: Server[Any], ground: Ground) -> None:
    """Let a server answer ``completion/complete``."""
    server.add_request_handler("completion/complete", CompleteRequestParams, partial(_complete, ground))


async def _complete(ground: Ground, ctx: ServerRequestContext[Any, Any], params: CompleteRequestParams) -> JsonObject:
    entry = await _entry(ground, ctx, params)
    name, beginning = params.argument.name, params.argument.value
    if entry is None or name not in entry.input_schema.get("properties", {}):
        raise MCPError(INVALID_PARAMS, "Nothing to complete", {"code": "NOT_FOUND"})
    visit = visit_of(ctx)
    facts = CallFacts(door=DOOR, principal=visit.principal, request_id=visit.request_id, address=visit.address)
    try:
        await ground.gateway().admit(Target("local", entry.id), facts)
        with ground.completions.one_of(visit):
            values = await _values(ground, entry, name, beginning)
    except MoothallError as error:
        raise protocol_error(error, visit.lang) from error
    listed = {"values": values[:MOST], "total": len(values), "hasMore": len(values) > MOST}
    return {"completion": listed}


async def _entry(ground: Ground, ctx: ServerRequestContext[Any, Any], params: CompleteRequestParams) -> Entry | None:
    reference = params.ref
    if isinstance(reference, PromptReference):
        return (await visible_prompts(ground, ctx)).get(reference.name)
    visible = await visible_resources(ground, visit_of(ctx).principal)
    return next((entry for entry in visible if entry.spec.uri == reference.uri), None)


async def _values(ground: Ground, entry: Entry, name: str, beginning: str) -> list[str]:
    """What begins like that; what the capability's own function finds is left as it is."""
    completer = entry.spec.completions.get(name)
    if callable(completer):
        return await _asked(ground, entry, completer, beginning)
    known = completer if completer is not None else _choices(input_schema(entry)["properties"][name])
    return [value for value in known if value.casefold().startswith(beginning.casefold())]


async def _asked(ground: Ground, entry: Entry, completer: Callable[[str], Any], beginning: str) -> list[str]:
    """What the capability's own function finds; nothing of a synchronous one runs in the event loop.

    Raises:
        CallTimeout, InternalError, Unavailable: it takes too long, fails, or every thread is taken.
    """
    threads = ground.threads
    try:
        async with asyncio.timeout(min(_SECONDS, entry.spec.timeout)):
            if inspect.iscoroutinefunction(completer):
                found = await completer(beginning)
                return list(await threads.submit(_texts, (found,), {}, owner=completer))
            return list(await threads.submit(_found, (completer, beginning), {}, owner=completer))
    except TimeoutError as error:
        raise CallTimeout("the completion took too long", told=Told("calls.timeout")) from error
    except MoothallError:
        raise
    except Exception as error:
        _LOG.exception("the completion of an argument of %s failed", entry.id)
        raise InternalError("the completion failed") from error


def _found(completer: Callable[[str], Iterable[Any]], beginning: str) -> list[str]:
    return _texts(completer(beginning))


def _texts(found: Iterable[Any]) -> list[str]:
    return [str(value) for value in islice(found, _MOST_LOOKED_AT)]


def _choices(schema: JsonObject) -> list[str]:
    """The values that a schema lists: of an enumeration, a constant, a switch, or one of several."""
    if "enum" in schema:
        return [str(value) for value in schema["enum"] if value is not None]
    if "const" in schema:
        return [str(schema["const"])]
    if schema.get("type") == "boolean":
        return ["true", "false"]
    either = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return [value for item in either for value in _choices(item)]
