"""The regular expressions of JSON Schema (ECMA-262) as a tree. Pure.

Look-around and back-references are refused: no engine matches them in linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from moothall.codegen.schemas.refusing import refused

LONGEST: Final = 500
"""Characters of a pattern."""

HEAVIEST: Final = 10_000
"""The weight of a pattern: its positions with counted repetitions written out, those beyond ASCII counting more."""

_BEYOND_ASCII: Final = 4
_PROPERTY_WEIGHT: Final = 100
"""What a position weighs whose characters take several bytes: the engine has states for each of them."""

_DEEPEST: Final = 32
_COUNT: Final = re.compile(r"\{(\d{1,5})(,?)(\d{0,5})\}")
_PROPERTY: Final = re.compile(r"\{[A-Za-z_=]{1,40}\}")
_GROUP: Final = re.compile(r"\?(?::|<[A-Za-z_][A-Za-z_0-9]{0,30}>|P<[A-Za-z_][A-Za-z_0-9]{0,30}>)")
_HEX: Final = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}")

Ranges = tuple[tuple[int, int], ...]

_DIGIT: Final[Ranges] = ((48, 57),)
_WORD: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Final[Ranges] = (
    (9, 13), (32, 32), (160, 160), (5760, 5760), (8192, 8202), (8232, 8233), (8239, 8239), (8287, 8287),
    (12288, 12288), (65279, 65279),
)  # fmt: skip
_LINE_ENDS: Final[Ranges] = ((10, 10), (13, 13), (8232, 8233))
_ASCII: Final = 0x7F
_LAST: Final = 0x10FFFF
_SETS: Final = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS: Final = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
_ANCHORS: Final = {"b": r"(?-u:\b)", "B": r"(?:\B)", "A": r"\A", "Z": r"\z", "z": r"\z"}


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of these code points."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Property:
    r"""One character of a Unicode property, as it is written: ``\p{L}``."""

    text: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place between characters, as the engine writes it."""

    text: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """As often as this; ``most`` None: without end."""

    what: Tree
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these."""

    options: tuple[Tree, ...]


Tree = Chars | Property | Anchor | Repeat | Sequence | Choice


def parsed(pattern: str) -> Tree:
    """The tree of a pattern.

    Raises:
        InvalidInput: it cannot be read, is too long, or its repetitions are too many.
    """
    if len(pattern) > LONGEST:
        raise refused("pattern")
    tree = _Reader(pattern).whole()
    if weight(tree) > HEAVIEST:
        raise refused("pattern")
    return tree


def weight(tree: Tree) -> int:
    """How heavy a pattern is for whoever compiles and matches it."""
    match tree:
        case Repeat(what, least, most):
            return max(1, weight(what)) * max(least, most or least + 1)
        case Sequence(parts) | Choice(parts):
            return sum(map(weight, parts))
        case Chars(ranges):
            return _BEYOND_ASCII if any(high > _ASCII for _low, high in ranges) else 1
        case Property():
            return _PROPERTY_WEIGHT
        case Anchor():
            return 1


def _others(ranges: Ranges) -> Ranges:
    """The complement of some ranges, without the surrogates."""
    found: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted((*ranges, (0xD800, 0xDFFF))):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return (*found, (start, _LAST)) if start <= _LAST else tuple(found)


class _Reader:
    """Reads a pattern from its start; every fault is the one error."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> Tree:
        tree = self._choice()
        if self._at < len(self._text):
            raise refused("pattern")
        return tree

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        if not char:
            raise refused("pattern")
        self._at += 1
        return char

    def _took(self, char: str) -> bool:
        taken = self._peek() == char
        self._at += taken
        return taken

    def _match(self, regex: re.Pattern[str]) -> re.Match[str] | None:
        found = regex.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found

    def _choice(self) -> Tree:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise refused("pattern")
        options = [self._sequence()]
        while self._took("|"):
            options.append(self._sequence())
        self._depth -= 1
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Tree:
        parts: list[Tree] = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._repeated(self._atom()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeated(self, what: Tree) -> Tree:
        bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self._peek())
        if bounds:
            self._at += 1
        elif counted := self._match(_COUNT):
            least = int(counted[1])
            most = int(counted[3]) if counted[3] else None if counted[2] else least
            bounds = (least, most)
        else:
            return what
        least, most = bounds
        if isinstance(what, Anchor) or (most is not None and most < least):
            raise refused("pattern")
        self._took("?")  # as few as possible: the same strings
        if self._peek() and self._peek() in "*+?":
            raise refused("pattern")
        return Repeat(what, least, most)

    def _atom(self) -> Tree:
        char = self._next()
        if char == "(":
            if self._peek() == "?" and not self._match(_GROUP):
                raise refused("pattern")
            inner = self._choice()
            if not self._took(")"):
                raise refused("pattern")
            return inner
        if char == "[":
            return self._set()
        if char == "\\":
            return self._escape()
        if char in "*+?":
            raise refused("pattern")
        if char == ".":
            return Chars(_others(_LINE_ENDS))
        return Anchor(r"\A") if char == "^" else Anchor(r"\z") if char == "$" else _one(ord(char))

    def _escape(self) -> Tree:
        if self._peek() in _ANCHORS and self._peek():
            return Anchor(_ANCHORS[self._next()])
        if self._peek() in {"p", "P"}:
            letter = self._next()
            found = self._match(_PROPERTY)
            if found is None:
                raise refused("pattern")
            return Property(f"\\{letter}{found[0]}")
        ranges = self._escaped()
        return Chars(ranges)

    def _escaped(self) -> Ranges:
        """What an escape stands for, inside a set or outside."""
        if found := self._match(_HEX):
            return _one(int(found[1] or found[2] or found[3], 16)).ranges
        char = self._next()
        if char.lower() in _SETS:
            ranges = _SETS[char.lower()]
            return ranges if char.islower() else _others(ranges)
        if char in _CONTROLS:
            return _one(_CONTROLS[char]).ranges
        if char == "c" and self._peek().isascii() and self._peek().isalpha():
            return _one(ord(self._next()) % 32).ranges
        if char.isascii() and char.isalnum():
            raise refused("pattern")  # a back-reference, or an escape that nobody defines
        return _one(ord(char)).ranges

    def _set(self) -> Tree:
        negated = self._took("^")
        ranges: list[tuple[int, int]] = []
        while not self._took("]"):
            low = self._member()
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in {"]", ""}:
                self._at += 1
                low = _span(low, self._member())
            ranges += low
        found = tuple(ranges)
        return Chars(_others(found) if negated else found)

    def _member(self) -> Ranges:
        char = self._next()
        if char == "\\":
            return _one(8).ranges if self._took("b") else self._escaped()
        return _one(ord(char)).ranges


def _one(code: int) -> Chars:
    if code > _LAST or 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - the surrogates, which no JSON text of ours holds
        raise refused("pattern")
    return Chars(((code, code),))


def _span(low: Ranges, high: Ranges) -> Ranges:
    start, end = low[0][0], high[0][0]
    if len(low) != 1 or len(high) != 1 or low[0][1] != start or high[0][1] != end or end < start:
        raise refused("pattern")
    return ((start, end),)
