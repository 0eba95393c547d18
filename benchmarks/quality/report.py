"""The figures as a table for people and as JSON, with the goals and whether they are met."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.quality.arms import BASE
from benchmarks.quality.campaign import ONE_CALL, Outcome
from benchmarks.quality.intervals import Interval, difference, interval, ratio
from benchmarks.quality.metrics import Figures, Score

GOAL_COVERAGE, GOAL_REGRET, GOAL_LOSS, GOAL_GREEDY = 0.98, 0.05, 0.02, 0.9
TESTED = ("mixed",)
"""The arm that the goal of robustness is about: 20 % of the agents lie, are silent or withdraw."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; ``goal`` says what is wanted of it, ``met`` whether it is so (``None``: no goal)."""

    name: str
    value: Interval
    goal: str = ""
    met: bool | None = None
    percent: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """Some rows under a heading."""

    title: str
    rows: tuple[Row, ...]


def sections(outcome: Outcome) -> list[Section]:
    """Everything that was measured."""
    base = outcome.arms[BASE]
    found = [Section("the product", _quality(base)), Section("honesty and filter", _honesty(base))]
    found.append(Section("robustness: coverage lost against no misbehaviour, in points", _robustness(outcome)))
    if outcome.changed:
        rows = tuple(_same(name, changes) for name, changes in outcome.changed.items())
        found.append(Section("invariance: share of scenarios with another selection", rows))
    found.append(Section("ours beside the baselines, same run: welfare ratio to the optimum", _beside(outcome)))
    found.append(Section("efficiency", _efficiency(base)))
    return found


def _relative(figures: Sequence[Figures]) -> list[float]:
    return [one.score.relative for one in figures]


def _quality(base: Sequence[Figures]) -> tuple[Row, ...]:
    scores = [one.score for one in base]
    coverage = interval(_relative(base))
    real = interval(_known(one.regret for one in scores))
    paid = interval(_known(one.advertised_regret for one in scores))
    broken = interval([float(bool(one.broken)) for one in scores])
    invented = interval([float(any("invented" in text for text in one.broken)) for one in scores])
    content = interval(_known(one.surplus for one in scores))
    return (
        Row("coverage, of the optimum", coverage, f">= {GOAL_COVERAGE:.0%}", coverage.mean >= GOAL_COVERAGE),
        Row("coverage, of what is required", interval([one.coverage for one in scores])),
        Row("cost regret, on the terms agents accept", real, f"<= {GOAL_REGRET:.0%}", real.mean <= GOAL_REGRET),
        Row("cost regret, paid against public prices", paid, f"<= {GOAL_REGRET:.0%}", paid.mean <= GOAL_REGRET),
        Row("plans that break a hard constraint", broken, "0", broken.mean == 0),
        Row("plans with an invented agent or role", invented, "0", invented.mean == 0),
        Row("welfare, of the optimum", _welfare(scores)),
        Row("assignees paid at least their floor", content),
    )


def _honesty(base: Sequence[Figures]) -> tuple[Row, ...]:
    told, true = sum(one.gaps_told for one in base), sum(one.gaps_true for one in base)
    right = sum(one.gaps_right for one in base)
    score = 2 * right / (told + true) if told + true else 1.0
    return (
        Row("sentences understood without a mistake", interval([float(one.understood) for one in base])),
        Row("false success (full, and it is not)", interval([float(one.false_success) for one in base])),
        Row("false failure (failed, and it was possible)", interval([float(one.false_failure) for one in base])),
        Row("gaps told, F1", Interval(score, math.nan, math.nan, len(base))),
        Row("filter: recall@20 of an optimal team", interval([one.recall for one in base])),
        Row("filter: coverage that the invited allow", interval([one.ceiling for one in base])),
        Row("filter: precision (could fill a role)", interval([one.precision for one in base])),
    )


def _robustness(outcome: Outcome) -> tuple[Row, ...]:
    base = _relative(outcome.arms[BASE])
    rows = []
    for arm, figures in outcome.arms.items():
        if arm == BASE:
            continue
        lost = difference(base, _relative(figures))
        tested = arm in TESTED
        goal = f"<= {GOAL_LOSS:.0%}" if tested else ""
        rows.append(Row(f"20 % {arm}", lost, goal, lost.mean <= GOAL_LOSS if tested else None))
        ended = interval([float(one.finalized) for one in figures])
        rows.append(Row(f"20 % {arm}: negotiations that end in a plan", ended))
    return tuple(rows)


def _same(name: str, changes: Sequence[int]) -> Row:
    changed = interval([float(one) for one in changes])
    return Row(name, changed, "0", changed.mean == 0)


def _beside(outcome: Outcome) -> tuple[Row, ...]:
    ours = [one.score for one in outcome.arms[BASE]]
    rows = [Row("ours", _welfare(ours))]
    for name, scores in outcome.baselines.items():
        greedy = name.startswith("greedy")
        value = _welfare(scores)
        hard = value.mean <= GOAL_GREEDY
        rows.append(Row(name, value, f"<= {GOAL_GREEDY:.0%}" if greedy else "", hard if greedy else None))
        rows.append(Row(f"{name}: coverage of the optimum", interval([one.relative for one in scores])))
        times = ratio([one.welfare for one in ours], [one.welfare for one in scores])
        rows.append(Row(f"{name}: ours is so many times as good", times, percent=False))
    if ONE_CALL not in outcome.baselines:
        rows.append(Row(f"{ONE_CALL}: not run, no provider is configured", interval([])))
    return tuple(rows)


def _efficiency(base: Sequence[Figures]) -> tuple[Row, ...]:
    figures: list[tuple[str, Callable[[Figures], float]]] = [
        ("rounds", lambda one: one.rounds),
        ("decision calls", lambda one: one.calls),
        ("seconds per negotiation", lambda one: one.seconds),
    ]
    return tuple(Row(name, interval([value(one) for one in base]), percent=False) for name, value in figures)


def _welfare(scores: Sequence[Score]) -> Interval:
    return ratio([one.welfare for one in scores], [one.optimum for one in scores])


def _known(values: Any) -> list[float]:  # noqa: ANN401 - any iterable of figures, some of them missing
    return [value for value in values if value is not None]


def table(found: Sequence[Section]) -> str:
    """The figures for people: mean, 95 % interval, goal."""
    lines = []
    for section in found:
        lines += ["", section.title]
        lines += [_line(row) for row in section.rows]
    return "\n".join(lines).lstrip("\n")


def _line(row: Row) -> str:
    if not row.value.count:
        return f"  {row.name}"
    verdict = "" if row.met is None else ("met" if row.met else "MISSED")
    spread = "" if math.isnan(row.value.low) else f"[{_figure(row.value.low, row)}, {_figure(row.value.high, row)}]"
    return f"  {row.name:<56}{_figure(row.value.mean, row):>8}  {spread:<20}{row.goal:>7} {verdict}".rstrip()


def _figure(value: float, row: Row) -> str:
    return f"{100 * value:.1f} %" if row.percent else f"{value:.2f}"


def as_json(found: Sequence[Section]) -> list[dict[str, Any]]:
    """The same as JSON values; what has no interval has ``null`` for it."""
    return [{"title": section.title, "rows": [_clean(asdict(row)) for row in section.rows]} for section in found]


def _clean(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def missed(found: Sequence[Section]) -> list[str]:
    """The names of the figures that miss their goals."""
    return [row.name for section in found for row in section.rows if row.met is False]
