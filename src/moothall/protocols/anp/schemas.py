"""JSON Schemas of many methods in one document: ``$defs`` become shared components. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.canonical import canonical
from moothall.capability.spec import JsonObject

_LOCAL: Final = "#/$defs/"
_SHARED: Final = "#/components/schemas/"


class Components:
    """Collects the definitions of schemas; equal ones are kept once, different ones of one name get names of their own.

    ``schemas`` is what was collected.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, JsonObject] = {}
        self._names: dict[bytes, str] = {}

    def adopt(self, schema: JsonObject, owner: str) -> JsonObject:
        """The schema without definitions of its own, its references pointing at what was collected.

        Args:
            schema: a JSON Schema, ``$defs`` at its root.
            owner: the method it belongs to, for the names of definitions that clash.
        """
        local: Mapping[str, JsonObject] = schema.get("$defs", {})
        names = {name: self._name(name, local, owner) for name in local}
        for name, shared in names.items():
            if shared not in self.schemas:
                self.schemas[shared] = _pointed(local[name], names)
        root = {key: value for key, value in schema.items() if key not in {"$defs", "$schema"}}
        adopted: JsonObject = _pointed(root, names)
        return adopted

    def _name(self, name: str, local: Mapping[str, JsonObject], owner: str) -> str:
        """The shared name of a definition: its own, unless another one has it already."""
        whole = canonical([name, _closure(name, local)])
        if whole not in self._names:
            taken = set(self._names.values())
            free = (name, f"{owner}.{name}", *(f"{owner}.{name}.{count}" for count in range(2, 2 + len(taken))))
            self._names[whole] = next(candidate for candidate in free if candidate not in taken)
        return self._names[whole]


def _closure(name: str, local: Mapping[str, JsonObject]) -> JsonObject:
    """A definition with all that it refers to."""
    found: JsonObject = {}
    waiting = [name]
    while waiting:
        wanted = waiting.pop()
        if wanted not in found and wanted in local:
            found[wanted] = local[wanted]
            waiting += _references(local[wanted])
    return found


def _references(schema: Any) -> list[str]:  # noqa: ANN401 - JSON of any shape
    if isinstance(schema, dict):
        own = schema.get("$ref")
        named = [own[len(_LOCAL) :]] if isinstance(own, str) and own.startswith(_LOCAL) else []
        return named + [name for value in schema.values() for name in _references(value)]
    if isinstance(schema, list):
        return [name for value in schema for name in _references(value)]
    return []


def _pointed(schema: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON of any shape
    """The schema with its references, and those of a discriminator, turned to the components."""
    if isinstance(schema, dict):
        return {key: _pointed(value, names) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_pointed(value, names) for value in schema]
    if isinstance(schema, str) and schema.startswith(_LOCAL):
        local = schema[len(_LOCAL) :]
        return f"{_SHARED}{names.get(local, local)}"
    return schema
