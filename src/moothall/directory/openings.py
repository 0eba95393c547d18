"""On which days of a demand's window an offer can be had, as its card says. Pure."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from moothall.directory.days import add_days, days_between

if TYPE_CHECKING:
    from datetime import date

    from moothall.directory.profiles import Calendar, CapabilityOffer
    from moothall.directory.query import Query

LONGEST = 62
"""Days of a window that are looked at; a longer one, or one without an end, leaves enough to choose from."""


def open_days(calendar: Calendar, offer: CapabilityOffer | None, query: Query) -> frozenset[date] | None:
    """The days from which the whole duration is free; `None` while the demand states no window of at most `LONGEST`."""
    start, end = query.date_start or query.today, query.date_end
    if start is None or end is None or (end - start).days >= LONGEST:
        return None
    conditions = offer.conditions if offer else ()
    weekdays = [item.values for item in conditions if item.kind == "weekdays"]
    notice = max([calendar.lead_days, *(int(item.value or 0) for item in conditions if item.kind == "lead_days")])
    first = max(start, add_days(query.today, notice)) if query.today else start

    def works(day: date) -> bool:
        return calendar.available(day) and all(day.weekday() in allowed for allowed in weekdays)

    length = range(max(1, min(query.duration_days, LONGEST)))
    days = itertools.islice(days_between(first, end), LONGEST)
    return frozenset(day for day in days if all(works(add_days(day, offset)) for offset in length))
