"""Prompt 7: what the plan does not provide (spec C §3.3.7): the requirements minus the coverage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from moothall.negotiation.demand.models import Offer, Requirement
from moothall.negotiation.demand.plan_models import Gap, covered, uncovered
from moothall.negotiation.demand.questions import GapReport

if TYPE_CHECKING:
    from moothall.negotiation.demand.questions import GapInput
    from moothall.negotiation.demand.rules.phrasing import Lexica, Voice

MOST_SUGGESTIONS = 5


async def gaps(lexica: Lexica, data: GapInput) -> GapReport:
    """Report every requirement without enough providers; importance falls with the part that is there."""
    voice = lexica.voice(data.demand.lang)
    assignments = data.final_proposal.assignments
    open_needs = uncovered(data.demand.requirements, assignments)
    found = tuple(_gap(need, covered(need, assignments), data, voice) for need in open_needs)
    total, met = len(data.demand.requirements), len(data.demand.requirements) - len(found)
    if found:
        analysis = voice.say("gaps.open", met=met, total=total, tags=voice.join(gap.gap_type for gap in found))
    else:
        analysis = voice.say("gaps.none", total=total)
    return GapReport(is_complete=not found, analysis=analysis, gaps=found)


def _gap(need: Requirement, have: int, data: GapInput, voice: Voice) -> Gap:
    left = [item.agent_id for item in data.agent_feedbacks if item.feedback_type == "withdraw"]
    if have:
        reason = voice.say("gaps.part", tag=need.tag, count=need.count, have=have)
    elif left:
        reason = voice.say("gaps.withdrawn", tag=need.tag, count=len(left))
    else:
        reason = _too_dear(need, data, voice) or voice.say("gaps.nobody", tag=need.tag)
    related = [voice.label(concept) for concept in voice.lexica.vocabulary.related(need.concept)]
    return Gap(
        gap_type=need.tag,
        importance=round(need.importance * (need.count - have) / need.count),
        reason=reason,
        suggested_capability_tags=tuple(dict.fromkeys((need.tag, *related)))[:MOST_SUGGESTIONS],
    )


def _too_dear(need: Requirement, data: GapInput, voice: Voice) -> str:
    """The budget as the reason, where even the lowest price that was asked would exceed it; else nothing."""
    plan, limits = data.final_proposal, data.demand.constraints
    if limits.budget is None:
        return ""
    asks = [
        price
        for offer in data.offers
        for concept, price, currency in _asked(offer)
        if concept == need.concept and currency == limits.currency
    ]
    spent = sum(item.price for item in plan.assignments if item.currency == limits.currency)
    if not asks or spent + min(asks) <= limits.budget:
        return ""
    price, budget = (voice.money(amount, limits.currency) for amount in (min(asks), limits.budget))
    return voice.say("gaps.money", tag=need.tag, price=price, budget=budget)


def _asked(offer: Offer) -> Iterator[tuple[str, float, str]]:
    """Role, price and currency of what was offered, or refused for its price."""
    for term in offer.terms if offer.decision != "decline" else ():
        yield term.concept, term.price, term.currency
    for fact in offer.refusals:
        if fact.kind == "price" and fact.ask is not None:
            yield fact.concept, fact.ask, fact.currency
