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

from moothall.calls.ports import CallFacts, Gateway, Report
from moothall.calls.reply import Progress
from moothall.calls.target import Target
from moothall.canonical import dumps
from moothall.capability.deciding import decides
from moothall.capability.entry import Entry
from moothall.capability.narration import error_form, told_error, told_value, value_form
from moothall.capability.spec import FACADE, JsonObject
from moothall.errors import (
    ApprovalPending,
    Forbidden,
    InputRequired,
    InternalError,
    MoothallError,
    ServiceNotFoundError,
    Told,
    ValidationError,
)
from moothall.messages import Lang
from moothall.protocols.approving import APPROVAL, PURPOSE, approval_of, purpose_of
from moothall.protocols.mcp.approvals import approval_form, resumed, waiting
from moothall.protocols.mcp.asking import ClientPartner
from moothall.protocols.mcp.content import blocks
from moothall.protocols.mcp.failures import protocol_error, tool_failure, unknown_tool
from moothall.protocols.mcp.ground import DOOR, Ground
from moothall.protocols.mcp.pouring import poured
from moothall.protocols.mcp.schemas import RESULT
from moothall.protocols.mcp.tools import Tool, Tools
from moothall.protocols.mcp.visits import Visit, visit_of
from moothall.tracing import HEADER, received

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
        Forbidden: a person decides with it, and the client is a model.
        MoothallError: it may not be made, or failed.
        MCPError: the check failed.
    """
    gateway, visit = ground.gateway(), visit_of(ctx)
    facts = _facts(ctx, visit, partner)
    facts.inside = not visit.deciding and _passes_on(gateway, target)
    admitted = await gateway.admit(target, facts)
    if not visit.deciding and decides(admitted.entry):
        raise Forbidden("a model does not decide for its owner", told=Told("mcp.deciding", hint="mcp.deciding_hint"))
    if check is not None:
        check()
    located, report = admitted.entry.locate(arguments), admitted.facts.report
    if admitted.entry.streams and report is not None:
        return Outcome(admitted.entry, await poured(gateway, admitted, located, report))
    reply = await gateway.run(admitted, located)
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
        if tool is not None and tool.narrated:
            return await self._narrated(ctx, tool, arguments)
        if tool is not None and tool.mirrored and ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            check = partial(_check_headers, tool, arguments, visit)
        partner, admitted = ClientPartner(ctx), list[str]()
        let_in = partial(_let_in, admitted, params.name, check)
        target = Target("local", params.name[:_SHOWN]) if tool is None else tool.target
        try:
            outcome = await perform(self._ground, ctx, target, arguments, partner, let_in)
            return _result(outcome, tool)
        except ApprovalPending as error:
            return waiting(ctx, error, visit.lang, structured=tool is None or "outputSchema" not in tool.row)
        except InputRequired as error:
            asked = partner.required(error)
            return tool_failure(error, visit.lang) if asked is None else asked
        except ServiceNotFoundError as error:
            if not admitted:
                raise unknown_tool(params.name[:_SHOWN], error, visit.lang) from error
            return tool_failure(error, visit.lang)  # the tool is there: what it was asked for is not
        except MoothallError as error:
            if error.appearance.mcp == "error":
                raise protocol_error(error, visit.lang) from error
            return tool_failure(error, visit.lang)

    async def _narrated(self, ctx: Context, tool: Tool, arguments: Mapping[str, Any]) -> JsonObject:
        """Call a tool that tells of others: their failures, a name that nobody has among them, are results.

        Raises:
            MCPError: the tool itself may not be called.
        """
        visit, partner, admitted = visit_of(ctx), ClientPartner(ctx), list[Tool]()
        try:
            outcome = await perform(self._ground, ctx, tool.target, arguments, partner, partial(admitted.append, tool))
            return _told(outcome.data, visit.lang)
        except ApprovalPending as error:
            if (form := approval_form(ctx, error, visit.lang)) is not None:
                return form
            return {**_failed(error, visit.lang), "_meta": {APPROVAL: dict(error.details)}}
        except InputRequired as error:
            asked = partner.required(error)
            return _failed(error, visit.lang) if asked is None else asked
        except MoothallError as error:
            if admitted:
                return _failed(error, visit.lang)
            if isinstance(error, ServiceNotFoundError):
                raise unknown_tool(tool.row["name"], error, visit.lang) from error
            if error.appearance.mcp == "error":
                raise protocol_error(error, visit.lang) from error
            return _failed(error, visit.lang)


def _passes_on(gateway: Gateway, target: Target) -> bool:
    """Whether a target does what it is told: the tools of the node do it in the name of their caller."""
    entry = gateway.snapshot.find(target.address, target.version)
    return entry is not None and FACADE in entry.spec.tags


def _let_in(admitted: list[str], name: str, check: Callable[[], None] | None) -> None:
    """Note that a call may be made, and check it."""
    admitted.append(name)
    if check is not None:
        check()


def _told(data: Any, lang: Lang) -> JsonObject:  # noqa: ANN401 - JSON of any shape
    """What a tool tells of a value that something else gave.

    Raises:
        InternalError: the value is no JSON.
    """
    try:
        shown = told_value(data, lang)
    except TypeError as error:
        raise InternalError("the result is no JSON", told=Told("protocols.failed")) from error
    content = [{"type": "text", "text": shown}]
    return {"content": content, "structuredContent": value_form(data), "_meta": {WRAPPED: True}}


def _failed(error: MoothallError, lang: Lang) -> JsonObject:
    content = [{"type": "text", "text": told_error(error, lang)}]
    return {"content": content, "structuredContent": error_form(error, lang), "isError": True}


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
    facts.trace = received(meta.get(HEADER)) or received(visit.headers.get(HEADER))  # a session has many requests
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
