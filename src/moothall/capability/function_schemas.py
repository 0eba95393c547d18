"""Capabilities as the tools of a language model, in the forms of the providers (row DEC-39). Pure.

::

    names = ToolNames(snapshot)
    tools = openai_tools(snapshot.newest, names)     # given to the model
    entry = names.find(call.function.name)           # when it calls one
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

from moothall.capability.entry import Entry
from moothall.capability.jsonschema import MARK
from moothall.capability.spec import JsonObject
from moothall.capability.tool_names import ToolNames

Format = Literal["openai", "anthropic"]


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


FORMATS: Final[Mapping[Format, Callable[[Iterable[Entry], ToolNames], list[JsonObject]]]] = {
    "openai": openai_tools,
    "anthropic": anthropic_tools,
}


def _told(entry: Entry) -> str:
    return f"{entry.spec.description} (deprecated)" if entry.state == "deprecated" else entry.spec.description


def _schema(entry: Entry) -> JsonObject:
    schema: JsonObject = _unmarked(entry.input_schema)
    return {"properties": {}, **schema}


def _unmarked(schema: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """The schema without our own keyword, which some providers refuse."""
    if isinstance(schema, dict):
        return {key: _unmarked(item) for key, item in schema.items() if key != MARK}
    return [_unmarked(item) for item in schema] if isinstance(schema, list) else schema
