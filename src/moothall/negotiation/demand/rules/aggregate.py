"""Prompt 4: one plan out of the sealed offers (spec C §3.3.4, rows NEG-PROMPT-4a/4b)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.negotiation.demand.rules.plan import Writer
from moothall.negotiation.demand.rules.staffing import Chooser, opening_slots

if TYPE_CHECKING:
    from moothall.negotiation.demand.plan_models import PlanDraft
    from moothall.negotiation.demand.questions import AggregateInput
    from moothall.negotiation.demand.rules.phrasing import Lexica


async def aggregate(lexica: Lexica, limit: float, data: AggregateInput) -> PlanDraft:
    """Choose the best team within budget and calendars and write it down; without one, a plan with gaps only."""
    slots = opening_slots(data.demand, data.offers, lexica)
    chooser = Chooser(data.demand, data.today, data.seed, limit)
    staffing = await chooser.choose(slots)
    return Writer(data.demand, data.offers, data.today, lexica.voice(data.demand.lang)).write(staffing)
