"""Keywords of JSON Schema about single values: types, numbers, texts, choices. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from moothall.codegen.schemas.admission import frozen
from moothall.codegen.schemas.patterns import pattern
from moothall.codegen.schemas.refusing import refused
from moothall.codegen.schemas.running import Check, JsonValue, Look, Path

TYPES: Final = ("null", "boolean", "object", "array", "number", "integer", "string")
_LARGEST_TEXT: Final = 1_000_000
"""Characters of a text that is compared with a pattern."""


def is_number(value: JsonValue) -> bool:
    """Whether it is a JSON number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_integer(value: JsonValue) -> bool:
    """Whether it is a whole number; 1.0 is."""
    return is_number(value) and (isinstance(value, int) or value.is_integer())


_FITS: Final[Mapping[str, Callable[[JsonValue], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "number": is_number,
    "integer": is_integer,
    "string": lambda value: isinstance(value, str),
}


def types(given: JsonValue) -> Check:
    """``type``."""
    names = given if isinstance(given, list) else [given]
    if not names or not all(isinstance(name, str) and name in TYPES for name in names):
        raise refused("keyword", "type")
    tests = [_FITS[name] for name in names]
    wanted = " or ".join(names)

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        return any(test(value) for test in tests) or look.wrong(path, f"it has to be of type {wanted}")

    return check


def enumeration(given: JsonValue) -> Check:
    """``enum``."""
    if not isinstance(given, list):
        raise refused("keyword", "enum")
    return _one_of(given, "it is none of the values that are allowed")


def constant(given: JsonValue) -> Check:
    """``const``."""
    return _one_of([given], "it is not the one value that is allowed")


def _one_of(values: list[JsonValue], why: str) -> Check:
    allowed = {frozen(value) for value in values}

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if isinstance(value, dict | list):
            look.spend(_size(value))
        return frozen(value) in allowed or look.wrong(path, why)

    return check


def _size(value: JsonValue) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, inner))


def frozen_items(value: list[JsonValue], look: Look) -> list[object]:
    """The items in a form that can be compared."""
    look.spend(_size(value))
    return [frozen(item) for item in value]


def _bound(keyword: str, given: JsonValue) -> JsonValue:
    if not is_number(given):
        raise refused("keyword", keyword)
    return given


_COMPARISONS: Final[Mapping[str, tuple[Callable[[JsonValue, JsonValue], bool], str]]] = {
    "minimum": (operator.ge, "at least"),
    "maximum": (operator.le, "at most"),
    "exclusiveMinimum": (operator.gt, "more than"),
    "exclusiveMaximum": (operator.lt, "less than"),
}


def bounds(keyword: str, given: JsonValue) -> Check:
    """``minimum``, ``maximum`` and their exclusive forms."""
    limit = _bound(keyword, given)
    compare, words = _COMPARISONS[keyword]

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        return not is_number(value) or compare(value, limit) or look.wrong(path, f"it has to be {words} {limit}")

    return check


def multiple(given: JsonValue) -> Check:
    """``multipleOf``, exact in decimal numbers."""
    if not is_number(given) or given <= 0:
        raise refused("keyword", "multipleOf")
    unit = Fraction(str(given))
    bits = unit.numerator.bit_length() + unit.denominator.bit_length()

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not is_number(value):
            return True
        own = _bits(value)
        look.spend(_FRACTION + (bits + own) // _BITS)
        exact = Fraction(value if isinstance(value, int) else str(value))
        return not exact % unit or look.wrong(path, f"it has to be a multiple of {given}")

    return check


_FRACTION: Final = 5
"""Steps of exact arithmetic, and the bits of numbers for which there is one more."""

_BITS: Final = 40


def _bits(number: float) -> int:
    """About as many as the exact form of a number has."""
    if isinstance(number, int):
        return number.bit_length()
    return 200 if number == 0 or 1e-30 < abs(number) < 1e30 else 1_000  # noqa: PLR2004 - 17 digits, and as many zeros


def count(keyword: str, given: JsonValue) -> int:
    """The value of a keyword that counts."""
    if not is_integer(given) or given < 0:
        raise refused("keyword", keyword)
    return int(given)


_KIND: Final[Mapping[str, tuple[type[str | list[object] | dict[str, object]], str]]] = {
    "Length": (str, "characters"),
    "Items": (list, "items"),
    "Properties": (dict, "members"),
}


def sizes(keyword: str, given: JsonValue) -> Check:
    """``minLength`` to ``maxProperties``."""
    limit = count(keyword, given)
    kind, unit = _KIND[keyword[3:]]
    least = keyword.startswith("min")
    why = f"it has to have at {'least' if least else 'most'} {limit} {unit}"

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not isinstance(value, kind):
            return True
        size = len(value)
        return (size >= limit if least else size <= limit) or look.wrong(path, why)

    return check


def matching(given: JsonValue) -> Check:
    """``pattern``."""
    if not isinstance(given, str):
        raise refused("keyword", "pattern")
    compiled = pattern(given)

    def check(value: JsonValue, look: Look, path: Path) -> bool:
        if not isinstance(value, str):
            return True
        if len(value) > _LARGEST_TEXT:
            return look.wrong(path, "it is too long to be compared with a pattern")
        look.spend(compiled.steps(value))
        return compiled.matches(value) or look.wrong(path, "it does not match the pattern")

    return check
