"""How many days a thing lasts: 玩5天, 为期三天, 两天一夜, 3-day, for two weeks."""

from __future__ import annotations

from moothall.negotiation.demand.extract.folding import hide, rule
from moothall.negotiation.demand.extract.numerals import CHINESE, DIGITS, ENGLISH, read_int

_DAYS = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "day": 1, "night": 1, "week": 7}
_LENGTH = rule(
    rf"(?<![第每后])(?P<zh>{DIGITS}|{CHINESE})\s?个?"
    r"(?P<zu>天|日游|(?:周|星期|礼拜)(?![一二三四五六日末年]))(?![前后内])(?:[0-9一二三四五六]夜)?"
    rf"|(?P<en>{DIGITS}|{ENGLISH}|(?<=for )a)(?:\s|-)(?:full[\s-])?(?P<eu>day|week)s?\b(?! (?:ago|later|from|before"
    rf"|after|per))"
)
_LONGEST = 366


def find_duration(folded: str) -> tuple[int | None, str]:
    """Return the first length in days and the sentence without it."""
    for match in _LENGTH.finditer(folded):
        count = 1 if match["en"] == "a" else read_int(match["zh"] or match["en"])
        days = (count or 0) * _DAYS[(match["zu"] or match["eu"]).replace("日游", "日")]
        if 1 <= days <= _LONGEST:
            return days, hide(folded, [match.span()])
    return None, folded
