"""Bootstrap intervals of means; for comparisons scenarios are drawn in pairs, so what both share cancels out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the 2.5 % and 97.5 % points of its bootstrap distribution, over ``count`` scenarios."""

    mean: float
    low: float
    high: float
    count: int


def interval(values: Sequence[float], seed: int = 1) -> Interval:
    """The mean of some figures, one per scenario."""
    if not values:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    draw, count = random.Random(seed), len(values)
    means = sorted(sum(draw.choices(values, k=count)) / count for _ in range(DRAWS))
    return Interval(sum(values) / count, means[round(0.025 * DRAWS)], means[round(0.975 * DRAWS) - 1], count)


def difference(left: Sequence[float], right: Sequence[float], seed: int = 1) -> Interval:
    """The mean of ``left - right``, paired by scenario."""
    return interval([one - other for one, other in zip(left, right, strict=True)], seed)


def ratio(left: Sequence[float], right: Sequence[float], seed: int = 1) -> Interval:
    """The sum of ``left`` over the sum of ``right``, paired by scenario."""
    total = sum(right)
    if not total:
        return Interval(float("nan"), float("nan"), float("nan"), len(left))
    draw, count = random.Random(seed), len(left)
    ratios = []
    for _ in range(DRAWS):
        rows = draw.choices(range(count), k=count)
        ratios.append(sum(left[row] for row in rows) / (sum(right[row] for row in rows) or 1.0))
    ratios.sort()
    return Interval(sum(left) / total, ratios[round(0.025 * DRAWS)], ratios[round(0.975 * DRAWS) - 1], count)
