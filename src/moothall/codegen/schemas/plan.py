"""How a value of one schema becomes one of another: a tree, and what it does. Pure.

The same tree is written out as code (`template_writer`); `convert` is the implementation apart from it, by which that
code is tested.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

JsonValue = Any
Conversion = Literal["number_to_text", "text_to_number", "text_to_integer"]

MOST_DIGITS: Final = 15
"""Digits of a text that becomes a number: as many as a number keeps."""

_NUMERIC: Final = frozenset("0123456789.-")
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Copy:
    """As it is."""


@dataclass(frozen=True, slots=True)
class Convert:
    """A number as text in decimal digits, or the other way round."""

    how: Conversion


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that does not depend on anything."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class Items:
    """Each item of a list."""

    each: Node


@dataclass(frozen=True, slots=True)
class Nullable:
    """Null stays null."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Take:
    """What stands at a place within an object."""

    path: tuple[str, ...]
    then: Node


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object that is made.

    Attributes:
        name: its name.
        path: where its value stands in the source object; empty: it is made of the object itself.
        node: what becomes of that.
        needed: without it there is no value; otherwise it is left out.
        default: what it is where its source is absent, if ``has_default``.
        drops_null: a null counts as absent.
    """

    name: str
    path: tuple[str, ...]
    node: Node
    needed: bool = True
    default: JsonValue = None
    has_default: bool = False
    drops_null: bool = False


@dataclass(frozen=True, slots=True)
class Members:
    """An object, member by member."""

    members: tuple[Member, ...]


Node = Copy | Convert | Constant | Items | Nullable | Take | Members


@dataclass(frozen=True, slots=True)
class Way:
    """A way from a schema to another; ``total``: every valid value gives a valid one."""

    node: Node
    total: bool


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that goes from a place of the source (``a.b[]``) to one of the target; ``conversion``: what is done."""

    source: str
    target: str
    conversion: str = "copy"


def convert(node: Node, value: JsonValue) -> JsonValue:  # noqa: PLR0911 - one for each kind of node
    """What becomes of a value; raises ValueError where it cannot be converted."""
    match node:
        case Copy():
            return copy.deepcopy(value)
        case Constant(constant):
            return copy.deepcopy(constant)
        case Convert(how):
            return _converted(how, value)
        case Nullable(inner):
            return None if value is None else convert(inner, value)
        case Items(each):
            if not isinstance(value, list):
                raise ValueError("a list is needed")  # noqa: TRY004 - the one error of a value that does not convert
            return [convert(each, item) for item in value]
        case Take(path, then):
            found = _at(value, path)
            if found is _ABSENT:
                raise ValueError("what is needed is missing")
            return convert(then, found)
        case Members(members):
            return {member.name: made for member in members if (made := _member(member, value)) is not _ABSENT}


def _member(member: Member, value: JsonValue) -> JsonValue:
    found = _at(value, member.path) if not isinstance(member.node, Constant) else None
    absent = found is _ABSENT or (found is None and member.drops_null)
    if not absent:
        return convert(member.node, found)
    if member.has_default:
        return copy.deepcopy(member.default)
    if member.needed:
        raise ValueError("what is needed is missing")
    return _ABSENT


def _at(value: JsonValue, path: tuple[str, ...]) -> JsonValue:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _ABSENT
        value = value[name]
    return value


def _converted(how: Conversion, value: JsonValue) -> JsonValue:
    if how == "number_to_text":
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError("a number is needed")
        return str(int(value)) if value == int(value) else str(value)
    if not isinstance(value, str) or len(value) > MOST_DIGITS or not set(value) <= _NUMERIC:
        raise ValueError("a decimal number is needed")
    return int(value) if how == "text_to_integer" else float(value)


def moves(node: Node, source: str = "", target: str = "") -> Iterator[Move]:
    """What goes where."""
    match node:
        case Copy():
            yield Move(source, target)
        case Convert(how):
            yield Move(source, target, how)
        case Constant():
            yield Move("", target, "constant")
        case Nullable(inner):
            yield from moves(inner, source, target)
        case Items(each):
            yield from moves(each, f"{source}[]", f"{target}[]")
        case Take(path, then):
            yield from moves(then, _joined(source, *path), target)
        case Members(members):
            for member in members:
                yield from moves(member.node, _joined(source, *member.path), _joined(target, member.name))


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)
