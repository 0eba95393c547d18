"""What JSON of strangers is looked at: its size, before anything else reads it. Pure."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from moothall.canonical import DEEPEST, MOST_VALUES, canonical, sha256
from moothall.codegen.schemas.refusing import refused
from moothall.errors import InvalidInput

JsonObject = dict[str, Any]

LARGEST_SCHEMA: Final = 64 * 1024
"""Bytes of a schema in its canonical form."""

_MOST_SCHEMA_VALUES: Final = 20_000


def extent(value: object, most: int = MOST_VALUES, deepest: int = DEEPEST) -> str:
    """Why a value is not looked at: ``"json"`` where it is none, ``"large"``; empty where it is."""
    waiting: list[tuple[object, int]] = [(value, 0)]
    seen = 0
    while waiting:
        item, depth = waiting.pop()
        seen += 1
        if isinstance(item, dict):
            if not all(isinstance(key, str) for key in item):
                return "json"
            waiting += [(inner, depth + 1) for inner in item.values()]
        elif isinstance(item, list):
            waiting += [(inner, depth + 1) for inner in item]
        elif not (item is None or isinstance(item, str | int | float)) or _endless(item):
            return "json"
        if seen + len(waiting) > most or depth > deepest:
            return "large"
    return ""


def _endless(item: object) -> bool:
    return isinstance(item, float) and not math.isfinite(item)


def admitted(schema: object) -> tuple[JsonObject | bool, str]:
    """A copy of a schema of acceptable size that nobody else holds, and its digest.

    Raises:
        InvalidInput: no JSON, or too large.
    """
    if reason := extent(schema, _MOST_SCHEMA_VALUES):
        raise refused(reason)
    try:
        body = canonical(schema)
    except InvalidInput as error:
        raise refused("json") from error
    if len(body) > LARGEST_SCHEMA:
        raise refused("large")
    copy: JsonObject | bool = json.loads(json.dumps(schema))
    return copy, sha256(body)


def frozen(value: object) -> object:
    """A hashable form that is equal for equal JSON: 1 and 1.0 are, 1 and true are not. ``value`` passed `extent`."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, dict):
        return ("object", frozenset((key, frozen(inner)) for key, inner in value.items()))
    return ("list", *map(frozen, value)) if isinstance(value, list) else value
