"""One look at one value: what it may cost, what it found. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

JsonValue = Any

WORK: Final = 500_000
"""Steps of one look at a value; a step is about a microsecond."""

TOO_MUCH: Final = "/: it is too much to check"

_DEEPEST: Final = 150
"""Schemas within each other that one look enters; a reference counts."""

Path = tuple["Path", str | int] | None
"""Where a value stands: its parent's path and its name or place there."""


class Stopped(Exception):
    """Nothing more is looked at: too much was, or enough was found."""


class Look:
    """The state of one look at a value."""

    __slots__ = ("_depth", "_left", "_most", "_quiet", "found")

    def __init__(self, most: int, work: int = WORK) -> None:
        self.found: list[str] = []
        self._most = most
        self._left = work
        self._depth = 0
        self._quiet = 0

    def spend(self, steps: int = 1) -> None:
        """Count work; raises Stopped where it is used up."""
        self._left -= steps
        if self._left < 0:
            self.found.append(TOO_MUCH)
            raise Stopped

    def wrong(self, path: Path, what: str) -> bool:
        """Note what is wrong, unless this is only a branch that is tried; always False."""
        if not self._quiet:
            self.found.append(f"{_written(path)}: {what}")
            if len(self.found) >= self._most:
                raise Stopped
        return False

    def tries(self, node: Check, value: JsonValue, path: Path) -> bool:
        """Whether a value fits, without noting what is wrong."""
        self._quiet += 1
        fits = node(value, self, path)
        self._quiet -= 1
        return fits

    def enter(self) -> None:
        """One schema further in."""
        self.spend()
        self._depth += 1
        if self._depth > _DEEPEST:
            self.found.append("/: it is nested too deeply")
            raise Stopped

    def leave(self) -> None:
        """One schema further out."""
        self._depth -= 1


Check = Callable[[JsonValue, Look, Path], bool]
"""Whether a value fits; notes what is wrong."""


def _written(path: Path) -> str:
    """A JSON pointer, shortened; names of members are the schema's or the value's own, cut to what a line takes."""
    parts: list[str] = []
    while path is not None:
        path, part = path
        name = str(part)[:64]
        parts.append(name.replace("~", "~0").replace("/", "~1") if name.isprintable() else "?")
    text = "/" + "/".join(reversed(parts))
    return text if len(text) <= 300 else text[:300] + "…"  # noqa: PLR2004 - a line
