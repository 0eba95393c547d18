"""A generated world as immutable values: what agents can really do, what they say, and what is asked of them.

Prices are in whole units of one currency and for one event; ``ask`` is public, ``floor`` is what the agent would settle
for, ``true`` is whether it can do at all what its card says. Nothing here comes from the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

Lang = Literal["zh", "en"]
Variant = Literal["plain", "gap", "infeasible"]


class Behaviour(StrEnum):
    """How an agent behaves in a negotiation, whatever its card says."""

    HONEST = "honest"
    SILENT = "silent"
    """Answers nothing."""
    FADING = "fading"
    """Makes its offer, and is never heard of again."""
    WITHDRAWING = "withdrawing"
    """Makes its offer, and leaves when it is shown a plan."""
    BOASTING = "boasting"
    """Offers whatever is asked for, at half the price, card or no card."""
    BAITING = "baiting"
    """Offers at half of what it asks, and asks for the rest when it has been chosen."""
    FLATTERING = "flattering"
    """Says that every day suits it, and objects when it has been chosen for a day that does not."""
    IMPOSTOR = "impostor"
    """Insists to the end that it can do what its card says and it cannot."""


GONE = frozenset({Behaviour.SILENT, Behaviour.FADING, Behaviour.WITHDRAWING})
"""Behaviours of agents that nobody can count on: the truth has them in no team."""


@dataclass(frozen=True, slots=True)
class Service:
    """One thing an agent advertises under ``tag`` (any of the words for ``concept``).

    ``per_person``: the prices are for one of those who attend. ``travel`` are cities it also goes to, for
    ``travel_fee`` more. The last six are conditions of the closed grammar; an empty one is not made.
    """

    concept: str
    tag: str
    ask: int
    floor: int
    true: bool = True
    per_person: bool = False
    capacity: int | None = None
    travel: tuple[str, ...] = ()
    travel_fee: int = 0
    requires: str | None = None
    min_attendees: int = 0
    max_attendees: int | None = None
    weekdays: frozenset[int] = frozenset()
    lead_days: int = 0
    min_fee: int = 0


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: where it is, what it does, how many roles it takes, and the days of the window it is busy."""

    agent_id: str
    name: str
    city: str
    services: tuple[Service, ...]
    busy: frozenset[date] = frozenset()
    max_roles: int = 1
    about: str = ""
    behaviour: Behaviour = Behaviour.HONEST


@dataclass(frozen=True, slots=True)
class Need:
    """``count`` providers of ``concept``; ``named`` in the sentence, or implied by the kind of undertaking."""

    concept: str
    count: int = 1
    named: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """A demand: the sentence, and what it means."""

    text: str
    lang: Lang
    city: str
    start: date
    end: date
    attendees: int
    needs: tuple[Need, ...]
    budget: int | None = None
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One demand among some agents; ``today`` is the day it is stated."""

    seed: int
    variant: Variant
    demand: Asked
    agents: tuple[Agent, ...]
    today: date

    def agent(self, agent_id: str) -> Agent | None:
        """The agent of that id."""
        return next((agent for agent in self.agents if agent.agent_id == agent_id), None)


@dataclass(frozen=True, slots=True)
class Role:
    """One assignment of a plan: who does what for how much; ``waived`` are conditions it goes without, in words."""

    agent_id: str
    concept: str
    price: float
    waived: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Who does what on which day; without roles, no plan."""

    roles: tuple[Role, ...] = ()
    day: date | None = None

    @property
    def cost(self) -> float:
        """What the plan pays."""
        return sum(role.price for role in self.roles)


@dataclass(frozen=True, slots=True)
class Best:
    """A proven optimum: the team at the given terms, its coverage in the oracle's parts, and its cost."""

    plan: Plan
    parts: int
    cost: int
    value: float
    proven: bool
