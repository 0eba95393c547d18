"""Answers of resources and prompts: a call is made, and its value shaped; an error is one of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcp.server.context import ServerRequestContext

from moothall.calls.target import Target
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.errors import ApprovalPending, InputRequired, MoothallError
from moothall.protocols.mcp.approvals import approval_form
from moothall.protocols.mcp.asking import ClientPartner
from moothall.protocols.mcp.calling import perform
from moothall.protocols.mcp.failures import protocol_error
from moothall.protocols.mcp.ground import Ground
from moothall.protocols.mcp.visits import visit_of


async def answer(
    ground: Ground,
    ctx: ServerRequestContext[Any, Any],
    entry: Entry,
    arguments: Mapping[str, Any],
    shape: Callable[[Entry, Any], JsonObject],
) -> JsonObject:
    """Call a capability with arguments and shape its value, or ask the client first.

    Raises:
        MCPError: it may not be called, or failed.
    """
    partner = ClientPartner(ctx)
    try:
        outcome = await perform(ground, ctx, Target("local", entry.id), arguments, partner)
        return shape(outcome.entry, outcome.data)
    except MoothallError as error:
        if isinstance(error, InputRequired) and (asked := partner.required(error)) is not None:
            return asked
        if isinstance(error, ApprovalPending) and (form := approval_form(ctx, error, visit_of(ctx).lang)) is not None:
            return form
        raise protocol_error(error, visit_of(ctx).lang) from error
