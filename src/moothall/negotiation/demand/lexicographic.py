"""A small integer program with goals in strict order, solved with HiGHS.

Each goal is maximised in turn and then held at its best value while the next one is. The solver is imported on first
use: it loads a large library that most commands never need.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from highspy import Highs

SLACK = 0.5
"""By how much a goal may be missed afterwards: goals are whole numbers, so this admits nothing worse."""
ROUNDING = 1e-6
"""By how much a bound may be exceeded by the rounding of sums of money."""


@dataclass(frozen=True, slots=True)
class Part:
    """``factor`` × the variable with this index."""

    variable: int
    factor: float


Row = tuple[float, float, Sequence[Part]]


@dataclass(slots=True)
class Program:
    """Whole variables from 0 to a bound, and sums of them with an upper bound; 0 everywhere must be allowed."""

    _upper: list[int] = field(default_factory=list)
    _rows: list[Row] = field(default_factory=list)

    def whole(self, upper: int) -> int:
        """Add a variable with values 0..``upper`` and return its index."""
        self._upper.append(upper)
        return len(self._upper) - 1

    def at_most(self, bound: float, parts: Sequence[Part]) -> None:
        """Demand that the sum of ``parts`` is at most ``bound``."""
        self._rows.append((-math.inf, bound, parts))

    def maximise(
        self, goals: Sequence[Sequence[Part]], *, limit: float, seed: int, start: Mapping[int, int] | None = None
    ) -> tuple[list[int], bool]:
        """Return the value of each variable, and whether every goal's optimum was proven within ``limit`` seconds.

        The factors of the goals must be whole numbers. ``start`` has the values other than 0 of a point to begin at;
        where it is allowed, nothing worse is returned, however short the time. Loading the solver does not count.
        """
        values = [0] * len(self._upper)
        if not values:
            return values, True
        values = self._begin(start or {})
        solver, rows, proven = self._load(seed), list(self._rows), True
        deadline = time.monotonic() + limit
        for goal in goals:
            found, optimal = _solve(solver, goal, values, deadline - time.monotonic())
            if (
                found is not None
                and all(_holds(row, found) for row in rows)
                and _sum(goal, found) >= _sum(goal, values)
            ):
                values = found
            else:
                optimal = False
            proven = proven and optimal
            row = (_sum(goal, values) - SLACK, math.inf, goal)
            rows.append(row)
            _add(solver, row)
        return values, proven

    def _begin(self, start: Mapping[int, int]) -> list[int]:
        values = [start.get(index, 0) for index in range(len(self._upper))]
        return values if all(_holds(row, values) for row in self._rows) else [0] * len(values)

    def _load(self, seed: int) -> Highs:
        from highspy import Highs, HighsVarType  # noqa: PLC0415 - heavy, and only here

        solver = Highs()  # type: ignore[no-untyped-call]  # highspy leaves its constructor untyped
        options = {
            "output_flag": False,
            "threads": 1,
            "random_seed": seed % 2**31,
            "mip_rel_gap": 0.0,
            "mip_abs_gap": 0.0,
        }
        for name, value in options.items():
            solver.setOptionValue(name, value)
        for index, upper in enumerate(self._upper):
            solver.addVar(0.0, float(upper))
            solver.changeColIntegrality(index, HighsVarType.kInteger)
        for row in self._rows:
            _add(solver, row)
        return solver


def _sum(parts: Sequence[Part], values: Sequence[int]) -> float:
    return sum(part.factor * values[part.variable] for part in parts)


def _holds(row: Row, values: Sequence[int]) -> bool:
    lower, upper, parts = row
    return lower - ROUNDING <= _sum(parts, values) <= upper + ROUNDING


def _add(solver: Highs, row: Row) -> None:
    lower, upper, parts = row
    factors: dict[int, float] = {}
    for part in parts:
        factors[part.variable] = factors.get(part.variable, 0) + part.factor
    solver.addRow(lower, upper, len(factors), list(factors), list(factors.values()))


def _solve(solver: Highs, goal: Sequence[Part], start: list[int], seconds: float) -> tuple[list[int] | None, bool]:
    """Maximise one goal, beginning at a point known to be allowed; ``None`` when nothing was found in time."""
    from highspy import HighsModelStatus, ObjSense  # noqa: PLC0415 - see _load

    if seconds <= 0:
        return None, False
    factors = [0.0] * len(start)
    for part in goal:
        factors[part.variable] += part.factor
    columns = list(range(len(start)))
    solver.changeColsCost(len(start), columns, factors)
    solver.changeObjectiveSense(ObjSense.kMaximize)
    solver.setSolution(len(start), columns, [float(value) for value in start])
    solver.setOptionValue("time_limit", solver.getRunTime() + seconds)
    solver.run()
    found = [round(value) for value in solver.getSolution().col_value]
    return found or None, solver.getModelStatus() == HighsModelStatus.kOptimal
