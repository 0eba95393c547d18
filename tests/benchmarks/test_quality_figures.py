"""The intervals and the table: figures made by hand come out as they should."""

from __future__ import annotations

import math

import pytest

from benchmarks.quality.intervals import difference, interval, ratio


def test_an_interval_holds_its_mean_and_narrows_with_more_scenarios() -> None:
    few, many = interval([0.0, 1.0] * 5), interval([0.0, 1.0] * 100)
    assert few.mean == many.mean == 0.5
    assert few.low < many.low < 0.5 < many.high < few.high
    assert interval([0.3] * 9).low == pytest.approx(0.3)
    assert interval([]).count == 0
    assert math.isnan(interval([]).mean)


def test_pairs_cancel_out_what_both_share() -> None:
    noisy = [float(index % 7) for index in range(50)]
    paired = difference([value + 1 for value in noisy], noisy)
    assert (paired.mean, paired.low, paired.high) == pytest.approx((1.0, 1.0, 1.0))


def test_a_ratio_is_of_sums() -> None:
    found = ratio([1.0, 3.0], [2.0, 2.0])
    assert found.mean == 1.0
    assert found.low == pytest.approx(0.5)
    assert found.high == pytest.approx(1.5)
