"""Patterns of JSON Schema that match in linear time, and texts that they match. Pure."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Final

from pydantic_core import SchemaError, SchemaValidator, core_schema

from moothall.codegen.schemas.pattern_syntax import Anchor, Chars, Choice, Property, Repeat, Sequence, Tree, parsed
from moothall.codegen.schemas.refusing import refused

_COMMON: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:@/"
_LONGEST: Final = 10_000
"""Characters of a text that is made."""


class Pattern:
    """A pattern, compiled for an engine without backtracking."""

    def __init__(self, text: str) -> None:
        """Raises InvalidInput where it cannot be read or is too heavy."""
        self._tree = parsed(text)
        schema = core_schema.str_schema(pattern=_written(self._tree), regex_engine="rust-regex", strict=True)
        try:
            self._validator = SchemaValidator(schema)
        except SchemaError as error:
            raise refused("pattern") from error

    def matches(self, text: str) -> bool:
        """Whether it is found anywhere in a text."""
        return self._validator.isinstance_python(text)

    def example(self, rng: random.Random, most: int) -> str:
        """A text that it very likely matches; ``most``: how much longer than needed repetitions become."""
        made: list[str] = []
        _make(self._tree, rng, most, made)
        return "".join(made)[:_LONGEST]


@lru_cache(maxsize=512)
def pattern(text: str) -> Pattern:
    """The compiled pattern; raises InvalidInput as `Pattern` does."""
    return Pattern(text)


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


def _make(tree: Tree, rng: random.Random, most: int, made: list[str]) -> None:
    if len(made) > _LONGEST:
        return
    match tree:
        case Chars(ranges):
            made.append(_char(ranges, rng))
        case Property(text):
            made.append("7" if text.startswith(r"\p{N") else "a")
        case Repeat(what, least, limit):
            extra = min(most, limit - least) if limit is not None else most
            for _ in range(least + rng.randint(0, max(0, extra))):
                _make(what, rng, most, made)
        case Sequence(parts):
            for part in parts:
                _make(part, rng, most, made)
        case Choice(options):
            _make(rng.choice(options), rng, most, made)
        case Anchor():
            return


def _char(ranges: tuple[tuple[int, int], ...], rng: random.Random) -> str:
    usual = [char for char in _COMMON if any(low <= ord(char) <= high for low, high in ranges)]
    if usual:
        return rng.choice(usual)
    low, high = rng.choice(ranges) if ranges else (65, 65)
    return chr(rng.randint(low, min(high, low + 64)))
