"""JSON of strangers that is to be proved: what two readers could understand differently is refused. Pure."""

from __future__ import annotations

import json
from typing import Any

from moothall.canonical import loads


def loads_strict(data: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read JSON in which no object has a key twice; `moothall.canonical.loads` takes the last one, others the first.

    Raises:
        ValueError: it is not JSON, not UTF-8, nested too deeply for a reader, or has a key twice in one object.
    """
    value = loads(data)
    try:
        json.loads(data, object_pairs_hook=_distinct)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in an object")
    return found
