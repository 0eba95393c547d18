"""Days: the demand's window, and when somebody is free in it."""

from __future__ import annotations

import itertools
from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.days import add_days, days_between

if TYPE_CHECKING:
    from moothall.directory.profiles import Calendar, CapabilityOffer
    from moothall.negotiation.demand.models import Constraints

OPEN_DAYS = 60
"""How far ahead somebody looks when the demand names no end."""
MOST_DAYS = 62
LONGEST_SEARCH = 366
"""Days from the first possible one in which somebody looks for a free day."""
COMFORTABLE = 14
"""Days of preparation a plan gives itself when it may choose."""


def free_days(calendar: Calendar, offer: CapabilityOffer, limits: Constraints, today: date) -> tuple[date, ...]:
    """The first days of the window, at most ``MOST_DAYS``, from which the whole duration is free."""
    notice = max([calendar.lead_days, *(int(item.value or 0) for item in offer.conditions if item.kind == "lead_days")])
    weekdays = [frozenset(item.values) for item in offer.conditions if item.kind == "weekdays"]
    earliest = add_days(today, notice)
    start = max(earliest, limits.date_start) if limits.date_start else earliest
    end = limits.date_end or add_days(start, OPEN_DAYS)
    length = max(1, min(limits.duration_days, MOST_DAYS))

    def works(day: date) -> bool:
        return calendar.available(day) and all(day.weekday() in allowed for allowed in weekdays)

    free = (
        day
        for day in itertools.islice(days_between(start, end), LONGEST_SEARCH)
        if all(works(add_days(day, offset)) for offset in range(length))
    )
    return tuple(itertools.islice(free, MOST_DAYS))


def preferred_days(limits: Constraints, today: date, offered: frozenset[date]) -> tuple[date, ...]:
    """The days a plan may choose, best first: with time to prepare if possible, then as early as possible.

    Without any offered day there is still one: plans always have a start.
    """
    allowed = [day for day in offered if _inside(limits, day) and day >= today]
    if not allowed:
        return (default_day(limits, today),)
    comfortable = add_days(today, COMFORTABLE)
    return tuple(sorted(allowed, key=lambda day: (0, day.toordinal()) if day >= comfortable else (1, -day.toordinal())))


def default_day(limits: Constraints, today: date) -> date:
    """The day of a plan that nobody's calendar decides."""
    day = add_days(today, COMFORTABLE)
    if limits.date_start and day < limits.date_start:
        day = limits.date_start
    return limits.date_end if limits.date_end and day > limits.date_end else day


def _inside(limits: Constraints, day: date) -> bool:
    return (limits.date_start is None or day >= limits.date_start) and (
        limits.date_end is None or day <= limits.date_end
    )
