"""What can be asked of demand negotiations, the same through every door (spec C §3.1).

Who may call at all is the policy's; whose demand a caller may see or steer is decided here, from the principal alone.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.negotiation.demand.callers import listed_user, noted_as, submitting_user
from moothall.negotiation.demand.channel_view import ChannelView
from moothall.negotiation.demand.confirming import UnderstandingEdits
from moothall.negotiation.demand.finding import Finding, spoken
from moothall.negotiation.demand.people import MOST_PEOPLE, Invited
from moothall.negotiation.demand.reading import MAX_PAGE, DemandPage
from moothall.negotiation.demand.replies import CancelReply, ConfirmReply, DemandReply, SeatList, SubmitReply
from moothall.negotiation.demand.service import DemandService
from moothall.negotiation.demand.steps import StepList
from moothall.negotiation.demand.submission import MAX_USER_ID
from moothall.negotiation.demand.submissions import SubmitLimit
from moothall.negotiation.demand.view import DemandState, Status

PERMISSION: Final = ("demand",)
UNDERSTANDING_SECONDS: Final = 3600.0
"""More than any model is given to understand a demand; its own limits decide."""


class DemandCapabilities:
    """The capabilities ``demand.*`` of a node for those who have demands."""

    def __init__(self, demands: DemandService, limit: SubmitLimit) -> None:
        self._demands = demands
        self._limit = limit
        self._find = Finding(demands)

    @capability(name="demand.submit", expose_to="both", permissions=PERMISSION, timeout=UNDERSTANDING_SECONDS)
    async def submit(
        self,
        ctx: CallContext,
        raw_input: str,
        user_id: str | None = None,
        user_context: dict[str, Any] | None = None,
        confirm: bool = False,  # noqa: FBT001, FBT002 - a field of the demand, as the specification names it
        participants: Annotated[list[Invited], Field(max_length=MOST_PEOPLE)] | None = None,
    ) -> SubmitReply:
        """Understand a demand and start to negotiate it.

        Args:
            ctx: who calls.
            raw_input: the demand in a person's own words, 1 to 10,000 characters.
            user_id: for whom it is; only who may see every demand can name another than itself.
            user_context: what is known about the requester, at most 8 KiB of JSON.
            confirm: wait for the requester's confirmation before anybody is asked.
            participants: people to be asked beside the agents, each with a token of their own.

        Raises:
            MoothallError: as `DemandService.submit`.
            Forbidden: it is for somebody else.
            RateLimited: the caller submits more often than the node allows.
        """
        self._limit.submit(ctx.principal)
        user = submitting_user(ctx.principal, user_id)
        done = await self._demands.submit(
            raw_input, user, user_context=user_context, confirm=confirm, participants=participants
        )
        return SubmitReply(
            demand_id=done.demand_id,
            channel_id=done.channel_id,
            status=done.status,
            understanding=done.understanding,
            source=done.source,
            degraded=done.degraded,
            awaiting_confirmation=done.awaiting_confirmation,
            stream_token=done.stream_token,
            participant_tokens=dict(done.participant_tokens),
        )

    @capability(name="demand.page", expose_to="both", permissions=PERMISSION, idempotent=True, read_only=True)
    async def page(
        self,
        ctx: CallContext,
        user_id: Annotated[str, Field(max_length=MAX_USER_ID)] = "",
        status: Status | Literal[""] = "",
        limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 20,
        cursor: Annotated[str, Field(max_length=200)] = "",
    ) -> DemandPage:
        """List demands, the newest first.

        Args:
            ctx: who calls.
            user_id: whose; empty: all that the caller may see.
            status: in which status only; empty: in any.
            limit: how many at the most; a page may be shorter although there are more.
            cursor: `next_cursor` of the page before.
        """
        subject = listed_user(ctx.principal, user_id)
        return await self._demands.read.page(subject, status or None, limit, cursor)

    @capability(name="demand.read", expose_to="both", permissions=PERMISSION, idempotent=True, read_only=True)
    async def read(self, ctx: CallContext, demand_id: str) -> DemandReply:
        """Everything about a demand; details of the negotiation stand in its channel."""
        record = await self._find.demand(ctx.principal, demand_id)
        with spoken(record):
            seen = await self._demands.read.demand(record)
        return DemandReply(**dict(seen), stream_token=record.meta.get("stream_token"))

    @capability(name="demand.state", expose_to="both", permissions=PERMISSION, idempotent=True, read_only=True)
    async def state(self, ctx: CallContext, demand_id: str) -> DemandState:
        """Where a demand stands: status and round, as of the last event."""
        record = await self._find.demand(ctx.principal, demand_id)
        with spoken(record):
            return await self._demands.read.state(record)

    @capability(name="demand.steps", expose_to="both", permissions=PERMISSION, idempotent=True, read_only=True)
    async def steps(self, ctx: CallContext, demand_id: str) -> StepList:
        """Every decision so far: who took it, what it took of a model, what came out; sealed offers without that."""
        record = await self._find.demand(ctx.principal, demand_id)
        with spoken(record):
            return await self._demands.read.steps(record)

    @capability(name="demand.channel", expose_to="both", permissions=PERMISSION, idempotent=True, read_only=True)
    async def channel(self, ctx: CallContext, channel_id: str) -> ChannelView:
        """A channel, whole; offers are sealed until all are in or their time is over."""
        record = await self._find.channel(ctx.principal, channel_id)
        with spoken(record):
            return await self._demands.read.channel(record)

    @capability(name="demand.roster", expose_to="both", permissions=PERMISSION, idempotent=True, read_only=True)
    async def roster(self, ctx: CallContext, channel_id: str) -> SeatList:
        """Agents and people of a channel: who was asked, chosen, or not, and why."""
        record = await self._find.channel(ctx.principal, channel_id)
        with spoken(record):
            seats = await self._demands.read.roster(record)
        return SeatList(channel_id=channel_id, demand_id=record.id, agents=list(seats))

    @capability(name="demand.cancel", expose_to="both", permissions=PERMISSION, idempotent=True, destructive=True)
    async def cancel(self, ctx: CallContext, demand_id: str) -> CancelReply:
        """End a negotiation; a demand that was cancelled before stays cancelled."""
        record = await self._find.demand(ctx.principal, demand_id)
        with spoken(record):
            ended = await self._demands.steer.cancel(record, noted_as(ctx.principal))
        return CancelReply(demand_id=record.id, status=ended)

    @capability(name="demand.confirm", expose_to="both", permissions=PERMISSION)
    async def confirm(
        self, ctx: CallContext, demand_id: str, understanding: UnderstandingEdits | None = None
    ) -> ConfirmReply:
        """Let a demand that was submitted with `confirm` go on.

        Args:
            ctx: who calls.
            demand_id: which.
            understanding: what the requester changes; nothing, when everything was understood.
        """
        record = await self._find.demand(ctx.principal, demand_id)
        edits = understanding or UnderstandingEdits()
        with spoken(record):
            done = await self._demands.steer.confirm(record, edits, noted_as(ctx.principal))
        return ConfirmReply(demand_id=record.id, understanding=done.understanding, edited=list(done.edited))

    @capability(name="demand.erase", expose_to="both", permissions=PERMISSION, destructive=True)
    async def erase(self, ctx: CallContext, demand_id: str) -> None:
        """Erase a demand and all that was said in it; an open negotiation ends, afterwards there is no such demand."""
        record = await self._find.demand(ctx.principal, demand_id)
        with spoken(record):
            await self._demands.steer.erase(record)
