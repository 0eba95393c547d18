"""What must hold between a question about a plan and its answer (rows NEG-PROMPT-4a to 4b and 6a to 9a).

Nobody is assigned who did not offer, money adds up, nothing that is open is passed over; what cannot be trusted is
refused, whichever brain answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from moothall.errors import DecisionRefused
from moothall.negotiation.demand.models import (
    AdjustedPlan,
    Assignment,
    Compromise,
    DemandUnderstanding,
    Offer,
    PlanDraft,
    uncovered,
)
from moothall.negotiation.demand.questions import (
    AdjustInput,
    AggregateInput,
    CompromiseInput,
    GapInput,
    GapReport,
    RecurseInput,
    RecursionDecision,
)
from moothall.negotiation.demand.world import require

CENT = 0.005
"""Half a hundredth: sums of money closer than this are equal."""


def check_plan(data: AggregateInput, output: PlanDraft) -> PlanDraft:
    """See :func:`plan_fits`."""
    return plan_fits(data.demand, data.offers, output)


def plan_fits(demand: DemandUnderstanding, offers: Sequence[Offer], plan: PlanDraft) -> PlanDraft:
    """Only those who offered, each in what they offered and once per role, on a day they are free, within the money.

    The plan's ``gaps`` are set to what it really leaves open.
    """
    standing = {offer.agent_id: offer for offer in offers if offer.decision != "decline"}
    roles: set[tuple[str, str]] = set()
    for item in plan.assignments:
        require(item.agent_id in standing, f"{item.agent_id} did not offer")
        offered = {term.concept for term in standing[item.agent_id].terms}
        require(not offered or item.concept in offered, f"{item.agent_id} did not offer {item.role}")
        require((item.agent_id, item.concept) not in roles, f"{item.agent_id} holds {item.role} twice")
        roles.add((item.agent_id, item.concept))
    check_money(demand, plan)
    check_dates(demand, standing, plan)
    open_tags = tuple(requirement.tag for requirement in uncovered(demand.requirements, plan.assignments))
    return plan.model_copy(update={"gaps": open_tags})


def check_money(demand: DemandUnderstanding, plan: PlanDraft) -> None:
    """The total is the sum of the prices in one currency and stays within a stated budget of that currency."""
    total = sum(item.price for item in plan.assignments)
    require(abs(total - plan.cost.total) < CENT, f"the prices add up to {total}, not {plan.cost.total}")
    require(all(item.currency == plan.cost.currency for item in plan.assignments), "one plan is paid in one currency")
    budget = demand.constraints.budget
    if budget is not None and demand.constraints.currency == plan.cost.currency:
        require(total <= budget + CENT, f"the plan costs {total}, the budget is {budget}")


def check_dates(demand: DemandUnderstanding, standing: dict[str, Offer], plan: PlanDraft) -> None:
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
        for term in standing[item.agent_id].terms:
            busy = term.concept == item.concept and term.dates is not None and start not in term.dates
            require(not busy, f"{item.agent_id} is not free on {start}")


def check_adjustment(data: AdjustInput, output: AdjustedPlan) -> AdjustedPlan:
    """The plan fits; nobody who left is in it; who accepted keeps the terms; every request has an answer."""
    require(output.adjustment_summary.round == data.round, "the adjustment is for another round")
    gone = set(data.withdrawn)
    require(not any(item.agent_id in gone for item in output.assignments), "somebody who withdrew is in the plan")
    summary = output.adjustment_summary
    answered = {str(entry.get("agent_id")) for entry in (*summary.requests_addressed, *summary.requests_declined)}
    askers = {item.agent_id for item in data.feedbacks if item.feedback_type == "negotiate"}
    require(askers - gone <= answered, f"requests without an answer: {sorted(askers - gone - answered)}")
    listed = {str(entry.get("agent_id")) for entry in summary.changes_made}
    for agent_id in {item.agent_id for item in data.feedbacks if item.feedback_type == "accept"} - listed - gone:
        before, after = _terms(data.current_proposal.assignments, agent_id), _terms(output.assignments, agent_id)
        require(before == after, f"the terms of {agent_id}, who accepted, changed unsaid")
    fitted = plan_fits(data.demand, data.offers, output)
    return output.model_copy(update={"gaps": fitted.gaps})


def _terms(assignments: Sequence[Assignment], agent_id: str) -> set[tuple[str, float]]:
    return {(item.concept, item.price) for item in assignments if item.agent_id == agent_id}


def check_gaps(data: GapInput, output: GapReport) -> GapReport:
    """Every requirement without enough providers is a gap, and a plan with gaps is not complete."""
    named = {gap.gap_type for gap in output.gaps} | {
        tag for gap in output.gaps for tag in gap.suggested_capability_tags
    }
    missing = uncovered(data.demand.requirements, data.final_proposal.assignments)
    for requirement in missing:
        require(requirement.tag in named, f"{requirement.tag} is open and not reported")
    return output.model_copy(update={"is_complete": not output.gaps})


def check_recursion(data: RecurseInput, output: RecursionDecision) -> RecursionDecision:
    """A sub-negotiation needs all three conditions, something to look for, and depth 0."""
    if not output.should_recurse:
        return output.model_copy(update={"sub_demands": ()})
    require(data.depth == 0, "a sub-negotiation opens no further one")
    met = output.condition_1_met and output.condition_2_met and output.condition_3_met
    require(met, "a sub-negotiation needs all three conditions")
    require(bool(output.sub_demands), "a sub-negotiation needs something to look for")
    return output


def check_compromise(data: CompromiseInput, output: Compromise) -> Compromise:
    """Only what is really left is assigned, and an empty hand comes with advice."""
    left = {(item.agent_id, item.concept) for item in data.available_resources}
    kept = {(item.agent_id, item.concept) for item in output.assignments}
    require(kept <= left, f"not available: {sorted(kept - left)}")
    require(bool(output.assignments) or bool(output.suggestions), "a compromise without assignments needs suggestions")
    return output
