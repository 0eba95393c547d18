"""What an agent elsewhere is asked in a negotiation, and the form of its answers (row NEG-ADR-01). Pure.

Nobody else's offer, price or condition is in a question, nor the budget. An answer names no agent: whose it is is told
by where it was asked for.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from moothall.directory.profiles import MOST_PEOPLE, Tag
from moothall.negotiation.demand.answers import MOST_CHANGES, MOST_CONDITIONS, Line, Price, Wish, Words
from moothall.negotiation.demand.invitation import SharedPlan, shared_demand, shared_plan, without_sums
from moothall.negotiation.demand.machine import MAX_NEGOTIATION_ROUNDS
from moothall.negotiation.demand.models import (
    MOST_DATES,
    MOST_TERMS,
    AgentResponse,
    ChannelId,
    DemandId,
    DemandUnderstanding,
    Model,
    Percent,
    Units,
)
from moothall.negotiation.demand.plan_models import Assignment
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview

OFFER: Final = "demand.offer"
REVIEW: Final = "demand.review"
PROFILE: Final = "demand.profile"
"""The capabilities by which an agent takes part; the last one may be missing."""

MOST_ROLES: Final = 20

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Dates = Annotated[tuple[date, ...], Field(min_length=1, max_length=MOST_DATES)]
Changes = Annotated[
    dict[Annotated[str, StringConstraints(min_length=1, max_length=40)], Wish], Field(max_length=MOST_CHANGES)
]


class DemandInvitation(Model):
    """An invitation: what is wanted, without its budget, and why this agent is asked."""

    demand_id: DemandId
    channel_id: ChannelId
    round: int = 1
    demand: DemandUnderstanding
    filter_reason: str = ""
    match_score: Percent = 50


class PlanReview(Model):
    """A plan to be looked at: who does what, without anybody's money but the receiver's own."""

    demand_id: DemandId
    channel_id: ChannelId
    round: int
    max_rounds: int = MAX_NEGOTIATION_ROUNDS
    demand: DemandUnderstanding | None = None
    proposal: SharedPlan
    your_assignments: tuple[Assignment, ...] = ()
    your_offer: AgentResponse | None = None


class _Reply(Model):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class OfferedCondition(_Reply):
    """What is asked for in return; ``kind`` as in a published condition, else it is read by people only."""

    text: Line
    kind: Short = "other"
    concept: Short | None = None
    value: Price | None = None


class OfferedTerm(_Reply):
    """One capability, what it costs for the whole of the demand, and on which days it can be had (left out: any)."""

    tag: Tag
    price: Price
    currency: Currency | None = None
    quantity: Units = 1
    capacity: Annotated[int, Field(ge=0, le=MOST_PEOPLE)] | None = None
    dates: Dates | None = None
    conditions: Annotated[tuple[OfferedCondition, ...], Field(max_length=MOST_CONDITIONS)] = ()


class OfferReply(_Reply):
    """The answer to an invitation.

    ``price``, ``currency`` and ``dates`` are meant for each capability of the profile; ``terms`` say them one by one.
    ``max_roles``: how many roles of a plan it takes at most; left out: as its profile says.
    """

    decision: Literal["participate", "decline", "conditional"]
    contribution: Words = ""
    conditions: Annotated[tuple[Line, ...], Field(max_length=MOST_CONDITIONS)] = ()
    reasoning: Words = ""
    decline_reason: Words = ""
    confidence: Percent = 80
    price: Price | None = None
    currency: Currency | None = None
    dates: Dates | None = None
    terms: Annotated[tuple[OfferedTerm, ...], Field(max_length=MOST_TERMS)] = ()
    max_roles: Annotated[int, Field(ge=1, le=MOST_ROLES)] | None = None


def _reject_is_withdraw(value: object) -> object:
    return "withdraw" if value == "reject" else value


class ReviewReply(_Reply):
    """The answer to a plan; ``reject`` means withdraw.

    ``proposed_changes`` maps a field of the own part (``price``, ``date``, ``requires``, ``drop_role``) to the wanted
    value; other fields are read by people only.
    """

    feedback_type: Annotated[Literal["accept", "negotiate", "withdraw"], BeforeValidator(_reject_is_withdraw)]
    reasoning: Words = ""
    adjustment_request: Words = ""
    proposed_changes: Changes = Field(default_factory=dict)


def asked_of(offer: DemandOffer) -> DemandInvitation:
    """The invitation as it leaves this node."""
    return DemandInvitation(
        demand_id=offer.demand_id,
        channel_id=offer.channel_id,
        round=offer.round,
        demand=shared_demand(offer.demand),
        filter_reason=without_sums(offer.filter_reason),
        match_score=offer.match_score,
    )


def shown_to(agent_id: str, review: ProposalReview) -> PlanReview:
    """The plan as it leaves this node for one agent."""
    return PlanReview(
        demand_id=review.demand_id,
        channel_id=review.channel_id,
        round=review.round,
        max_rounds=review.max_rounds,
        demand=None if review.demand is None else shared_demand(review.demand),
        proposal=shared_plan(review.proposal),
        your_assignments=review.proposal.of(agent_id),
        your_offer=review.your_offer,
    )
