"""Calendar arithmetic that stops at the ends of the calendar instead of failing there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date


def add_days(day: date, days: int) -> date:
    """Add days, however many; beyond the calendar its first or last day is the answer."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def days_between(start: date, end: date) -> Iterator[date]:
    """The days from `start` to `end`, both included."""
    return map(date.fromordinal, range(start.toordinal(), end.toordinal() + 1))
