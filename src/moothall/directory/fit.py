"""How well one agent serves one wanted concept, by its best advertised offer. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.directory.openings import open_days
from moothall.directory.profiles import HOURS_PER_DAY
from moothall.directory.query import Match, Query, Reach, Wanted

if TYPE_CHECKING:
    from moothall.directory.index import Entry, Holding, OfferEntry
    from moothall.directory.profiles import CapabilityOffer

REACH_FIT: dict[Reach, float] = {"here": 1.0, "anywhere": 1.0, "remote": 0.95, "travels": 0.9, "elsewhere": 0.25}
RELATED_FIT = 0.5
OFF_THEME_FIT = 0.93
REFUSED_THEME_FIT = 0.5
OTHER_CURRENCY_FIT = 0.9


def match(entry: Entry, holding: Holding, want: Wanted, query: Query) -> Match:
    """Compare what an agent holds with what is wanted; `want.concept`, `query.city` and `query.theme` are keys."""
    if not holding.offers:
        reach = _reach(entry, query, remote=holding.remote, travels=frozenset())
        exact = holding.key == want.concept
        fit = REACH_FIT[reach] * (1.0 if exact else RELATED_FIT)
        days = open_days(entry.profile.capabilities.calendar, None, query)
        return Match(want, holding.key, holding.tag, exact, reach, fit, days=days)
    return max(
        (_offered(entry, holding, one, want, query) for one in holding.offers),
        key=lambda found: (found.fit, -(found.estimate or 0)),
    )


def _offered(entry: Entry, holding: Holding, one: OfferEntry, want: Wanted, query: Query) -> Match:
    offer, exact = one.offer, holding.key == want.concept
    reach = _reach(entry, query, remote=offer.remote, travels=one.travels)
    estimate = _estimate(offer, query, travels=reach == "travels")
    room, theme = _room(one, query), _on_theme(one, query)
    fit = REACH_FIT[reach] * room * _affordable(offer, estimate, query) * theme
    fit *= 1.0 if exact else RELATED_FIT
    return Match(
        wanted=want,
        held=holding.key,
        tag=offer.tag,
        exact=exact,
        reach=reach,
        fit=fit,
        offer=offer,
        estimate=estimate if offer.currency == query.currency else None,
        days=open_days(entry.profile.capabilities.calendar, offer, query),
        suits=room == 1.0 and theme != REFUSED_THEME_FIT,
        requires=one.requires,
    )


def _reach(entry: Entry, query: Query, *, remote: bool, travels: frozenset[str]) -> Reach:
    if query.city is None:
        if query.online:
            return "remote" if remote else "elsewhere"
        return "anywhere"
    if entry.city == query.city:
        return "here"
    if remote:
        return "remote"
    return "travels" if query.city in travels else "elsewhere"


def _estimate(offer: CapabilityOffer, query: Query, *, travels: bool) -> float | None:
    fee = offer.travel_fee if travels else 0.0
    if offer.unit == "person":
        return None if query.attendees is None else offer.price * query.attendees + fee
    times = {"event": 1, "hour": HOURS_PER_DAY * query.duration_days, "day": query.duration_days}[offer.unit]
    return offer.price * times + fee


def _room(one: OfferEntry, query: Query) -> float:
    """Whether the number of people suits the offer."""
    if query.attendees is None:
        return 1.0
    if query.attendees < one.fewest:
        return 0.5
    if one.most is None or one.most >= query.attendees:
        return 1.0
    return max(0.3, one.most / query.attendees)


def _affordable(offer: CapabilityOffer, estimate: float | None, query: Query) -> float:
    """How the advertised price stands to the whole budget; an unknown price or budget costs nothing."""
    if query.budget is None or estimate is None:
        return 1.0
    if offer.currency != query.currency:
        return OTHER_CURRENCY_FIT
    if estimate <= query.budget:
        return 1.0 - (0.15 * estimate / query.budget if query.budget else 0.0)
    return max(0.2, 0.85 * query.budget / estimate)


def _on_theme(one: OfferEntry, query: Query) -> float:
    """Whether the offer or its agent's interests speak of the theme, or the agent insists on other themes."""
    if not query.theme:
        return 1.0
    if one.themes and not any(theme in query.theme or query.theme in theme for theme in one.themes):
        return REFUSED_THEME_FIT
    return 1.0 if one.themes or query.theme in one.words else OFF_THEME_FIT
