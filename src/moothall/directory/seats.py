"""Which able agents get an invitation when there are fewer seats than agents: those of whom a team can be made. Pure.

An agent is worth a seat if it is free on a day on which a whole team could be, if it is cheap among its like, and if
not enough others for the same need are invited already. Some of those invited will decline whatever their cards say, so
a need wants more invitations than providers. Of agents whose cards are alike as many count as one demand could use: a
company's branches, or one agent under many names, take nobody else's seat.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moothall.directory.query import Match, Ranked

ANSWERS = 0.6
"""How likely somebody invited is taken to be able and willing in the end."""
WORTH = 20.0
"""What a need fulfilled is worth, in usual prices of a capability: a whole team comes before a cheap one."""
HEDGES, HEDGE = 4, 0.35
"""The best days that seats are given for, and how much less each further one counts than the one before."""


@dataclass(frozen=True, slots=True)
class _Bid:
    """One match of one agent, with what its card costs beside the others for the same need."""

    one: Ranked
    match: Match
    price: float


@dataclass
class Seats:
    """Gives seats one by one; ``plenty`` is how many invitations per provider wanted are enough on any day."""

    ranked: Sequence[Ranked]
    plenty: int
    _bids: dict[str, list[_Bid]] = field(default_factory=dict)
    _usual: dict[str, float] = field(default_factory=dict)
    _least: dict[tuple[str, date | None], float] = field(default_factory=dict)
    _taken: Counter[tuple[str, date | None]] = field(default_factory=Counter)
    _days: list[date | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        concepts = {match.wanted.concept for one in self.ranked for match in one.matched}
        alike: Counter[tuple[str, str]] = Counter()
        for one in self.ranked:
            for match in one.matched:
                kind = (match.wanted.concept, one.likeness)
                if match.able and match.requires <= concepts and alike[kind] < match.wanted.count:
                    alike[kind] += 1
                    self._bids.setdefault(match.wanted.concept, []).append(_Bid(one, match, _price(match)))
        for concept, bids in self._bids.items():
            known = [bid.price for bid in bids if not math.isnan(bid.price)] or [1.0]
            self._usual[concept] = max(1.0, statistics.median(known))
        days = {day for bids in self._bids.values() for bid in bids for day in bid.match.days or ()}
        ordered: list[date | None] = [*sorted(days)] or [None]
        self._days = sorted(ordered, key=lambda day: -self._value(day))[:HEDGES]
        for concept, bids in self._bids.items():
            for day in self._days:
                prices = [self._of(bid) for bid in bids if _free(bid.match, day)]
                self._least[concept, day] = min(prices, default=0.0)

    def next(self, seated: AbstractSet[str]) -> Ranked | None:
        """Who gets the next seat beside those with the ids ``seated``; nobody when none of them adds anything."""
        gains: dict[str, float] = {}
        for bids in self._bids.values():
            for bid in bids:
                if bid.one.agent_id not in seated:
                    gains[bid.one.agent_id] = gains.get(bid.one.agent_id, 0.0) + self._gain(bid)
        able = [one for one in self.ranked if gains.get(one.agent_id, 0.0) > 0]
        best = max(able, key=lambda one: round(gains[one.agent_id], 6), default=None)
        if best is not None:
            self._seat(best)
        return best

    def _seat(self, one: Ranked) -> None:
        for match in one.matched:
            if match.able:
                for day in self._days:
                    self._taken[match.wanted.concept, day] += _free(match, day)

    def _gain(self, bid: _Bid) -> float:
        """What one more invitation adds to what the best days can be expected to provide."""
        wanted, gained = bid.match.wanted, 0.0
        for rank, day in enumerate(self._days):
            have = self._taken[wanted.concept, day]
            if _free(bid.match, day) and have < self.plenty * wanted.count:
                cheap = self._least[wanted.concept, day] / self._of(bid)
                gained += HEDGE**rank * _added(wanted.count, have) * cheap**2
        return gained * wanted.importance * bid.match.fit

    def _of(self, bid: _Bid) -> float:
        """What a bid costs, as far as prices are compared."""
        return self._usual[bid.match.wanted.concept] if math.isnan(bid.price) else max(1.0, bid.price)

    def _value(self, day: date | None) -> float:
        """What a team on a day can be expected to be worth, less what it would cost by the cards."""
        total = 0.0
        top = max((bids[0].match.wanted.importance for bids in self._bids.values()), default=1) or 1
        mean = statistics.fmean(self._usual.values()) if self._usual else 0.0
        for bids in self._bids.values():
            wanted = bids[0].match.wanted
            free = [bid for bid in bids if _free(bid.match, day)]
            prices = sorted(map(self._of, free))[: wanted.count]
            expected = sum(_added(wanted.count, have) for have in range(min(len(free), wanted.count + self.plenty)))
            total += WORTH * mean * expected / wanted.count * wanted.importance / top - sum(prices)
        return total


def _price(match: Match) -> float:
    """What the card asks for this demand; not a number where that cannot be told."""
    return math.nan if match.estimate is None else match.estimate


def _free(match: Match, day: date | None) -> bool:
    return day is None or match.days is None or day in match.days


def _added(wanted: int, have: int) -> float:
    """How likely the invitation after ``have`` others still provides one of those ``wanted``."""
    if have < wanted:
        return ANSWERS
    short = sum(math.comb(have, good) * ANSWERS**good * (1 - ANSWERS) ** (have - good) for good in range(wanted))
    return ANSWERS * short
