"""Who sits behind an agent in a negotiation: its persona, honest about what its card gets wrong, or worse.

Nobody here waits: a silent agent is one that cannot be reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from benchmarks.quality.cards import true_card
from benchmarks.quality.catalogue import BY_CONCEPT
from benchmarks.quality.reality import Option, option, window_of
from benchmarks.quality.world import Agent, Behaviour, Scenario
from moothall.directory.profiles import AgentProfile
from moothall.llm.decision import Decided
from moothall.negotiation.demand.models import AgentResponse, Term
from moothall.negotiation.demand.participants import (
    OfferAnswer,
    Participant,
    ParticipantUnreachableError,
    ReviewAnswer,
)
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node

BAIT = 0.5
"""Part of the price with which a liar catches."""
CANNOT = AgentResponse(
    decision="decline", decline_reason="My card is out of date.", reasoning="My card is out of date."
)


def participant(node: Node, scenario: Scenario, profile: AgentProfile) -> Participant:
    """The party behind a profile of the scenario."""
    agent = scenario.agent(profile.agent_id)
    if agent is None:
        raise LookupError(profile.agent_id)
    known = profile if agent.behaviour is Behaviour.IMPOSTOR else true_card(agent)
    return Played(agent, scenario, node.persona(known) if known else None)


@dataclass(frozen=True, slots=True)
class Played:
    """One agent with its behaviour; whatever that leaves open its persona decides."""

    agent: Agent
    scenario: Scenario
    persona: Participant | None

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        """Answer an invitation."""
        if self.agent.behaviour is Behaviour.SILENT:
            raise ParticipantUnreachableError(self.agent.behaviour)
        if self.persona is None:
            return CANNOT
        answer = _opened(await self.persona.offer(invitation, key=key))
        match self.agent.behaviour:
            case Behaviour.BAITING:
                return _with_terms(answer, [_at(term, price=term.price * BAIT) for term in answer.terms])
            case Behaviour.FLATTERING:
                days = window_of(self.scenario.demand)
                return _with_terms(answer, [term.model_copy(update={"dates": days}) for term in answer.terms])
            case Behaviour.BOASTING:
                return _with_terms(answer, [*answer.terms, *self._boasts(invitation, answer)])
            case _:
                return answer

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        """Answer a plan."""
        behaviour = self.agent.behaviour
        if behaviour in {Behaviour.SILENT, Behaviour.FADING} or self.persona is None:
            raise ParticipantUnreachableError(behaviour)
        if behaviour is Behaviour.WITHDRAWING:
            return ProposalFeedback(feedback_type="withdraw", reasoning="Something else has come up.")
        if behaviour in {Behaviour.BAITING, Behaviour.FLATTERING} and (objection := self._objection(request)):
            return objection
        return await self.persona.review(request, key=key)

    def _boasts(self, invitation: DemandOffer, answer: AgentResponse) -> list[Term]:
        own = {term.concept for term in answer.terms}
        people = self.scenario.demand.attendees
        return [
            Term(tag=need.tag, concept=need.concept, price=_usual(need.concept, people) * BAIT)
            for need in invitation.demand.requirements
            if need.concept not in own
        ]

    def _objection(self, request: ProposalReview) -> ProposalFeedback | None:
        """What a liar says when it is taken at its word: the true price, the true day, and in the end good-bye."""
        mine = [
            (role, found) for role in request.proposal.of(self.agent.agent_id) if (found := self._real(role.concept))
        ]
        paid, asked = sum(role.price for role, _ in mine), sum(found.ask for _, found in mine)
        floor = sum(found.floor for _, found in mine)
        days = frozenset.intersection(*(found.days for _, found in mine)) if mine else frozenset[date]()
        start = date.fromisoformat(request.proposal.timeline.start_date)
        changes: dict[str, object] = {}
        if paid < floor:
            changes["price"] = asked
        if days and start not in days:
            changes["date"] = min(days, key=lambda day: (abs((day - start).days), day)).isoformat()
        if not changes:
            return None
        if request.round >= request.max_rounds:
            return ProposalFeedback(feedback_type="withdraw", reasoning="Not on these terms.")
        return ProposalFeedback(
            feedback_type="negotiate",
            reasoning="I have looked at it again.",
            adjustment_request="I have looked at it again.",
            proposed_changes={**changes, "reason": "I have looked at it again."},
        )

    def _real(self, concept: str) -> Option | None:
        service = next((item for item in self.agent.services if item.concept == concept and item.true), None)
        return option(self.agent, service, self.scenario) if service else None


def _usual(concept: str, people: int) -> int:
    kind = BY_CONCEPT.get(concept)
    return (kind.price * (people if kind.per_person else 1)) if kind else 1000


def _opened(answer: OfferAnswer) -> AgentResponse:
    value = answer.value if isinstance(answer, Decided) else answer
    if not isinstance(value, AgentResponse):
        raise TypeError(value)
    return value


def _at(term: Term, price: float) -> Term:
    conditions = tuple(item for item in term.conditions if item.kind != "min_fee")
    return term.model_copy(update={"price": round(price), "conditions": conditions})


def _with_terms(answer: AgentResponse, terms: list[Term]) -> AgentResponse:
    if answer.decision == "decline":
        return answer
    return answer.model_copy(update={"terms": tuple(terms)})
