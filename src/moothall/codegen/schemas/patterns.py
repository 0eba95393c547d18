"""Patterns of JSON Schema that match in linear time, and texts that they match. Pure."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Final

from pydantic_core import SchemaError, SchemaValidator, core_schema

from moothall.codegen.schemas.pattern_syntax import (
    Anchor,
    Chars,
    Choice,
    Property,
    Repeat,
    Sequence,
    Tree,
    parsed,
    weight,
)
from moothall.codegen.schemas.refusing import refused

_COMMON: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:@/"
_LONGEST: Final = 10_000
"""Steps of making a text, and so its characters."""


class Pattern:
    """A pattern, compiled for an engine without backtracking."""

    def __init__(self, text: str) -> None:
        """Raises InvalidInput where it cannot be read or is too heavy."""
        self._tree = parsed(text)
        self.weight: Final = weight(self._tree)
        schema = core_schema.str_schema(pattern=_written(self._tree), regex_engine="rust-regex", strict=True)
        try:
            self._validator = SchemaValidator(schema)
        except SchemaError as error:
            raise refused("pattern") from error

    @property
    def written(self) -> str | None:
        """The pattern as generated code can match it; None where it needs more than its engine has."""
        text = _written(self._tree)
        return None if r"\p" in text.lower() or "(?-u" in text or r"\B" in text else text

    def steps(self, text: str) -> int:
        """What a look at a text costs at most, in microseconds: a heavy pattern outgrows the engine's tables."""
        return 1 + len(text) // 100 + int(len(text) * 3 * (self.weight / 1_000) ** 2)

    def matches(self, text: str) -> bool:
        """Whether it is found anywhere in a text."""
        return self._validator.isinstance_python(text)

    def example(self, rng: random.Random, most: int) -> str:
        """A text that it very likely matches; ``most``: how much longer than needed repetitions become."""
        maker = _Maker(rng, most)
        maker.add(self._tree)
        return "".join(maker.made)


def pattern(text: str) -> Pattern:
    """The compiled pattern, kept for the next time; raises InvalidInput as `Pattern` does."""
    return _light(text) if weight(parsed(text)) <= _LIGHT else _heavy(text)


_LIGHT: Final = 500
"""The weight up to which many patterns are kept: one takes some kilobytes, a heavy one several megabytes."""

_light: Final = lru_cache(maxsize=512)(Pattern)
_heavy: Final = lru_cache(maxsize=8)(Pattern)


def _written(tree: Tree) -> str:
    """The tree in the engine's syntax: nothing of the original text but names of Unicode properties."""
    match tree:
        case Chars(ranges):
            inner = "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in ranges)
            return f"[{inner}]" if inner else r"[^\x{0}-\x{10ffff}]"
        case Property(text) | Anchor(text):
            return text
        case Repeat(what, least, most):
            return f"(?:{_written(what)}){{{least},{'' if most is None else most}}}"
        case Sequence(parts):
            return "".join(f"(?:{_written(part)})" for part in parts)
        case Choice(options):
            return "(?:" + "|".join(f"(?:{_written(option)})" for option in options) + ")"


class _Maker:
    """Writes one text for a tree, in at most so many steps."""

    def __init__(self, rng: random.Random, most: int) -> None:
        self._rng = rng
        self._most = most
        self._steps = _LONGEST
        self.made: list[str] = []

    def add(self, tree: Tree) -> None:
        self._steps -= 1
        if self._steps < 0:
            return
        match tree:
            case Chars(ranges):
                self.made.append(_char(ranges, self._rng))
            case Property(text):
                self.made.append("7" if text.startswith(r"\p{N") else "a")
            case Repeat(what, least, limit):
                extra = self._most if limit is None else min(self._most, limit - least)
                for _ in range(min(self._steps, least + self._rng.randint(0, max(0, extra)))):
                    self.add(what)
            case Sequence(parts):
                for part in parts:
                    self.add(part)
            case Choice(options):
                self.add(self._rng.choice(options))
            case Anchor():
                return


def _char(ranges: tuple[tuple[int, int], ...], rng: random.Random) -> str:
    usual = [char for char in _COMMON if any(low <= ord(char) <= high for low, high in ranges)]
    if usual:
        return rng.choice(usual)
    low, high = rng.choice(ranges) if ranges else (65, 65)
    return chr(rng.randint(low, min(high, low + 64)))
