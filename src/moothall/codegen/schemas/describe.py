"""What a description of data says as JSON Schema: a schema itself, an example, or a list of fields. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from moothall.canonical import strict_json
from moothall.codegen.schemas.admission import JsonObject
from moothall.codegen.schemas.field_lists import listed
from moothall.codegen.schemas.scalars import TYPES
from moothall.codegen.schemas.shapes import kind
from moothall.codegen.schemas.validation import compiled
from moothall.errors import MoothallError

LONGEST: Final = 65_536
"""Characters of a description; longer ones say nothing."""

_FENCE: Final = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_SCHEMA_WORDS: Final = frozenset("properties items anyOf oneOf allOf enum const required additionalProperties".split())
_DEEPEST: Final = 12


def described(text: str) -> JsonObject | None:
    """The schema that a text gives, or describes by an example or a list of fields; None where it is only words.

    Of a list of fields every field is needed that is not called optional; no field without a type makes a schema alone.
    """
    if len(text) > LONGEST:
        return None
    for found in _json_in(text):
        schema = found if _is_schema(found) else inferred(found)
        if _taken(schema):
            return schema
    fields = listed(text)
    return fields if fields is not None and _taken(fields) else None


def inferred(example: object, depth: int = 0) -> JsonObject:
    """The schema of an example: its types, every member of its objects needed."""
    if depth > _DEEPEST:
        return {}
    if isinstance(example, dict):
        members = {str(name): inferred(value, depth + 1) for name, value in example.items()}
        return {"type": "object", "properties": members, "required": list(members)}
    if isinstance(example, list):
        found = [inferred(item, depth + 1) for item in example]
        return {"type": "array", "items": _common(found)} if found else {"type": "array"}
    if example is None:
        return {}
    return {"type": "number" if isinstance(example, float) else kind(example)}


def _common(schemas: list[JsonObject]) -> JsonObject:
    """One schema for all of them."""
    first = schemas[0]
    if any(schema.get("type") != first.get("type") for schema in schemas):
        numbers = all(schema.get("type") in {"integer", "number"} for schema in schemas)
        return {"type": "number"} if numbers else {}
    if first.get("type") != "object":
        return first if all(schema == first for schema in schemas) else {"type": first["type"]} if first else {}
    names = dict.fromkeys(name for schema in schemas for name in schema["properties"])
    members = {
        name: _common([schema["properties"][name] for schema in schemas if name in schema["properties"]])
        for name in names
    }
    needed = [name for name in names if all(name in schema["properties"] for schema in schemas)]
    return {"type": "object", "properties": members, "required": needed}


def _json_in(text: str) -> list[Any]:
    """The JSON objects and lists of a text: all of it, in fences, or from the first brace to the last."""
    inner = text[text.find("{") : text.rfind("}") + 1]
    candidates = (text.strip(), *(match[1].strip() for match in _FENCE.finditer(text)), inner)
    return [value for each in candidates if each[:1] in {"{", "["} and (value := _read(each))]


def _read(text: str) -> Any:  # noqa: ANN401 - JSON of any shape
    try:
        return strict_json(text.encode())
    except (MoothallError, ValueError):
        return None  # words, then


def _is_schema(value: Any) -> bool:  # noqa: ANN401 - JSON of any shape
    if not isinstance(value, dict):
        return False
    named = value.get("type")
    typed = isinstance(named, str) and named in TYPES and (len(value) == 1 or bool(value.keys() & _SCHEMA_WORDS))
    return "$schema" in value or typed or isinstance(value.get("properties"), dict)


def _taken(schema: JsonObject) -> bool:
    try:
        compiled(schema)
    except MoothallError:
        return False
    return True
