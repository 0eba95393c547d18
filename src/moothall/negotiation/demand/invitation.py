"""What a person may know of a demand and of its plan: their own part whole, of the others who does what. Pure.

Offers are sealed from one another, and a budget is the requester's to tell; so a person sees no price but their own, no
sum, no condition or note of anybody else, and no reasons that name who was not chosen. A demand's words are shown
without the sums in them. Agents in this process get the specification's messages whole; they tell them nobody.
"""

from __future__ import annotations

from functools import partial

from moothall.negotiation.demand.extract.figures import open_figures
from moothall.negotiation.demand.extract.folding import fold
from moothall.negotiation.demand.extract.money import find_money
from moothall.negotiation.demand.models import DemandUnderstanding, Model
from moothall.negotiation.demand.plan_models import Milestone, Proposal, Timeline

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
    told = partial(without_sums, attendees=demand.constraints.attendees)
    return demand.model_copy(
        update={
            "surface_demand": told(demand.surface_demand),
            "deep_understanding": deep.model_copy(
                update={
                    "motivation": told(deep.motivation),
                    "likely_preferences": tuple(filter(None, map(told, deep.likely_preferences))),
                    "emotional_context": told(deep.emotional_context),
                }
            ),
            "uncertainties": tuple(filter(None, map(told, demand.uncertainties))),
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


def without_sums(text: str, attendees: int | None = None) -> str:
    """A text without the sums of money in it.

    Those that the grammar of demands reads go with the words around them; then every figure of which nothing says that
    it counts or dates something, for people name sums in more ways than any grammar knows.
    """
    for _ in range(MOST_SUMS):
        money = find_money(text, fold(text)).money
        if money is None:
            for start, end in open_figures(text, () if attendees is None else (attendees,)):
                text = f"{text[:start]}{LEFT_OUT}{text[end:]}"
            return text
        text = f"{text[: money.span.start]}{LEFT_OUT}{text[money.span.end :]}"
    return ""
