"""What a person may know of a demand and of its plan: their own part whole, of the others who does what. Pure.

Offers are sealed from one another, and a budget is the requester's to tell; so a person sees no price but their own, no
sum, no condition or note of anybody else, and no reasons that name who was not chosen. A demand's words are shown
without the sums in them. Agents in this process get the specification's messages whole; they tell them nobody.
"""

from __future__ import annotations

from moothall.negotiation.demand.extract.folding import fold
from moothall.negotiation.demand.extract.money import find_money
from moothall.negotiation.demand.models import DemandUnderstanding, Milestone, Model, Proposal, Timeline

MOST_SUMS = 20
"""Sums that are taken out of one text; one with more is not shown."""
LEFT_OUT = "…"


class SharedAssignment(Model):
    """Who does what, as every participant may know it."""

    agent_id: str
    display_name: str
    role: str
    responsibility: str


class SharedPlan(Model):
    """A plan without money, conditions and reasons; a person's own part stands whole beside it."""

    proposal_id: str
    version: int
    objective: str
    assignments: tuple[SharedAssignment, ...]
    timeline: Timeline


def shared_demand(demand: DemandUnderstanding) -> DemandUnderstanding:
    """The demand without its budget."""
    deep = demand.deep_understanding
    return demand.model_copy(
        update={
            "surface_demand": without_sums(demand.surface_demand),
            "deep_understanding": deep.model_copy(
                update={
                    "motivation": without_sums(deep.motivation),
                    "likely_preferences": tuple(filter(None, map(without_sums, deep.likely_preferences))),
                    "emotional_context": without_sums(deep.emotional_context),
                }
            ),
            "uncertainties": tuple(filter(None, map(without_sums, demand.uncertainties))),
            "context": demand.context.model_copy(update={"budget": None}),
            "constraints": demand.constraints.model_copy(update={"budget": None}),
        }
    )


def shared_plan(plan: Proposal) -> SharedPlan:
    """The plan as a participant may know it."""
    return SharedPlan(
        proposal_id=plan.proposal_id,
        version=plan.version,
        objective=without_sums(plan.objective),
        assignments=tuple(
            SharedAssignment(
                agent_id=item.agent_id,
                display_name=item.display_name,
                role=item.role,
                responsibility=without_sums(item.responsibility),
            )
            for item in plan.assignments
        ),
        timeline=Timeline(
            start_date=plan.timeline.start_date,
            milestones=tuple(Milestone(name=without_sums(one.name), date=one.date) for one in plan.timeline.milestones),
        ),
    )


def without_sums(text: str) -> str:
    """A text without the sums of money in it, as far as the grammar of demands reads them."""
    for _ in range(MOST_SUMS):
        money = find_money(text, fold(text)).money
        if money is None:
            return text
        text = f"{text[: money.span.start]}{LEFT_OUT}{text[money.span.end :]}"
    return ""
