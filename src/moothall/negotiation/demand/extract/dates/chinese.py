"""Single date expressions in Chinese: days, months, quarters, seasons, holidays and years."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.days import add_days
from moothall.negotiation.demand.extract.dates import period
from moothall.negotiation.demand.extract.dates.atoms import atom
from moothall.negotiation.demand.extract.dates.holidays import NAMES_ZH, holiday
from moothall.negotiation.demand.extract.dates.period import Edge, Grain, Period, Refusal, Season
from moothall.negotiation.demand.extract.numerals import read_int

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

_YEAR = (
    r"(?:(?:(?P<year>(?<![0-9])(?:[0-9]{4}|[0-9]{2})|(?<![零〇一二三四五六七八九])[零〇一二三四五六七八九]{4})\s?年"
    r"|(?P<near>今年|明年|后年|来年))的?\s?)"
)
_MONTH = r"(?:(?<![0-9.])(?P<month>[0-9]{1,2}|十[一二]?|[一二三四五六七八九])\s?月份?)"
_NEAR_MONTH = r"(?P<moon>本月|这个?月|当月|下下个?月|下个?月)份?"
_DAY = r"[0-9]{1,2}|[二三]?十[一二三四五六七八九]?|廿[一二三四五六七八九]?|[一二三四五六七八九]"
_THROUGH = r"\s?(?:到|至|-|~)\s?"
_EDGE = r"(?P<edge>上旬|中旬|下旬|初|中(?![国午秋小学文间心等型])|底|末)"
_EDGES: dict[str, Edge] = {
    "上旬": "early",
    "初": "early",
    "中旬": "middle",
    "中": "middle",
    "下旬": "late",
    "底": "late",
    "末": "late",
}
_SEASONS: dict[str, Season] = {"春": "spring", "夏": "summer", "秋": "autumn", "冬": "winter"}
_RELATIVE_DAYS = {"今": 0, "明": 1, "后天": 2, "大后天": 3}
_YEARS_AHEAD = {"今年": 0, "明年": 1, "来年": 1, "后年": 2}


def _year(match: re.Match[str], today: date) -> int | None:
    groups = match.groupdict()
    if groups.get("near"):
        return today.year + _YEARS_AHEAD[groups["near"]]
    number = read_int(groups["year"]) if groups.get("year") else None
    return number + 2000 if number is not None and number < 100 else number


def _day_number(text: str) -> int:
    return read_int(text.replace("廿", "二十")) or 0


def _through(first: Period | Refusal, last: str | None) -> Period | Refusal:
    """Extend a day to a later day of the same month."""
    if last is None or not isinstance(first, Period):
        return first
    try:
        end = first.start.replace(day=_day_number(last))
    except ValueError:
        return "invalid_date"
    return Period(first.start, end, Grain.RANGE, dated=first.dated) if end >= first.start else "invalid_date"


def _month_and_day(match: re.Match[str], today: date) -> Period | Refusal:
    first = period.point(today, _year(match, today), read_int(match["month"]) or 0, _day_number(match["day"]))
    return _through(first, match["last"])


def _numeric(match: re.Match[str], today: date) -> Period | Refusal:
    return period.point(today, int(match[1]), int(match[2]), int(match[3]))


def _near_month(word: str, today: date) -> date:
    return period.add_months(today, word.count("下"))


def _day_only(match: re.Match[str], today: date) -> Period | Refusal:
    base = _near_month(match["moon"], today) if match["moon"] else None
    return _through(period.day_of_month(today, base, _day_number(match["day"])), match["last"])


def _month(match: re.Match[str], today: date) -> Period | Refusal:
    groups = match.groupdict()
    if groups.get("moon"):
        whole = period.months(today, _near_month(groups["moon"], today), 1, Grain.MONTH, dated=True)
    elif groups.get("month"):
        whole = period.month(today, _year(match, today), read_int(groups["month"]) or 0)
    else:
        whole = period.months(today, today.replace(day=1), 1, Grain.MONTH, dated=False)
    if not groups.get("edge"):
        return whole
    if not groups.get("moon") and not groups.get("month"):
        return period.next_edge(today, _EDGES[groups["edge"]])
    return period.edge(today, whole, _EDGES[groups["edge"]], exact=groups["edge"].endswith("旬"))


def _nth(match: re.Match[str], today: date) -> Period | Refusal:
    whole, nth = _month(match, today), read_int(match["nth"]) or 1
    if match["weekday"] == "末":
        return period.nth_weekend(whole, nth)
    return period.nth_weekday(whole, "一二三四五六日".find(match["weekday"].replace("天", "日")) + 1, nth)


def _relative_day(match: re.Match[str], today: date) -> Period:
    ahead = _RELATIVE_DAYS.get(match[0], _RELATIVE_DAYS.get(match[0][0], 0))
    return period.one_day(add_days(today, ahead))


def _part_of_year(match: re.Match[str], today: date) -> Period | Refusal:
    in_year = _year(match, today)
    word = match["part"]
    if word in ("上半年", "下半年"):
        return period.half(today, in_year, 1 if word == "上半年" else 2)
    number = {"初": 1, "中": 6}.get(word[-1], 12)
    found = period.month(today, in_year, number)
    return (
        Period(found.start, found.end, Grain.EDGE, approximate=True, dated=found.dated)
        if isinstance(found, Period)
        else found
    )


def _whole_year(match: re.Match[str], today: date) -> Period | Refusal:
    number = _year(match, today)
    return period.year(today, number) if number is not None else "invalid_date"


def _quarter(match: re.Match[str], today: date) -> Period | Refusal:
    return period.quarter(today, _year(match, today), read_int(match["quarter"]) or 1)


def _near_quarter(match: re.Match[str], today: date) -> Period | Refusal:
    first = period.add_months(today, 3 * match[0].count("下") - (today.month - 1) % 3)
    return period.months(today, first, 3, Grain.QUARTER, dated=True)


def _season(match: re.Match[str], today: date) -> Period | Refusal:
    return period.season(today, _year(match, today), _SEASONS[match["season"]])


def _school_holiday(first: int, count: int) -> Callable[[re.Match[str], date], Period | Refusal]:
    def meaning(match: re.Match[str], today: date) -> Period | Refusal:
        in_year = _year(match, today)
        start = period.first_of(in_year or today.year, first)
        return period.months(today, start, count, Grain.SEASON, dated=in_year is not None)

    return meaning


def _holiday(match: re.Match[str], today: date) -> Period | Refusal:
    return holiday(today, _year(match, today), match["holiday"])


DATES = (
    atom(
        rf"{_YEAR}?{_MONTH}\s?(?P<day>{_DAY})(?:\s?[日号]?{_THROUGH}(?P<last>{_DAY}))?(?:\s?[日号]"
        rf"|(?![0-9月个人位名年元块千万点一二三四五六七八九十]))",
        _month_and_day,
    ),
    atom(r"(?<![0-9])([0-9]{4})(?:-|/|\.)([0-9]{1,2})(?:-|/|\.)([0-9]{1,2})(?![0-9])", _numeric),
    atom(
        rf"(?:{_NEAR_MONTH}的?|(?<![0-9月第年.]))(?P<day>{_DAY})(?:[日号]?{_THROUGH}(?P<last>{_DAY}))?[日号]"
        rf"(?![线楼馆厅会门院店机房车坑机])",
        _day_only,
    ),
    atom(rf"{_YEAR}?{_MONTH}{_EDGE}?", _month),
    atom(
        rf"(?:{_YEAR}?{_MONTH}|{_NEAR_MONTH})的?第(?P<nth>[一二三四五])个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天末])",
        _nth,
    ),
    atom(rf"{_NEAR_MONTH}的?(?:月?{_EDGE})?", _month),
    atom(r"(?<![年月个0-9一二三四五六七八九十])月(?P<edge>初|中(?![国午秋])|底|末)", _month),
    atom(r"大后天|后天|今[天日晚早夜]|明[天日晚早]", _relative_day),
    atom(rf"{_YEAR}?(?P<part>年[初中底末终]|[上下]半年)", _part_of_year),
    atom(rf"{_YEAR}(?P<part>[初底末])", _part_of_year),
    atom(_YEAR, _whole_year),
    atom(rf"{_YEAR}?第?(?P<quarter>[1-4一二三四])季度", _quarter),
    atom(rf"{_YEAR}?q(?P<quarter>[1-4])(?![0-9a-z])", _quarter),
    atom(r"(?:本|这个?|下个?)季度", _near_quarter),
    atom(rf"{_YEAR}?(?P<season>[春夏秋冬])[季天](?!装)", _season),
    atom(rf"{_YEAR}(?P<season>[春夏秋冬])(?!节)", _season),
    atom(rf"{_YEAR}?(?:暑假|暑期)", _school_holiday(7, 2)),
    atom(rf"{_YEAR}?寒假", _school_holiday(1, 2)),
    atom(rf"{_YEAR}?(?P<holiday>{NAMES_ZH})", _holiday),
)
