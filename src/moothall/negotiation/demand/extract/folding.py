"""One spelling for matching, of the same length as the original, so that spans stay true.

Full-width letters, digits and signs become ASCII, letters become lower case, odd spaces become plain ones. The
full-width comma stays, because between digits it mostly separates phrases; it becomes a thousands separator only
before 000 or in an amount that begins with a currency sign.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.model import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

BLANK = "\x00"
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if chr(code) != "，"}
_TABLE = _WIDE | {0x3000: " ", 0x00A0: " ", 0x2009: " ", 0x202F: " ", 0xFFE5: "¥", 0x2019: "'", 0x0000: " "}
_TABLE |= dict.fromkeys((0x2010, 0x2011, 0x2013, 0x2014, 0x2212, 0x301C), "-")
_THOUSANDS = re.compile(
    r"(?<=[0-9])，(?=000(?![0-9]))|(?:(?<=[¥$€£][0-9])|(?<=[¥$€£][0-9]{2})|(?<=[¥$€£][0-9]{3}))，(?=[0-9]{3}(?![0-9]))"
)


def fold(text: str) -> str:
    """Return `text` in matching form, with exactly as many characters."""
    folded = "".join(low if len(low := char.lower()) == 1 else char for char in text.translate(_TABLE))
    return _THOUSANDS.sub(",", folded)


def rule(pattern: str) -> re.Pattern[str]:
    """Compile a grammar rule with ASCII classes, so that a word boundary lies between a Chinese and a Latin letter."""
    return re.compile(pattern, re.ASCII)


def hide(folded: str, ranges: Iterable[tuple[int, int]]) -> str:
    """Hide what a rule has consumed; no rule matches across it."""
    chars = list(folded)
    for start, end in ranges:
        chars[start:end] = BLANK * (end - start)
    return "".join(chars)


def mask(length: int, ranges: Iterable[tuple[int, int]]) -> bytearray:
    """Mark which characters of a sentence lie in any of the ranges."""
    marked = bytearray(length)
    for start, end in ranges:
        marked[start:end] = b"\x01" * (end - start)
    return marked


def span(text: str, start: int, end: int) -> Span:
    """Cut the span of the original sentence, without the white space around it."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end, text[start:end])
