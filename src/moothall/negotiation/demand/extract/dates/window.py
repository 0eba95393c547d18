"""From single date expressions to the window of a demand: ranges, before and after, around, recurrences."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import date

from moothall.directory.days import add_days
from moothall.negotiation.demand.extract.dates import chinese, chinese_spans, english, english_spans
from moothall.negotiation.demand.extract.dates.atoms import find_atoms
from moothall.negotiation.demand.extract.dates.parts import find_part
from moothall.negotiation.demand.extract.dates.period import Grain, Hit, Period, Refusal
from moothall.negotiation.demand.extract.folding import hide, rule, span
from moothall.negotiation.demand.extract.model import DateWindow

_ATOMS = chinese.DATES + chinese_spans.SPANS + english.DATES + english_spans.SPANS
_TO = rule(r"\s?(?:到|至|-|~|to|until|till|through|and)\s?(?:the )?")
_OR = rule(r"\s?(?:和|与|或者?|或是|还是|、|及|以及|跟|/|\bor\b|\band\b|&)\s?(?:on\s)?(?:the\s)?(?:在|于)?")
_BETWEEN = rule(r"\bbetween\s(?:the\s)?$")
_LED_BY = rule(
    r"(?P<before>(?:不晚于|不迟于|最迟|最晚|赶在|截止到?|截至)(?:在|于)?\s?)$|(?P<exclusive>\b(?:before|prior to"
    r"|ahead of) (?:the )?)$"
    r"|(?P<by>\b(?:by|until|till|no later than|due|due on|on or before|not after) (?:the )?)$|(?P<after>\b(?:after"
    r"|later than) (?:the )?)$"
    r"|(?P<since>(?:从|自)\s?|\b(?:since|from|starting|starting on|starting from|as of|beginning|not before"
    r"|no earlier than) (?:the )?)$"
    r"|(?P<around>(?:大约|大概)(?:在)?\s?|\b(?:around|about|circa|approximately|roughly) (?:the )?)$"
)
_FOLLOWED_BY = rule(
    r"\s?(?P<around>前后|左右|那几天|那阵子?)|\s?(?:的)?(?P<before>之前|以前|前(?![后往台端沿卫])|截止|为止)"
    r"|\s?(?P<since>起|开始|\s?onwards?\b|\s?or later\b)"
    r"|\s?(?P<after>之后|以后|后(?![勤期]))|\s?(?:期间|当天|假期)"
)
_YESTERDAY = rule(
    r"昨[天日晚]|(?<![提目之天日周])前天|\b(?:the day before )?yesterday\b"
    r"|\b(?:[0-9]{1,3}|one|two|three|a few) days? ago\b"
)
_AROUND_DAYS = {Grain.DAY: 3, Grain.RANGE: 3, Grain.HOLIDAY: 3, Grain.EDGE: 5}
_VAGUE = (Grain.YEAR, Grain.SEASON)
_HORIZON_YEARS = 10
"""Years ahead beyond which a date is taken for a slip of the pen."""


@dataclass(frozen=True, slots=True)
class _Placed:
    start: int
    end: int
    period: Period


@dataclass(frozen=True, slots=True)
class _Window:
    start: int
    end: int
    first: date | None
    last: date | None
    grain: Grain
    approximate: bool
    recurring: str | None


@dataclass(frozen=True, slots=True)
class DatesFound:
    """The window, the codes of refused dates, and the sentence in which all date expressions are hidden."""

    window: DateWindow | None
    refused: tuple[Refusal, ...]
    rest: str


def find_window(text: str, folded: str, today: date) -> DatesFound:
    """Read the date window of a sentence: the first one, a year or season only when nothing finer is there.

    A window beyond the next ten years is refused as an invalid date, yesterday as a past one when no other is named.
    """
    hits = find_atoms(_ATOMS, folded, today)
    windows = [_modify(folded, hit, today) for hit in _join(folded, hits)]
    near = [window for window in windows if not _beyond(window, _in_year(today, today.year + _HORIZON_YEARS))]
    refusals: list[Refusal] = [hit.value for hit in hits if not isinstance(hit.value, Period)]
    if len(near) < len(windows):
        refusals.append("invalid_date")
    refused = tuple(dict.fromkeys(refusals))
    part, rest = find_part(folded)
    rest = hide(rest, itertools.chain(((hit.start, hit.end) for hit in hits), ((w.start, w.end) for w in windows)))
    chosen = _choose(near)
    if chosen is None:
        gone = _YESTERDAY.search(rest)
        if gone is None:
            return DatesFound(None, refused, rest)
        return DatesFound(None, refused or ("past_date",), hide(rest, [gone.span()]))
    window = DateWindow(
        chosen.first,
        None if chosen.recurring and chosen.last == date.max else chosen.last,
        span(text, chosen.start, chosen.end),
        chosen.approximate,
        chosen.recurring,
        part,
        tuple(span(text, each.start, each.end) for each in _others(folded, near, chosen)),
    )
    return DatesFound(window, refused, rest)


def _join(folded: str, hits: list[Hit]) -> list[_Placed]:
    """Make one period of two that a word of range connects; what was refused is left out."""
    joined: list[_Placed] = []
    for hit in hits:
        if not isinstance(hit.value, Period):
            continue
        previous = joined[-1] if joined else None
        if (
            previous is not None
            and _TO.fullmatch(folded, previous.end, hit.start)
            and not _apart(folded, previous, hit)
        ):
            value = _range(previous.period, hit.value)
            if value is not None:
                joined[-1] = _Placed(previous.start, hit.end, value)
                continue
        joined.append(_Placed(hit.start, hit.end, hit.value))
    return joined


def _apart(folded: str, previous: _Placed, hit: Hit) -> bool:
    """Whether "and" lists two days with others between them, rather than ending a range ("between X and Y")."""
    days = isinstance(hit.value, Period) and previous.period.grain is hit.value.grain is Grain.DAY
    if not days or "and" not in folded[previous.end : hit.start] or not isinstance(hit.value, Period):
        return False
    listed = _BETWEEN.search(folded, max(0, previous.start - 14), previous.start) is None
    return listed and (hit.value.start - previous.period.end).days > 1


def _others(folded: str, windows: list[_Window], chosen: _Window) -> list[_Window]:
    """Return the further dates that stand in one list with the chosen one; two names of one day are one date."""
    listed: list[_Window] = []
    for before, after in itertools.pairwise(windows):
        joined = _OR.fullmatch(folded, before.end, after.start)
        if joined and not before.recurring and (before is chosen or before in listed):
            listed.append(after)
    return [each for each in listed if (each.first, each.last) != (chosen.first, chosen.last)]


def _range(a: Period, b: Period) -> Period | None:
    """Span two periods; a second one that lies before the first is moved to the next week or year."""
    if a.recurring or b.recurring:
        return None
    start, end = a.start, b.end
    if b.dated and not a.dated:
        start = _in_year(start, end.year if (start.month, start.day) <= (end.month, end.day) else end.year - 1)
    if end < start:
        end = add_days(end, 7) if (start - end).days < 7 else _in_year(end, start.year)
    if end < start:
        end = _in_year(end, start.year + 1)
    return Period(start, end, Grain.RANGE, a.approximate or b.approximate, dated=True)


def _in_year(day: date, year: int) -> date:
    year = min(max(year, 1), 9999)
    return date(year, 2, 28) if (day.month, day.day) == (2, 29) else day.replace(year=year)


def _modify(folded: str, hit: _Placed, today: date) -> _Window:
    """Apply the words before or after an expression that open one of its sides or widen it."""
    period = hit.period
    lead = _LED_BY.search(folded, max(0, hit.start - 20), hit.start)
    tail = _FOLLOWED_BY.match(folded, hit.end)
    start, end = lead.start() if lead else hit.start, tail.end() if tail else hit.end
    whole = _Window(start, end, period.start, period.end, period.grain, period.approximate, period.recurring)
    if period.recurring:
        return whole
    kind = (tail.lastgroup if tail else None) or (lead.lastgroup if lead else None)
    if kind in ("before", "by", "exclusive"):
        return replace(whole, first=None, last=_deadline(period, kind, today))
    if kind == "since" and period.grain is not Grain.RANGE:
        return replace(whole, last=None)
    if kind == "after":
        inclusive = tail is not None and period.grain is Grain.DAY
        return replace(whole, first=period.start if inclusive else add_days(period.end, 1), last=None)
    if kind == "around":
        days = _AROUND_DAYS.get(period.grain, 7)
        first = max(add_days(period.start, -days), today)
        return replace(whole, first=first, last=add_days(period.end, days), approximate=True)
    return whole


def _deadline(period: Period, kind: str, today: date) -> date:
    """Return the last day allowed: a Chinese deadline and "by" include the day named, "before" and periods do not."""
    inclusive = kind == "by" or period.grain is Grain.EDGE or (kind == "before" and period.grain is Grain.DAY)
    last = period.end if inclusive else add_days(period.start, -1)
    return last if last >= today else period.end


def _beyond(window: _Window, horizon: date) -> bool:
    """Whether a side that was named lies beyond the horizon; the end of a recurrence never was."""
    last = None if window.recurring else window.last
    return any(day is not None and day > horizon for day in (window.first, last))


def _choose(windows: list[_Window]) -> _Window | None:
    if not windows:
        return None
    rhythms = [window for window in windows if window.recurring]
    recurring = max(rhythms, key=lambda window: ":" in (window.recurring or ""), default=None)
    plain = [window for window in windows if not window.recurring]
    fine = next((window for window in plain if window.grain not in _VAGUE), plain[0] if plain else None)
    if recurring is None or fine is None:
        return recurring or fine
    first = max(day for day in (recurring.first, fine.first) if day is not None)
    if fine.last is not None and fine.last < first:
        return recurring
    return replace(recurring, first=first, last=fine.last, approximate=fine.approximate)
