"""Relative days, weeks, counted spans and recurrences in English: tomorrow, in two weeks, every Tuesday."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from moothall.directory.days import add_days
from moothall.negotiation.demand.extract.dates import period
from moothall.negotiation.demand.extract.dates.atoms import atom
from moothall.negotiation.demand.extract.folding import rule
from moothall.negotiation.demand.extract.numerals import DIGITS, ENGLISH, read_number

if TYPE_CHECKING:
    import re
    from datetime import date

    from moothall.negotiation.demand.extract.dates.period import Period

_NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_SHORT = {"mon": 1, "tue": 2, "tues": 2, "wed": 3, "thu": 4, "thur": 4, "thurs": 4, "fri": 5, "sat": 6, "sun": 7}
_WEEKDAYS = {name: n + 1 for n, name in enumerate(_NAMES)} | _SHORT
_FULL = "|".join(_NAMES)
_ANY = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_NAME = rule(rf"\b(?:{_ANY})")
_COUNT = rf"(?P<count>{DIGITS}|{ENGLISH}|an?|a few|a couple of|a\scouple)"
_UNIT = r"(?P<unit>hour|day|week|fortnight|month|year)s?\b"
_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "fortnight": 14.0, "month": 30.0, "year": 365.0}
_VAGUE = {"a": 1.0, "an": 1.0, "a few": 3.0, "a couple of": 2.0, "a couple": 2.0}
_SOON = {"today": 0, "tonight": 0, "tomorrow": 1}


def _weekday(match: re.Match[str], today: date) -> Period:
    which = (match.groupdict().get("which") or "").split()
    return period.weekday(today, _WEEKDAYS[match["day"]], 1 if "next" in which else None)


def _weekend(match: re.Match[str], today: date) -> Period:
    return period.weekend(today, 1 if "next" in (match["which"] or "") else 0)


def _week(match: re.Match[str], today: date) -> Period:
    return period.week(today, 1 if match["which"] == "next" else 0)


def _length(match: re.Match[str]) -> int:
    count = _VAGUE.get(match["count"])
    if count is None:
        count = float(read_number(match["count"]) or 0)
    return math.ceil(min(count * _DAYS[match["unit"]], 36500))


def _within(match: re.Match[str], today: date) -> Period:
    return period.within(today, _length(match))


def _from_now(match: re.Match[str], today: date) -> Period:
    exact = match["unit"] == "day" and match["count"] not in ("a few", "a couple", "a couple of")
    return period.one_day(add_days(today, _length(match)), approximate=not exact)


def _next_units(match: re.Match[str], today: date) -> Period:
    """Read "over the next month" as the coming thirty days, unlike the calendar's "next month"."""
    return period.within(today, math.ceil(_DAYS[match["unit"]]))


def _every(match: re.Match[str], today: date) -> Period:
    return period.every_week(today, [_WEEKDAYS[name] for name in _NAME.findall(match[0])])


_LIST = r"(?:\s?(?:,|and|&|/)\s?(?:every\s)?(?:{names})){{0,6}}"

SPANS = (
    atom(r"\b(?:the )?day after tomorrow\b", lambda _match, today: period.one_day(add_days(today, 2))),
    atom(r"\b(?:today|tonight|tomorrow)\b", lambda match, today: period.one_day(add_days(today, _SOON[match[0]]))),
    atom(r"\bthis (?:morning|afternoon|evening)\b", lambda _match, today: period.one_day(today)),
    atom(rf"\b(?P<which>(?:this|next|coming|this coming|the coming|the next)\s)?(?P<day>{_FULL})\b", _weekday),
    atom(rf"\b(?P<which>(?:this|next|coming)\s)(?P<day>{'|'.join(_SHORT)})\b\.?", _weekday),
    atom(rf"(?:(?<=\bon\s)|(?<=\bby\s)|(?<=\bbefore\s)|(?<=\bafter\s))(?P<day>{'|'.join(_SHORT)})\b\.?", _weekday),
    atom(r"\b(?P<which>this|next|the|coming|this coming|over the)\s(?:week\s?end)\b", _weekend),
    atom(r"\b(?P<which>this|next)\sweek\b", _week),
    atom(r"\b(?:the )?week after next\b", lambda _match, today: period.week(today, 2)),
    atom(rf"\bin {_COUNT}\s{_UNIT}(?:'s? time)?", _from_now),
    atom(rf"{_COUNT}\s{_UNIT}\s(?:from (?:now|today)|later)\b", _from_now),
    atom(rf"\bwithin (?:the (?:next|coming) )?{_COUNT}\s{_UNIT}", _within),
    atom(rf"\b(?:(?:in|over|during|for|within) )?(?:the )?(?:next|coming) {_COUNT}\s{_UNIT}", _within),
    atom(r"\b(?:in|over|during|within) the (?:next|coming) (?P<unit>week|fortnight|month|year)\b", _next_units),
    atom(rf"\b(?:every|each) (?:{_ANY})s?\b" + _LIST.format(names=rf"(?:{_ANY})s?\b"), _every),
    atom(rf"\b(?:{_FULL})s\b" + _LIST.format(names=rf"(?:{_FULL})s?\b"), _every),
    atom(
        r"\b(?:every|each) weekday\b|\bon weekdays\b", lambda _match, today: period.every_week(today, [1, 2, 3, 4, 5])
    ),
    atom(
        r"\b(?:every|each) weekend\b|\b(?:on|at) weekends\b|\bweekends\b",
        lambda _match, today: period.every_week(today, [6, 7]),
    ),
    atom(
        r"\b(?:every|each) week\b|\bweekly\b|\b(?:once|twice|(?:three|four) times) a week\b",
        lambda _match, today: period.every(today, "weekly"),
    ),
    atom(
        r"\b(?:every|each) (?:day|night|evening|morning)\b|\bdaily\b",
        lambda _match, today: period.every(today, "daily"),
    ),
    atom(
        r"\b(?:every|each) month\b|\bmonthly\b|\bonce a month\b", lambda _match, today: period.every(today, "monthly")
    ),
)
