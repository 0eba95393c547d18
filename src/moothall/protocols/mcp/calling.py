"""Calls through the MCP server: what a request says of its call, and what becomes of its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any, Final

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import validate_mcp_param_headers
from mcp_types import CallToolRequestParams
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from moothall.calls.ports import CallFacts, Report
from moothall.calls.reply import Progress
from moothall.calls.target import Target
from moothall.canonical import dumps
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.errors import (
    ApprovalPending,
    InputRequired,
    InternalError,
    MoothallError,
    ServiceNotFoundError,
    Told,
    ValidationError,
)
from moothall.protocols.approving import APPROVAL, PURPOSE, approval_of, purpose_of
from moothall.protocols.mcp.approvals import resumed, waiting
from moothall.protocols.mcp.asking import ClientPartner
from moothall.protocols.mcp.content import blocks
from moothall.protocols.mcp.failures import protocol_error, tool_failure, unknown_tool
from moothall.protocols.mcp.ground import DOOR, Ground
from moothall.protocols.mcp.schemas import RESULT
from moothall.protocols.mcp.tools import Tool, Tools
from moothall.protocols.mcp.visits import Visit, visit_of

KEY: Final = "moothall/idempotencyKey"
TIMEOUT: Final = "moothall/timeout"
HOPS: Final = "moothall/hops"
WRAPPED: Final = "moothall/wrapped"
"""In a result's ``_meta``: whether the value stands under ``result`` in the structured content, being no object."""

_LONGEST_KEY: Final = 255
_MOST_HOPS: Final = 999
_SHOWN: Final = 100
"""Characters of a name that no tool has, in the error about it."""

Context = ServerRequestContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call that gave a value, as JSON."""

    entry: Entry
    data: Any


async def perform(
    ground: Ground,
    ctx: Context,
    target: Target,
    arguments: Mapping[str, Any],
    partner: ClientPartner,
    check: Callable[[], None] | None = None,
) -> Outcome:
    """Make a call for the sender of a request; ``check`` is made once it is known that it may be made.

    Raises:
        MoothallError: it may not be made, or failed.
        MCPError: the check failed.
    """
    gateway = ground.gateway()
    admitted = await gateway.admit(target, _facts(ctx, visit_of(ctx), partner))
    if check is not None:
        check()
    reply = await gateway.run(admitted, admitted.entry.locate(arguments))
    if reply.error is not None:
        raise reply.error
    return Outcome(admitted.entry, reply.data)


class ToolCalls:
    """Answers ``tools/call``."""

    def __init__(self, ground: Ground, tools: Tools) -> None:
        self._ground = ground
        self._tools = tools

    async def __call__(self, ctx: Context, params: CallToolRequestParams) -> JsonObject:
        """Call a tool.

        Raises:
            MCPError: there is none of that name for this caller, or its error is one of the protocol.
        """
        visit = visit_of(ctx)
        tool = self._tools.find(params.name)
        arguments = params.arguments or {}
        check = None
        if tool is not None and tool.mirrored and ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            check = partial(_check_headers, tool, arguments, visit)
        partner = ClientPartner(ctx)
        target = Target("local", params.name[:_SHOWN]) if tool is None else tool.target
        try:
            outcome = await perform(self._ground, ctx, target, arguments, partner, check)
            return _result(outcome, tool)
        except ApprovalPending as error:
            return waiting(ctx, error, visit.lang, structured=tool is None or "outputSchema" not in tool.row)
        except InputRequired as error:
            asked = partner.required(error)
            return tool_failure(error, visit.lang) if asked is None else asked
        except ServiceNotFoundError as error:
            raise unknown_tool(params.name[:_SHOWN], error, visit.lang) from error
        except MoothallError as error:
            if error.appearance.mcp == "error":
                raise protocol_error(error, visit.lang) from error
            return tool_failure(error, visit.lang)


def _result(outcome: Outcome, tool: Tool | None) -> JsonObject:
    """A tool's result: blocks as they are, anything else as text and as structured content.

    Raises:
        InternalError: the value is no JSON.
    """
    data = outcome.data
    if outcome.entry.blocks:
        return {"content": blocks(data)}
    try:
        shown = dumps(data).decode()
    except TypeError as error:
        raise InternalError("the result is no JSON", told=Told("protocols.failed")) from error
    result: JsonObject = {"content": [{"type": "text", "text": shown}]}
    wrapped = tool.wrapped if tool is not None and tool.wrapped is not None else not isinstance(data, dict)
    result["structuredContent"] = {RESULT: data} if wrapped else data
    result["_meta"] = {WRAPPED: wrapped}
    return result


def _check_headers(tool: Tool, arguments: Mapping[str, Any], visit: Visit) -> None:
    """Compare arguments with the headers that repeat them, which somebody on the way may have acted upon.

    Raises:
        MCPError: they differ.
    """
    if not visit.headers:
        return  # a connection without headers
    rejection = validate_mcp_param_headers(tool.schema, arguments, visit.headers)
    if rejection is not None:
        raise MCPError(rejection.code, rejection.message, rejection.data)


def _facts(ctx: Context, visit: Visit, partner: ClientPartner) -> CallFacts:
    """What is known of the call before its arguments.

    Raises:
        ValidationError: what the request says of it has no such form.
    """
    facts = CallFacts(
        door=DOOR, principal=visit.principal, request_id=visit.request_id, address=visit.address, partner=partner
    )
    params: Mapping[str, Any] = ctx.params or {}
    meta: Mapping[str, Any] = ctx.meta or {}
    if "requestState" in params:
        facts.approval = resumed(params).approval
    if not meta:
        return facts
    if "progress_token" in meta:
        facts.report = _reporting(ctx)
    if TIMEOUT in meta:
        facts.timeout = _seconds(meta[TIMEOUT])
    if HOPS in meta:
        facts.hops = _count(meta[HOPS])
    if KEY in meta:
        facts.idempotency_key = _token(meta[KEY])
    if APPROVAL in meta:
        facts.approval = _said(APPROVAL, approval_of(meta[APPROVAL]))
    if PURPOSE in meta:
        facts.purpose = _said(PURPOSE, purpose_of(meta[PURPOSE]))
    return facts


def _reporting(ctx: Context) -> Report:
    async def report(progress: Progress) -> None:
        await ctx.session.report_progress(progress.done, progress.total, progress.message or None)

    return report


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value <= 0:
        raise _bad(TIMEOUT)
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_HOPS:
        raise _bad(HOPS)
    return value


def _token(value: object) -> str:
    known = isinstance(value, str) and 0 < len(value) <= _LONGEST_KEY and value.isascii() and value.isprintable()
    if not isinstance(value, str) or not known:
        raise _bad(KEY)
    return value


def _said(name: str, known: str | None) -> str:
    if known is None:
        raise _bad(name)
    return known


def _bad(name: str) -> ValidationError:
    return ValidationError(f"_meta[{name!r}] does not fit", told=Told("mcp.meta", {"name": name}))
