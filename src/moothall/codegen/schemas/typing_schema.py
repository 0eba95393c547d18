"""Schemas cut down to what types are made of: no text of a stranger but names of members and short choices. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from moothall.codegen.schemas.admission import JsonObject
from moothall.codegen.schemas.references import target
from moothall.codegen.schemas.shapes import Root, branches, kinds, shape

MOST_NODES: Final = 1_200
"""Subschemas that become types; whatever is beyond is `Any`."""

_MOST_CHOICES: Final = 40
_MOST_MEMBERS: Final = 200
_LONGEST_NAME: Final = 100
_DEEPEST: Final = 12


class Bundle:
    """Several schemas as the ``$defs`` of one document."""

    def __init__(self, names: Iterable[str]) -> None:
        """``names`` are those that will be added; no part is called so."""
        self.defs: dict[str, JsonObject] = {name: {} for name in names}
        self._named: dict[tuple[str, str], str] = {}
        self._waiting: list[tuple[str, object, Root]] = []
        self._nodes = 0

    def add(self, name: str, schema: JsonObject, root: Root, root_digest: str) -> None:
        """Add a schema of a document under a name, and all that it refers to."""
        self._waiting.append((name, schema, root))
        while self._waiting:
            each, part, of = self._waiting.pop()
            self.defs[each] = self._part(part, of, (name, root_digest), 0)

    def _part(self, schema: object, root: Root, owner: tuple[str, str], depth: int) -> JsonObject:
        self._nodes += 1
        if not isinstance(schema, dict) or self._nodes > MOST_NODES or depth > _DEEPEST:
            return {}
        given = shape(schema, root)
        if "$ref" in schema and len(schema) == 1 and given.get("properties") and kinds(given) == {"object"}:
            return self._reference(schema["$ref"], root, owner)  # others are written out: aliases of aliases explode
        if choices := branches(given):
            return _union([self._part(choice, root, owner, depth + 1) for choice in choices[:_MOST_CHOICES]])
        if (values := _choices(given)) is not None:
            return {"enum": values}
        made = [self._kind(name, given, root, owner, depth) for name in _kinds(given)]
        return made[0] if len(made) == 1 else {"anyOf": made} if made else {}

    def _kind(self, name: str, given: Any, root: Root, owner: tuple[str, str], depth: int) -> JsonObject:  # noqa: ANN401 - a shape
        if name == "array":
            items = {} if "prefixItems" in given else self._part(given.get("items", True), root, owner, depth + 1)
            return {"type": "array", "items": items}
        if name != "object":
            return {"type": name}
        named = [key for key in given.get("properties", {}) if len(key) <= _LONGEST_NAME][:_MOST_MEMBERS]
        if not named:
            rest = self._part(given.get("additionalProperties", True), root, owner, depth + 1)
            return {"type": "object", "additionalProperties": rest or True}
        members = {key: self._part(given["properties"][key], root, owner, depth + 1) for key in named}
        required = [key for key in given.get("required", ()) if key in members]
        made = {"type": "object", "properties": members, "required": required}
        return self._hoisted(made, owner[0]) if depth else made

    def _hoisted(self, made: JsonObject, owner: str) -> JsonObject:
        """An object within another, under a name of its own: two never get the same."""
        name = f"{owner}Part{len(self.defs) + 1}"
        self.defs[name] = made
        return {"$ref": f"#/$defs/{name}"}

    def _reference(self, ref: str, root: Root, owner: tuple[str, str]) -> JsonObject:
        key = (owner[1], ref)
        if key not in self._named:
            name = f"{owner[0]}Part{len(self.defs) + 1}"
            self._named[key] = name
            self.defs[name] = {}
            self._waiting.append((name, target(ref, root), root))
        return {"$ref": f"#/$defs/{self._named[key]}"}


def _union(choices: list[JsonObject]) -> JsonObject:
    """One of several; anything, where one of them is anything."""
    made = [choice for place, choice in enumerate(choices) if choice not in choices[:place]]
    return {} if {} in made else made[0] if len(made) == 1 else {"anyOf": made}


def _kinds(given: Any) -> list[str]:  # noqa: ANN401 - a shape
    """The types to write; none for any."""
    if "type" not in given:
        implied = [("object", "properties"), ("array", "items")]
        return [name for name, keyword in implied if keyword in given]
    found = kinds({"type": given["type"]})
    return [name for name in sorted(found) if not (name == "integer" and "number" in found)]


def _choices(given: Any) -> list[object] | None:  # noqa: ANN401 - a shape
    """The values of a short choice of plain texts and whole numbers."""
    if "const" not in given and "enum" not in given:
        return None
    values = [given["const"]] if "const" in given else given["enum"]
    plain: list[object] = [
        value
        for value in values
        if value is None
        or isinstance(value, int)
        or (isinstance(value, str) and len(value) <= _LONGEST_NAME and value.isprintable())
    ]
    return plain if plain and len(plain) == len(values) <= _MOST_CHOICES else None
