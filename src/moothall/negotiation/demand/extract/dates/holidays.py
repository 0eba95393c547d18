"""Holidays of China and the common Western ones, with the lunar dates of 2026–2036 as a table.

The lunar dates follow the Chinese calendar standard GB/T 33661 (new moon by Beijing time).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.days import add_days
from moothall.negotiation.demand.extract.dates.period import Grain, Period, Refusal
from moothall.negotiation.demand.extract.folding import rule

if TYPE_CHECKING:
    from collections.abc import Callable

_NEW_YEAR = "0217 0206 0126 0213 0203 0123 0211 0131 0219 0208 0128"
_DRAGON_BOAT = "0619 0609 0528 0616 0605 0624 0612 0601 0620 0610 0530"
_DOUBLE_SEVENTH = "0819 0808 0826 0816 0805 0824 0812 0801 0820 0810 0828"
_MID_AUTUMN = "0925 0915 1003 0922 0912 1001 0919 0908 0927 0916 1004"
_DOUBLE_NINTH = "1018 1008 1026 1016 1005 1024 1012 1001 1020 1009 1027"
_FIRST_YEAR = 2026


@dataclass(frozen=True, slots=True)
class _Holiday:
    first: Callable[[int], date | None]
    days: int
    names_zh: str
    names_en: str


def _lunar(table: str, offset: int = 0) -> Callable[[int], date | None]:
    dates = {_FIRST_YEAR + n: (int(entry[:2]), int(entry[2:])) for n, entry in enumerate(table.split())}

    def first(year: int) -> date | None:
        return add_days(date(year, *dates[year]), offset) if year in dates else None

    return first


def _fixed(month: int, day: int) -> Callable[[int], date | None]:
    return lambda year: date(year, month, day)


def _fourth_thursday_of_november(year: int) -> date | None:
    first = date(year, 11, 1)
    return add_days(first, (3 - first.weekday()) % 7 + 21)


# An eve stands before its day: the first alternative that matches wins.
_HOLIDAYS = (
    _Holiday(_lunar(_NEW_YEAR, -1), 1, "除夕|年三十", r"(?:chinese|lunar) new year'?s eve"),
    _Holiday(_fixed(12, 31), 1, "跨年夜?", r"new year'?s eve"),
    _Holiday(_fixed(12, 24), 1, "平安夜", r"christmas eve"),
    _Holiday(_lunar(_NEW_YEAR), 7, "春节|农历新年|过年", r"(?:chinese|lunar) new year|spring festival"),
    _Holiday(_lunar(_NEW_YEAR, 14), 1, "元宵节?", r"lantern festival"),
    _Holiday(_lunar(_DRAGON_BOAT), 1, "端午节?", r"dragon boat festival"),
    _Holiday(_lunar(_DOUBLE_SEVENTH), 1, "七夕节?", r"qixi(?: festival)?"),
    _Holiday(_lunar(_MID_AUTUMN), 1, "中秋节?", r"mid[- ]autumn(?: festival)?|moon festival"),
    _Holiday(_lunar(_DOUBLE_NINTH), 1, "重阳节?", r"double ninth(?: festival)?"),
    _Holiday(_fixed(10, 1), 7, "国庆节?|十一(?:假期|黄金周|长假)", r"(?:chinese )?national day|golden week"),
    _Holiday(_fixed(1, 1), 1, "元旦|新年", r"new year(?:'?s)?(?: day)?"),
    _Holiday(_fixed(5, 1), 5, "五一(?:假期|长假|黄金周|劳动节|节)?(?![路街广大])|劳动节", r"labou?r day|may day"),
    _Holiday(_fixed(12, 25), 1, "圣诞节?", r"christmas(?: day)?|xmas"),
    _Holiday(_fixed(2, 14), 1, "情人节", r"valentine'?s(?: day)?"),
    _Holiday(_fixed(3, 8), 1, "妇女节|三八节", r"women's day"),
    _Holiday(_fixed(6, 1), 1, "儿童节|六一(?:儿童节)?(?![路街广大])", r"children's day"),
    _Holiday(_fixed(10, 31), 1, "万圣[节夜]", r"halloween"),
    _Holiday(_fourth_thursday_of_november, 1, "感恩节", r"thanksgiving(?: day)?"),
)
NAMES_ZH = "|".join(f"(?:{holiday.names_zh})" for holiday in _HOLIDAYS)
NAMES_EN = "|".join(f"(?:{holiday.names_en})" for holiday in _HOLIDAYS)
_PATTERNS = tuple((rule(f"{holiday.names_zh}|{holiday.names_en}"), holiday) for holiday in _HOLIDAYS)


def holiday(today: date, in_year: int | None, name: str) -> Period | Refusal:
    """Return the holiday of that name (a match of `NAMES_ZH` or `NAMES_EN`): of that year, or the next not over."""
    found = next(candidate for pattern, candidate in _PATTERNS if pattern.fullmatch(name))
    for year in (in_year,) if in_year is not None else range(today.year - 1, today.year + 3):
        first = found.first(year) if 1 <= year <= 9998 else None
        if first is None:
            continue
        end = add_days(first, found.days - 1)
        if end >= today:
            return Period(max(first, today), end, Grain.HOLIDAY, dated=in_year is not None)
        if in_year is not None:
            return "past_date"
    return "invalid_date"
