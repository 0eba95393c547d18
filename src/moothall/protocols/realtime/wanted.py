"""What a reader wants: which topics, which events of them, from where on (row RTC-07). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from moothall.errors import InvalidInput, Told
from moothall.events.model import Event

MAILBOX: Final = "mailbox"
"""The topic of what is said to the reader alone."""

GROUP: Final = "group:"
"""Begins the name of a group's topic."""

NOW: Final = "now"
BEGINNING: Final = "beginning"

_MOST: Final = 64
_LONGEST: Final = 256
_WHERE: Final = "where."
_NAMES: Final = frozenset({"topics", "types", "where", "from"})
_LARGEST: Final = 2**31


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader wants.

    Attributes:
        topics: `MAILBOX`, ``group:ID``; empty: the mailbox and every group.
        types: types of events, or beginnings of types before a ``*``; empty: all.
        where: values that fields of the payload must have, by their dotted paths.
        start: a seq from which on every topic is read, `BEGINNING` or `NOW`; empty: the mailbox from its beginning and
            groups from now on.
    """

    topics: frozenset[str] = frozenset()
    types: tuple[str, ...] = ()
    where: Mapping[str, object] = field(default_factory=dict)
    start: int | str = ""

    @property
    def everything(self) -> bool:
        """Whether no event is left out."""
        return not self.types and not self.where

    @classmethod
    def of_query(cls, pairs: Sequence[tuple[str, str]]) -> Self:
        """What a query asks for: ``topics``, ``types`` (lists with commas), ``where.FIELD``, ``from``.

        Raises:
            InvalidInput: it asks for something else, or for something twice.
        """
        found: dict[str, Any] = {}
        where: dict[str, object] = {}
        for name, value in pairs:
            place, key = (where, name.removeprefix(_WHERE)) if name.startswith(_WHERE) else (found, name)
            if key in place:
                raise _unfit(name)
            place[key] = value
        for name in ("topics", "types"):
            if name in found:
                found[name] = [part for part in found[name].split(",") if part]
        start = found.get("from", "")
        if isinstance(start, str) and start.isascii() and start.isdigit():
            found["from"] = int(start) if len(start) < len(str(_LARGEST)) else _LARGEST
        return cls.of_json(found | ({"where": where} if where else {}))

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Self:
        """The same of a JSON object.

        Raises:
            InvalidInput: it asks for something else.
        """
        if unknown := sorted(set(said) - _NAMES):
            raise _unfit(str(unknown[0])[:_LONGEST])
        start = said.get("from", "")
        good = start in {"", NOW, BEGINNING} if isinstance(start, str) else type(start) is int and 0 <= start < _LARGEST
        if not good:
            raise _unfit("from")
        topics = _texts(said, "topics")
        if not all(topic == MAILBOX or (topic.startswith(GROUP) and topic != GROUP) for topic in topics):
            raise _unfit("topics")
        where = said.get("where", {})
        if not isinstance(where, Mapping) or len(where) > _MOST or not all(map(_plain, where.items())):
            raise _unfit("where")
        return cls(frozenset(topics), tuple(_texts(said, "types")), dict(where), start)

    def topic(self, name: str) -> bool:
        """Whether a topic is wanted."""
        return not self.topics or name in self.topics

    def event(self, event: Event) -> bool:
        """Whether an event of a topic that is wanted is."""
        if self.types and not any(_typed(event.type, each) for each in self.types):
            return False
        return all(_at(event.payload, path) == value for path, value in self.where.items())


def _typed(kind: str, wanted: str) -> bool:
    return kind.startswith(wanted[:-1]) if wanted.endswith("*") else kind == wanted


def _at(value: Any, path: str) -> Any:  # noqa: ANN401 - JSON of any shape
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _texts(said: Mapping[str, Any], name: str) -> list[str]:
    found = said.get(name, [])
    good = isinstance(found, list) and len(found) <= _MOST
    if not good or not all(isinstance(each, str) and 0 < len(each) <= _LONGEST for each in found):
        raise _unfit(name)
    return list(found)


def _plain(item: tuple[object, object]) -> bool:
    name, value = item
    named = isinstance(name, str) and 0 < len(name) <= _LONGEST
    return named and (value is None or isinstance(value, str | int | float)) and len(str(value)) <= _LONGEST


def _unfit(name: str) -> InvalidInput:
    return InvalidInput(f"{name} does not fit", told=Told("realtime.wanted", {"name": name}))
