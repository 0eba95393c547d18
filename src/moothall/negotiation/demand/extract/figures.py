"""Figures of which a sentence does not say that they count or date something, so that any of them may be a sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from moothall.negotiation.demand.extract.folding import fold, rule
from moothall.negotiation.demand.extract.numerals import HUGE, NUMBER, read_number
from moothall.negotiation.demand.extract.plain_dates import hide_dates

LEAST = 10
"""Smaller figures count something, or tell nothing of a sum."""
_IDIOMS = frozenset("十 百 千 万 亿 千万".split())
"""Signs of numbers that stand alone in other words (十分, 千万不要)."""
_MODELS = 1000
"""Figures below it that are glued to a Latin word are part of a name (covid-19, h100)."""
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_UNITS = (
    r"[ \t]?(?:%|°|㎡|年|月|日|号|点|时|天|周|岁|后|届|期|层|楼|室|路(?!费)|米|平(?!均)|公里|公斤|度"
    r"|人(?!民币|均)|位|名|个|组|家|桌|张|把|套|台|件|份(?!额)|箱|瓶|杯|辆|间|本(?!金)|束|支(?![出付])|只(?![够能有])|条|盒|场(?!地)|节(?!省)|次"
    r"|小时|分钟|秒|页|字|道|首(?!付)|幅"
    r"|:[0-9]|(?:people|persons?|pax|square|sqm|m2|km|min|hrs?|h|am|pm|o'clock|st|nd|rd|th|years?|year-olds?)(?![a-z]))"
)
_THINGS = (  # named one by one: a word in -s may be a verb, or another currency
    r"[ \t-](?:guest|attendee|participant|member|visitor|friend|colleague|student|engineer|developer|designer|founder"
    r"|researcher|employee|volunteer|adult|player|speaker|host|interpreter|photographer|team|compan(?:y|ie)|start-?up|famil"
    r"(?:y|ie)|couple|seat|chair|table|room|photo|talk|session|lesson|question|day|week|month|year|hour|minute)s?\b"
    r"|[ \t-](?:person|people|men|women|kids|children)\b"
)
_COUNTED = rule(rf"{_UNITS}|{_THINGS}|[ \t]{_MONTH}(?![a-z])")
_DATED = rule(rf"(?:\b{_MONTH}[ \t]|\b{_MONTH}[ \t][0-9]{{1,2}}(?:st|nd|rd|th)?,?[ \t]|[0-9]:|分之|[月年初])$")
_NAMED = rule(r"(?:\b(?:room|hall|floor|building|gate|suite|no\.?|number|top)[ \t]?|#)$")
_GLUED = rule(r"[a-z]-?$")
_RANGE = rule(r"[ \t]?(?:到|至|-|~|to)[ \t]?")
_FIGURE = rule(rf"{HUGE}|{NUMBER}")
_WHOLLY_HUGE = rule(HUGE)


def open_figures(text: str, kept: Iterable[float] = ()) -> Iterator[tuple[int, int]]:
    """Where figures of :data:`LEAST` or more stand that are not said to count or date something, the last first.

    Args:
        text: what somebody said.
        kept: figures that may stand, such as the head count.
    """
    folded = hide_dates(fold(text))
    known = frozenset(Decimal(str(one)) for one in kept)
    counted_from: int | None = None
    for match in reversed(list(_FIGURE.finditer(folded))):
        in_range = counted_from is not None and _RANGE.fullmatch(folded, match.end(), counted_from)
        value = _value(match[0])
        counted = bool(in_range or _COUNTED.match(folded, match.end()) or _tells(folded, match.start(), value))
        counted_from = match.start() if counted else None
        if not counted and value is not None and value >= LEAST and value not in known:
            yield match.span()


def _value(figure: str) -> Decimal | None:
    """What a figure says; None where it says none."""
    if _WHOLLY_HUGE.fullmatch(figure):
        return Decimal("Infinity")
    return None if figure in _IDIOMS else read_number(figure)


def _tells(folded: str, start: int, value: Decimal | None) -> bool:
    """Whether the words before a figure say that it is a part of a date, a number of something, or of a name."""
    lead = folded[max(0, start - 16) : start]
    glued = value is not None and value < _MODELS and _GLUED.search(lead)
    return bool(_DATED.search(lead) or _NAMED.search(lead) or glued)
