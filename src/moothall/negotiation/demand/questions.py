"""What each of the nine decisions is asked and answers (spec C §3.3).

Inputs carry only what their decider may know: an agent's own profile in 3 and 5, offers in 4, never another's
reservation values.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidatorFunctionWrapHandler, WrapValidator

from moothall.directory.index import RegistrySnapshot
from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.models import AgentResponse, Candidate, DemandUnderstanding, JsonObject, Model, Offer
from moothall.negotiation.demand.plan_models import Assignment, Feedback, Gap, Proposal


def _today() -> date:
    return datetime.now().astimezone().date()


class UnderstandInput(Model):
    """Input of prompt 1."""

    raw_input: str
    user_id: str
    user_context: JsonObject = Field(default_factory=dict)
    today: date = Field(default_factory=_today)


def _registered(value: Any, validate: ValidatorFunctionWrapHandler) -> AgentProfile:  # noqa: ANN401 - unread input
    """A profile that is one already has been validated; ten thousand of them are half a second."""
    profile: AgentProfile = value if isinstance(value, AgentProfile) else validate(value)
    return profile


class FilterInput(Model):
    """Input of prompt 2; ``most`` agents are invited at the most, ``excluded`` ones are not asked again."""

    demand: DemandUnderstanding
    all_agent_profiles: tuple[Annotated[AgentProfile, WrapValidator(_registered)], ...]
    today: date = Field(default_factory=_today)
    most: int = 20
    excluded: frozenset[str] = frozenset()
    _registry: RegistrySnapshot | None = PrivateAttr(default=None)

    @property
    def registry(self) -> RegistrySnapshot | None:
        """The registry that the profiles are taken from, with its index; no part of the question."""
        return self._registry

    def among(self, registry: RegistrySnapshot) -> Self:
        """The same question, with the registry whose profiles these are."""
        self._registry = registry
        return self


class SmartFilter(Model):
    """Output of prompt 2: everybody relevant, best first.

    The first ``invited`` are asked (as many as allowed where it is left out), the rest is the reserve.
    """

    analysis: str
    definitely_related: tuple[Candidate, ...] = ()
    possibly_related: tuple[Candidate, ...] = ()
    total_candidates: Annotated[int, Field(ge=0)] = 0
    invited: Annotated[int, Field(ge=0)] | None = None

    def ranked(self) -> tuple[Candidate, ...]:
        """Everybody, in the order of invitation."""
        return (*self.definitely_related, *self.possibly_related)


class RespondInput(Model):
    """Input of prompt 3: the agent's own profile, with its own reservation values."""

    agent_profile: AgentProfile
    demand: DemandUnderstanding
    filter_reason: str
    today: date = Field(default_factory=_today)


class AggregateInput(Model):
    """Input of prompt 4; ``offers`` come in seeded random order."""

    demand: DemandUnderstanding
    offers: tuple[Offer, ...]
    today: date = Field(default_factory=_today)
    seed: int = 0


class ReviewInput(Model):
    """Input of prompt 5; ``my_offer`` is what this agent offered, ``my_assignments`` all its roles in the plan."""

    agent_profile: AgentProfile
    proposal: Proposal
    my_assignment: Assignment | None = None
    my_assignments: tuple[Assignment, ...] = ()
    demand: DemandUnderstanding = DemandUnderstanding(surface_demand="")
    my_offer: AgentResponse = AgentResponse(decision="participate")
    round: int = 1
    max_rounds: int = 3


class AdjustInput(Model):
    """Input of prompt 6; ``withdrawn`` agents must not be in the new plan, ``offers`` are all that stand."""

    demand: DemandUnderstanding
    current_proposal: Proposal
    feedbacks: tuple[Feedback, ...]
    round: int
    offers: tuple[Offer, ...] = ()
    withdrawn: tuple[str, ...] = ()
    today: date = Field(default_factory=_today)
    seed: int = 0


class GapInput(Model):
    """Input of prompt 7; ``offers`` are all that were made, and the refusals with their prices."""

    demand: DemandUnderstanding
    final_proposal: Proposal
    agent_feedbacks: tuple[Feedback, ...] = ()
    offers: tuple[Offer, ...] = ()


class GapReport(Model):
    """Output of prompt 7."""

    is_complete: bool
    analysis: str
    gaps: tuple[Gap, ...] = ()


class EstimatedCost(Model):
    """What a sub-negotiation would cost: ``calls`` planned against ``calls_used``, and tokens where they are known."""

    tokens: int = 0
    time_seconds: float = 0
    calls: int = 0
    calls_used: int = 0
    tokens_used: int = 0


class RecursionLimits(Model):
    """The thresholds of prompt 8 (row NEG-PROMPT-8b)."""

    min_importance: int = 60
    min_gain: float = 0.15
    min_benefit: float = 1.5
    max_cost_share: float = 0.30


class RecurseInput(Model):
    """Input of prompt 8; ``askable`` counts the agents not yet invited that could close each gap (by ``gap_type``)."""

    demand: DemandUnderstanding
    gaps: tuple[Gap, ...]
    current_proposal: Proposal
    estimated_cost: EstimatedCost
    depth: int = 0
    askable: dict[str, int] = Field(default_factory=dict)
    limits: RecursionLimits = RecursionLimits()


class SubDemand(Model):
    """One thing a sub-negotiation looks for."""

    description: str
    capability_tags: tuple[str, ...]
    priority: Literal["high", "medium", "low"]


class RecursionDecision(Model):
    """Output of prompt 8."""

    should_recurse: bool
    condition_1_met: bool
    condition_1_analysis: str
    condition_2_met: bool
    condition_2_analysis: str
    condition_3_met: bool
    condition_3_analysis: str
    sub_demands: tuple[SubDemand, ...] = ()


class CompromiseInput(Model):
    """Input of prompt 9.

    ``declines`` are the reasons of those who declined, ``offers`` all that stand, ``reason`` why it is needed.
    """

    demand: DemandUnderstanding
    available_resources: tuple[Assignment, ...]
    gaps: tuple[Gap, ...]
    feedbacks: tuple[Feedback, ...]
    declines: tuple[JsonObject, ...] = ()
    offers: tuple[Offer, ...] = ()
    reason: str = ""
