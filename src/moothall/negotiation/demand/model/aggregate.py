"""Prompt 4 by a model: it chooses the team and says why (rows NEG-PROMPT-4a and 4b)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from moothall.llm.brief import Brief
from moothall.negotiation.demand.model.casting import refuse
from moothall.negotiation.demand.model.shown import shown_demand
from moothall.negotiation.demand.model.shown_plan import shown_offers
from moothall.negotiation.demand.model.team import Team, TeamDraft
from moothall.negotiation.demand.plan_models import PlanDraft
from moothall.negotiation.demand.prompts import AGGREGATE
from moothall.negotiation.demand.questions import AggregateInput

if TYPE_CHECKING:
    from moothall.llm.decision import RulesBrain
    from moothall.messages import Lang
    from moothall.negotiation.demand.models import JsonObject
    from moothall.negotiation.demand.rules.phrasing import Lexica


def brief(lexica: Lexica, rules: RulesBrain) -> Brief[AggregateInput, PlanDraft, TeamDraft]:
    """How prompt 4 is asked: with the offers alone, in an order that no arrival decides."""

    async def complete(data: AggregateInput, draft: TeamDraft) -> PlanDraft:
        if draft.assignments:
            return await asyncio.to_thread(Team(data, draft, lexica, {}).plan)  # reading the texts takes its time
        without = await rules.answer(AGGREGATE, data)
        if without.assignments:
            message = "the plan assigns nobody, although the offers make one"
            raise refuse(message)
        return without

    return Brief(AGGREGATE, TeamDraft, _lang, _data, complete)


def _lang(data: AggregateInput) -> Lang:
    return data.demand.lang


def _data(data: AggregateInput) -> JsonObject:
    return {
        "demand": shown_demand(data.demand),
        "offers": shown_offers(data.offers),
        "today": data.today.isoformat(),
    }
