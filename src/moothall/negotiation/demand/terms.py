"""Terms of an offer that came without any: what the agent's profile advertises for the needs of the demand. Pure."""

from __future__ import annotations

from datetime import date

from moothall.directory.concepts import Vocabulary
from moothall.directory.profiles import MOST_MONEY, AgentProfile
from moothall.negotiation.demand.models import DemandUnderstanding, Term
from moothall.negotiation.demand.rules.calendars import free_days
from moothall.negotiation.demand.rules.pricing import quote


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
