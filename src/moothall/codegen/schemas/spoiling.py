"""Values that nearly fit a schema: one thing is wrong with each. Pure and deterministic."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from typing import Final

from moothall.codegen.schemas.admission import frozen
from moothall.codegen.schemas.running import JsonValue, Stopped
from moothall.codegen.schemas.shapes import Root, Shape, kinds, shape
from moothall.codegen.schemas.sieve import Sieve
from moothall.codegen.schemas.validation import compiled

_OTHERS: Final[tuple[JsonValue, ...]] = (None, True, 0, -1, 1.5, "", "no", [], {}, [None], {"x": 1}, 2**53 - 1)
_MOST_CHANGES: Final = 1_000
_DEEPEST: Final = 8

Place = tuple[str | int, ...]


def spoiled(schema: object, value: JsonValue, seed: int = 0, count: int = 20) -> list[JsonValue]:
    """Up to ``count`` distinct values like ``value`` that do not fit: a member is missing, of another type or size.

    ``value`` stays as it is. None is made where the schema takes anything. The same arguments give the same values.

    Raises:
        InvalidInput: the schema is refused.
    """
    checked = compiled(schema)
    changes = list(_changes(shape(checked.document, checked.document), checked.document, value, ()))
    random.Random(f"{checked.digest} {seed}").shuffle(changes)  # noqa: S311 - samples are no secrets
    changes = _mixed(changes)
    found: dict[object, JsonValue] = {}
    sieve = Sieve(checked)
    with suppress(Stopped):
        for place, other in changes[:_MOST_CHANGES]:
            if len(found) >= count:
                break
            made = _changed(value, place, other)
            if sieve.problems(made):
                found.setdefault(frozen(made), made)
    return list(found.values())


def _mixed(changes: list[tuple[Place, object]]) -> list[tuple[Place, object]]:
    """The same from every depth in turn, what is taken away or just outside before what is quite another thing."""
    by_depth: dict[int, list[tuple[Place, object]]] = {}
    for change in sorted(changes, key=lambda each: any(each[1] is other for other in _OTHERS)):
        by_depth.setdefault(len(change[0]), []).append(change)
    turns = zip_longest(*(by_depth[depth] for depth in sorted(by_depth)))
    return [change for turn in turns for change in turn if change is not None]


_GONE: Final = object()
"""Stands for a member that is taken away."""


def _changes(given: Shape, root: Root, value: JsonValue, place: Place) -> Iterator[tuple[Place, object]]:
    """Places, with what to put there."""
    yield from ((place, other) for other in _OTHERS)
    yield from ((place, other) for other in _just_outside(given))
    if isinstance(value, str):
        yield from ((place, other) for other in (value + "\u0000", value.upper(), value[:-1], value + "x" * 2000))
    if len(place) >= _DEEPEST:
        return
    if isinstance(value, dict):
        properties = given.get("properties", {})
        yield (*place, "not_a_member_of_it"), 1
        for name, inner in value.items():
            yield (*place, name), _GONE
            yield from _changes(shape(properties.get(name, True), root), root, inner, (*place, name))
    if isinstance(value, list) and "array" in kinds(given):
        yield place, [*value, None]
        yield place, value * 60 if value else [0] * 60
        for at, inner in enumerate(value[:3]):
            yield from _changes(shape(given.get("items", True), root), root, inner, (*place, at))


def _just_outside(given: Shape) -> Iterator[JsonValue]:
    for key, step in (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", 0), ("exclusiveMaximum", 0)):
        if key in given:
            yield given[key] + step
    if 0 < given.get("minLength", 0) < 1000:  # noqa: PLR2004 - a text that can be made
        yield "x" * (given["minLength"] - 1)
    if given.get("maxLength", 10_000) < 10_000:  # noqa: PLR2004 - as above
        yield "x" * (given["maxLength"] + 1)
    if given.get("multipleOf"):
        yield given["multipleOf"] / 2


def _changed(value: JsonValue, place: Place, other: object) -> JsonValue:
    if not place:
        return other
    made = copy.copy(value)
    head, rest = place[0], place[1:]
    if other is _GONE and not rest:
        del made[head]
    else:
        made[head] = _changed(made.get(head) if isinstance(made, dict) else made[head], rest, other)
    return made
