"""How values of one schema become values of another, found by names, titles and types. Pure and deterministic.

Nothing is guessed: a member of the target comes from the one member of the source that is called so (in any style of
writing, singular or plural, below a member that only wraps, or by the same title or description), has a constant or a
default, or is missing.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from moothall.codegen.schemas import plan
from moothall.codegen.schemas.candidates import MOST, places
from moothall.codegen.schemas.matching import Finder
from moothall.codegen.schemas.plan import Move
from moothall.codegen.schemas.shapes import Root, shape
from moothall.codegen.schemas.validation import compiled

JsonValue = Any


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping that was found.

    Attributes:
        plan: what is done, as a tree.
        total: whether every valid source gives a valid target, by proof; otherwise some may be refused when they come.
        unused: places of the source that go nowhere.
        absent: members of the target that may be missing and are.
    """

    plan: plan.Node
    total: bool
    unused: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def moves(self) -> tuple[Move, ...]:
        """What goes where."""
        return tuple(plan.moves(self.plan))

    @property
    def identity(self) -> bool:
        """Whether values stay as they are."""
        return isinstance(self.plan, plan.Copy)

    def apply(self, value: JsonValue) -> JsonValue:
        """The target of a source; raises ValueError where a value does not convert."""
        return plan.convert(self.plan, value)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """No mapping: the places of the target that nothing was found for, and why, one reason for each."""

    missing: tuple[str, ...]
    reasons: tuple[str, ...]


def map_fields(
    source: object, target: object, *, constants: AnyMapping[str, JsonValue] | None = None
) -> Mapping | Unmapped:
    """The mapping from one schema to another; ``constants`` are values of members of the target that are known.

    Raises:
        InvalidInput: a schema is refused.
    """
    given, wanted = compiled(source).document, compiled(target).document
    return map_parts(given, given, wanted, wanted, constants)


def map_parts(
    source: Root, given: object, target: Root, wanted: object, constants: AnyMapping[str, JsonValue] | None = None
) -> Mapping | Unmapped:
    """As `map_fields`, from one schema of a document that was compiled to one of another."""
    finder = Finder(source, target)
    found = finder.way(given, wanted, constants=constants)
    if found is None:
        reasons = dict.fromkeys(finder.reasons or ["the two are of different kinds"])
        return Unmapped(tuple(dict.fromkeys(finder.missing)), tuple(reasons))
    moved = [move.source for move in plan.moves(found.node)]
    held = islice(places(shape(given, source), source), MOST)
    names = [place.text for place in held]
    unused = tuple(name for name in names if "" not in _sources(found.node, moved) and not _used(name, moved))
    return Mapping(found.node, found.total, unused, tuple(dict.fromkeys(finder.absent)))


def _sources(node: plan.Node, moved: list[str]) -> list[str]:
    """Where values come from; empty text: the whole value goes on as it is."""
    return moved if isinstance(node, plan.Copy) else [name for name in moved if name]


def _used(name: str, moved: list[str]) -> bool:
    """Whether a place, what it is part of, or a part of it goes anywhere."""
    plain = [each.replace("[]", "") for each in moved if each]
    return any(name == each or name.startswith(f"{each}.") or each.startswith(f"{name}.") for each in plain)
