"""Prompt 8: whether a sub-negotiation for the gaps is worth its cost (spec C §3.3.8, row NEG-PROMPT-8b)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from moothall.negotiation.demand.plan_models import Gap
from moothall.negotiation.demand.questions import RecursionDecision, SubDemand
from moothall.negotiation.demand.weighing import weigh

if TYPE_CHECKING:
    from moothall.negotiation.demand.questions import RecurseInput
    from moothall.negotiation.demand.rules.phrasing import Lexica, Voice

HIGH, MEDIUM = 80, 60


async def recurse(lexica: Lexica, data: RecurseInput) -> RecursionDecision:
    """Weigh satisfaction gained, stakeholders' terms and cost; all three must speak for it, and never below depth 0."""
    voice = lexica.voice(data.demand.lang)
    weights = weigh(data)
    worthwhile, first, third = weights.worthwhile, weights.enough_gain, weights.cheap
    satisfaction = voice.say(
        "recurse.gain" if first else "recurse.no_gain",
        gaps=voice.join(gap.gap_type for gap in worthwhile) or voice.say("recurse.none"),
        gain=f"{weights.gain:.0%}",
        least=f"{data.limits.min_gain:.0%}",
    )
    cost = voice.say(
        "recurse.cheap" if third else "recurse.dear",
        share=_percent(weights.share, voice),
        most=f"{data.limits.max_cost_share:.0%}",
        benefit=_figure(weights.benefit, voice),
        least=f"{data.limits.min_benefit:g}",
    )
    if data.depth > 0:
        satisfaction = voice.sentences([satisfaction, voice.say("recurse.depth")])
    go = weights.all_hold and data.depth == 0
    return RecursionDecision(
        should_recurse=go,
        condition_1_met=first,
        condition_1_analysis=satisfaction,
        condition_2_met=weights.affordable,
        condition_2_analysis=_stakeholders(data, voice),
        condition_3_met=third,
        condition_3_analysis=cost,
        sub_demands=tuple(_sub_demand(gap, data, voice) for gap in worthwhile) if go else (),
    )


def _stakeholders(data: RecurseInput, voice: Voice) -> str:
    """Whether anybody's terms would get worse, in words."""
    limits, cost = data.demand.constraints, data.current_proposal.cost
    if limits.budget is None:
        return voice.say("recurse.no_budget")
    if limits.currency != cost.currency and cost.total:
        return voice.say("recurse.other_currency", budget=voice.money(limits.budget, limits.currency))
    left = limits.budget - cost.total
    key = "recurse.left" if left > 0 else "recurse.spent"
    return voice.say(key, left=voice.money(max(left, 0), limits.currency))


def _sub_demand(gap: Gap, data: RecurseInput, voice: Voice) -> SubDemand:
    city = data.demand.constraints.city
    key = "recurse.search_in" if city else "recurse.search"
    priority: Literal["high", "medium", "low"] = "low"
    if gap.importance >= MEDIUM:
        priority = "high" if gap.importance >= HIGH else "medium"
    return SubDemand(
        description=voice.say(key, gap=gap.gap_type, city=voice.city(city or "")),
        capability_tags=gap.suggested_capability_tags or (gap.gap_type,),
        priority=priority,
    )


def _percent(share: float, voice: Voice) -> str:
    return voice.say("recurse.unknown") if math.isinf(share) else f"{share:.0%}"


def _figure(value: float, voice: Voice) -> str:
    return voice.say("recurse.unlimited") if math.isinf(value) else f"{value:.2f}"
