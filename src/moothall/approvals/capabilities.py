"""What can be asked of approvals through every door; who may is decided here, from the principal alone."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from moothall.approvals.asking import Status
from moothall.approvals.desk import MOST_REASON, ApprovalDesk, Place
from moothall.approvals.reader import MAX_PAGE, Whose
from moothall.approvals.views import ApprovalPage, ApprovalReply, ApprovalView, reply
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability

Reason = Annotated[str, Field(max_length=MOST_REASON)]


class ApprovalCapabilities:
    """The capabilities ``approvals.*`` of a node."""

    def __init__(self, desk: ApprovalDesk) -> None:
        self._desk = desk

    @capability(name="approvals.list", access="authenticated", idempotent=True, read_only=True)
    async def page(
        self,
        ctx: CallContext,
        status: Status | Literal[""] = "",
        limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50,
        cursor: Annotated[str, Field(max_length=200)] = "",
        whose: Whose = "",
    ) -> ApprovalPage:
        """List approvals, the newest first.

        Args:
            ctx: who calls.
            status: in which status only; empty: in any.
            limit: how many at the most; a page may be shorter although there are more.
            cursor: `next_cursor` of the page before.
            whose: `mine`: that I asked for; `waiting`: that wait for my decision; `all`, for the operator; empty: all
                that I may see.
        """
        return await self._desk.page(ctx.principal, whose=whose, status=status, limit=limit, cursor=cursor)

    @capability(name="approvals.show", access="authenticated", idempotent=True, read_only=True)
    async def show(self, ctx: CallContext, approval_id: str) -> ApprovalView:
        """Show an approval: the very call that is to be approved, its steps, and what was said in them."""
        return await self._desk.show(ctx.principal, approval_id)

    @capability(name="approvals.decide", access="authenticated")
    async def decide(self, ctx: CallContext, approval_id: str, decision: str, reason: Reason = "") -> ApprovalReply:
        """Decide in the step whose turn it is.

        Args:
            ctx: who calls; it has to be one of the approvers of this step, and never the requester.
            approval_id: which approval.
            decision: `approved` or `rejected`.
            reason: why, in your own words; the requester reads it.

        Raises:
            Forbidden: a capability that the approver called decides in its name.
            MoothallError: as `ApprovalDesk.decide`.
        """
        ctx.firsthand()
        place = Place(ctx.door, ctx.request_id)
        return reply(await self._desk.decide(ctx.principal, approval_id, decision, reason, place))

    @capability(name="approvals.cancel", access="authenticated", idempotent=True, destructive=True)
    async def cancel(self, ctx: CallContext, approval_id: str, reason: Reason = "") -> ApprovalReply:
        """Withdraw a call that waits for its approval; only its requester and the operator can."""
        ctx.firsthand()
        place = Place(ctx.door, ctx.request_id)
        return reply(await self._desk.cancel(ctx.principal, approval_id, reason, place))
