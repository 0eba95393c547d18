"""What retrieval is asked and what it answers, as immutable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

    from moothall.directory.profiles import AgentProfile, CapabilityOffer

MatchType = Literal["explicit", "inferred"]
Reach = Literal["here", "anywhere", "remote", "travels", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One required capability: a concept id or a tag, importance 0 to 100, number of providers, named or implied."""

    concept: str
    importance: int = 80
    count: int = 1
    named: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """A demand as retrieval needs it. What is `None` was not stated, and then nothing is held against anybody.

    `city` is a gazetteer id or a place name; `online` means that nobody has to be anywhere unless a city is given too.
    `date_start` and `date_end` are inclusive; notice is counted from `today`. `excluded` agents are not returned. Equal
    scores are ordered by a hash of `seed` and the agent id.
    """

    wanted: tuple[Wanted, ...]
    city: str | None = None
    online: bool = False
    date_start: date | None = None
    date_end: date | None = None
    today: date | None = None
    attendees: int | None = None
    budget: float | None = None
    currency: str = "CNY"
    duration_days: int = 1
    theme: str | None = None
    excluded: frozenset[str] = frozenset()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an agent stands where it does: a text key of the room `directory` and its values (ids, numbers, dates)."""

    key: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """How one agent serves one wanted concept.

    `held` is the concept it claims (another one when not `exact`), `reach` how it gets to the place; `fit` is 0 to 1.
    `offer` is the advertised offer that fits best, `None` for a claim in prose. `estimate` is its advertised cost for
    this demand in the demand's currency, `None` when it cannot be told. `days` are those of the demand's window that
    the card has free, `None` where there is nothing to tell. `suits`: size and theme do not rule it out.
    """

    wanted: Wanted
    held: str
    tag: str
    exact: bool
    reach: Reach
    fit: float
    offer: CapabilityOffer | None = None
    estimate: float | None = None
    days: frozenset[date] | None = None
    suits: bool = True
    requires: frozenset[str] = frozenset()

    @property
    def strong(self) -> bool:
        """The very capability, and it can be had at the place."""
        return self.exact and self.reach != "elsewhere"

    @property
    def able(self) -> bool:
        """As far as the card says, this can be had: the capability, at the place, in the size, on some day."""
        return self.strong and self.suits and (self.days is None or bool(self.days))


@dataclass(frozen=True, slots=True)
class Ranked:
    """One relevant agent: its score 0 to 1 and what that rests on. `matched` is ordered best first.

    `likeness` is equal for agents whose cards offer the same; names and prose are no part of it.
    """

    profile: AgentProfile
    score: float
    match_type: MatchType
    reasons: tuple[Reason, ...]
    matched: tuple[Match, ...]
    likeness: str = ""

    @property
    def agent_id(self) -> str:
        """The agent's id."""
        return self.profile.agent_id
