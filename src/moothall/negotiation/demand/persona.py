"""The in-process participant: decides for one profile, from that profile alone (prompts 3 and 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from moothall.directory.concepts import load_vocabulary
from moothall.directory.profiles import AgentProfile
from moothall.errors import ModelTimeout, ModelUnavailable
from moothall.llm.decision import Decided, Decisions, OutT
from moothall.negotiation.demand.models import AgentResponse, DemandUnderstanding
from moothall.negotiation.demand.participants import AnswerUnknownError
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.prompts import RESPOND, REVIEW
from moothall.negotiation.demand.questions import RespondInput, ReviewInput
from moothall.negotiation.demand.sizing import fitted
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview


class Persona:
    """Speaks for one profile; the only reader of its reservation values.

    Where the model that should speak fails, the rules answer from the profile's structured offers. A profile that
    has nothing but prose to go by stays silent then: it neither refuses nor consents (row NEG-FAIL-06).
    """

    def __init__(self, profile: AgentProfile, decisions: Decisions, today: Callable[[], date]) -> None:
        self._profile = profile
        self._decisions = decisions
        self._today = today

    async def offer(self, invitation: DemandOffer, *, key: str) -> Decided[AgentResponse]:  # noqa: ARG002 - no side effect, so no memory of keys
        """Decide on an invitation.

        Raises:
            AnswerUnknownError: the model failed and the profile does not say.
        """
        data = RespondInput(
            agent_profile=self._profile,
            demand=invitation.demand,
            filter_reason=invitation.filter_reason,
            today=self._today(),
        )
        decided = await self._decisions.decide(RESPOND, data)
        wanted = {item.concept for item in invitation.demand.requirements}
        structured, prose = self._claims()
        known = bool(structured) and (bool(structured & wanted) or not prose & wanted)
        return replace(self._backed(decided, known=known), value=fitted(decided.value))

    async def review(self, request: ProposalReview, *, key: str) -> Decided[ProposalFeedback]:  # noqa: ARG002 - as above
        """Decide on a plan.

        Raises:
            AnswerUnknownError: the model failed and the profile does not say.
        """
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
        decided = await self._decisions.decide(REVIEW, data)
        structured, _ = self._claims()
        return self._backed(decided, known=bool(structured) and structured >= {item.concept for item in mine})

    def _claims(self) -> tuple[frozenset[str], frozenset[str]]:
        """The concepts of the profile: those with a structured offer, and those that only a tag claims."""
        key = load_vocabulary().key
        structured = frozenset(key(offer.tag) for offer in self._profile.capabilities.offers)
        return structured, frozenset(key(tag) for tag in self._profile.tags) - structured

    def _backed(self, decided: Decided[OutT], *, known: bool) -> Decided[OutT]:
        """The decision, unless it stands in for a failed model without an offer of the profile behind it."""
        if decided.degraded and not known:
            code = ModelTimeout.code if decided.error == ModelTimeout.code else ModelUnavailable.code
            raise AnswerUnknownError(code)
        return decided
