"""The payloads of the public events, key by key (spec C §4.6); what goes beyond the specification has a default.

``demand_id`` and ``channel_id`` stand in every payload.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from moothall.llm.decision import Source
from moothall.negotiation.demand.models import (
    Candidate,
    ChannelId,
    Confidence,
    DemandId,
    DemandUnderstanding,
    JsonObject,
    Model,
    Percent,
    Share,
    Term,
)
from moothall.negotiation.demand.plan_models import AdjustmentSummary, Compromise, Gap, Proposal, SettledPlan
from moothall.negotiation.demand.spending import Spent

Decision = Literal["participate", "decline", "conditional"]


class Fault(Model):
    """What failed: one of the error codes.

    ``E003``: the model is not available; ``E004``: it was too slow; ``UPSTREAM_INVALID``: the answer of an agent
    elsewhere cannot be used.
    """

    code: str
    message: str = ""


class Marked(Model):
    """Who decided: absent where a participant answered that says nothing about it.

    ``degraded``: a model failed and something else stood in; ``error`` says how it failed.
    """

    source: Source | None = None
    degraded: bool = False
    error: Fault | None = None


class Submitted(Model):
    """``towow.demand.submitted`` (additional): the demand as it was sent."""

    demand_id: DemandId
    channel_id: ChannelId
    raw_input: str
    requester_id: str


class Understood(DemandUnderstanding, Marked):
    """``towow.demand.understood``: the understanding, whole; the run may wait for the requester to confirm it."""

    demand_id: DemandId
    channel_id: ChannelId | None = None
    capability_tags: tuple[str, ...]
    confidence: Confidence
    awaiting_confirmation: bool = False


class Confirmed(Model):
    """``towow.demand.confirmed`` (additional): the requester's word on the understanding, which replaces the first.

    ``edited`` names the fields that the requester replaced (``context.location``); their source is ``source``.
    """

    demand_id: DemandId
    channel_id: ChannelId
    understanding: DemandUnderstanding
    edited: tuple[str, ...]
    source: Literal["requester"]


class CandidateShown(Candidate):
    """A candidate as it is shown; the specification's three keys are enough."""

    match_type: Literal["explicit", "inferred"] = "explicit"
    confidence: Share = 0
    relevance_score: Percent = 0
    match_score: Percent = 0


class FilterCompleted(Marked):
    """``towow.filter.completed``."""

    demand_id: DemandId
    channel_id: ChannelId
    candidates_count: int = Field(ge=0)
    candidates: tuple[CandidateShown, ...]
    analysis: str = ""


class ChannelCreated(Model):
    """``towow.channel.created``."""

    channel_id: ChannelId
    demand_id: DemandId
    participants_count: int
    max_rounds: int = 3
    depth: int = 0


class Broadcast(Model):
    """``towow.demand.broadcast``; ``deadline_at`` (RFC 3339) ends the collection of offers."""

    channel_id: ChannelId
    demand_id: DemandId
    recipients_count: int
    deadline_at: str | None = None


class OfferSubmitted(Marked):
    """``towow.offer.submitted``."""

    channel_id: ChannelId
    demand_id: DemandId
    agent_id: str
    display_name: str
    decision: Decision
    contribution: str
    conditions: tuple[str, ...] = ()
    reasoning: str = ""
    decline_reason: str = ""
    confidence: Percent | None = None
    terms: tuple[Term, ...] = ()


class AggregationStarted(Model):
    """``towow.aggregation.started``; ``unknown`` maps agents to the code of the failure behind their silence."""

    channel_id: ChannelId
    demand_id: DemandId
    offers_count: int
    silent: tuple[str, ...] = ()
    unknown: dict[str, str] = Field(default_factory=dict)


class ProposalDistributed(Marked):
    """``towow.proposal.distributed``; ``deadline_at`` ends this round's feedback.

    ``adjustment`` tells from round 2 on what was changed since the plan before, and what became of every request.
    """

    channel_id: ChannelId
    demand_id: DemandId
    proposal: Proposal
    round: int = Field(ge=1, le=3)
    max_rounds: int = 3
    deadline_at: str | None = None
    adjustment: AdjustmentSummary | None = None


class FeedbackGiven(Marked):
    """``towow.proposal.feedback``; ``by_default`` marks silence that the policy counts as an answer."""

    channel_id: ChannelId
    demand_id: DemandId
    agent_id: str
    feedback_type: Literal["accept", "negotiate", "withdraw"]
    reasoning: str
    display_name: str = ""
    by_default: bool = False
    round: int | None = None
    adjustment_request: str = ""
    proposed_changes: JsonObject = Field(default_factory=dict)


class FeedbackEvaluated(Model):
    """``towow.feedback.evaluated``; ``rejects`` are withdrawals, ``accepts`` include ``defaults``."""

    channel_id: ChannelId
    accepts: int
    rejects: int
    negotiates: int
    accept_rate: Share
    round: int
    demand_id: DemandId | None = None
    defaults: int = 0
    silent: int = 0
    participants: int | None = None


class RoundStarted(Model):
    """``towow.negotiation.round_started``."""

    channel_id: ChannelId
    demand_id: DemandId
    round: int
    max_rounds: int


class Bargain(Model):
    """``towow.negotiation.bargain`` (additional); ``bargain_type`` is the field that is wanted otherwise."""

    agent_id: str
    display_name: str
    bargain_type: str
    content: str
    round: int
    channel_id: ChannelId | None = None
    demand_id: DemandId | None = None


class Ended(Model):
    """What both terminal events say: which kinds of decision went without their model, and what all of them took."""

    degraded: bool = False
    degraded_steps: tuple[str, ...] = ()
    usage: Spent | None = None


class Finalized(Ended):
    """``towow.proposal.finalized``; ``unconfirmed`` are those whose consent was not given in words."""

    channel_id: ChannelId
    demand_id: DemandId
    final_proposal: Proposal | SettledPlan
    participants_count: int
    rounds_taken: int
    consensus: Literal["full", "partial"] | None = None
    consensus_label: str = ""
    unconfirmed: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    suggestions: tuple[str, ...] = ()
    compromise: Compromise | None = None


class Failed(Ended):
    """``towow.negotiation.failed``; ``reason`` is a fixed word, ``message`` the same for people."""

    channel_id: ChannelId
    demand_id: DemandId
    reason: str
    last_proposal: Proposal | SettledPlan | None = None
    message: str = ""
    code: str | None = None
    suggestions: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    compromise: Compromise | None = None


class Withdrawn(Model):
    """``towow.agent.withdrawn``."""

    channel_id: ChannelId
    demand_id: DemandId
    agent_id: str
    display_name: str
    reason: str
    round: int | None = None


class GapIdentified(Marked):
    """``towow.gap.identified``."""

    channel_id: ChannelId
    demand_id: DemandId
    gaps: tuple[Gap, ...]


class SubnetTriggered(Marked):
    """``towow.subnet.triggered``; the sub-negotiation has a stream of its own under ``sub_demand_id``."""

    parent_channel_id: ChannelId
    parent_demand_id: DemandId
    sub_demand_id: DemandId
    sub_channel_id: ChannelId
    gap_type: str
    channel_id: ChannelId | None = None
    demand_id: DemandId | None = None


class SubnetCompleted(Model):
    """``towow.subnet.completed`` (additional); a timeout leaves the gap open."""

    channel_id: ChannelId
    demand_id: DemandId
    sub_demand_id: DemandId
    sub_channel_id: ChannelId
    outcome: Literal["finalized", "failed", "timeout"]
    proposal: Proposal | None = None
    degraded: bool = False


class SubstituteInvited(Model):
    """``towow.substitute.invited`` (additional): an agent is asked to take over a role that somebody left.

    It is told until when; ``deadline_at`` (RFC 3339) is when its answer is due.
    """

    channel_id: ChannelId
    demand_id: DemandId
    agent_id: str
    display_name: str
    reason: str
    round: int
    deadline_at: str | None = None


class SubstituteAnswered(Marked):
    """``towow.substitute.answered`` (additional): who was asked for an open place after the last round joins it or not.

    Only ``accept`` joins the plan; ``by_default`` marks silence that the policy counts as an answer.
    """

    channel_id: ChannelId
    demand_id: DemandId
    agent_id: str
    display_name: str
    feedback_type: Literal["accept", "negotiate", "withdraw"]
    reasoning: str
    round: int
    by_default: bool = False
    adjustment_request: str = ""
    proposed_changes: JsonObject = Field(default_factory=dict)


PAYLOADS: Mapping[str, type[Model]] = MappingProxyType(
    {
        "towow.demand.submitted": Submitted,
        "towow.demand.understood": Understood,
        "towow.demand.confirmed": Confirmed,
        "towow.filter.completed": FilterCompleted,
        "towow.channel.created": ChannelCreated,
        "towow.demand.broadcast": Broadcast,
        "towow.offer.submitted": OfferSubmitted,
        "towow.aggregation.started": AggregationStarted,
        "towow.proposal.distributed": ProposalDistributed,
        "towow.proposal.feedback": FeedbackGiven,
        "towow.feedback.evaluated": FeedbackEvaluated,
        "towow.negotiation.round_started": RoundStarted,
        "towow.negotiation.bargain": Bargain,
        "towow.proposal.finalized": Finalized,
        "towow.negotiation.failed": Failed,
        "towow.agent.withdrawn": Withdrawn,
        "towow.gap.identified": GapIdentified,
        "towow.subnet.triggered": SubnetTriggered,
        "towow.subnet.completed": SubnetCompleted,
        "towow.substitute.invited": SubstituteInvited,
        "towow.substitute.answered": SubstituteAnswered,
    }
)
"""The payload of every public event type."""
