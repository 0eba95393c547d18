"""A plan for a demand, what is said about it, and what it lacks (spec C §4.3, §4.4), as immutable models.

As in `models`, field names are the specification's, and what goes beyond it is optional on input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from moothall.negotiation.demand.models import (
    Condition,
    Confidence,
    DemandId,
    JsonObject,
    Model,
    Money,
    Percent,
    Price,
    Requirement,
    Units,
)


class Milestone(Model):
    """A dated step of the timeline."""

    name: str
    date: str
    deliverable: str = ""


class Timeline(Model):
    """When it happens."""

    start_date: str
    milestones: tuple[Milestone, ...] = ()


class Assignment(Model):
    """One agent in one role (spec C §4.3); ``price`` is what the plan pays for it."""

    agent_id: str
    display_name: str
    role: str
    responsibility: str
    dependencies: tuple[str, ...] = ()
    notes: str = ""
    concept: str = ""
    price: Price = 0
    currency: str = "CNY"
    quantity: Units = 1
    conditions: tuple[Condition, ...] = ()


class Cost(Model):
    """The plan's money: ``total`` is the sum of the assignments' prices."""

    total: Money = 0
    currency: str = "CNY"
    budget: Money | None = None


class PlanDraft(Model):
    """A plan as a brain writes it (output of prompt 4)."""

    summary: str
    objective: str
    assignments: tuple[Assignment, ...] = ()
    timeline: Timeline
    rationale: str = ""
    gaps: tuple[str, ...] = ()
    confidence: Confidence = "medium"
    cost: Cost = Cost()


class Proposal(PlanDraft):
    """A plan with an identity (spec C §4.3); ``version`` equals the round it was made for."""

    proposal_id: str
    demand_id: DemandId
    version: Annotated[int, Field(ge=1, le=3)]
    created_at: str
    consensus: Literal["full", "partial"] | None = None
    consensus_label: str = ""

    def assignees(self) -> tuple[str, ...]:
        """The distinct agents of the plan, in the order of their first assignment."""
        return tuple(dict.fromkeys(item.agent_id for item in self.assignments))

    def of(self, agent_id: str) -> tuple[Assignment, ...]:
        """The assignments of one agent."""
        return tuple(item for item in self.assignments if item.agent_id == agent_id)


class AdjustmentSummary(Model):
    """What round ``round`` changed, and what became of every request."""

    round: int
    changes_made: tuple[JsonObject, ...] = ()
    requests_addressed: tuple[JsonObject, ...] = ()
    requests_declined: tuple[JsonObject, ...] = ()


class AdjustedPlan(PlanDraft):
    """A changed plan (output of prompt 6)."""

    adjustment_summary: AdjustmentSummary


class ProposalFeedback(Model):
    """A participant's answer to a plan (output of prompt 5 and body of ``proposal_feedback``).

    ``proposed_changes`` maps a field of the own assignment (``price``, ``date``, ``requires``, ``drop_role`` …) to the
    wanted value; ``reason`` says why.
    """

    feedback_type: Literal["accept", "negotiate", "withdraw"]
    reasoning: str = ""
    adjustment_request: str = ""
    proposed_changes: JsonObject = Field(default_factory=dict)


class Feedback(ProposalFeedback):
    """Feedback as it stands in the channel; ``by_default`` marks silence that the policy counts as an answer."""

    agent_id: str
    by_default: bool = False


class Gap(Model):
    """A requirement nobody covers (spec C §4.4)."""

    gap_type: str
    importance: Percent
    reason: str
    suggested_capability_tags: tuple[str, ...] = ()


class Compromise(Model):
    """What works, what is missing and what to do about it (output of prompt 9)."""

    summary: str
    type: Literal["compromise"] = "compromise"
    assignments: tuple[Assignment, ...] = ()
    compromises: tuple[JsonObject, ...] = ()
    unresolved: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    confidence: Literal["low", "medium"] = "low"


class SettledPlan(Proposal):
    """A plan with which prompt 9 ended: the plan, and what the compromise says about it (row NEG-PROMPT-9b)."""

    type: Literal["compromise"]
    compromises: tuple[JsonObject, ...] = ()
    unresolved: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


def covered(requirement: Requirement, assignments: Sequence[Assignment]) -> int:
    """How many of ``requirement.count`` these assignments provide."""
    wanted = (item for item in assignments if item.concept == requirement.concept)
    return min(requirement.count, sum(item.quantity for item in wanted))


def core_agents(requirements: Sequence[Requirement], assignments: Sequence[Assignment]) -> frozenset[str]:
    """The agents that are the only provider of a required capability in a plan (row NEG-STATE-10)."""
    core: set[str] = set()
    for requirement in requirements:
        providers = {item.agent_id for item in assignments if item.concept == requirement.concept}
        if len(providers) == 1:
            core |= providers
    return frozenset(core)


def uncovered(requirements: Sequence[Requirement], assignments: Sequence[Assignment]) -> tuple[Requirement, ...]:
    """The requirements that these assignments do not fully cover."""
    return tuple(item for item in requirements if covered(item, assignments) < item.count)
