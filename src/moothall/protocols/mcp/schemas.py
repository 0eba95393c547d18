"""JSON Schemas as strict MCP clients take them: an object at the root, definitions written out in place. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject

RESULT: Final = "result"
"""Where a value stands that is no object, since structured content must be one."""

_LOCAL: Final = "#/$defs/"
_MOST: Final = 2000
"""Nodes of a schema whose definitions are written out; larger ones keep them, or they could grow without bound."""


def input_schema(entry: Entry) -> JsonObject:
    """The schema of a tool's arguments."""
    return {"type": "object", **inlined(entry.input_schema)}


def output_schema(entry: Entry) -> tuple[JsonObject | None, bool]:
    """The schema of a tool's structured content, and whether the value stands in it under `RESULT`.

    There is no schema where nothing is declared: then the value itself says whether it is an object.
    """
    declared = entry.output_schema
    if declared is None and not entry.streams:
        return None, False
    schema = inlined(declared or {})
    definitions = schema.pop("$defs", None)
    if entry.streams:
        schema = {"type": "array", "items": schema}
    wrap = schema.get("type") != "object"
    if wrap:
        schema = {"type": "object", "properties": {RESULT: schema}, "required": [RESULT]}
    if definitions:
        schema["$defs"] = definitions
    return schema, wrap


def inlined(schema: JsonObject) -> JsonObject:
    """The schema with its local definitions written out; those that contain themselves stay where they are."""
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    root = {key: value for key, value in schema.items() if key not in {"$defs", "$schema"}}
    if not definitions:
        return root
    writing = _Writing(definitions)
    made: JsonObject = writing.out(root, ())
    if writing.nodes > _MOST:
        return _rooted({**root, "$defs": dict(definitions)}, definitions)
    if writing.kept:
        made["$defs"] = {name: definitions[name] for name in _closed(writing.kept, definitions)}
    return _rooted(made, definitions)


class _Writing:
    """Writes definitions out; ``kept`` are the names that must stay references, ``nodes`` what was written."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self.kept: set[str] = set()
        self.nodes = 0

    def out(self, node: Any, within: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON of any shape
        self.nodes += 1
        if self.nodes > _MOST:
            return node
        if isinstance(node, list):
            return [self.out(item, within) for item in node]
        if not isinstance(node, dict):
            return node
        name = _named(node)
        if name in within:
            self.kept.add(name)
            return node
        if name in self._definitions:
            beside = {key: value for key, value in node.items() if key != "$ref"}
            return {**self.out(self._definitions[name], (*within, name)), **self.out(beside, within)}
        # A discriminator names definitions by their references; validators of JSON Schema do not read it.
        return {key: self.out(value, within) for key, value in node.items() if not _discriminates(key, value)}


def _rooted(schema: JsonObject, definitions: Mapping[str, Any]) -> JsonObject:
    """The schema without a reference at its root, which makes strict clients drop the whole list."""
    name = _named(schema)
    if name not in definitions:
        return schema
    return {**definitions[name], **{key: value for key, value in schema.items() if key != "$ref"}}


def _closed(names: set[str], definitions: Mapping[str, Any]) -> list[str]:
    """The names, with all that their definitions refer to."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for other in _references(definitions[name]) if other in definitions]
    return sorted(found)


def _references(node: Any) -> list[str]:  # noqa: ANN401 - JSON of any shape
    if isinstance(node, list):
        return [name for item in node for name in _references(item)]
    if not isinstance(node, dict):
        return []
    name = _named(node)
    return [*([name] if name else []), *(found for value in node.values() for found in _references(value))]


def _named(node: Mapping[str, Any]) -> str:
    reference = node.get("$ref")
    local = isinstance(reference, str) and reference.startswith(_LOCAL)
    return reference[len(_LOCAL) :] if local and isinstance(reference, str) else ""


def _discriminates(key: str, value: Any) -> bool:  # noqa: ANN401 - JSON of any shape
    return key == "discriminator" and isinstance(value, dict) and "propertyName" in value and "mapping" in value
