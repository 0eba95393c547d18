"""What a schema comes to: references followed, `allOf` put together. Pure.

A shape is a plain schema of the same document; it may say less than the schema did (what cannot be put together is left
out), so that whoever works by shapes checks the outcome by the schema itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.codegen.schemas.admission import JsonObject, frozen
from moothall.codegen.schemas.references import target
from moothall.codegen.schemas.scalars import TYPES, is_integer

_DEEPEST: Final = 20
_MOST_PARTS: Final = 60
_FLOORS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_CEILINGS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")

_BOUND: Final = (("if", "then", "else"), ("contains", "minContains", "maxContains"))
"""Keywords that say something only together."""

Root = JsonObject | bool
Shape = Mapping[str, Any]


def shape(schema: object, root: Root) -> Shape:
    """The schema without ``$ref`` and ``allOf`` at its top; false is ``{"not": {}}``."""
    return _opened(schema, root, 0, [_MOST_PARTS])


def _opened(schema: object, root: Root, depth: int, left: list[int]) -> Shape:
    """``left``: parts that may still be opened, since each can refer to several others."""
    left[0] -= 1
    if schema is False:
        return {"not": {}}
    if not isinstance(schema, dict) or depth > _DEEPEST or left[0] < 0:
        return {}
    if "$ref" not in schema and "allOf" not in schema:
        return schema
    own = {key: value for key, value in schema.items() if key not in {"$ref", "allOf"}}
    parts = list(schema.get("allOf", ()))
    if "$ref" in schema:
        parts.insert(0, target(schema["$ref"], root))
    for part in parts[:_MOST_PARTS]:
        own = _together(own, _opened(part, root, depth + 1, left))
    return own


def _together(one: JsonObject, other: Shape) -> JsonObject:
    """What both say."""
    theirs = {key for first, *rest in _BOUND if first in one for key in rest}
    made = {**{key: value for key, value in other.items() if key not in theirs}, **one}
    for key in _FLOORS:
        if key in one and key in other:
            made[key] = max(one[key], other[key])
    for key in _CEILINGS:
        if key in one and key in other:
            made[key] = min(one[key], other[key])
    if "required" in one and "required" in other:
        made["required"] = [*one["required"], *(name for name in other["required"] if name not in one["required"])]
    if "properties" in one and "properties" in other:
        made["properties"] = _members(one["properties"], other["properties"])
    if "enum" in one and "enum" in other:
        allowed = {frozen(value) for value in other["enum"]}
        made["enum"] = [value for value in one["enum"] if frozen(value) in allowed]
    if "type" in one and "type" in other:
        made["type"] = sorted(kinds(one) & kinds(other)) or one["type"]
    return made


def _members(one: JsonObject, other: JsonObject) -> JsonObject:
    both = {name: {"allOf": [one[name], other[name]]} for name in one if name in other}
    return {**other, **one, **both}


def kinds(given: Shape) -> frozenset[str]:
    """The JSON types that a shape's values can have, by its own keywords; ``number`` comes with ``integer``."""
    if "const" in given or "enum" in given:
        values = [given["const"]] if "const" in given else given["enum"]
        return frozenset(map(kind, values)) | ({"integer"} if any(map(is_integer, values)) else set())
    named = given.get("type", TYPES)
    found = frozenset([named] if isinstance(named, str) else named)
    return found | {"integer"} if "number" in found else found


def kind(value: object) -> str:
    """The JSON type of a value; ``integer`` where it is whole."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict | list):
        return "object" if isinstance(value, dict) else "array"
    return "integer" if is_integer(value) else "number"


def branches(given: Shape) -> list[object]:
    """The schemas of which a shape's values fit one, by ``anyOf`` or ``oneOf``."""
    found: list[object] = given.get("anyOf") or given.get("oneOf") or []
    return found


def without_branches(given: Shape) -> JsonObject:
    """A shape without its choice."""
    return {key: value for key, value in given.items() if key not in {"anyOf", "oneOf"}}


def chosen(given: Shape, branch: object) -> JsonObject:
    """A shape with one of its choices taken."""
    return {**without_branches(given), "allOf": [branch]}
