"""An offer after its owner has said more: who asked for another price or day in a review stands by that. Pure.

Without it an offer that was too good to be true would come back, round for round, each time somebody else had to go.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

from moothall.negotiation.demand.models import Offer, Term
from moothall.negotiation.demand.plan_models import Feedback, Proposal
from moothall.negotiation.demand.rules.requests import Request, requests


def revised(offers: Mapping[str, Offer], feedbacks: Sequence[Feedback], proposal: Proposal) -> dict[str, Offer]:
    """The offers, by agent, with what their owners asked for in the review of ``proposal``."""
    asked: dict[str, list[Request]] = {}
    for request in requests(feedbacks):
        asked.setdefault(request.agent_id, []).append(request)
    return {name: _revised(offer, asked.get(name, ()), proposal) for name, offer in offers.items()}


def _revised(offer: Offer, asked: Sequence[Request], proposal: Proposal) -> Offer:
    mine = {item.concept: item.price for item in proposal.of(offer.agent_id)}
    price = next((one.price for one in asked if one.price is not None), None)
    days = tuple(sorted({one.day for one in asked if one.day is not None}))
    if not mine or (price is None and not days):
        return offer
    total = sum(mine.values())
    terms = []
    for term in offer.terms:
        changed = term if not days else _on(term, days)
        if price is not None and term.concept in mine:
            share = mine[term.concept] / total if total else 1 / len(mine)
            changed = changed.model_copy(update={"price": math.ceil(price * share)})
        terms.append(changed)
    return offer.model_copy(update={"terms": tuple(terms)})


def _on(term: Term, days: tuple[date, ...]) -> Term:
    """The term on the days now named; days that the offer itself ruled out are not taken for an offer."""
    possible = tuple(day for day in days if term.dates is None or day in term.dates)
    return term.model_copy(update={"dates": possible}) if possible else term
