"""What generated code checks of a value: a schema as a list of plain conditions, which a template writes out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from moothall.canonical import canonical
from moothall.codegen.schemas.patterns import pattern
from moothall.codegen.schemas.references import target
from moothall.codegen.schemas.running import JsonValue
from moothall.codegen.schemas.shapes import Root

MOST: Final = 60
"""Checks of one module."""

_PASSING: Final = frozenset(
    "$schema $id $defs definitions $comment title description default examples deprecated readOnly writeOnly format "
    "contentEncoding contentMediaType contentSchema x-moothall-int".split()
)
_BOUNDS: Final = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
_SIZES: Final = {"Length": "string", "Items": "array", "Properties": "object"}


class Unwritable(Exception):
    """A template cannot say this in code."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition.

    Attributes:
        kind: which one; the template knows how it is written.
        only: the JSON type that it speaks of, where the value may be of others; they pass.
        value: of the keyword, as JSON.
        name: of a member.
        check: the names of other checks.
    """

    kind: str
    only: str = ""
    value: JsonValue = None
    name: str = ""
    check: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A function that tells whether a value fits: all clauses hold."""

    name: str
    clauses: tuple[Clause, ...]


class Checks:
    """The checks of one module; equal schemas share one."""

    def __init__(self) -> None:
        self._named: dict[bytes, str] = {}
        self._made: dict[str, Check] = {}

    @property
    def made(self) -> list[Check]:
        """All of them."""
        return list(self._made.values())

    def of(self, schema: object, root: Root) -> str:
        """The name of the check of a schema; empty where anything fits. Raises Unwritable."""
        if schema is True or (isinstance(schema, dict) and not schema.keys() - _PASSING):
            return ""
        text = canonical(schema)
        key = text + canonical(root) if b'"$ref"' in text else text
        if key not in self._named:
            if len(self._named) >= MOST:
                raise Unwritable
            self._named[key] = name = f"fits_{len(self._named) + 1}"
            self._made[name] = Check(name, tuple(self._clauses(schema, root)))
        return self._named[key]

    def _clauses(self, schema: object, root: Root) -> Iterator[Clause]:
        if not isinstance(schema, dict):
            yield Clause("never")
            return
        named = schema.get("type", [])
        types = [named] if isinstance(named, str) else named
        if types:
            yield Clause("types", value=types)
        only = _Only(types)
        for key in schema:
            yield from self._keyword(key, schema, root, only)
        yield from self._object(schema, root, only("object"))
        yield from self._array(schema, root, only("array"))

    def _keyword(self, key: str, schema: dict[str, Any], root: Root, only: _Only) -> Iterator[Clause]:
        value = schema[key]
        if key in _BOUNDS:
            yield Clause("bound", only("number"), value, _BOUNDS[key])
        elif key[3:] in _SIZES and key[:3] in {"min", "max"}:
            yield Clause("size", only(_SIZES[key[3:]]), value, ">=" if key[:3] == "min" else "<=")
        elif key in {"enum", "const"}:
            yield _choice([value] if key == "const" else value)
        elif key in {"anyOf", "oneOf", "allOf"}:
            yield Clause(key, check=tuple(self._one(part, root) for part in value))
        elif key == "$ref":
            yield Clause("allOf", check=(self._one(target(value, root), root),))
        elif key == "not":
            yield Clause("not", check=(self._one(value, root),))
        elif key == "pattern":
            yield Clause("pattern", only("string"), _engine(value))
        elif key == "multipleOf":
            yield Clause("multiple", only("number"), _whole(value))
        elif key not in _PASSING | _ELSEWHERE:
            raise Unwritable

    def _one(self, schema: object, root: Root) -> str:
        """A check that always has a name."""
        found = self.of(schema, root)
        if not found:
            self._made["fits_any"] = Check("fits_any", ())
        return found or "fits_any"

    def _object(self, schema: dict[str, Any], root: Root, only: str) -> Iterator[Clause]:
        needed = schema.get("required", [])
        properties = schema.get("properties", {})
        if needed:
            yield Clause("required", only, needed)
        for name, part in properties.items():
            if check := self.of(part, root):
                yield Clause("needed" if name in needed else "member", only, name=name, check=(check,))
        rest = schema.get("additionalProperties", True)
        if rest is False:
            yield Clause("closed", only, list(properties))
        elif check := self.of(rest, root):
            yield Clause("others", only, list(properties), check=(check,))

    def _array(self, schema: dict[str, Any], root: Root, only: str) -> Iterator[Clause]:
        if schema.get("uniqueItems") or schema.get("prefixItems"):
            raise Unwritable
        if check := self.of(schema.get("items", True), root):
            yield Clause("items", only, check=(check,))


_ELSEWHERE: Final = frozenset("type required properties additionalProperties items prefixItems uniqueItems".split())


class _Only:
    """Which types a clause has to leave alone."""

    def __init__(self, types: list[str]) -> None:
        numbers = bool(types) and set(types) <= {"number", "integer"}
        self._sure = "number" if numbers else types[0] if len(types) == 1 else ""

    def __call__(self, kind: str) -> str:
        return "" if self._sure == kind else kind


def _choice(values: list[JsonValue]) -> Clause:
    if any(isinstance(value, dict | list) for value in values):
        raise Unwritable
    switches = [value for value in values if isinstance(value, bool)]
    others = [value for value in values if not isinstance(value, bool)]
    return Clause("choice", value={"switches": switches, "others": others})


def _engine(text: str) -> str:
    found = pattern(text).written
    if found is None:
        raise Unwritable
    return found


def _whole(unit: JsonValue) -> int:
    if unit != int(unit):
        raise Unwritable
    return int(unit)
