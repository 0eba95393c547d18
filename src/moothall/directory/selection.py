"""Whom to invite out of the ranking, so that every requirement gets its best agents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moothall.directory.query import Match, Ranked, Wanted

MOST, FEWEST = 20, 10
ENOUGH, PLENTY = 3, 6
"""Invitations per provider wanted that make a related or distant agent unnecessary, and any further one."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`invited` and `reserve` are both in the order of the ranking and together are all of it."""

    invited: tuple[Ranked, ...]
    reserve: tuple[Ranked, ...]


def choose(ranked: Sequence[Ranked], most: int = MOST) -> Selection:
    """Pick at most `most` of the ranked agents (spec C §2.3 step 2).

    In turn, the requirement that has the fewest invitations per provider wanted gets its best agent left, up to
    `PLENTY`.
    Agents with a related capability come only where a requirement has fewer than `ENOUGH`; agents that cannot come to
    the place only where nobody else serves a requirement. While fewer than `FEWEST` are invited, the best of the rest
    that can come are added. Nobody irrelevant is.
    """
    draft = _Draft(ranked, most)
    draft.pick(lambda match: match.strong, enough=PLENTY)
    draft.pick(_can_come, enough=ENOUGH)
    served = draft.served()
    draft.pick(lambda match: match.wanted.concept not in served, enough=ENOUGH)
    draft.top_up(min(most, FEWEST))
    return Selection(
        tuple(one for one in ranked if one.agent_id in draft.invited),
        tuple(one for one in ranked if one.agent_id not in draft.invited),
    )


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

    def pick(self, accept: Callable[[Match], bool], enough: int) -> None:
        """Invite agents whose match is accepted, the worst served requirement first."""
        queues = {concept: [one for one, match in self._queues[concept] if accept(match)] for concept in self._queues}
        while len(self.invited) < self.most:
            hungry = [want for want in self.wanted if self._hungry(want, queues[want.concept], enough)]
            if not hungry:
                return
            want = min(hungry, key=lambda want: self._counts[want.concept] / want.count)
            self._invite(queues[want.concept].pop(0), accept)

    def served(self) -> frozenset[str]:
        """The concepts that somebody invited serves."""
        return frozenset(concept for concept, count in self._counts.items() if count)

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


def _can_come(match: Match) -> bool:
    return match.reach != "elsewhere"
