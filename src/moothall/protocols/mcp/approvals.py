"""Calls over MCP that wait for somebody's approval.

A client of revision 2026-07-28 that fills in forms gets one to confirm: "send it again, it was approved by now". Its
answer brings the sealed state back, and with it the approval's id. A result with a state and no question at all would
do, too, by the protocol; but the SDKs take that for a busy server and ask ten times within two seconds, and then give
up with an error that names nothing. All others get a tool's result that says what to do; the id stands in its
``_meta``, and a client names it again in the ``_meta`` of a repetition.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcp.server.context import ServerRequestContext
from mcp_types import ClientCapabilities
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from moothall.canonical import dumps
from moothall.capability.spec import JsonObject
from moothall.errors import ApprovalPending
from moothall.messages import Lang, text
from moothall.protocols.approving import APPROVAL, approval_of
from moothall.protocols.mcp.failures import tool_failure

MOST_ROUNDS: Final = 5
"""How often one call is asked to be sent again: a client that confirms without asking anybody would never end."""

_QUESTION: Final = "approval"
_ROUNDS: Final = "rounds"

Context = ServerRequestContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Resumed:
    """What the state says that a client sent back.

    Attributes:
        approval: the id of the approval; empty: the call waited for none.
        rounds: how often the client was asked to come again.
        confirmed: whether it says that it is worth trying.
    """

    approval: str = ""
    rounds: int = 0
    confirmed: bool = True


def resumed(params: Mapping[str, Any]) -> Resumed:
    """What the parameters of a request bring back, their state opened already."""
    state = params.get("requestState")
    kept = json.loads(state).get(APPROVAL) if state is not None else None
    if not isinstance(kept, dict):
        return Resumed()
    given = (params.get("inputResponses") or {}).get(_QUESTION)
    confirmed = not isinstance(given, dict) or given.get("action") == "accept"
    return Resumed(approval_of(kept.get("id")) or "", int(kept.get(_ROUNDS, 0)), confirmed)


def waiting(ctx: Context, error: ApprovalPending, lang: Lang, *, structured: bool) -> JsonObject:
    """The answer to a call that waits for an approval.

    Args:
        ctx: the request.
        error: says which approval.
        lang: of the client.
        structured: whether the tool announces no schema of its results, so that any structured content fits; there
            are clients that compare that of errors, too.
    """
    if (form := approval_form(ctx, error, lang)) is not None:
        return form
    failed = tool_failure(error, lang)
    if structured:
        failed["structuredContent"] = {"approval": dict(error.details)}
    return {**failed, "_meta": {APPROVAL: dict(error.details)}}


def approval_form(ctx: Context, error: ApprovalPending, lang: Lang) -> JsonObject | None:
    """The question that a client gets in place of a result; None where this one is not asked, or not again."""
    before = resumed(ctx.params or {})
    if not (error.approval_id and before.confirmed and before.rounds < MOST_ROUNDS and _fills_in_forms(ctx)):
        return None
    kept = {APPROVAL: {"id": error.approval_id, _ROUNDS: before.rounds + 1}}
    return {
        "resultType": "input_required",
        "inputRequests": {_QUESTION: _form(error, lang)},
        "requestState": dumps(kept).decode(),
        "_meta": {APPROVAL: dict(error.details)},
    }


def _fills_in_forms(ctx: Context) -> bool:
    """Whether the client gets the question in place of a result; elicitation without a mode means forms."""
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return False
    able = (ctx.session.client_capabilities or ClientCapabilities()).elicitation
    return able is not None and (able.form is not None or able.url is None)


def _form(error: ApprovalPending, lang: Lang) -> JsonObject:
    asked = {
        "mode": "form",
        "message": text("mcp.approval_form", lang, id=error.approval_id),
        "requestedSchema": {"type": "object", "properties": {}},
    }
    return {"method": "elicitation/create", "params": asked}
