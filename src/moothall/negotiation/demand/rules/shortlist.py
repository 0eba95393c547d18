"""Prompt 2: whom to ask (spec C §3.3.2, rows NEG-PROMPT-2a/2b)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.query import Query, Ranked, Wanted
from moothall.directory.retrieval import rank
from moothall.directory.selection import choose
from moothall.directory.wording import say
from moothall.negotiation.demand.indexing import WORTH_A_THREAD, Indexes
from moothall.negotiation.demand.models import Candidate
from moothall.negotiation.demand.questions import SmartFilter
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, clean

if TYPE_CHECKING:
    from moothall.negotiation.demand.models import DemandUnderstanding
    from moothall.negotiation.demand.questions import FilterInput
    from moothall.negotiation.demand.rules.phrasing import Lexica, Voice

MOST_REASONS = 3


class Shortlist:
    """Prompt 2 with its index: the registry's own, else one that is new only when the profiles have changed."""

    def __init__(self, lexica: Lexica) -> None:
        self._lexica = lexica
        self._indexes = Indexes(lexica)

    async def __call__(self, data: FilterInput) -> SmartFilter:
        """Rank everybody given and choose whom to invite.

        ``definitely_related`` are the invited explicit matches, ``possibly_related`` the invited inferred ones and then
        the reserve; together they stand in the order of invitation.
        """
        if len(data.all_agent_profiles) < WORTH_A_THREAD:
            return self._answer(data)
        return await asyncio.to_thread(self._answer, data)

    def _answer(self, data: FilterInput) -> SmartFilter:
        voice = self._lexica.voice(data.demand.lang)
        ranked = rank(self._indexes.of(data), query(data.demand, data.today, data.excluded))
        chosen = choose(ranked, data.most)
        explicit = [one for one in chosen.invited if one.match_type == "explicit"]
        inferred = [one for one in chosen.invited if one.match_type != "explicit"]
        return SmartFilter(
            analysis=voice.say(
                "filter.found" if ranked else "filter.nobody",
                pool=len(data.all_agent_profiles),
                found=len(ranked),
                invited=len(chosen.invited),
                tags=voice.join(data.demand.capability_tags) or voice.say("filter.nothing"),
            ),
            definitely_related=_candidates(explicit, voice),
            possibly_related=_candidates([*inferred, *chosen.reserve], voice),
            total_candidates=len(ranked),
            invited=len(chosen.invited),
        )


def query(demand: DemandUnderstanding, today: date, excluded: frozenset[str] = frozenset()) -> Query:
    """The demand as retrieval needs it; equal scores are drawn by the demand's own words."""
    limits = demand.constraints
    draw = hashlib.blake2b(demand.surface_demand.encode(), digest_size=4).digest()
    return Query(
        wanted=tuple(Wanted(item.concept, item.importance, item.count, item.named) for item in demand.requirements),
        city=limits.city,
        online=limits.online,
        date_start=limits.date_start,
        date_end=limits.date_end,
        today=today,
        attendees=limits.attendees,
        budget=limits.budget,
        currency=limits.currency,
        duration_days=limits.duration_days,
        theme=limits.theme,
        excluded=excluded,
        seed=int.from_bytes(draw, "big"),
    )


def _candidates(ranked: Sequence[Ranked], voice: Voice) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            agent_id=one.agent_id,
            display_name=clean(one.profile.user_name, TITLE_CAP),
            reason=say(one.reasons[:MOST_REASONS], voice.lang, voice.lexica.vocabulary, voice.lexica.gazetteer),
            match_type=one.match_type,
            confidence=one.score,
        )
        for one in ranked
    )
