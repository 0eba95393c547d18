"""Where a member's value may come from: places of the source, and how well each fits by name. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from moothall.codegen.schemas.naming import Words, is_wrapper, said, words
from moothall.codegen.schemas.shapes import Root, Shape, kinds, shape

_DEEPEST: Final = 3
MOST: Final = 400
"""Places of one object that are considered."""

ALIAS: Final = 5
RANKS: Final = range(ALIAS + 1)
"""How well a place fits by name: 0 is the best, the last one is by what titles and descriptions say."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place within an object: its path, its schema, whether it may be absent."""

    path: tuple[str, ...]
    schema: object
    may_lack: bool

    @property
    def text(self) -> str:
        """The path in one."""
        return ".".join(self.path)


def places(given: Shape, root: Root, within: tuple[str, ...] = (), *, lacking: bool = False) -> Iterator[Place]:
    """The members of an object and, below them, of the objects that they are."""
    needed = set(given.get("required", ()))
    for name, schema in given.get("properties", {}).items():
        inner = shape(schema, root)
        found = kinds(inner)
        may_lack = lacking or name not in needed
        yield Place((*within, name), schema, may_lack)
        if len(within) + 1 < _DEEPEST and found - {"null"} == {"object"}:
            yield from places(inner, root, (*within, name), lacking=may_lack or "null" in found)


def rank(place: Place, name: str, schema: object, prefixes: tuple[Words, ...]) -> int | None:
    """How well a place fits a wanted member; None: not at all. ``prefixes``: words that may stand before its name."""
    own = words(name)
    wanted = {(*prefix, *own) for prefix in prefixes}
    trimmed = tuple(part for part in place.path[:-1] if not is_wrapper(part)) + place.path[-1:]
    joined = tuple(word for part in trimmed for word in words(part))
    if len(trimmed) == 1 and () in prefixes and place.path[-1] == name:
        return 0 if len(place.path) == 1 else 1
    if joined in wanted and joined:
        return 2 if len(place.path) == 1 else 3
    whole = tuple(word for part in place.path for word in words(part))
    if whole in wanted and whole:
        return 4
    return ALIAS if len(trimmed) == 1 and () in prefixes and _alias(place, own, schema) else None


def _alias(place: Place, own: Words, schema: object) -> bool:
    """Whether titles or descriptions say that it is the same."""
    their_title, their_description = said(place.schema)
    title, description = said(schema)
    return (
        (bool(their_title) and their_title in {own, title})
        or (bool(title) and title == words(place.path[-1]))
        or (bool(description) and description == their_description)
    )
