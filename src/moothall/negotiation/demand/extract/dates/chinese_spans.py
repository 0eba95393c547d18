"""Weeks, counted spans and recurrences in Chinese: 下周六, 周末, 两周内, 三天后, 每周三."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from moothall.directory.days import add_days
from moothall.negotiation.demand.extract.dates import period
from moothall.negotiation.demand.extract.dates.atoms import atom
from moothall.negotiation.demand.extract.dates.period import Grain, Period
from moothall.negotiation.demand.extract.numerals import CHINESE, DIGITS, read_number

if TYPE_CHECKING:
    import re
    from datetime import date

_WEEK = r"(?:周|星期|礼拜)"
_AHEAD = r"(?P<ahead>这个?|本|下{1,4}个?)"
_COUNT = rf"(?P<count>{DIGITS}|{CHINESE}|半|几)"
_UNIT = r"(?P<unit>个?小时|天|日|周|个?星期|个?礼拜|个?半?月|年)"
_DAYS = {"天": 1.0, "日": 1.0, "周": 7.0, "星期": 7.0, "礼拜": 7.0, "月": 30.0, "年": 365.0, "小时": 1 / 24}
_WEEKDAYS = {char: number + 1 for number, char in enumerate("一二三四五六日")} | {"天": 7}


def _ahead(match: re.Match[str]) -> int | None:
    word = match.groupdict().get("ahead")
    return word.count("下") if word else None


def _weekday(match: re.Match[str], today: date) -> Period:
    first = period.weekday(today, _WEEKDAYS[match["day"]], _ahead(match))
    if not match["last"]:
        return first
    length = (_WEEKDAYS[match["last"]] - _WEEKDAYS[match["day"]]) % 7
    return Period(first.start, add_days(first.start, length), Grain.RANGE)


def _weekend(match: re.Match[str], today: date) -> Period:
    return period.weekend(today, _ahead(match) or 0)


def _week(match: re.Match[str], today: date) -> Period:
    return period.week(today, _ahead(match) or 0)


def _length(match: re.Match[str]) -> int:
    """Return the counted span in whole days; 几 counts as three and 半 as a half."""
    count = {"半": 0.5, "几": 3.0}.get(match["count"])
    if count is None:
        count = float(read_number(match["count"]) or 0)
    unit = match["unit"].replace("个", "")
    count += 0.5 if "半" in unit else 0
    return math.ceil(min(count * _DAYS[unit.replace("半", "")], 36500))


def _within(match: re.Match[str], today: date) -> Period:
    return period.within(today, _length(match))


def _from_now(match: re.Match[str], today: date) -> Period:
    exact = match["unit"] in ("天", "日") and match["count"] != "几"
    return period.one_day(add_days(today, _length(match)), approximate=not exact)


def _every_weekday(match: re.Match[str], today: date) -> Period:
    return period.every_week(today, [_WEEKDAYS[char] for char in match["days"] if char in _WEEKDAYS])


def _every_weekend(_match: re.Match[str], today: date) -> Period:
    return period.every_week(today, [6, 7])


def _every_day_of_month(match: re.Match[str], today: date) -> Period:
    number = int(read_number(match["day"]) or 1)
    first = period.day_of_month(today, None, number)
    return period.every(first.start if isinstance(first, Period) else today, f"monthly:{number}")


SPANS = (
    atom(
        rf"{_AHEAD}{_WEEK}(?P<day>[一二三四五六日天])(?:\s?(?:到|至|-|~)\s?{_WEEK}?(?P<last>[一二三四五六日天]))?",
        _weekday,
    ),
    atom(
        rf"(?<![每一二两三四0-9]){_WEEK}(?P<day>[一二三四五六日天])(?!次)(?:\s?(?:到|至|-"
        rf"|~)\s?{_WEEK}?(?P<last>[一二三四五六日天]))?",
        _weekday,
    ),
    atom(rf"{_AHEAD}?(?<!每)(?<!每个)(?:{_WEEK}|周)末", _weekend),
    atom(rf"{_AHEAD}{_WEEK}(?:内|之内)?", _week),
    atom(rf"(?:未来|接下来|今后|往后|最近)的?{_COUNT}{_UNIT}(?:之内|以内|内|里)?", _within),
    atom(rf"{_COUNT}{_UNIT}(?:之内|以内|内(?!容))", _within),
    atom(rf"{_COUNT}{_UNIT}(?:之后|以后|后(?!期))", _from_now),
    atom(
        rf"每个?{_WEEK}(?P<days>[一二三四五六日天](?:[、和及,，]?{_WEEK}?[一二三四五六日天]){{0,6}})(?!次)",
        _every_weekday,
    ),
    atom(rf"每个?(?:{_WEEK}|周)末", _every_weekend),
    atom(
        rf"每个?{_WEEK}(?![一二三四五六日天末])|[每一]个?{_WEEK}[一二两三四0-9]次",
        lambda _match, today: period.every(today, "weekly"),
    ),
    atom(r"(?<![个0-9一二三四五六七八九十])工作日", lambda _match, today: period.every_week(today, [1, 2, 3, 4, 5])),
    atom(r"每[天日](?![0-9])|每晚", lambda _match, today: period.every(today, "daily")),
    atom(r"每个?月(?P<day>[0-9]{1,2}|[二三]?十?[一二三四五六七八九]|[二三]?十)[日号]", _every_day_of_month),
    atom(r"每个?月", lambda _match, today: period.every(today, "monthly")),
)
