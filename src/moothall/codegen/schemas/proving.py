"""Whether every value of one schema fits another, as far as their keywords prove it. Pure.

A proof is sound: the source may be read weaker than it is (`shapes`), the target never. What no rule speaks of is not
proved. Recursive types are proved by assuming what is being proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from moothall.codegen.schemas.admission import frozen
from moothall.codegen.schemas.references import target
from moothall.codegen.schemas.shapes import Root, Shape, branches, chosen, kinds, shape
from moothall.codegen.schemas.validation import Schema

_DEEPEST: Final = 24
_STEPS: Final = 4_000
_ANNOTATIONS: Final = frozenset(
    "$schema $id $defs definitions $comment title description default examples deprecated readOnly writeOnly "
    "contentEncoding contentMediaType contentSchema".split()
)
_KINDS_OF: Final[Mapping[str, frozenset[str]]] = {
    "Length": frozenset({"string"}),
    "Items": frozenset({"array"}),
    "Properties": frozenset({"object"}),
    "imum": frozenset({"number", "integer"}),
}


@dataclass(slots=True)
class Prover:
    """Proves about two documents; ``doubts`` say where it could not.

    With ``formats``, texts of two different formats are told apart, although a format only annotates.
    """

    source: Root
    target: Root
    formats: bool = False
    doubts: list[str] = field(default_factory=list)
    _steps: int = _STEPS
    _assumed: set[tuple[str, str]] = field(default_factory=set)

    def proves(self, given: object, wanted: object, place: str = "", depth: int = 0) -> bool:
        """Whether every value of a schema of the source fits one of the target."""
        self._steps -= 1
        if self._steps < 0 or depth > _DEEPEST:
            return self._doubt(place, "it is too much to compare")
        if wanted is True or wanted == {} or given is False:
            return True
        pair = (_reference(given), _reference(wanted))
        if not all(pair):
            return self._shapes(shape(given, self.source), wanted, place, depth)
        if pair in self._assumed:
            return True
        before = self._assumed
        self._assumed = {*before, pair}
        proved = self._shapes(shape(given, self.source), wanted, place, depth)
        if not proved:
            self._assumed = before  # with it falls all that was proved by assuming it
        return proved

    def _shapes(self, given: Shape, wanted: object, place: str, depth: int) -> bool:
        if wanted is False:
            return self._doubt(place, "nothing is allowed here")
        if (values := _values(given)) is not None:
            fitting = Schema(self.target, "", wanted)
            self._steps -= len(values)
            return all(fitting.accepts(value, _STEPS) for value in values) or self._doubt(
                place, "not all of its values are allowed"
            )
        if choices := branches(given):
            return all(self.proves(chosen(given, choice), wanted, place, depth + 1) for choice in choices)
        return all(self._keyword(key, given, part, place, depth) for part in self._conjuncts(wanted) for key in part)

    def _conjuncts(self, wanted: object) -> Iterator[Shape]:
        """What a schema of the target demands, one by one; references and `allOf` opened."""
        waiting: list[object] = [wanted]
        seen: set[int] = set()
        while waiting:
            part = waiting.pop()
            self._steps -= 1
            if part is False or self._steps < 0:
                yield {"not": {}}  # which is never proved
                return
            if not isinstance(part, dict) or id(part) in seen:
                continue
            seen.add(id(part))
            waiting += part.get("allOf", ())
            if "$ref" in part:
                waiting.append(target(part["$ref"], self.target))
            yield {key: value for key, value in part.items() if key not in {"allOf", "$ref"} | _ANNOTATIONS}

    def _keyword(self, key: str, given: Shape, wanted: Shape, place: str, depth: int) -> bool:
        if key in {"anyOf", "oneOf"}:
            return self._choice(key, given, wanted[key], place, depth)
        if key in {"properties", "additionalProperties", "items", "prefixItems"}:
            parts = _items(given, wanted) if "tems" in key else self._members(key, given, wanted)
            within = f"{place}." if place else ""
            return all(self.proves(one, other, f"{within}{name}", depth + 1) for name, one, other in parts)
        if key in {"then", "else", "minContains", "maxContains"}:
            return True  # looked at with what it belongs to
        if key == "format":
            own = given.get("format", wanted[key]) if self.formats and kinds(given) == {"string"} else wanted[key]
            return bool(own == wanted[key]) or self._doubt(place, "it is of another format")
        rule = _RULES.get(key) or (_bounded if key.startswith(("min", "max", "excl")) else _same)
        return rule(key, given, wanted) or self._doubt(place, _WORDS.get(key, f"its {key} is narrower there"))

    def _choice(self, key: str, given: Shape, choices: list[object], place: str, depth: int) -> bool:
        kept = len(self.doubts)
        for choice in choices:
            others = [kinds(shape(other, self.target)) for other in choices if other is not choice]
            apart = key == "anyOf" or not any(kinds(given) & other for other in others)
            if apart and self.proves(given, choice, place, depth + 1):
                del self.doubts[kept:]
                return True
        del self.doubts[kept:]
        return self._doubt(place, "it may fit none of the choices there")

    def _members(self, key: str, given: Shape, wanted: Shape) -> Iterator[tuple[str, object, object]]:
        """The schemas of members that have to be compared."""
        if "object" not in kinds(given):
            return
        own, others = given.get("properties", {}), given.get("additionalProperties", True)
        named = wanted.get("properties", {})
        if key == "properties":
            loose = True if given.get("patternProperties") else others
            yield from ((name, own.get(name, loose), part) for name, part in named.items())
            return
        if wanted.get("patternProperties") or given.get("patternProperties"):
            yield "*", True, wanted["additionalProperties"]
        yield from ((name, part, wanted[key]) for name, part in own.items() if name not in named)
        yield "*", others, wanted[key]

    def _doubt(self, place: str, why: str) -> bool:
        self.doubts.append(f"{place or 'the value'}: {why}")
        return False


_WORDS: Final = {
    "type": "it may be of another type",
    "required": "a member that is needed there may be missing",
    "enum": "it may be another value than those that are allowed there",
    "const": "it may be another value than the one that is allowed there",
}


def _reference(schema: object) -> str:
    return str(schema.get("$ref", "")) if isinstance(schema, dict) and len(schema) == 1 else ""


def _values(given: Shape) -> list[object] | None:
    """All values of a shape, where they are few."""
    if "const" in given:
        return [given["const"]]
    if "enum" in given:
        return list(given["enum"])
    finite: dict[str, list[object]] = {"null": [None], "boolean": [True, False]}
    found = kinds(given)
    return [value for name in sorted(found) for value in finite[name]] if found and found <= finite.keys() else None


def _items(given: Shape, wanted: Shape) -> Iterator[tuple[str, object, object]]:
    """The schemas of items that have to be compared."""
    if "array" not in kinds(given):
        return
    own, named = given.get("prefixItems", []), wanted.get("prefixItems", [])
    rest, others = given.get("items", True), wanted.get("items", True)
    for at in range(max(len(own), len(named))):
        yield f"[{at}]", own[at] if at < len(own) else rest, named[at] if at < len(named) else others
    yield "[]", rest, others


def _typed(_key: str, given: Shape, wanted: Shape) -> bool:
    return kinds(given) <= kinds({"type": wanted["type"]})


def _required(_key: str, given: Shape, wanted: Shape) -> bool:
    return "object" not in kinds(given) or set(wanted["required"]) <= set(given.get("required", ()))


def _bounded(key: str, given: Shape, wanted: Shape) -> bool:
    """Floors and ceilings."""
    concerned = next((found for end, found in _KINDS_OF.items() if key.lower().endswith(end.lower())), None)
    if concerned is not None and not kinds(given) & concerned:
        return True
    limit = wanted[key]
    floor = key.startswith("min") or key == "exclusiveMinimum"
    strict = key.startswith("exclusive")
    inclusive, exclusive = ("minimum", "exclusiveMinimum") if floor else ("maximum", "exclusiveMaximum")
    if not key.lower().endswith("imum"):
        return (floor and limit <= 0) or (key in given and (given[key] >= limit if floor else given[key] <= limit))
    compare: Callable[[Any, Any], bool] = (lambda one, two: one >= two) if floor else (lambda one, two: one <= two)
    if exclusive in given and compare(given[exclusive], limit):
        return True
    return inclusive in given and compare(given[inclusive], limit) and not (strict and given[inclusive] == limit)


def _multiple(_key: str, given: Shape, wanted: Shape) -> bool:
    found = kinds(given)
    if not found & {"number", "integer"}:
        return True
    unit = given.get("multipleOf", 1 if "number" not in found else None)
    return unit is not None and not Fraction(str(unit)) % Fraction(str(wanted["multipleOf"]))


def _pattern(_key: str, given: Shape, wanted: Shape) -> bool:
    return "string" not in kinds(given) or given.get("pattern") == wanted["pattern"]


def _unique(_key: str, given: Shape, wanted: Shape) -> bool:
    free = "array" not in kinds(given) or given.get("maxItems", 2) < 2  # noqa: PLR2004 - two that may be equal
    return free or not wanted["uniqueItems"] or bool(given.get("uniqueItems"))


def _same(key: str, given: Shape, wanted: Shape) -> bool:
    """Other keywords, where they say the same without references."""
    if key not in _TELLING:
        return True
    together = (key, *_BESIDE.get(key, ()))
    same = all(
        (name in given) == (name in wanted) and frozen(given.get(name)) == frozen(wanted.get(name)) for name in together
    )
    return same and not any("$ref" in str(wanted.get(name)) for name in together)


_BESIDE: Final = {"if": ("then", "else"), "contains": ("minContains", "maxContains")}
_TELLING: Final = frozenset(
    "enum const patternProperties propertyNames dependentRequired dependentSchemas not if contains".split()
)
_RULES: Final[Mapping[str, Callable[[str, Shape, Shape], bool]]] = {
    "type": _typed,
    "required": _required,
    "multipleOf": _multiple,
    "pattern": _pattern,
    "uniqueItems": _unique,
}
