"""Single date expressions in English: days, months, quarters, seasons, holidays and years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.dates import period
from moothall.negotiation.demand.extract.dates.atoms import atom
from moothall.negotiation.demand.extract.dates.holidays import NAMES_EN, holiday
from moothall.negotiation.demand.extract.dates.period import Edge, Grain, Period, Refusal, Season

if TYPE_CHECKING:
    import re
    from datetime import date

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_NUMBER = (
    {name: n + 1 for n, name in enumerate(_MONTHS)} | {name[:3]: n + 1 for n, name in enumerate(_MONTHS)} | {"sept": 9}
)
_MONTH = rf"(?P<month>{'|'.join(sorted(_NUMBER, key=len, reverse=True))})\b\.?"
_PLAIN_MONTH = _MONTH.replace("|march", "").replace("|may", "").replace("|mar", "")
_YEAR = r"(?P<year>[12][0-9]{3})(?![0-9])"
_LEADS = (
    "in",
    "by",
    "before",
    "after",
    "during",
    "until",
    "till",
    "since",
    "from",
    "through",
    "this",
    "next",
    "around",
    "of",
    "to",
    "for",
)
_LED = "(?:" + "|".join(rf"(?<=\b{word}\s)" for word in _LEADS) + ")"
_DAY = r"[0-9]{1,2}(?:st|nd|rd|th)?(?![0-9a-z])"
_AND_LAST = rf"(?:\s?(?:-|to|through|until|and|&)\s?(?:the\s)?(?P<last>{_DAY}))?"
_EDGE = r"\b(?:(?P<edge>early|mid|late|later|(?:the\s)?(?:beginning|start|middle|end) of)(?:\s|-)(?:in\s)?)"
_EDGES: dict[str, Edge] = {
    "early": "early",
    "beginning": "early",
    "start": "early",
    "mid": "middle",
    "middle": "middle",
}
_SEASONS: dict[str, Season] = {
    "spring": "spring",
    "summer": "summer",
    "autumn": "autumn",
    "fall": "autumn",
    "winter": "winter",
}
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": 4}


def _year(match: re.Match[str]) -> int | None:
    found = match.groupdict().get("year")
    return int(found) if found else None


def _day_number(text: str) -> int:
    return int(text.rstrip("stndrh"))


def _month_and_day(match: re.Match[str], today: date) -> Period | Refusal:
    first = period.point(today, _year(match), _NUMBER[match["month"]], _day_number(match["day"]))
    last = match["last"]
    if last is None or not isinstance(first, Period):
        return first
    try:
        end = first.start.replace(day=_day_number(last))
    except ValueError:
        return "invalid_date"
    return Period(first.start, end, Grain.RANGE, dated=first.dated) if end >= first.start else "invalid_date"


def _edge(word: str) -> Edge:
    return _EDGES.get(word.removeprefix("the ").split()[0], "late")


def _month(match: re.Match[str], today: date) -> Period | Refusal:
    groups = match.groupdict()
    whole = period.month(today, _year(match), _NUMBER[match["month"]])
    return period.edge(today, whole, _edge(groups["edge"])) if groups.get("edge") else whole


def _nth(match: re.Match[str], today: date) -> Period | Refusal:
    whole = period.month(today, _year(match), _NUMBER[match["month"]])
    nth = -1 if match["nth"] == "last" else _ORDINALS[match["nth"]]
    if match["weekday"] == "weekend":
        return period.nth_weekend(whole, nth)
    return period.nth_weekday(whole, _WEEKDAYS.index(match["weekday"]) + 1, nth)


def _near(match: re.Match[str], today: date) -> Period | Refusal:
    """Read "this month", "end of next month", "the end of the year", "next quarter"."""
    ahead = 1 if match["which"] and match["which"].strip() == "next" else 0
    edge = match.groupdict().get("edge")
    if match["unit"] == "quarter":
        first = period.add_months(today, 3 * ahead - (today.month - 1) % 3)
        return period.months(today, first, 3, Grain.QUARTER, dated=True)
    if match["unit"] == "month":
        whole = period.months(today, period.add_months(today, ahead), 1, Grain.MONTH, dated=True)
        if edge and not match["which"]:
            return period.next_edge(today, _edge(edge))
        return period.edge(today, whole, _edge(edge)) if edge else whole
    if not edge or edge == "later":
        return period.year(today, today.year + ahead)
    number = {"early": 1, "middle": 6, "late": 12}[_edge(edge)]
    found = period.month(today, today.year + ahead if match["which"] else None, number)
    return (
        Period(found.start, found.end, Grain.EDGE, approximate=True, dated=found.dated)
        if isinstance(found, Period)
        else found
    )


def _slashed(match: re.Match[str], today: date) -> Period | Refusal:
    """Read 25/03/2027 or 03/25/2027; of 12/03/2027 nobody can tell the day from the month."""
    year, first, second = int(match[4]), int(match[1]), int(match[3])
    by_day = period.point(today, year, second, first)
    by_month = period.point(today, year, first, second)
    if by_month in (by_day, "invalid_date"):
        return by_day
    return by_month if by_day == "invalid_date" else "date_ambiguous"


def _the_nth(match: re.Match[str], today: date) -> Period | Refusal:
    return period.day_of_month(today, None, _day_number(match["day"]))


def _quarter(match: re.Match[str], today: date) -> Period | Refusal:
    word = match["quarter"]
    return period.quarter(today, _year(match), _ORDINALS.get(word) or int(word))


def _half(match: re.Match[str], today: date) -> Period | Refusal:
    word = match["half"]
    return period.half(today, _year(match), _ORDINALS.get(word) or int(word))


def _season(match: re.Match[str], today: date) -> Period | Refusal:
    in_year = (
        today.year + 1 if match.groupdict().get("which") == "next" and match["season"] != "winter" else _year(match)
    )
    return period.season(today, in_year, _SEASONS[match["season"]])


def _holiday(match: re.Match[str], today: date) -> Period | Refusal:
    return holiday(today, _year(match), match["holiday"])


DATES = (
    atom(rf"\b{_MONTH}\s?(?P<day>{_DAY}){_AND_LAST}(?:,?\s?{_YEAR})?", _month_and_day),
    atom(rf"(?<![0-9.])(?P<day>{_DAY}){_AND_LAST}\s(?:of\s)?{_MONTH}(?:,?\s{_YEAR})?", _month_and_day),
    atom(rf"{_EDGE}{_MONTH}(?:,?\s(?:of\s)?{_YEAR})?", _month),
    atom(rf"\b{_MONTH},?\s(?:of\s)?{_YEAR}", _month),
    atom(
        rf"\b(?P<nth>first|second|third|fourth|last|1st|2nd|3rd|4th)\s(?P<weekday>{'|'.join(_WEEKDAYS)}|weekend)\s(?:of|in)\s"
        rf"{_MONTH}(?:,?\s{_YEAR})?",
        _nth,
    ),
    atom(rf"\b{_PLAIN_MONTH}", _month),
    atom(rf"{_LED}(?P<month>march|may|mar)\b\.?(?!\s(?:be|have|not|need|want|also)\b)", _month),
    atom(rf"{_EDGE}(?P<which>(?:the|this|next)\s)?(?P<unit>month|year)\b", _near),
    atom(r"\b(?P<which>this|next)\s(?P<unit>month|year|quarter)\b", _near),
    atom(
        r"(?<=\bthe\s)(?P<day>[0-9]{1,2}(?:st|nd|rd|th))\b(?!\s(?:floor|anniversary|birthday|edition|annual|century"
        r"|grade|of))",
        _the_nth,
    ),
    atom(rf"\bq(?P<quarter>[1-4])\b(?:\s?(?:of\s)?{_YEAR})?", _quarter),
    atom(
        rf"\b(?P<quarter>first|second|third|fourth|last|[1-4](?:st|nd|rd|th))\squarter\b(?:\s(?:of\s)?{_YEAR})?",
        _quarter,
    ),
    atom(rf"\b{_YEAR}\s?q(?P<quarter>[1-4])\b", _quarter),
    atom(rf"\bh(?P<half>[12])\s(?:of\s)?{_YEAR}", _half),
    atom(rf"\b(?P<half>first|second)\shalf\sof\s{_YEAR}", _half),
    atom(r"\b(?P<which>this|next)\s(?P<season>spring|summer|autumn|fall|winter)\b", _season),
    atom(rf"\b(?P<season>spring|summer|autumn|fall|winter)\s(?:of\s)?{_YEAR}", _season),
    atom(
        r"(?:(?<=\bin\s)|(?<=\bduring\s)|(?<=\bby\s)|(?<=\bin the\s)|(?<=\bthe\s))(?P<season>spring|summer|autumn"
        r"|fall|winter)\b(?!\s(?:boot|camp|festival))",
        _season,
    ),
    atom(r"(?<![0-9/-])([0-9]{1,2})([/-])([0-9]{1,2})\2([0-9]{4})(?![0-9/-])", _slashed),
    atom(rf"\b(?P<holiday>{NAMES_EN})\b(?:\s(?:of\s)?{_YEAR})?", _holiday),
    atom(
        rf"(?:(?<=\bin\s)|(?<=\bduring\s)|(?<=\bby\s)|(?<=\bbefore\s)|(?<=\bthroughout\s)|(?<=\buntil\s)){_YEAR}",
        lambda m, today: period.year(today, int(m["year"])),
    ),
)
