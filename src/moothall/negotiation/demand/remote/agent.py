"""An agent that takes part in negotiations of other nodes: by its profile, or by code of its author's.

::

    class Hall(DemandAgent):
        async def offer(self, invitation: DemandInvitation) -> OfferReply:
            return OfferReply(decision="participate", contribution="a hall for sixty", price=3000)

    node.add(Hall("hall", profile))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, ClassVar, Final

from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.clock import rfc3339
from moothall.directory.activities import load_activities
from moothall.directory.concepts import load_vocabulary
from moothall.directory.loading import parse_profile
from moothall.directory.places import load_gazetteer
from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.models import AgentResponse, DemandUnderstanding
from moothall.negotiation.demand.plan_models import Proposal
from moothall.negotiation.demand.questions import RespondInput, ReviewInput
from moothall.negotiation.demand.remote.messages import (
    OFFER,
    PROFILE,
    REVIEW,
    DemandInvitation,
    OfferReply,
    PlanReview,
    ReviewReply,
)
from moothall.negotiation.demand.rules.phrasing import Lexica
from moothall.negotiation.demand.rules.respond import respond
from moothall.negotiation.demand.rules.review import review

SECONDS: Final = 300.0
"""How long an author's code may think, as long as a channel waits for offers."""

TAGS: Final = ("negotiation",)


class DemandAgent(Agent):
    """Offers ``demand.offer``, ``demand.review`` and ``demand.profile`` to whoever proves an identity.

    Without code of its own it answers by rules from its profile, floors included, which leave the node for nobody. A
    class attribute ``capability_defaults = {"access": "public"}`` opens it to all; ``{"access": "owner"}`` to those
    alone whom a policy lets.

    Args:
        name: of the agent.
        profile: what it is, as it registers anywhere; its ``agent_id`` is not used elsewhere.
        description: for its description document; left out: the summary of its profile.
        today: the date where it works.

    Raises:
        InvalidInput: the profile is none.
        OptionError: the name is none.
    """

    capability_defaults: ClassVar[Mapping[str, Any]] = {"access": "authenticated"}

    def __init__(
        self,
        name: str,
        /,
        profile: AgentProfile | Mapping[str, Any],
        *,
        description: str = "",
        today: Callable[[], date] = lambda: datetime.now(UTC).astimezone().date(),
    ) -> None:
        self.profile = profile if isinstance(profile, AgentProfile) else parse_profile(dict(profile))
        self.today = today
        super().__init__(name, description=description or self.profile.profile_summary)

    async def offer(self, invitation: DemandInvitation) -> OfferReply:
        """Answer an invitation; override it to decide otherwise."""
        data = RespondInput(
            agent_profile=self.profile,
            demand=invitation.demand,
            filter_reason=invitation.filter_reason,
            today=self.today(),
        )
        return OfferReply.model_validate((await respond(_lexica(), data)).model_dump(mode="json"))

    async def review(self, request: PlanReview) -> ReviewReply:
        """Answer a plan; override it to decide otherwise."""
        mine = request.your_assignments
        data = ReviewInput(
            agent_profile=self.profile,
            proposal=_as_proposal(request),
            my_assignment=mine[0] if mine else None,
            my_assignments=mine,
            demand=request.demand or DemandUnderstanding(surface_demand=request.proposal.objective),
            my_offer=request.your_offer or AgentResponse(decision="participate"),
            round=request.round,
            max_rounds=request.max_rounds,
        )
        return ReviewReply.model_validate((await review(_lexica(), data)).model_dump(mode="json"))

    @capability(name=OFFER, expose_to="both", idempotent=True, timeout=SECONDS, tags=TAGS)
    async def demand_offer(self, invitation: DemandInvitation) -> OfferReply:
        """Answer an invitation to a negotiation: offer something for a demand, or decline."""
        return await self.offer(invitation)

    @capability(name=REVIEW, expose_to="both", idempotent=True, timeout=SECONDS, tags=TAGS)
    async def demand_review(self, request: PlanReview) -> ReviewReply:
        """Answer a plan for a demand: accept it, ask for changes, or withdraw."""
        return await self.review(request)

    @capability(name=PROFILE, expose_to="both", idempotent=True, read_only=True, tags=TAGS)
    async def demand_profile(self) -> dict[str, Any]:
        """Say what this agent does, where, when and for how much; without what it would settle for."""
        return self.profile.public()


@cache
def _lexica() -> Lexica:
    return Lexica(load_vocabulary(), load_gazetteer(), load_activities())


def _as_proposal(request: PlanReview) -> Proposal:
    """The part of a plan that is the receiver's, as the rules read plans."""
    plan = request.proposal
    return Proposal(
        summary=plan.objective,
        objective=plan.objective,
        assignments=request.your_assignments,
        timeline=plan.timeline,
        proposal_id=plan.proposal_id,
        demand_id=request.demand_id,
        version=plan.version,
        created_at=rfc3339(datetime.now(UTC)),
    )
