"""When a plan fits the demand and the offers (rows NEG-PROMPT-4a and 4b): people, roles, terms, money, days. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from moothall.errors import DecisionRefused
from moothall.negotiation.demand.models import DemandUnderstanding, Offer, Term
from moothall.negotiation.demand.plan_models import Assignment, PlanDraft, uncovered
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, clean
from moothall.negotiation.demand.rules.staffing import OPENING_SHARE, home
from moothall.negotiation.demand.world import require

CENT = 0.005
"""Half a hundredth: sums of money closer than this are equal."""

PlanT = TypeVar("PlanT", bound=PlanDraft)


@dataclass(frozen=True, slots=True)
class Settled:
    """What the plan so far pays, by agent and concept, and the sum that an agent now asks for all its roles in it."""

    paid: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    asked: Mapping[str, float] = field(default_factory=dict)

    def bounds(self, agent_id: str, concepts: Collection[str]) -> tuple[float, float]:
        """The least and the most that an agent may get for these of its roles together.

        Nobody gets less than what was settled unless it asked for less, nor more than it asked for. Sums that are
        shared anew are whole, so a fraction may be lost.
        """
        paid = self.paid[agent_id]
        total, was = sum(paid.values()), [paid[concept] for concept in concepts]
        least, most = float(sum(map(math.floor, was))), sum(was)
        asked = self.asked.get(agent_id)
        if asked is None:
            return least, most
        shares = [price / total if total else 1 / len(paid) for price in was]
        low, high = (float(sum(edge(asked * share) for share in shares)) for edge in (math.floor, math.ceil))
        return min(least, low), max(most, high)


def plan_fits(
    demand: DemandUnderstanding, offers: Sequence[Offer], plan: PlanT, settled: Settled | None = None
) -> PlanT:
    """Only those who offered, each in what they offered and once per role, on a day they are free, within the money.

    Names are those of the offers, and the plan's ``gaps`` are what it really leaves open.

    Raises:
        DecisionRefused: the plan does not fit.
    """
    require(bool(plan.summary.strip()), "the plan has no summary")
    require(bool(plan.rationale.strip()) or not plan.assignments, "the plan does not say why these were chosen")
    standing = {offer.agent_id: offer for offer in offers if offer.decision != "decline"}
    settled = settled or Settled()
    for item in plan.assignments:
        require(item.agent_id in standing, f"{item.agent_id} did not offer")
        _role_fits(demand, standing[item.agent_id], item)
        if item.concept not in settled.paid.get(item.agent_id, {}):
            _price_offered(standing[item.agent_id], item)
        _conditions_kept(standing[item.agent_id], item)
    _prices_settled(settled, plan.assignments)
    _roles_fit(standing, plan.assignments)
    _places_fit(standing, plan.assignments)
    check_money(demand, plan)
    check_dates(demand, standing, plan)
    open_tags = tuple(requirement.tag for requirement in uncovered(demand.requirements, plan.assignments))
    named = tuple(item.model_copy(update={"display_name": _name(standing[item.agent_id])}) for item in plan.assignments)
    confidence = "medium" if open_tags and plan.confidence == "high" else plan.confidence
    return plan.model_copy(update={"assignments": named, "gaps": open_tags, "confidence": confidence})


def _name(offer: Offer) -> str:
    return clean(offer.display_name, TITLE_CAP) or offer.agent_id


def _offered(offer: Offer, concept: str) -> list[Term]:
    return [term for term in offer.terms if term.concept == concept]


def _role_fits(demand: DemandUnderstanding, offer: Offer, item: Assignment) -> None:
    """The role is one that the agent offered and has room for, and says what to do.

    An offer in words alone can only fill what the demand needs.
    """
    who = offer.agent_id
    require(bool(item.role.strip()), f"{who} has no role")
    require(bool(item.responsibility.strip()), f"{who} has no responsibility as {item.role}")
    terms = _offered(offer, item.concept)
    needed = item.concept in {need.concept for need in demand.requirements}
    require(bool(terms) or (needed and not offer.terms), f"{who} did not offer {item.role}")
    require(not terms or item.quantity <= max(term.quantity for term in terms), f"{who} offers less of {item.role}")
    people = demand.constraints.attendees
    if people is not None and terms:
        room = any(term.capacity is None or term.capacity * term.quantity >= people for term in terms)
        require(room, f"{who} has no room for {people} people as {item.role}")


def _price_offered(offer: Offer, item: Assignment) -> None:
    """A role that is new to the agent is paid what it offered, or a little less."""
    terms = _offered(offer, item.concept)
    most = max((term.price for term in terms), default=0.0)
    require(item.price <= most + CENT, f"{item.agent_id} asks {most:g} for {item.role}, not {item.price:g}")
    if terms:
        least = math.floor(OPENING_SHARE * min(term.price for term in terms))
        require(item.price >= least - CENT, f"{item.price:g} is too little for {item.agent_id}, who asks {most:g}")


def _prices_settled(settled: Settled, assignments: Sequence[Assignment]) -> None:
    """Roles that an agent keeps are paid, taken together, what was settled or asked for since."""
    kept: dict[str, dict[str, float]] = {}
    for item in assignments:
        if item.concept in settled.paid.get(item.agent_id, {}):
            kept.setdefault(item.agent_id, {})[item.concept] = item.price
    for agent_id, prices in kept.items():
        least, most = settled.bounds(agent_id, prices)
        now = sum(prices.values())
        require(now <= most + CENT, f"{agent_id} asks {most:g} for all its roles, not {now:g}")
        require(now >= least - CENT, f"{now:g} is too little for {agent_id}, who was promised {most:g}")


def _conditions_kept(offer: Offer, item: Assignment) -> None:
    """Each condition is there, refused or met with a reason."""
    terms = _offered(offer, item.concept)
    texts = {condition.text for condition in item.conditions}
    kept = not terms or any({condition.text for condition in term.conditions} <= texts for term in terms)
    require(kept, f"a condition of {item.agent_id} is passed over")
    for condition in item.conditions:
        said = condition.status == "open" or bool(condition.reason.strip())
        require(said, f"a condition of {item.agent_id} is {condition.status} without a reason")


def _roles_fit(standing: Mapping[str, Offer], assignments: Sequence[Assignment]) -> None:
    """Nobody has a role twice, or more roles than it takes."""
    held = Counter((item.agent_id, item.concept) for item in assignments)
    for (agent_id, concept), times in held.items():
        require(times == 1, f"{agent_id} holds the role {concept} twice")
    for agent_id, roles in Counter(item.agent_id for item in assignments).items():
        most = standing[agent_id].max_roles
        require(roles <= most, f"{agent_id} takes {most} roles at the most, not {roles}")


def _places_fit(standing: Mapping[str, Offer], assignments: Sequence[Assignment]) -> None:
    """Where the demand names no place, those who are bound to one are bound to the same."""
    places: dict[str, str] = {}
    for item in assignments:
        for term in _offered(standing[item.agent_id], item.concept):
            if place := home(term):
                places.setdefault(place, item.agent_id)
    require(len(places) <= 1, f"these work in different places: {sorted(places.values())}")


def check_money(demand: DemandUnderstanding, plan: PlanDraft) -> None:
    """The total is the sum of the prices in one currency and stays within a stated budget of that currency."""
    total = sum(item.price for item in plan.assignments)
    require(abs(total - plan.cost.total) < CENT, f"the prices add up to {total:g}, not {plan.cost.total:g}")
    require(all(item.currency == plan.cost.currency for item in plan.assignments), "one plan is paid in one currency")
    budget = demand.constraints.budget
    if budget is not None and demand.constraints.currency == plan.cost.currency:
        require(total <= budget + CENT, f"the plan costs {total:g}, the budget is {budget:g}")


def check_dates(demand: DemandUnderstanding, standing: Mapping[str, Offer], plan: PlanDraft) -> None:
    """Dates parse, milestones are in order, the start is in the demand's range and everybody is free on it."""
    try:
        start = date.fromisoformat(plan.timeline.start_date)
        milestones = [date.fromisoformat(item.date) for item in plan.timeline.milestones]
    except ValueError as error:
        message = f"the timeline has a date that is none: {error}"
        raise DecisionRefused(message) from error
    require(milestones == sorted(milestones), "the milestones are out of order")
    limits = demand.constraints
    require(limits.date_start is None or start >= limits.date_start, "the plan starts before the demand's range")
    require(limits.date_end is None or start <= limits.date_end, "the plan starts after the demand's range")
    for item in plan.assignments:
        for term in _offered(standing[item.agent_id], item.concept):
            require(term.dates is None or start in term.dates, f"{item.agent_id} is not free on {start}")
