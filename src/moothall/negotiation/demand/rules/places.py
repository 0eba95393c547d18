"""How somebody gets to the place of a demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from moothall.directory.profiles import AgentProfile, CapabilityOffer
    from moothall.negotiation.demand.models import Constraints
    from moothall.negotiation.demand.rules.phrasing import Lexica

Reach = Literal["here", "remote", "travels", "elsewhere", "anywhere"]
"""In the city; from afar; by travelling; not at all; or, where the demand names no place, in the agent's own city."""


def reach(profile: AgentProfile, offer: CapabilityOffer, limits: Constraints, lexica: Lexica) -> Reach:
    """How this agent can provide this offer where the demand wants it."""
    gazetteer, vocabulary = lexica.gazetteer, lexica.vocabulary
    if limits.city is not None:
        target = gazetteer.key(limits.city)
        if gazetteer.key(profile.location) == target:
            return "here"
        if offer.remote:
            return "remote"
        return "travels" if target in {gazetteer.key(city) for city in offer.travel_cities} else "elsewhere"
    if offer.remote:
        return "remote"
    if limits.online:
        known = vocabulary.normalise(offer.tag)
        return "elsewhere" if known is None or vocabulary.concept(known).on_site else "remote"
    return "anywhere"
