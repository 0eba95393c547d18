"""An offer beside the card of who makes it: what stands in for missing terms, and what goes beyond it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from moothall.directory.concepts import Vocabulary
from moothall.directory.profiles import MOST_MONEY, AgentProfile
from moothall.negotiation.demand.models import DemandUnderstanding, Term
from moothall.negotiation.demand.rules.calendars import free_days
from moothall.negotiation.demand.rules.pricing import quote, within

CHEAP = 0.7
"""Part of the advertised price below which an offer promises more than its card."""


def advertised_terms(
    profile: AgentProfile, demand: DemandUnderstanding, today: date, vocabulary: Vocabulary
) -> tuple[Term, ...]:
    """The advertised price and free days for each required capability of the profile.

    A participant that answers in words alone (a person, a remote agent, a model) is taken at the word of its card.
    """
    wanted = {item.concept: item for item in demand.requirements}
    terms: list[Term] = []
    for offer in profile.capabilities.offers:
        concept = vocabulary.key(offer.tag)
        if concept not in wanted:
            continue
        units = min(offer.quantity, wanted[concept].count)
        price = quote(profile, offer, demand.constraints, units=units, travels=False)
        if price.ask > MOST_MONEY:
            continue
        terms.append(
            Term(
                tag=wanted[concept].tag,
                concept=concept,
                price=price.ask,
                currency=offer.currency,
                quantity=units,
                capacity=offer.capacity,
                dates=free_days(profile.capabilities.calendar, offer, demand.constraints, today),
            )
        )
    return tuple(terms)


def beyond_card(
    terms: Iterable[Term], profile: AgentProfile, demand: DemandUnderstanding, today: date, vocabulary: Vocabulary
) -> int:
    """How many terms promise more than the card does: days its calendar has taken, or a price far below its own.

    Such an offer may well be meant; but who was chosen for it asks for more later often enough that one which agrees
    with its card comes first. A price that the budget forced down is no such promise.
    """
    advertised: dict[str, list[Term]] = {}
    for term in advertised_terms(profile, demand, today, vocabulary):
        advertised.setdefault(term.concept, []).append(term)
    cards = ((term, advertised.get(term.concept, [])) for term in terms)
    return sum(bool(card) and all(_beyond(term, one, demand) for one in card) for term, card in cards)


def _beyond(term: Term, card: Term, demand: DemandUnderstanding) -> bool:
    budget = within(demand.constraints, card.currency)
    fits = budget is None or card.price <= budget
    cheap = term.currency == card.currency and term.price < CHEAP * card.price
    return (cheap and fits) or not set(term.dates or ()) <= set(card.dates or ())
