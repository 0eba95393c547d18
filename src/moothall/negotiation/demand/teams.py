"""What a choice of a team is about: needs, bids, the problem they make, and the team that answers it. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

UNMET_POINTS = 300
"""What an unmet condition costs, in hundredths of the lowest price for the role of whoever makes it."""


@dataclass(frozen=True, slots=True)
class Need:
    """``count`` providers of ``concept``."""

    concept: str
    importance: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Bid:
    """One agent offering one role.

    ``cost`` is what counts against the budget (at most ``price``), ``match`` is 0..100, ``dates`` is ``None`` where any
    day does, ``requires`` names the concepts that somebody must provide, ``burden`` counts conditions that no team can
    meet.
    """

    agent: str
    concept: str
    price: float
    cost: float
    quantity: int = 1
    match: int = 50
    dates: frozenset[date] | None = None
    requires: frozenset[str] = frozenset()
    burden: int = 0
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything the choice depends on.

    An agent bids at most once per concept; ``preferred`` orders the days, best first, and holds at least one;
    ``unmet_points`` is what a condition that nobody meets costs, in hundredths of the lowest price for the role.
    """

    needs: tuple[Need, ...]
    bids: tuple[Bid, ...]
    preferred: tuple[date, ...]
    budget: float | None = None
    max_roles: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    unmet_points: int = UNMET_POINTS


@dataclass(frozen=True, slots=True)
class Pick:
    """A bid that was taken, and how many of its units are used."""

    bid: Bid
    quantity: int


@dataclass(frozen=True, slots=True)
class Team:
    """The choice; ``proven`` is false when the time limit ended the search with the best team found until then.

    ``value`` holds coverage and merit, by which teams of different problems about one demand compare.
    """

    picks: tuple[Pick, ...]
    day: date
    proven: bool = True
    value: tuple[int, int] = (0, 0)
