"""How a value of a shape is made. Pure; what is made is checked by whoever asked."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, Final, Literal

from moothall.codegen.schemas.admission import frozen
from moothall.codegen.schemas.patterns import pattern
from moothall.codegen.schemas.shapes import Root, Shape, branches, chosen, kinds, shape
from moothall.errors import InvalidInput

JsonValue = Any
Mode = Literal["least", "most", "random"]

_SAFE: Final = 2**53 - 1
_MOST_ITEMS: Final = 50
_LONGEST: Final = 2_000
_FULL: Final = 6
"""Levels down to which members that may be missing are made."""
_DEEPEST: Final = 24
_STEPS: Final = 500
_COSTLIEST: Final = 20_000
"""Steps of comparing a text with a pattern."""
_WORDS: Final = ("", "a", "Anna", "two words", "A-1", "naïve", "北京", "x" * 40, "line\nbreak", '"quoted"', "0", "🙂")
_FORMATS: Final = {
    "date": ("2024-02-29", "2026-11-22"),
    "date-time": ("2026-11-22T08:30:00Z", "2024-02-29T23:59:59+08:00"),
    "time": ("08:30:00Z", "23:59:59+00:00"),
    "duration": ("P1D", "PT15M"),
    "email": ("someone@example.org", "a.b@example.com"),
    "uri": ("https://example.org/a?b=c", "https://example.com"),
    "uuid": ("6f1f9a3e-5f0b-4c57-9a6b-0d0c6c1a2b3c", "00000000-0000-4000-8000-000000000000"),
    "ipv4": ("192.0.2.1", "198.51.100.7"),
    "ipv6": ("2001:db8::1", "2001:db8::ff"),
    "hostname": ("example.org", "a.example.com"),
    "decimal": ("0", "12.50", "-3"),
}


class Impossible(Exception):
    """No value was found for a schema within bounds."""


class Maker:
    """Makes one value; ``mode``: the smallest, a full one, or any."""

    def __init__(self, root: Root, rng: random.Random, mode: Mode) -> None:
        self._root = root
        self._rng = rng
        self._mode = mode
        self.steps = 0

    def value(self, schema: object, depth: int = 0) -> JsonValue:
        """A value that very likely fits; raises Impossible."""
        self.steps += 1
        if depth > _DEEPEST or self.steps > _STEPS:
            raise Impossible
        given = shape(schema, self._root)
        if given.get("not") == {}:
            raise Impossible
        if choices := branches(given):
            return self.value(chosen(given, self._branch(choices, depth)), depth + 1)
        if "if" in given:
            return self.value(self._condition(given), depth + 1)
        if "const" in given:
            return given["const"]
        if "enum" in given:
            return self._one(given["enum"])
        return self._of_kind(given, depth)

    def _branch(self, choices: list[object], depth: int) -> object:
        if depth > _FULL:  # the way out of a type that holds itself is mostly the shortest branch
            return min(choices, key=lambda choice: len(shape(choice, self._root).get("required", ())))
        return self._rng.choice(choices)

    def _condition(self, given: Shape) -> Shape:
        """One of the two ways of a condition."""
        rest = {key: value for key, value in given.items() if key not in {"if", "then", "else"}}
        if self._rng.random() < 0.5:  # noqa: PLR2004 - either
            return {**rest, "allOf": [given["if"], given.get("then", True)]}
        return {**rest, "allOf": [given.get("else", True)]}

    def _one(self, values: list[JsonValue]) -> JsonValue:
        if not values:
            raise Impossible
        return values[0] if self._mode == "least" else values[-1] if self._mode == "most" else self._rng.choice(values)

    def _of_kind(self, given: Shape, depth: int) -> JsonValue:
        allowed = kinds(given)
        if "type" not in given:
            allowed = _implied(given) or allowed - {"array", "object"}
        makers: dict[str, Callable[[Shape, int], JsonValue]] = {
            "object": self._object,
            "array": self._array,
            "string": lambda inner, _depth: self._text(inner),
            "number": lambda inner, _depth: self._number(inner, whole=False),
            "integer": lambda inner, _depth: self._number(inner, whole=True),
            "boolean": lambda _given, _depth: self._one([False, True]),
            "null": lambda _given, _depth: None,
        }
        wanted = [name for name in makers if name in allowed and not (name == "integer" and "number" in allowed)]
        if not wanted:
            raise Impossible
        full = self._mode != "random" and depth <= _FULL
        return makers[wanted[0] if full else self._rng.choice(wanted)](given, depth)

    def _object(self, given: Shape, depth: int) -> JsonValue:
        properties = given.get("properties", {})
        needed = [*given.get("required", ())]
        made: dict[str, JsonValue] = {}
        for name in dict.fromkeys([*properties, *needed]):
            if name in needed or self._wants(depth):
                member = properties.get(name, given.get("additionalProperties", True))
                self._add(made, name, member, depth, optional=name not in needed)
        least = given.get("minProperties", 0)
        while len(made) < min(least, _MOST_ITEMS):
            made[f"further_{len(made)}"] = self.value(given.get("additionalProperties", True), depth + 1)
        if not properties and least == 0 and isinstance(given.get("additionalProperties"), dict) and self._wants(depth):
            self._add(made, "key", given["additionalProperties"], depth, optional=True)
        return made

    def _add(self, made: dict[str, JsonValue], name: str, member: object, depth: int, *, optional: bool) -> None:
        try:
            made[name] = self.value(member, depth + 1)
        except Impossible:
            if not optional:
                raise

    def _wants(self, depth: int) -> bool:
        """Whether a member that may be missing is made."""
        if self._mode == "least" or depth > _FULL:
            return False
        return self._mode == "most" or self._rng.random() < 0.6  # noqa: PLR2004 - more often than not

    def _array(self, given: Shape, depth: int) -> JsonValue:
        first = given.get("prefixItems", [])
        least = max(given.get("minItems", 0), given.get("minContains", 1) if "contains" in given else 0)
        most = min(given.get("maxItems", _MOST_ITEMS), max(least, len(first)) + 3)
        if least > _MOST_ITEMS or most < least:
            raise Impossible
        size = least if self._mode == "least" or depth > _FULL else most
        size = self._rng.randint(least, most) if self._mode == "random" and depth <= _FULL else size
        rest = given.get("contains", True) if "items" not in given else given["items"]
        if rest is False:
            size = min(size, len(first))
        made: list[JsonValue] = []
        for at in range(size):
            made.append(self.value(first[at] if at < len(first) else rest, depth + 1))
            if given.get("uniqueItems") and frozen(made[-1]) in {frozen(item) for item in made[:-1]}:
                made.pop()
        return made

    def _number(self, given: Shape, *, whole: bool) -> JsonValue:
        low, high = _range(given)
        unit = given.get("multipleOf", 1 if whole else None)
        if unit is not None:
            return self._multiple(low, high, unit, whole=whole)
        ends = {"least": low, "most": high}
        picked = ends.get(self._mode, self._rng.choice([low, high, 0.5, self._rng.uniform(low, high)]))
        if picked == given.get("exclusiveMinimum") or picked == given.get("exclusiveMaximum"):
            picked = (low + high) / 2
        return round(picked, 6) if low <= round(picked, 6) <= high else picked

    def _multiple(self, low: float, high: float, unit: float, *, whole: bool) -> JsonValue:
        first, last = math.ceil(low / unit), math.floor(high / unit)
        if first > last:
            raise Impossible
        near = [step for step in (first, last, 0, 1, -1, 7) if first <= step <= last]
        ends = {"least": first, "most": last}
        step = ends.get(self._mode, self._rng.choice([*near, self._rng.randint(first, last)]))
        made = step * unit
        return int(made) if whole else round(made, 9)

    def _text(self, given: Shape) -> JsonValue:
        least, most = given.get("minLength", 0), given.get("maxLength", _LONGEST)
        if least > min(most, _LONGEST):
            raise Impossible
        if "pattern" in given:
            return self._matching(given["pattern"], least, most)
        if given.get("format") in _FORMATS:
            return self._rng.choice(_FORMATS[given["format"]])
        text = {"least": "", "most": "Zoë 北京 " + "z" * 20}.get(self._mode, self._rng.choice(_WORDS))
        return (text + "x" * max(0, least - len(text)))[:most]

    def _matching(self, text: str, least: int, most: int) -> str:
        try:
            regex = pattern(text)
        except InvalidInput as error:
            raise Impossible from error
        for extra in (0, 2, 6, 20, least):
            made = regex.example(self._rng, extra)
            if least <= len(made) <= most and regex.steps(made) <= _COSTLIEST and regex.matches(made):
                return made
        raise Impossible


def _range(given: Shape) -> tuple[float, float]:
    """The bounds within which numbers are made: near zero where the shape leaves it open."""
    whole = "integer" in kinds(given) and "number" not in kinds(given)
    low = given.get("minimum", given.get("exclusiveMinimum"))
    high = given.get("maximum", given.get("exclusiveMaximum"))
    step = 1 if whole else 0
    if low is not None and low == given.get("exclusiveMinimum"):
        low += step
    if high is not None and high == given.get("exclusiveMaximum"):
        high -= step
    low = low if low is not None else -1000 if high is None else min(high, 0) - 1000
    high = high if high is not None else max(low, 0) + 1000
    if low > high or abs(low) > _SAFE or abs(high) > _SAFE:
        raise Impossible
    return low, high


def _implied(given: Shape) -> frozenset[str]:
    """The type that keywords speak of where none is named."""
    for name, keywords in (
        ("object", {"properties", "required", "additionalProperties", "minProperties", "propertyNames"}),
        ("array", {"items", "prefixItems", "contains", "minItems"}),
        ("string", {"pattern", "minLength", "maxLength", "format"}),
        ("number", {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    ):
        if given.keys() & keywords:
            return frozenset({name})
    return frozenset()
