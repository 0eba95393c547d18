"""What simpler ways of choosing make of the same cards: the measure of what negotiating is worth.

All read the advertised cards, pay the advertised prices and keep to city, size, one common day, budget and the number
of roles; none asks anybody. What their teams come to is judged by the same truth as the product's.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from benchmarks.quality.oracle import most_covered
from benchmarks.quality.reality import Option, advertised_options
from benchmarks.quality.world import Plan, Role, Scenario

Chooser = Callable[[Sequence[Option]], Option]


class _Team:
    """A team in the making, and whether one more fits into it."""

    def __init__(self, scenario: Scenario, options: Sequence[Option]) -> None:
        self.demand = scenario.demand
        self.picked: list[Option] = []
        self.days = frozenset(day for item in options for day in item.days)

    def lacks(self, concept: str) -> int:
        """How many providers of a capability are still wanted."""
        have = sum(item.concept == concept for item in self.picked)
        return next((need.count for need in self.demand.needs if need.concept == concept), 0) - have

    def fits(self, item: Option) -> bool:
        """Whether somebody is needed, free on a day on which all are, affordable, and not overcharged with roles."""
        roles = Counter(one.agent_id for one in self.picked)[item.agent_id]
        spent = sum(one.ask for one in self.picked)
        dear = self.demand.budget is not None and spent + item.ask > self.demand.budget
        twice = any((one.agent_id, one.concept) == (item.agent_id, item.concept) for one in self.picked)
        free = bool(self.days & item.days)
        return self.lacks(item.concept) > 0 and free and not dear and not twice and roles < item.max_roles

    def take(self, item: Option) -> None:
        """Add somebody who fits."""
        self.picked.append(item)
        self.days &= item.days

    def plan(self) -> Plan:
        """The team at its advertised prices, on the first day on which all are free."""
        day = min(self.days, default=None) if self.picked else None
        return Plan(tuple(Role(item.agent_id, item.concept, item.ask) for item in self.picked), day)


def _fill(scenario: Scenario, options: Sequence[Option], choose: Chooser) -> Plan:
    team = _Team(scenario, options)
    while able := [item for item in options if team.fits(item)]:
        team.take(choose(able))
    return team.plan()


def random_feasible(scenario: Scenario) -> Plan:
    """Anybody who fits, one after the other."""
    draw = random.Random(f"{scenario.seed} random")
    return _fill(scenario, sorted(advertised_options(scenario), key=_name), draw.choice)


def greedy(scenario: Scenario) -> Plan:
    """Greedy set cover: whoever still covers the most for the money, until nobody fits any more."""

    def best(able: Sequence[Option]) -> Option:
        return min(able, key=lambda item: (-_gain(item, able) / max(1, item.ask), _name(item)))

    return _fill(scenario, advertised_options(scenario), best)


def _gain(item: Option, able: Iterable[Option]) -> int:
    """How much of what is open the holder of this role could cover, as far as it takes roles."""
    return min(item.max_roles, sum(one.agent_id == item.agent_id for one in able))


def central(scenario: Scenario) -> Plan:
    """The optimum over the cards: right if all cards were true and everybody answered."""
    return most_covered(scenario.demand, advertised_options(scenario), "ask").plan


def _name(item: Option) -> tuple[str, str]:
    return item.agent_id, item.concept
