"""Who is relevant to a demand, and how much: pure, over the whole pool, the same for any order of it.

Only structured claims count: tags, offers, places, calendars. Summaries, names and anything about a person's sex or age
are not read, nor is any reservation value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.days import add_days
from moothall.directory.fit import match
from moothall.directory.lexicon import fold
from moothall.directory.query import Match, Query, Ranked, Reason, Wanted

if TYPE_CHECKING:
    from moothall.directory.index import Entry, RegistrySnapshot

NO_DAY_FIT = 0.4
BEST_SHARE = 0.8
"""Part of the score that the best match decides; the rest is how much of the whole demand the agent covers."""
OPEN_WINDOW = 60
LONGEST_WINDOW = 366
"""Days in which a free day is looked for: without a stated end, and at most."""


def rank(snapshot: RegistrySnapshot, query: Query) -> list[Ranked]:
    """Return every agent with a wanted or related concept, best first; nobody else."""
    wanted = _distinct(snapshot, query.wanted)
    if not wanted:
        return []
    query = replace(
        query,
        wanted=wanted,
        city=snapshot.gazetteer.key(query.city) if query.city else None,
        theme=fold(query.theme) if query.theme else None,
    )
    matches: dict[str, tuple[Entry, list[Match]]] = {}
    for want in wanted:
        for entry, found in _matches(snapshot, want, query):
            matches.setdefault(entry.profile.agent_id, (entry, []))[1].append(found)
    ranked = [_ranked(entry, served, query) for entry, served in matches.values()]
    return sorted(ranked, key=lambda one: (-one.score, _lot(query.seed, one.likeness), _lot(query.seed, one.agent_id)))


def _distinct(snapshot: RegistrySnapshot, wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Bring tags to concept keys; of one concept wanted twice the more important mention stays."""
    by_key: dict[str, Wanted] = {}
    for want in wanted:
        key = snapshot.vocabulary.key(want.concept)
        if key not in by_key or want.importance > by_key[key].importance:
            by_key[key] = replace(want, concept=key)
    return tuple(by_key.values())


def _matches(snapshot: RegistrySnapshot, want: Wanted, query: Query) -> Iterable[tuple[Entry, Match]]:
    """The agents that serve one wanted concept: by itself, else by the related concept that fits best."""
    for entry in snapshot.holders(want.concept):
        if entry.profile.agent_id not in query.excluded:
            yield entry, match(entry, entry.holdings[want.concept], want, query)
    related: dict[str, tuple[Entry, Match]] = {}
    for key in snapshot.vocabulary.related(want.concept):
        for entry in snapshot.holders(key):
            agent_id = entry.profile.agent_id
            if want.concept in entry.holdings or agent_id in query.excluded:
                continue
            found = match(entry, entry.holdings[key], want, query)
            if found.reach != "elsewhere" and (agent_id not in related or found.fit > related[agent_id][1].fit):
                related[agent_id] = (entry, found)
    yield from related.values()


def _ranked(entry: Entry, served: list[Match], query: Query) -> Ranked:
    day = _free_day(entry, query)
    if day == "never":
        served = [replace(one, fit=one.fit * NO_DAY_FIT) for one in served]
    top = max(want.importance for want in query.wanted) or 1
    total = sum(want.importance for want in query.wanted) or 1

    def worth(one: Match) -> float:
        return one.fit * (0.8 + 0.2 * one.wanted.importance / top)

    matched = tuple(sorted(served, key=lambda one: (-worth(one), one.wanted.concept)))
    covered = sum(one.fit * one.wanted.importance for one in matched) / total
    explicit = any(one.strong and one.wanted.named for one in matched)
    return Ranked(
        profile=entry.profile,
        score=round(BEST_SHARE * worth(matched[0]) + (1 - BEST_SHARE) * covered, 6),
        match_type="explicit" if explicit else "inferred",
        reasons=_reasons(entry, matched, day, query),
        matched=matched,
        likeness=entry.likeness,
    )


def _free_day(entry: Entry, query: Query) -> date | str:
    """The first day in the window on which the agent works, `never`, or an empty text when no window was stated."""
    start = query.date_start or (query.today if query.date_end else None)
    if start is None:
        return ""
    end = min(query.date_end or add_days(start, OPEN_WINDOW), add_days(start, LONGEST_WINDOW))
    return entry.profile.capabilities.calendar.first_available(start, end, query.today) or "never"


def _reasons(entry: Entry, matched: tuple[Match, ...], day: date | str, query: Query) -> tuple[Reason, ...]:
    best = matched[0]
    offer = best.offer
    reasons = [
        Reason("provides", {"concept": best.held})
        if best.exact
        else Reason("related", {"concept": best.held, "wanted": best.wanted.concept}),
    ]
    if best.reach != "anywhere":
        reasons.append(Reason(best.reach, {"city": entry.city, "target": query.city or ""}))
    if also := [one.held for one in matched[1:] if one.strong]:
        reasons.append(Reason("also", {"concepts": ",".join(also)}))
    if isinstance(day, date):
        reasons.append(Reason("free", {"day": day.isoformat()}))
    elif day:
        reasons.append(Reason("busy"))
    if offer and offer.capacity is not None and query.attendees is not None:
        key = "roomy" if offer.capacity >= query.attendees else "cramped"
        reasons.append(Reason(key, {"capacity": offer.capacity, "attendees": query.attendees}))
    if offer and best.estimate is not None and query.budget is not None and offer.currency == query.currency:
        key = "affordable" if best.estimate <= query.budget else "dear"
        reasons.append(Reason(key, {"price": best.estimate, "currency": offer.currency}))
    return tuple(reasons)


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
