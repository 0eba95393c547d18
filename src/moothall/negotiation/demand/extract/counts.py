"""How many of a capability are asked for: 3位嘉宾, 摄影师两名, 2 interpreters, 同声传译2人."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.folding import rule
from moothall.negotiation.demand.extract.numerals import CHINESE, DIGITS, ENGLISH, NUMBER, read_int

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from moothall.directory.concepts import Mention

_CLASSIFIER = r"[个位名台辆间套支组份桌张块条顶部顿款件]"
_BETWEEN_ZH = r"(?!座|工位|平|小时|月|词|字)[^\x00,，。;；、!?0-9一二三四五六七八九十和与及或人]{0,8}"
_BETWEEN_EN = (
    r"(?:(?!(?:days?|hours?|minutes?|weeks?|months?|years?|people|guests?|persons?|and|or|for|of|with|to|sqm|km"
    r"|square|am|pm)\b)"
    r"[a-z][a-z-]{0,18}\s){0,2}"
)
_BEFORE = rule(
    rf"(?:(?P<zh>{DIGITS}|{CHINESE})\s?{_CLASSIFIER}{_BETWEEN_ZH}|(?<![a-z0-9-])(?P<en>{DIGITS}"
    rf"|{ENGLISH})(?:\sx)?\s{_BETWEEN_EN}"
    rf"|(?P<x>{DIGITS})\s?[x×*]\s?)$"
)
_AFTER = rule(
    rf"\s?(?:[x×*]\s?(?P<x>{DIGITS})(?![0-9a-z])|[:(]?\s?(?P<zh>{NUMBER})\s?(?:[位名台辆间套支组份桌张块条顶部]"
    rf"|个(?!月|小时|半)|人(?![均民工])))"
)
_REACH = 28
_MOST = 99


def counts(rest: str, mentions: Sequence[Mention]) -> list[int | None]:
    """Return the number written with each mention. One before a mention is its own, even after another mention."""
    found: list[int | None] = []
    used: set[int] = set()
    floor = 0
    for mention in mentions:
        match = _BEFORE.search(rest, max(floor, mention.start - _REACH), mention.start)
        value = _value(match)
        if match and value is not None:
            used.add(match.start("zh") if match["zh"] else match.start("en") if match["en"] else match.start("x"))
        found.append(value)
        floor = mention.end
    for index, mention in enumerate(mentions):
        if found[index] is None and (match := _AFTER.match(rest, mention.end)):
            number = match.start("zh") if match["zh"] else match.start("x")
            found[index] = None if number in used else _value(match)
    return found


def _value(match: re.Match[str] | None) -> int | None:
    if match is None:
        return None
    groups = match.groupdict()
    value = read_int(groups.get("zh") or groups.get("en") or groups.get("x") or "")
    return value if value is not None and 1 <= value <= _MOST else None
