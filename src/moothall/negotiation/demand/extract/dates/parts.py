"""The part of the day a demand names, in words or by the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.folding import BLANK, rule
from moothall.negotiation.demand.extract.numerals import read_int

if TYPE_CHECKING:
    import re

    from moothall.negotiation.demand.extract.model import Part

_WORDS: tuple[tuple[Part, re.Pattern[str]], ...] = (
    ("morning", rule(r"早上|上午|清晨|早晨|凌晨|[今明]早|\bmornings?\b")),
    ("afternoon", rule(r"下午|午后|中午|\bafternoons?\b|\bnoon\b|\blunch ?time\b")),
    (
        "evening",
        rule(
            r"晚上|傍晚|夜里|夜晚|深夜|[今明当每]晚|(?<=[日号一二三四五六天])晚(?![会宴餐饭])|\bevenings?\b"
            r"|\btonight\b|\bat night\b"
        ),
    ),
)
_HOUR = r"(?:[01]?[0-9]|2[0-4])"
_CLOCK = rule(
    rf"(?<![0-9.:])(?P<zh>{_HOUR}|[一二三四五六七八九两]|十[一二]?)点(?:钟|半|[0-9]{{1,2}}分?)?(?![要建意想评0-9])"
    rf"|(?<![0-9.:])(?P<en>{_HOUR})(?::[0-5][0-9])?\s?(?P<half>[ap])\.?m\b\.?"
    rf"|(?<![0-9.:])(?P<day>{_HOUR}):[0-5][0-9](?![0-9:])"
)


def find_part(folded: str) -> tuple[Part | None, str]:
    """Return the part of the day and the sentence without its clock times; a word counts before a clock time."""
    hours = [hour for match in _CLOCK.finditer(folded) if (hour := _hour(match)) is not None]
    rest = _CLOCK.sub(lambda match: BLANK * len(match[0]), folded)
    named = [(match.start(), part) for part, words in _WORDS if (match := words.search(folded))]
    if named:
        return min(named)[1], rest
    return (_part(hours[0]) if hours else None), rest


def _hour(match: re.Match[str]) -> int | None:
    if match["en"]:
        hour = int(match["en"]) % 12 + (12 if match["half"] == "p" else 0)
        return hour if int(match["en"]) <= 12 else None
    if match["zh"]:
        return read_int(match["zh"])
    return int(match["day"])


def _part(hour: int) -> Part:
    if hour < 12:
        return "morning"
    return "afternoon" if hour < 18 else "evening"
