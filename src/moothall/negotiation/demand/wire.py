"""The five messages between Coordinator, ChannelAdmin and user agents, in the specification's shape (spec C §3.2)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from moothall.negotiation.demand.machine import MAX_NEGOTIATION_ROUNDS
from moothall.negotiation.demand.models import AgentResponse, ChannelId, DemandId, DemandUnderstanding, Model, Percent
from moothall.negotiation.demand.plan_models import Proposal, ProposalFeedback

COORDINATOR = "coordinator"
CHANNEL_ADMIN = "channel_admin"


class CandidateRef(Model):
    """A candidate in ``create_channel``."""

    agent_id: str
    reason: str
    relevance_score: Percent
    display_name: str = ""


class CreateChannel(Model):
    """Coordinator → ChannelAdmin (§3.2.1); ``reserve`` are relevant agents that are not invited yet."""

    type: Literal["create_channel"] = "create_channel"
    demand_id: DemandId
    channel_id: ChannelId
    demand: DemandUnderstanding
    candidates: tuple[CandidateRef, ...]
    reserve: tuple[CandidateRef, ...] = ()


class DemandOffer(Model):
    """ChannelAdmin → user agent: the invitation (§3.2.2)."""

    type: Literal["demand_offer"] = "demand_offer"
    channel_id: ChannelId
    demand_id: DemandId
    demand: DemandUnderstanding
    round: int = 1
    filter_reason: str
    match_score: Percent


class ProposalReview(Model):
    """ChannelAdmin → user agent: a plan to review (§3.2.2).

    ``demand`` and ``your_offer`` (the receiver's own) are additional, so that a participant needs no memory.
    """

    type: Literal["proposal_review"] = "proposal_review"
    channel_id: ChannelId
    demand_id: DemandId
    proposal: Proposal
    round: int
    max_rounds: int = MAX_NEGOTIATION_ROUNDS
    demand: DemandUnderstanding | None = None
    your_offer: AgentResponse | None = None


class OfferResponse(AgentResponse):
    """User agent → ChannelAdmin: the answer to an invitation (§3.2.3)."""

    type: Literal["offer_response"] = "offer_response"
    channel_id: ChannelId
    agent_id: str
    display_name: str = ""
    round: int | None = None


def _reject_is_withdraw(value: object) -> object:
    return "withdraw" if value == "reject" else value


class ProposalFeedbackMessage(ProposalFeedback):
    """User agent → ChannelAdmin: the answer to a plan (§3.2.3); ``reject`` is read as ``withdraw``."""

    type: Literal["proposal_feedback"] = "proposal_feedback"
    channel_id: ChannelId
    agent_id: str
    feedback_type: Annotated[Literal["accept", "negotiate", "withdraw"], BeforeValidator(_reject_is_withdraw)]
    round: int | None = None


Message = CreateChannel | DemandOffer | ProposalReview | OfferResponse | ProposalFeedbackMessage
Answer = OfferResponse | ProposalFeedbackMessage

MESSAGES: dict[str, type[Message]] = {
    "create_channel": CreateChannel,
    "demand_offer": DemandOffer,
    "proposal_review": ProposalReview,
    "offer_response": OfferResponse,
    "proposal_feedback": ProposalFeedbackMessage,
}
"""Every message by its ``type``."""
