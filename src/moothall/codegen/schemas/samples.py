"""Values that fit a schema, for tests of generated code, and values that just do not. Pure and deterministic."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from moothall.codegen.schemas.admission import frozen
from moothall.codegen.schemas.running import JsonValue, Stopped
from moothall.codegen.schemas.sampling import Impossible, Maker, Mode
from moothall.codegen.schemas.shapes import Root, branches, chosen, shape
from moothall.codegen.schemas.sieve import Sieve
from moothall.codegen.schemas.spoiling import spoiled
from moothall.codegen.schemas.validation import Schema, compiled

__all__ = ["samples", "spoiled"]

_MOST_TRIES: Final = 8
"""Attempts for each sample that is wanted."""
_MOST_EDGES: Final = 40
_MOST_STEPS: Final = 10_000
"""Values that are made in all, those within others included."""
_FEW_STEPS: Final = 1_000
_EDGES: Final[tuple[Mode, ...]] = ("least", "most")
_ANY: Final[Mode] = "random"


def samples(schema: object, count: int = 20, seed: int = 0) -> list[JsonValue]:
    """Up to ``count`` distinct values that fit a schema: the smallest and a full one of each choice first, then any.

    None is made where the schema allows none, or none was found within bounds. The same arguments give the same values.

    Raises:
        InvalidInput: the schema is refused.
    """
    checked = compiled(schema)
    return _fitting(checked, checked.document, count, random.Random(f"{checked.digest} {seed}"))  # noqa: S311 - no secrets


def samples_of(root: Root, schema: object, count: int) -> list[JsonValue]:
    """As `samples`, of one schema of a document that was compiled."""
    return _fitting(Schema(root, "", schema), schema, count, random.Random(0), _FEW_STEPS)  # noqa: S311 - samples are no secrets


def _fitting(
    checked: Schema, schema: object, count: int, rng: random.Random, steps: int = _MOST_STEPS
) -> list[JsonValue]:
    found: dict[object, JsonValue] = {}
    sieve = Sieve(checked, 2 * steps)
    with suppress(Stopped):
        for value in _candidates(checked.document, schema, rng, count * _MOST_TRIES, steps):
            if len(found) >= count:
                break
            if sieve.problems(value) == []:
                found.setdefault(frozen(value), value)
    return list(found.values())


def _candidates(root: Root, whole: object, rng: random.Random, tries: int, steps: int) -> Iterator[JsonValue]:
    wanted: list[tuple[object, Mode]] = [(edge, mode) for edge in _edges(root, whole) for mode in _EDGES]
    for schema, mode in [*wanted, *[(whole, _ANY)] * tries]:
        maker = Maker(root, rng, mode)
        with suppress(Impossible):
            yield maker.value(schema)
        steps -= maker.steps
        if steps < 0:
            return


def _edges(root: Root, whole: object) -> list[object]:
    """The schema itself, each of its choices, and with each value that a member's choice leaves."""
    top = shape(whole, root)
    found: list[object] = [whole, *(chosen(top, branch) for branch in branches(top))]
    for name, member in top.get("properties", {}).items():
        inner = shape(member, root)
        needed = [*top.get("required", ()), name]
        options = [{"const": value} for value in inner.get("enum", ())] or branches(inner)
        for option in options:
            with_option = {**top.get("properties", {}), name: {"allOf": [inner, option]}}
            found.append({**top, "properties": with_option, "required": list(dict.fromkeys(needed))})
    return found[:_MOST_EDGES]
