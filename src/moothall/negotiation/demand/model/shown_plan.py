"""What a model is shown of offers, plans and feedback: all that was said in the channel, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from moothall.directory.concepts import load_vocabulary

if TYPE_CHECKING:
    from moothall.messages import Lang
    from moothall.negotiation.demand.models import JsonObject, Offer, Term
    from moothall.negotiation.demand.plan_models import Assignment, Feedback, PlanDraft

MOST_SPANS = 20
"""Spans of free days that are shown of one term."""
_DAY = timedelta(days=1)


def shown_offers(offers: Iterable[Offer]) -> list[JsonObject]:
    """The offers that stand, each with its terms."""
    return [
        {
            "agent_id": offer.agent_id,
            "display_name": offer.display_name,
            "decision": offer.decision,
            "contribution": offer.contribution,
            "conditions": list(offer.conditions),
            "reasoning": offer.reasoning,
            "confidence": offer.confidence,
            "max_roles": offer.max_roles,
            "terms": [_term(term) for term in offer.terms],
        }
        for offer in offers
    ]


def _term(term: Term) -> JsonObject:
    shown: JsonObject = {
        "tag": term.tag,
        "price": term.price,
        "currency": term.currency,
        "quantity": term.quantity,
        "conditions": [item.text for item in term.conditions],
    }
    if term.capacity is not None:
        shown["capacity"] = term.capacity
    if term.dates is not None:
        shown["free_days"] = spans(term.dates)
    return shown


def spans(days: Sequence[date]) -> list[str]:
    """Days as spans, ``2026-12-05/2026-12-09``; a day that stands alone is itself."""
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and found[-1][1] + _DAY == day:
            found[-1] = found[-1][0], day
        else:
            found.append((day, day))
    return [
        first.isoformat() if first == last else f"{first.isoformat()}/{last.isoformat()}"
        for first, last in found[:MOST_SPANS]
    ]


def shown_plan(plan: PlanDraft, lang: Lang) -> JsonObject:
    """A plan as its participants see it."""
    return {
        "summary": plan.summary,
        "objective": plan.objective,
        "assignments": shown_assignments(plan.assignments, lang),
        "timeline": plan.timeline.model_dump(mode="json"),
        "rationale": plan.rationale,
        "gaps": list(plan.gaps),
        "cost": plan.cost.model_dump(mode="json", exclude_none=True),
    }


def shown_assignments(assignments: Iterable[Assignment], lang: Lang) -> list[JsonObject]:
    """Who does what for how much, and what became of each condition."""
    return [
        {
            "agent_id": item.agent_id,
            "display_name": item.display_name,
            "role": item.role,
            "tag": load_vocabulary().label(item.concept, lang),
            "responsibility": item.responsibility,
            "dependencies": list(item.dependencies),
            "price": item.price,
            "currency": item.currency,
            "quantity": item.quantity,
            "conditions": [
                {"condition": one.text, "status": one.status, "reason": one.reason} for one in item.conditions
            ],
        }
        for item in assignments
    ]


def shown_feedbacks(feedbacks: Iterable[Feedback]) -> list[JsonObject]:
    """What the participants said to a plan; ``by_default`` marks one that said nothing."""
    return [item.model_dump(mode="json") for item in feedbacks]
