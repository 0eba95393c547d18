"""Days that a request names: ``明天``, ``next Friday``, ``3月5日``, ``2026-11-24``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from moothall.directory.days import add_days

_ISO: Final = re.compile(r"(?<!\d)(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?!\d)")
_CHINESE: Final = re.compile(r"(?<!\d)(\d{1,2})月(\d{1,2})[日号]")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES: Final = "|".join(_MONTHS)
_ENGLISH: Final = re.compile(
    rf"\b(?:({_NAMES})[a-z]*\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?|(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({_NAMES})[a-z]*)"
    r"\b(?:,?\s+(\d{4}))?",
    re.IGNORECASE,
)
_FROM_TODAY: Final = re.compile(
    r"(?P<p3>大后天)|(?P<p2>后天|day after tomorrow)|(?P<m2>前天|day before yesterday)"
    r"|(?P<p1>明天|明日|明早|明晚|\btomorrow\b)|(?P<p0>今天|今日|今晚|\btoday\b|\btonight\b)|(?P<m1>昨天|昨日|\byesterday\b)",
    re.IGNORECASE,
)
_AFTER: Final = {"p3": 3, "p2": 2, "p1": 1, "p0": 0, "m1": -1, "m2": -2}
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY: Final = re.compile(
    r"(下下|下|这|本)?(?:周|星期|礼拜)([一二三四五六日天])"
    r"|\b(next\s+|this\s+)?(monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b",
    re.IGNORECASE,
)
_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class DayMention:
    """A day that is named; ``text[start:end]`` names it."""

    day: date
    start: int
    end: int


def days_in(text: str, today: date) -> list[DayMention]:
    """The days named in a text, in its order; what is no day of the calendar is none."""
    found: list[DayMention] = []
    for match in _ISO.finditer(text):
        _add(found, match, _made(int(match[1]), int(match[2]), int(match[3])))
    for match in _CHINESE.finditer(text):
        _add(found, match, _coming(int(match[1]), int(match[2]), today))
    for match in _ENGLISH.finditer(text):
        month = _MONTHS.index((match[1] or match[4]).lower()) + 1
        number = int(match[2] or match[3])
        _add(found, match, _made(int(match[5]), month, number) if match[5] else _coming(month, number, today))
    for match in _FROM_TODAY.finditer(text):
        _add(found, match, add_days(today, _AFTER[str(match.lastgroup)]))
    for match in _WEEKDAY.finditer(text):
        _add(found, match, _weekday(match, today))
    return sorted(found, key=lambda mention: mention.start)


def _weekday(match: re.Match[str], today: date) -> date:
    if match[2]:
        place, weeks = "一二三四五六日".index(match[2].replace("天", "日")), {"下": 1, "下下": 2}.get(match[1] or "", 0)
        said = bool(match[1])
    else:
        place, weeks = _WEEKDAYS.index(match[4][:3].lower()), int((match[3] or "").strip().lower() == "next")
        said = bool(match[3])
    ahead = place - today.weekday() + weeks * _WEEK
    return add_days(today, ahead if said or ahead >= 0 else ahead + _WEEK)


def _coming(month: int, number: int, today: date) -> date | None:
    """That day of this year, or of the next one where it is over."""
    day = _made(today.year, month, number)
    return _made(today.year + 1, month, number) if day is not None and day < today else day


def _made(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _add(found: list[DayMention], match: re.Match[str], day: date | None) -> None:
    overlaps = any(match.start() < other.end and other.start < match.end() for other in found)
    if day is not None and not overlaps:
        found.append(DayMention(day, match.start(), match.end()))
