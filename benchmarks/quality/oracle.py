"""The best team there is, by OR-Tools CP-SAT over what agents would really accept: the measure, never the product.

The product chooses with a solver of its own (HiGHS) and knows neither floors nor lies; this one knows everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Literal

from ortools.sat.python import cp_model

from benchmarks.quality.reality import Option, unit_worth
from benchmarks.quality.world import Asked, Best, Plan, Role

SECONDS = 10.0
SHARES = 60
"""Coverage is counted in these parts of one capability, which every count up to six divides."""
Terms = Literal["floor", "ask"]


class _Model:
    """Who could take which role on which day."""

    def __init__(self, demand: Asked, options: Sequence[Option], terms: Terms) -> None:
        self.demand, self.terms = demand, terms
        self.options = _useful(demand, options)
        self.model = cp_model.CpModel()
        self.taken = [self.model.new_bool_var("") for _ in self.options]
        self.days = sorted({day for item in self.options for day in item.days})
        self.on = [self.model.new_bool_var("") for _ in self.days]
        self._rules()

    def price(self, item: Option) -> int:
        return item.floor if self.terms == "floor" else item.ask

    def _rules(self) -> None:
        model = self.model
        model.add(sum(self.on) <= 1)
        counts = {need.concept: need.count for need in self.demand.needs}
        by_agent, by_concept = defaultdict(list), defaultdict(list)
        for item, variable in zip(self.options, self.taken, strict=True):
            by_agent[item.agent_id, item.max_roles].append(variable)
            by_concept[item.concept].append(variable)
            model.add(variable <= sum(on for day, on in zip(self.days, self.on, strict=True) if day in item.days))
        for item, variable in zip(self.options, self.taken, strict=True):
            if item.requires is not None:
                model.add(variable <= sum(by_concept.get(item.requires, [])))
        for (_, most), variables in by_agent.items():
            model.add(sum(variables) <= most)
        for concept, variables in by_concept.items():
            model.add(sum(variables) <= counts.get(concept, 1))
        if self.demand.budget is not None:
            model.add(self.total(self.price) <= self.demand.budget)

    def total(self, value: Callable[[Option], int]) -> cp_model.LinearExpr:
        """The sum of a value over the roles taken."""
        return cp_model.LinearExpr.weighted_sum(self.taken, [value(item) for item in self.options])

    def parts(self, item: Option) -> int:
        return next((SHARES // need.count for need in self.demand.needs if need.concept == item.concept), 0)

    def solve(self) -> Best:
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = SECONDS
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        status = solver.solve(self.model)
        chosen = [item for item, taken in zip(self.options, self.taken, strict=True) if solver.value(taken)]
        day = next((day for day, on in zip(self.days, self.on, strict=True) if solver.value(on)), None)
        return Best(
            plan=Plan(tuple(Role(item.agent_id, item.concept, self.price(item)) for item in chosen), day),
            parts=sum(self.parts(item) for item in chosen),
            cost=sum(self.price(item) for item in chosen),
            value=sum(_worth(self.demand, item) - item.floor for item in chosen),
            proven=status == cp_model.OPTIMAL,
        )


def _useful(demand: Asked, options: Sequence[Option]) -> list[Option]:
    """The options for a need, and for what those require, directly or not."""
    wanted = {need.concept for need in demand.needs}
    while more := {item.requires for item in options if item.concept in wanted and item.requires} - wanted:
        wanted |= more
    return [item for item in options if item.concept in wanted]


def _worth(demand: Asked, item: Option) -> float:
    return unit_worth(demand, item.concept) if any(need.concept == item.concept for need in demand.needs) else 0.0


def most_covered(demand: Asked, options: Sequence[Option], terms: Terms = "floor") -> Best:
    """The cheapest among the teams that cover the most."""
    model = _Model(demand, options, terms)
    dearer = 1 + sum(model.price(item) for item in model.options)
    model.model.maximize(model.total(lambda item: model.parts(item) * dearer - model.price(item)))
    return model.solve()


def cheapest(demand: Asked, options: Sequence[Option], parts: int, terms: Terms = "floor") -> Best:
    """The cheapest team that covers at least ``parts``."""
    model = _Model(demand, options, terms)
    model.model.add(model.total(model.parts) >= parts)
    model.model.minimize(model.total(model.price))
    return model.solve()


def most_valued(demand: Asked, options: Sequence[Option]) -> Best:
    """The team of the greatest welfare: worth to the requester less what its agents would settle for."""
    model = _Model(demand, options, "floor")
    model.model.maximize(model.total(lambda item: round(_worth(demand, item)) - item.floor))
    return model.solve()
