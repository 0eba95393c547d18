"""Whether a text of Cedar is shallow enough to be read: its parser, which recurses, would end the whole process. Pure.

Measured with cedarpy's parser on a stack of 8 MB: 1,000 brackets in each other end the process, and so do 5,000
``if … then`` and 50,000 operators in a row. Brackets and operators within strings and comments are none.
"""

from __future__ import annotations

import re
from typing import Final

_DEEPEST: Final = 100
_LONGEST: Final = 2000
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")
_TOKEN: Final = re.compile(r'"(?:\\.|[^"\\])*"?|//[^\n]*|[()\[\]{};]|&&|\|\||[-+*.]|\bif\b', re.DOTALL)


def fault(text: str) -> str:
    """What is wrong with the nesting, and where; empty: nothing. Of what is no Cedar at all nothing is said."""
    depth = operators = 0
    for found in _TOKEN.finditer(text):
        piece = found[0]
        if piece in _OPENING:
            depth += 1
        elif piece in _CLOSING:
            depth -= 1
        elif piece == ";":
            operators = 0
        elif not piece.startswith(('"', "//")):
            operators += 1
        if depth > _DEEPEST or operators > _LONGEST:
            line = text.count("\n", 0, found.start()) + 1
            what = f"{_DEEPEST} brackets in each other" if depth > _DEEPEST else f"{_LONGEST} operators in one policy"
            return f"line {line}: more than {what}"
    return ""
