"""Fields that are taken out of an answer before it leaves (rows POL-07, POL-13). Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

Json = Any
"""What `json.loads` gives: None, bool, int, float, str, and lists and dicts of these."""

_Paths = tuple[str, ...]


def redacted(value: Json, fields: frozenset[str]) -> Json:
    """The value without these fields; the very same object where there is nothing to take out.

    A name without a dot is a key at any depth: ``email`` is gone wherever it stands. A name with dots is a path from
    the top: of ``owner.email`` only the address of the owner is gone. Lists on the way are stepped through, item by
    item. A key that has dots itself is found by the same words, so that no way of writing it leaves it in.

    Nothing that was handed in is ever changed: the parts that change are copied, all others are shared.

    Raises:
        RecursionError: the value is nested deeper than Python can follow; nothing of it is given out then.
    """
    if not fields:
        return value
    names, paths = _sorted_out(fields)
    return _without(value, names, paths)


@lru_cache(maxsize=1024)
def _sorted_out(fields: frozenset[str]) -> tuple[frozenset[str], _Paths]:
    """Names that are meant at any depth, and paths from the top."""
    paths = frozenset(field for field in fields if "." in field)
    return fields - paths, tuple(sorted(paths))


def _without(value: Json, names: frozenset[str], paths: _Paths) -> Json:
    """The value without `names` at any depth and without what `paths` lead to from here."""
    if isinstance(value, dict):
        return _dict_without(value, names, paths)
    if isinstance(value, list) and (names or paths):
        return _list_without(value, names, paths)
    return value


def _dict_without(value: dict[str, Json], names: frozenset[str], paths: _Paths) -> dict[str, Json]:
    changed: dict[str, Json] = {}
    gone: set[str] = set()
    for key, item in value.items():
        if key in names or key in paths:
            gone.add(key)
        elif isinstance(item, dict | list):
            deeper = _below(key, paths) if paths else ()
            if (names or deeper) and (left := _without(item, names, deeper)) is not item:
                changed[key] = left
    if not gone and not changed:
        return value
    return {key: changed.get(key, item) for key, item in value.items() if key not in gone}


def _list_without(value: list[Json], names: frozenset[str], paths: _Paths) -> list[Json]:
    left = [_without(item, names, paths) for item in value]
    return value if all(new is old for new, old in zip(left, value, strict=True)) else left


def _below(key: str, paths: _Paths) -> _Paths:
    """What is left of the paths that go through this key."""
    return tuple(path[len(key) + 1 :] for path in paths if path.startswith(f"{key}."))
