"""Prompt 8 by a model: whether to look further for what is missing (row NEG-PROMPT-8a).

It sees the figures and may say no where they say yes; a yes that they do not bear out is refused by the check.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from moothall.llm.brief import Brief
from moothall.negotiation.demand.model.draft import LOOSE, MANY, Draft, Line, Text, Words
from moothall.negotiation.demand.model.shown import shown_demand
from moothall.negotiation.demand.model.shown_plan import shown_plan
from moothall.negotiation.demand.prompts import RECURSE
from moothall.negotiation.demand.questions import RecurseInput, RecursionDecision, SubDemand
from moothall.negotiation.demand.weighing import weigh

if TYPE_CHECKING:
    from moothall.llm.decision import RulesBrain
    from moothall.messages import Lang
    from moothall.negotiation.demand.models import JsonObject
    from moothall.negotiation.demand.rules.phrasing import Lexica


class SubDemandDraft(Draft):
    """One thing to look for."""

    description: Line = ""
    capability_tags: Words = ()
    priority: Annotated[Literal["high", "medium", "low"], LOOSE] = "medium"


class RecurseDraft(Draft):
    """The specification's output of prompt 8."""

    should_recurse: bool
    condition_1_met: bool
    condition_1_analysis: Text = ""
    condition_2_met: bool
    condition_2_analysis: Text = ""
    condition_3_met: bool
    condition_3_analysis: Text = ""
    sub_demands: Annotated[tuple[SubDemandDraft, ...], MANY] = ()


def brief(lexica: Lexica, rules: RulesBrain) -> Brief[RecurseInput, RecursionDecision, RecurseDraft]:
    """How prompt 8 is asked: with the figures that its conditions are about."""

    async def complete(data: RecurseInput, draft: RecurseDraft) -> RecursionDecision:
        base = await rules.answer(RECURSE, data)
        voice = lexica.voice(data.demand.lang)
        wanted = tuple(
            SubDemand(
                description=item.description or voice.join(item.capability_tags),
                capability_tags=item.capability_tags,
                priority=item.priority,
            )
            for item in draft.sub_demands
            if item.capability_tags
        )
        return RecursionDecision(
            should_recurse=draft.should_recurse,
            condition_1_met=draft.condition_1_met,
            condition_1_analysis=draft.condition_1_analysis or base.condition_1_analysis,
            condition_2_met=draft.condition_2_met,
            condition_2_analysis=draft.condition_2_analysis or base.condition_2_analysis,
            condition_3_met=draft.condition_3_met,
            condition_3_analysis=draft.condition_3_analysis or base.condition_3_analysis,
            sub_demands=wanted,
        )

    return Brief(RECURSE, RecurseDraft, _lang, _data, complete)


def _lang(data: RecurseInput) -> Lang:
    return data.demand.lang


def _data(data: RecurseInput) -> JsonObject:
    weights = weigh(data)
    return {
        "demand": shown_demand(data.demand),
        "gaps": [gap.model_dump(mode="json") for gap in data.gaps],
        "current_proposal": shown_plan(data.current_proposal, data.demand.lang),
        "estimated_cost": data.estimated_cost.model_dump(mode="json"),
        "figures": {
            "gaps_worth_a_search": [gap.gap_type for gap in weights.worthwhile],
            "askable_agents": data.askable,
            "gain": round(weights.gain, 3),
            "budget_allows": weights.affordable,
            "cost_share": _figure(weights.share),
            "gain_by_cost": _figure(weights.benefit),
        },
        "limits": data.limits.model_dump(mode="json"),
        "depth": data.depth,
    }


def _figure(value: float) -> float | None:
    """A figure as JSON knows it; without bound is no figure."""
    return None if math.isinf(value) else round(value, 3)
