"""Capabilities as the tools of a language model, in the forms of providers and protocols (rows DEC-39, LLM-09). Pure.

::

    names = ToolNames(snapshot)
    tools = openai_tools(snapshot.newest, names)     # given to the model
    entry = names.find(call.function.name)           # when it calls one
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

from moothall.canonical import dumps
from moothall.capability.entry import Entry
from moothall.capability.jsonschema import MARK
from moothall.capability.spec import JsonObject
from moothall.capability.tool_names import ToolNames

TAGS: Final = "moothall/tags"
"""In a tool's ``_meta``: what it is about, for which the protocol has no member of its own (row DEC-30)."""

_JSON: Final = "application/json"

Format = Literal["openai", "anthropic", "mcp", "a2a"]


def openai_tools(entries: Iterable[Entry], names: ToolNames) -> list[JsonObject]:
    """The list for ``tools`` of a chat completion."""
    return [
        {
            "type": "function",
            "function": {"name": names.of(entry), "description": _told(entry), "parameters": _schema(entry)},
        }
        for entry in entries
    ]


def anthropic_tools(entries: Iterable[Entry], names: ToolNames) -> list[JsonObject]:
    """The list for ``tools`` of a message."""
    return [{"name": names.of(entry), "description": _told(entry), "input_schema": _schema(entry)} for entry in entries]


def mcp_tools(entries: Iterable[Entry], names: ToolNames) -> list[JsonObject]:
    """The list that ``tools/list`` of the Model Context Protocol has, as far as a model needs it."""
    return [
        {
            "name": names.of(entry),
            "description": _told(entry),
            "inputSchema": _schema(entry),
            "annotations": {
                "readOnlyHint": entry.spec.annotations.read_only,
                "destructiveHint": entry.spec.annotations.destructive,
                "idempotentHint": entry.spec.idempotent,
                "openWorldHint": entry.spec.annotations.open_world,
            },
            **({"_meta": {TAGS: list(entry.spec.tags)}} if entry.spec.tags else {}),
        }
        for entry in entries
    ]


def a2a_skills(entries: Iterable[Entry], names: ToolNames) -> list[JsonObject]:
    """The skills of an A2A agent; an example shows the message that uses one, since a skill has no schema."""
    return [
        {
            "id": names.of(entry),
            "name": entry.spec.name,
            "description": _told(entry),
            "tags": list(entry.spec.tags) or [entry.agent],
            "examples": [_example(names.of(entry), _schema(entry))],
            "inputModes": [_JSON],
            "outputModes": [_JSON],
        }
        for entry in entries
    ]


FORMATS: Final[Mapping[Format, Callable[[Iterable[Entry], ToolNames], list[JsonObject]]]] = {
    "openai": openai_tools,
    "anthropic": anthropic_tools,
    "mcp": mcp_tools,
    "a2a": a2a_skills,
}


def _told(entry: Entry) -> str:
    return f"{entry.spec.description} (deprecated)" if entry.state == "deprecated" else entry.spec.description


def _example(skill: str, schema: JsonObject) -> str:
    """A message with every argument that has to be there, in place of each what it is."""
    needed: JsonObject = {name: schema["properties"][name] for name in schema.get("required", ())}
    arguments = {name: f"<{part.get('type', 'value')}>" for name, part in needed.items()}
    return dumps({"skill": skill, "arguments": arguments}).decode()


def _schema(entry: Entry) -> JsonObject:
    schema: JsonObject = _unmarked(entry.input_schema)
    return {"properties": {}, **schema}


def _unmarked(schema: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """The schema without our own keyword, which some providers refuse."""
    if isinstance(schema, dict):
        return {key: _unmarked(item) for key, item in schema.items() if key != MARK}
    return [_unmarked(item) for item in schema] if isinstance(schema, list) else schema
