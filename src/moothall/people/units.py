"""Organisations, departments and teams: a forest, and who belongs where. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict

from moothall.errors import Conflict, InvalidInput, Told
from moothall.people.facts import UnitKind

ORGANISATION: Final = "organisation"
DEPARTMENT: Final = "department"
TEAM: Final = "team"

OWNER: Final = "owner"
"""Rules the unit, and all that it contains."""
MEMBER: Final = "member"
INVITED: Final = "invited"
"""Was asked to join; it does not count before the member has."""

_PARENTS: Final[Mapping[UnitKind, frozenset[UnitKind]]] = MappingProxyType(
    {
        "organisation": frozenset(),
        "department": frozenset({"department", "organisation"}),
        "team": frozenset({"department", "organisation"}),
    }
)
DEEPEST: Final = 32
"""Units that may stand in one another."""


class Unit(BaseModel):
    """A unit; `parent` is empty where nothing contains it."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: UnitKind
    parent: str = ""
    name: str = ""
    origin: str = "api"


class Membership(BaseModel):
    """A member's role in a unit; `joined` is False where it was only invited."""

    model_config = ConfigDict(frozen=True)

    unit: str
    member: str
    role: str
    joined: bool = True


def upwards(parents: Mapping[str, str | None], start: Iterable[str]) -> Iterator[str]:
    """These units and all that contain them, each once; it ends even where the store holds a circle."""
    seen: set[str] = set()
    for first in start:
        at: str | None = first
        while at and at not in seen:
            seen.add(at)
            yield at
            at = parents.get(at)


def check_parent(kind: UnitKind, parent: UnitKind) -> None:
    """A unit of this kind may stand in one of that: departments in organisations and departments, teams in both.

    Raises:
        InvalidInput: it may not.
    """
    if parent not in _PARENTS[kind]:
        raise InvalidInput(
            "a unit does not fit into its parent",
            why=f"{kind} in {parent}",
            told=Told("people.unit_parent", {"kind": kind, "parent": parent}),
        )


def check_forest(unit: str, line: Iterable[str]) -> None:
    """`unit` may stand below `line`: its new parent and all above that.

    Raises:
        Conflict: it would contain itself, or stand too deep.
    """
    above = tuple(line)
    if unit in above or len(above) >= DEEPEST:
        raise Conflict(
            "the unit cannot stand there",
            why="it would contain itself" if unit in above else f"more than {DEEPEST} units would contain each other",
            told=Told("people.unit_circle", {"unit": unit, "most": DEEPEST}),
        )


def check_role(kind: UnitKind, role: str) -> None:
    """A role that a unit of this kind gives; duties such as ``hr`` are given by organisations only.

    Raises:
        InvalidInput: it gives no such role.
    """
    duty = role not in {OWNER, MEMBER, INVITED}
    if role == INVITED or (duty and (kind != "organisation" or not role or not role.isprintable() or len(role) > 64)):  # noqa: PLR2004
        raise InvalidInput("no role of this unit", told=Told("people.unit_role", {"role": role, "kind": kind}))
