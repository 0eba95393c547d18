"""Calendar arithmetic of the date grammars: periods, the next occurrence, the parts of a month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Literal

from moothall.directory.days import add_days

Refusal = Literal["invalid_date", "past_date", "date_ambiguous"]


class Grain(Enum):
    """How finely an expression names time; it decides what "before" and "around" mean."""

    DAY = "day"
    RANGE = "range"
    HOLIDAY = "holiday"
    WEEK = "week"
    EDGE = "edge"
    MONTH = "month"
    QUARTER = "quarter"
    SEASON = "season"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end` inclusive. `dated` is true when the year was written, so it never rolls forward."""

    start: date
    end: date
    grain: Grain
    approximate: bool = False
    dated: bool = False
    recurring: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A period, or the reason why there is none, found between two positions of the folded sentence."""

    start: int
    end: int
    value: Period | Refusal


def add_months(day: date, months: int) -> date:
    """Return the first day of the month `months` after the month of `day`; years beyond the calendar are cut off."""
    index = min(max(day.year * 12 + day.month - 1 + months, 12), 9999 * 12 + 10)
    return date(index // 12, index % 12 + 1, 1)


def first_of(year: int, month: int) -> date:
    """Return the first day of a month, of the nearest year the calendar has."""
    return date(min(max(year, 1), 9998), month, 1)


def one_day(day: date, *, approximate: bool = False, dated: bool = False) -> Period:
    """Return the period of a single day."""
    return Period(day, day, Grain.DAY, approximate, dated)


def point(today: date, year: int | None, month: int, day: int) -> Period | Refusal:
    """Return the named day; without a year the next such day, counted from today."""
    if year is not None:
        try:
            found = date(year, month, day)
        except ValueError:
            return "invalid_date"
        return one_day(found, dated=True) if found >= today else "past_date"
    for candidate in range(today.year, min(today.year + 9, 9999)):
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if found >= today:
            return one_day(found)
    return "invalid_date"


def day_of_month(today: date, month: date | None, day: int) -> Period | Refusal:
    """Return that day in the given month, or without a month its next occurrence."""
    if month is not None:
        return point(today, month.year, month.month, day)
    for ahead in range(3):
        first = add_months(today, ahead)
        found = point(today, first.year, first.month, day)
        if isinstance(found, Period):
            return one_day(found.start)
    return "invalid_date"


def months(today: date, first: date, count: int, grain: Grain, *, dated: bool) -> Period | Refusal:
    """Return `count` whole months from `first`, without days already gone; an undated past period moves a year on."""
    end = add_days(add_months(first, count), -1)
    if end < today:
        if dated:
            return "past_date"
        first, end = add_months(first, 12), add_days(add_months(first, 12 + count), -1)
    start = max(first, today) if first <= today <= end else first
    return Period(start, end, grain, grain is Grain.SEASON, dated)


def month(today: date, year: int | None, number: int) -> Period | Refusal:
    """Return a calendar month, of the given year or the next one that is not over."""
    if not 1 <= number <= 12 or (year is not None and not 1 <= year <= 9998):
        return "invalid_date"
    return months(today, date(year or today.year, number, 1), 1, Grain.MONTH, dated=year is not None)


Edge = Literal["early", "middle", "late"]


def edge(today: date, whole: Period | Refusal, part: Edge, *, exact: bool = False) -> Period | Refusal:
    """Return the first ten days, the second ten or the rest of a month; next year's if an undated month is past it."""
    if not isinstance(whole, Period):
        return whole
    first = whole.end.replace(day=1)
    for _ in range(2):
        last = add_days(add_months(first, 1), -1)
        start, end = {"early": (1, 10), "middle": (11, 20), "late": (21, last.day)}[part]
        found = Period(first.replace(day=start), first.replace(day=end), Grain.EDGE, not exact, whole.dated)
        if found.end >= today:
            return replace(found, start=max(found.start, today))
        if whole.dated:
            break
        first = add_months(first, 12)
    return "past_date"


def next_edge(today: date, part: Edge) -> Period | Refusal:
    """Return that part of the running month, or of the next one when it is over."""
    running = months(today, today.replace(day=1), 1, Grain.MONTH, dated=True)
    found = edge(today, running, part)
    return (
        found
        if isinstance(found, Period)
        else edge(today, months(today, add_months(today, 1), 1, Grain.MONTH, dated=True), part)
    )


def year(today: date, number: int) -> Period | Refusal:
    """Return a calendar year, from today on when it is the running one."""
    if not 1 <= number <= 9998:
        return "invalid_date"
    return months(today, date(number, 1, 1), 12, Grain.YEAR, dated=True)


def quarter(today: date, in_year: int | None, number: int) -> Period | Refusal:
    """Return a calendar quarter, of the given year or the next one that is not over."""
    first = first_of(in_year or today.year, 3 * number - 2)
    return months(today, first, 3, Grain.QUARTER, dated=in_year is not None)


def half(today: date, in_year: int | None, number: int) -> Period | Refusal:
    """Return a half of a calendar year."""
    first = first_of(in_year or today.year, 6 * number - 5)
    return months(today, first, 6, Grain.QUARTER, dated=in_year is not None)


Season = Literal["spring", "summer", "autumn", "winter"]
_SEASON: dict[Season, int] = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}


def season(today: date, in_year: int | None, name: Season) -> Period | Refusal:
    """Return three whole months of the northern year; a winter begins in December of the named year."""
    if in_year is None and name == "winter" and today.month <= 2:
        return months(today, first_of(today.year - 1, 12), 3, Grain.SEASON, dated=False)
    first = first_of(in_year or today.year, _SEASON[name])
    return months(today, first, 3, Grain.SEASON, dated=in_year is not None)


def week(today: date, ahead: int) -> Period:
    """Return the ISO week `ahead` weeks from the running one; of the running week only what is left."""
    monday = add_days(today, 7 * ahead - today.weekday())
    return Period(max(monday, today), add_days(monday, 6), Grain.WEEK)


def weekend(today: date, ahead: int) -> Period:
    """Return Saturday and Sunday of the ISO week `ahead` weeks from the running one."""
    saturday = add_days(today, 7 * ahead + 5 - today.weekday())
    return Period(max(saturday, today), add_days(saturday, 1), Grain.WEEK)


def weekday(today: date, number: int, ahead: int | None) -> Period:
    """Return the ISO weekday (1 to 7) `ahead` weeks from the running one; without `ahead`, or once over, the next."""
    offset = number - 1 - today.weekday()
    if ahead:
        return one_day(add_days(today, offset + 7 * ahead))
    return one_day(add_days(today, offset % 7))


def nth_weekday(whole: Period | Refusal, number: int, nth: int) -> Period | Refusal:
    """Return the `nth` ISO weekday of a month (-1: the last one); `invalid_date` when the month has no such day."""
    if not isinstance(whole, Period):
        return whole
    first = whole.end.replace(day=1)
    days = [day for ahead in range(whole.end.day) if (day := add_days(first, ahead)).isoweekday() == number]
    if not -len(days) <= nth - (nth > 0) < len(days):
        return "invalid_date"
    found = days[nth - (nth > 0)]
    return one_day(found, dated=whole.dated) if found >= whole.start else "past_date"


def nth_weekend(whole: Period | Refusal, nth: int) -> Period | Refusal:
    """Return the weekend that begins with the `nth` Saturday of a month."""
    saturday = nth_weekday(whole, 6, nth)
    return (
        replace(saturday, end=add_days(saturday.end, 1), grain=Grain.WEEK) if isinstance(saturday, Period) else saturday
    )


def every_week(today: date, numbers: list[int]) -> Period:
    """Return a weekly recurrence on ISO weekdays, beginning with the next of them."""
    first = min(weekday(today, number, None).start for number in numbers)
    return Period(first, date.max, Grain.DAY, recurring="weekly:" + ",".join(str(n) for n in sorted(set(numbers))))


def every(today: date, rhythm: str) -> Period:
    """Return a recurrence without a named day: `daily`, `weekly` or `monthly`."""
    return Period(today, date.max, Grain.DAY, recurring=rhythm)


def within(today: date, days: int) -> Period:
    """Return today and the days after it."""
    return Period(today, add_days(today, days), Grain.WEEK)
