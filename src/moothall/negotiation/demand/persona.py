"""The in-process participant: decides for one profile, from that profile alone (prompts 3 and 5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from moothall.directory.profiles import AgentProfile
from moothall.llm.decision import Decided, Decisions
from moothall.negotiation.demand.models import AgentResponse, DemandUnderstanding, ProposalFeedback
from moothall.negotiation.demand.prompts import RESPOND, REVIEW
from moothall.negotiation.demand.questions import RespondInput, ReviewInput
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview


class Persona:
    """Speaks for one profile; the only reader of its reservation values."""

    def __init__(self, profile: AgentProfile, decisions: Decisions, today: Callable[[], date]) -> None:
        self._profile = profile
        self._decisions = decisions
        self._today = today

    async def offer(self, invitation: DemandOffer, *, key: str) -> Decided[AgentResponse]:  # noqa: ARG002 - no side effect, so no memory of keys
        """Decide on an invitation."""
        data = RespondInput(
            agent_profile=self._profile,
            demand=invitation.demand,
            filter_reason=invitation.filter_reason,
            today=self._today(),
        )
        return await self._decisions.decide(RESPOND, data)

    async def review(self, request: ProposalReview, *, key: str) -> Decided[ProposalFeedback]:  # noqa: ARG002 - as above
        """Decide on a plan."""
        mine = request.proposal.of(self._profile.agent_id)
        data = ReviewInput(
            agent_profile=self._profile,
            demand=request.demand or DemandUnderstanding(surface_demand=request.proposal.objective),
            proposal=request.proposal,
            my_assignment=mine[0] if mine else None,
            my_assignments=mine,
            my_offer=request.your_offer or AgentResponse(decision="participate", contribution=request.proposal.summary),
            round=request.round,
            max_rounds=request.max_rounds,
        )
        return await self._decisions.decide(REVIEW, data)
