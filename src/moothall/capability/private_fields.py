"""What a schema says of fields that not every caller is shown: nobody may count on them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from moothall.capability.spec import JsonObject

_VALUES: Final = frozenset({"default", "examples", "const", "enum"})
"""Keywords whose values are no schemas."""


def optional(schema: JsonObject, private: Collection[str]) -> JsonObject:
    """The schema with these fields (names, or dotted paths) not required, wherever an object has one of the name.

    It may say less than it could of other objects, and never what is not true of an answer.
    """
    names = frozenset(path.rpartition(".")[2] for path in private)
    made: JsonObject = _without(schema, names) if names else schema
    return made


def unknown(schema: JsonObject, private: Collection[str]) -> tuple[str, ...]:
    """Those of the fields that no object of the schema has."""
    known: set[str] = set()
    _collect(schema, known)
    return tuple(path for path in private if path.rpartition(".")[2] not in known)


def _without(part: Any, names: frozenset[str]) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(part, list):
        return [_without(item, names) for item in part]
    if not isinstance(part, Mapping):
        return part
    made = {key: value if key in _VALUES else _without(value, names) for key, value in part.items()}
    required = part.get("required")
    if isinstance(required, list):
        left = [name for name in required if name not in names]
        made.pop("required")
        if left:
            made["required"] = left
    return made


def _collect(part: Any, known: set[str]) -> None:  # noqa: ANN401 - JSON of any shape
    if isinstance(part, list):
        for item in part:
            _collect(item, known)
    elif isinstance(part, Mapping):
        properties = part.get("properties")
        if isinstance(properties, Mapping):
            known.update(properties)
        for key, value in part.items():
            if key not in _VALUES:
                _collect(value, known)
