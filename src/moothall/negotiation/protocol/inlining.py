"""A JSON Schema without references of its own, so that it can stand inside another one. Pure."""

from __future__ import annotations

from typing import Any, Final

from moothall.negotiation.protocol.needs import JsonObject

_DEEPEST: Final = 40
_MOST: Final = 20_000
"""Values of what comes out: references can be made to grow without end."""


class _Endless(Exception):
    """It refers to itself, or is too large without references."""


def inlined(schema: JsonObject) -> JsonObject:
    """The schema with what its references mean in their place; one that refers to itself says only that it is JSON."""
    left = _MOST

    def turned(value: Any, depth: int) -> Any:  # noqa: ANN401 - JSON of any shape
        nonlocal left
        left -= 1
        if depth > _DEEPEST or left < 0:
            raise _Endless
        if isinstance(value, list):
            return [turned(each, depth + 1) for each in value]
        if not isinstance(value, dict):
            return value
        beside = {key: turned(each, depth + 1) for key, each in value.items() if key not in {"$ref", "$defs"}}
        if isinstance(reference := value.get("$ref"), str):
            meant = turned(_at(schema, reference), depth + 1)
            return {"allOf": [meant, beside]} if beside and meant.keys() & beside.keys() else {**meant, **beside}
        return beside

    try:
        whole: JsonObject = turned(schema, 0)
    except _Endless:
        return {"type": schema["type"]} if isinstance(schema.get("type"), str) else {}
    return {key: value for key, value in whole.items() if key not in {"$schema", "definitions"}}


def _at(schema: Any, reference: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """What a local reference points to; nothing is said by one that points nowhere."""
    found = schema
    for step in reference.removeprefix("#").strip("/").split("/") if reference.startswith("#/") else ():
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
