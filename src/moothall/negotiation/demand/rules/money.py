"""Sharing a limited sum among several prices, in whole units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction


def distribute(wanted: Sequence[float], least: Sequence[float], total: float | None) -> list[float]:
    """Return a price for each: what is wanted if the sum allows it, else whole numbers that add up to ``total``.

    Everybody gets at least ``least`` and a share of the rest in proportion to what they want beyond it; when even
    ``least`` is too much, ``least`` itself is scaled. Nobody gets more than wanted.
    """
    if total is None or sum(wanted) <= total:
        return list(wanted)
    available = Fraction(math.floor(total))
    low = [min(Fraction(floor), Fraction(want)) for floor, want in zip(least, wanted, strict=True)]
    base = sum(low, Fraction(0))
    if base > available:
        exact = [available * item / base for item in low]
    else:
        room = sum((Fraction(want) for want in wanted), Fraction(0)) - base
        share = (available - base) / room
        exact = [item + (Fraction(want) - item) * share for item, want in zip(low, wanted, strict=True)]
    return [float(price) for price in _whole(exact, [math.floor(want) for want in wanted], int(available))]


def _whole(exact: Sequence[Fraction], most: Sequence[int], total: int) -> list[int]:
    """Round down and give the units left over to the largest remainders, never above ``most``."""
    prices = [min(math.floor(price), limit) for price, limit in zip(exact, most, strict=True)]
    left = total - sum(prices)
    order = sorted(range(len(prices)), key=lambda index: (prices[index] - exact[index], -most[index], index))
    while left > 0 and (open_to := [index for index in order if prices[index] < most[index]]):
        for index in open_to[:left]:
            prices[index] += 1
        left = total - sum(prices)
    return prices
