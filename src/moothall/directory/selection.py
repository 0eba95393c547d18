"""Whom to invite out of the ranking, so that every requirement gets its best agents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moothall.directory.seats import Seats

if TYPE_CHECKING:
    from moothall.directory.query import Match, Ranked, Wanted

MOST, FEWEST = 20, 10
ENOUGH, PLENTY = 3, 6
"""Invitations per provider wanted that make a related or distant agent unnecessary, and any further one."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`invited` in the order of the ranking; `reserve`, all others, in the order in which they would be asked next."""

    invited: tuple[Ranked, ...]
    reserve: tuple[Ranked, ...]


def choose(ranked: Sequence[Ranked], most: int = MOST) -> Selection:
    """Pick at most `most` of the ranked agents (spec C §2.3 step 2).

    First come those who are able by their cards, as a team on one day needs them (see `Seats`), up to `PLENTY` for each
    provider wanted. Where a requirement then has fewer than `ENOUGH`, in turn the one worst served gets its best agent
    left: with the capability, else with a related one; agents that cannot come to the place only where it is `bare`:
    they may know better than their cards, and their refusals say where to go. While fewer than `FEWEST` are invited,
    the best of the rest that can come are added. Nobody irrelevant is.
    """
    draft = _Draft(ranked, most)
    draft.seat()
    draft.pick(lambda match: match.strong, enough=ENOUGH)
    draft.pick(_can_come, enough=ENOUGH)
    bare = draft.bare()
    draft.pick(lambda match: match.exact and match.wanted.concept in bare, enough=ENOUGH)
    draft.top_up(min(most, FEWEST))
    return Selection(tuple(one for one in ranked if one.agent_id in draft.invited), draft.reserve())


class _Draft:
    def __init__(self, ranked: Sequence[Ranked], most: int) -> None:
        self.ranked, self.most = ranked, most
        self.invited: set[str] = set()
        wanted = {match.wanted.concept: match.wanted for one in ranked for match in one.matched}
        self.wanted = sorted(wanted.values(), key=lambda want: (-want.importance, want.concept))
        self._queues: dict[str, list[tuple[Ranked, Match]]] = {want.concept: [] for want in self.wanted}
        for one in ranked:
            for match in one.matched:
                self._queues[match.wanted.concept].append((one, match))
        for queue in self._queues.values():
            queue.sort(key=lambda pair: -pair[1].fit)
        self._counts = dict.fromkeys(self._queues, 0)
        self._had: set[str] = set()
        self._seats = Seats(ranked, PLENTY)

    def seat(self) -> None:
        """Invite the able agents of whom a team can be made."""
        while len(self.invited) < self.most and (one := self._seats.next(self.invited)):
            self._invite(one, lambda match: match.able)

    def reserve(self) -> tuple[Ranked, ...]:
        """All others: those who would have had the next seats, then the rest of the ranking."""
        next_best: dict[str, Ranked] = {}
        while one := self._seats.next(self.invited | next_best.keys()):
            next_best[one.agent_id] = one
        rest = (one for one in self.ranked if one.agent_id not in self.invited | next_best.keys())
        return (*next_best.values(), *rest)

    def pick(self, accept: Callable[[Match], bool], enough: int) -> None:
        """Invite agents whose match is accepted, the worst served requirement first."""
        queues = {concept: [one for one, match in self._queues[concept] if accept(match)] for concept in self._queues}
        while len(self.invited) < self.most:
            hungry = [want for want in self.wanted if self._hungry(want, queues[want.concept], enough)]
            if not hungry:
                return
            want = min(hungry, key=lambda want: self._counts[want.concept] / want.count)
            self._invite(queues[want.concept].pop(0), accept)

    def bare(self) -> frozenset[str]:
        """The concepts for which agents elsewhere are worth asking.

        Those that nobody serves; and all of them where nobody who can come has any of the capabilities: a negotiation
        with related agents alone would end in nothing and could not say why. Where some are served, agents elsewhere
        are left to a sub-negotiation.
        """
        if self._had:
            return frozenset(concept for concept, count in self._counts.items() if not count)
        self._counts = dict.fromkeys(self._counts, 0)
        return frozenset(self._counts)

    def top_up(self, fewest: int) -> None:
        """Invite the best of the rest that can come, until `fewest` are invited."""
        for one in self.ranked:
            if len(self.invited) >= fewest:
                return
            if one.agent_id not in self.invited and any(map(_can_come, one.matched)):
                self._invite(one, _can_come)

    def _hungry(self, want: Wanted, queue: list[Ranked], enough: int) -> bool:
        while queue and queue[0].agent_id in self.invited:
            queue.pop(0)
        return bool(queue) and self._counts[want.concept] < enough * want.count

    def _invite(self, one: Ranked, accept: Callable[[Match], bool]) -> None:
        self.invited.add(one.agent_id)
        for match in one.matched:
            if accept(match) or _can_come(match):
                self._counts[match.wanted.concept] += 1
            if match.strong:
                self._had.add(match.wanted.concept)


def _can_come(match: Match) -> bool:
    return match.reach != "elsewhere"
