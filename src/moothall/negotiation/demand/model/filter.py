"""Prompt 2 by a model: one call over at most a hundred profiles (rows NEG-PROMPT-2a/2b, NEG-ADR-04).

Of more agents it sees those that the index ranks best. It names ids; who they are and how many are asked is settled
here.
"""

from __future__ import annotations

import asyncio
import hashlib
import weakref
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from moothall.directory.retrieval import rank
from moothall.errors import DecisionRefused
from moothall.llm.brief import Brief
from moothall.negotiation.demand.indexing import WORTH_A_THREAD, Indexes
from moothall.negotiation.demand.model.draft import LOOSE, MANY, Draft, Line, Share, Text
from moothall.negotiation.demand.model.shown import shown_demand
from moothall.negotiation.demand.models import Candidate
from moothall.negotiation.demand.prompts import FILTER
from moothall.negotiation.demand.questions import FilterInput, SmartFilter
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, clean
from moothall.negotiation.demand.rules.shortlist import query

if TYPE_CHECKING:
    from moothall.directory.profiles import AgentProfile
    from moothall.llm.decision import RulesBrain
    from moothall.messages import Lang
    from moothall.negotiation.demand.models import JsonObject
    from moothall.negotiation.demand.rules.phrasing import Lexica

MOST_SHOWN = 100
"""Profiles in one call (row NEG-ADR-04)."""
SUMMARY_CAP = 300
"""Characters of each summary, so that a hundred profiles stay within about 25 000 tokens."""
MatchType = Annotated[Literal["explicit", "inferred"], LOOSE]


class CandidateDraft(Draft):
    """One agent that a model picks."""

    agent_id: Line
    display_name: Line = ""
    reason: Line = ""
    match_type: MatchType | None = None
    confidence: Share = 0.5


class FilterDraft(Draft):
    """The specification's output of prompt 2."""

    analysis: Text = ""
    definitely_related: Annotated[tuple[CandidateDraft, ...], MANY] = ()
    possibly_related: Annotated[tuple[CandidateDraft, ...], MANY] = ()


class Pools:
    """Chooses whom to show, once for each question; what was chosen lives no longer than the question itself."""

    def __init__(self, lexica: Lexica) -> None:
        self._indexes = Indexes(lexica)
        self._open: dict[int, tuple[weakref.ref[FilterInput], tuple[AgentProfile, ...]]] = {}

    async def prepare(self, data: FilterInput) -> None:
        """Choose before anybody asks; among many agents without keeping the event loop waiting."""
        if len(data.all_agent_profiles) >= WORTH_A_THREAD:
            await asyncio.to_thread(self.of, data)

    def of(self, data: FilterInput) -> tuple[AgentProfile, ...]:
        """Everybody up to ``MOST_SHOWN``, else the best ranked, in an order that says nothing about them."""
        name = id(data)
        kept = self._open.get(name)
        if kept is not None and kept[0]() is data:
            return kept[1]
        shown = self._chosen(data)
        self._open[name] = (weakref.ref(data, lambda _: self._open.pop(name, None)), shown)
        return shown

    def release(self, data: FilterInput) -> None:
        """Forget a question that is answered."""
        self._open.pop(id(data), None)

    def _chosen(self, data: FilterInput) -> tuple[AgentProfile, ...]:
        open_to_all = [profile for profile in data.all_agent_profiles if profile.agent_id not in data.excluded]
        if len(open_to_all) > MOST_SHOWN:
            asked = query(data.demand, data.today, data.excluded)
            best = [one.profile for one in rank(self._indexes.of(data), asked)]
            ranked = {profile.agent_id for profile in best}
            rest = _drawn((profile for profile in open_to_all if profile.agent_id not in ranked), data)
            open_to_all = [*best, *rest][:MOST_SHOWN]
        return tuple(_drawn(open_to_all, data))


def _drawn(profiles: Iterable[AgentProfile], data: FilterInput) -> list[AgentProfile]:
    """An order drawn by the demand's words: a place in the list is no advantage, and is the same in a replay."""
    words = data.demand.surface_demand

    def lot(profile: AgentProfile) -> bytes:
        return hashlib.blake2b(f"{words}\n{profile.agent_id}".encode(errors="replace"), digest_size=8).digest()

    return sorted(profiles, key=lot)


def _picked(drafts: Sequence[CandidateDraft], names: dict[str, str], seen: set[str]) -> list[Candidate]:
    """The picks that exist, have a reason and were not named before."""
    picked: list[Candidate] = []
    for item in drafts:
        if item.agent_id not in names or item.agent_id in seen or not item.reason:
            continue
        seen.add(item.agent_id)
        picked.append(
            Candidate(
                agent_id=item.agent_id,
                display_name=names[item.agent_id],
                reason=item.reason,
                match_type=item.match_type or "inferred",
                confidence=item.confidence,
            )
        )
    return sorted(picked, key=lambda one: -one.confidence)


def _selection(data: FilterInput, draft: FilterDraft, shown: Iterable[AgentProfile]) -> SmartFilter:
    """The picks in the order of invitation.

    Raises:
        DecisionRefused: agents were named, but none of them can be asked.
    """
    claimed = len(draft.definitely_related) + len(draft.possibly_related)
    seen: set[str] = set()
    names = {profile.agent_id: clean(profile.user_name, TITLE_CAP) for profile in shown}
    sure = [
        item if item.match_type else item.model_copy(update={"match_type": "explicit"})
        for item in draft.definitely_related
    ]
    definitely = _picked(sure, names, seen)
    possibly = _picked(draft.possibly_related, names, seen)
    if claimed and not seen:
        message = "no entry can be used: take each agent_id from the profiles shown, once, and give a reason"
        raise DecisionRefused(message)
    return SmartFilter(
        analysis=draft.analysis,
        definitely_related=tuple(definitely),
        possibly_related=tuple(possibly),
        total_candidates=len(seen),
        invited=min(data.most, len(seen)),
    )


def brief(lexica: Lexica, rules: RulesBrain) -> Brief[FilterInput, SmartFilter, FilterDraft]:
    """How prompt 2 is asked.

    To a model's picks the rules add a reserve: capable agents that it did not name. They are invited only when the
    only provider of a capability withdraws.
    """
    pools = Pools(lexica)

    def data_of(data: FilterInput) -> JsonObject:
        return {
            "demand": shown_demand(data.demand),
            "most": data.most,
            "all_agent_profiles": [_row(profile) for profile in pools.of(data)],
        }

    async def complete(data: FilterInput, draft: FilterDraft) -> SmartFilter:
        await pools.prepare(data)
        shown = pools.of(data)
        chosen = _selection(data, draft, shown)
        pools.release(data)
        if not chosen.total_candidates:
            return chosen
        ranked = (await rules.answer(FILTER, data.model_copy(update={"all_agent_profiles": shown}))).ranked()
        named = {item.agent_id for item in chosen.ranked()}
        reserve = [item for item in ranked if item.match_type == "explicit" and item.agent_id not in named]
        possibly = (*chosen.possibly_related, *reserve)
        total = len(chosen.definitely_related) + len(possibly)
        return chosen.model_copy(update={"possibly_related": possibly, "total_candidates": total})

    return Brief(FILTER, FilterDraft, _lang, data_of, complete, pools.prepare)


def _lang(data: FilterInput) -> Lang:
    return data.demand.lang


def _row(profile: AgentProfile) -> JsonObject:
    """One profile as one row; as JSON, nothing in it can pose as the row of another."""
    return {
        "agent_id": profile.agent_id,
        "display_name": clean(profile.user_name, TITLE_CAP),
        "location": clean(profile.location, TITLE_CAP),
        "tags": [clean(tag, TITLE_CAP) for tag in profile.tags],
        "profile_summary": clean(profile.profile_summary, SUMMARY_CAP),
    }
