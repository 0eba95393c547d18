"""The nine prompts: number, kind, question, answer, and the check that stands between them (spec C §3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from moothall.llm.decision import Prompt
from moothall.negotiation.demand import adjust_world, plan_world, world
from moothall.negotiation.demand.models import AgentResponse, DemandUnderstanding
from moothall.negotiation.demand.plan_models import AdjustedPlan, Compromise, PlanDraft, ProposalFeedback
from moothall.negotiation.demand.questions import (
    AdjustInput,
    AggregateInput,
    CompromiseInput,
    FilterInput,
    GapInput,
    GapReport,
    RecurseInput,
    RecursionDecision,
    RespondInput,
    ReviewInput,
    SmartFilter,
    UnderstandInput,
)

UNDERSTAND = Prompt(
    1,
    "understand",
    "understanding",
    UnderstandInput,
    DemandUnderstanding,
    world.check_understanding,
    stand_in=world.unsure,
)
FILTER = Prompt(2, "filter", "smart_filter", FilterInput, SmartFilter, world.check_filter)
RESPOND = Prompt(3, "respond", "response_generation", RespondInput, AgentResponse, world.check_response)
AGGREGATE = Prompt(4, "aggregate", "proposal_aggregation", AggregateInput, PlanDraft, plan_world.check_plan)
REVIEW = Prompt(5, "review", "proposal_review", ReviewInput, ProposalFeedback, world.check_review)
ADJUST = Prompt(6, "adjust", "proposal_adjustment", AdjustInput, AdjustedPlan, adjust_world.check_adjustment)
GAPS = Prompt(7, "gaps", "gap_identify", GapInput, GapReport, plan_world.check_gaps)
RECURSE = Prompt(8, "recurse", "recursion", RecurseInput, RecursionDecision, plan_world.check_recursion)
COMPROMISE = Prompt(9, "compromise", "compromise", CompromiseInput, Compromise, plan_world.check_compromise)

PROMPTS = (UNDERSTAND, FILTER, RESPOND, AGGREGATE, REVIEW, ADJUST, GAPS, RECURSE, COMPROMISE)
"""All nine, in the specification's order."""

FALLBACK_RESPONSES: Mapping[str, str] = MappingProxyType({prompt.fallback_key: prompt.kind for prompt in PROMPTS})
"""By the specification's keys (row NEG-FAIL-06): the kind of prompt whose rule answers in place of a failing model."""
