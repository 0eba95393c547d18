"""Members of a request, each of the form that it must have (A2A 1.0 §5.5 to §5.7). Pure.

A member that is null is not there, as in the JSON of protocol buffers. A fault names the place where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from moothall.capability.spec import JsonObject
from moothall.protocols.a2a.failures import InvalidParams

MOST_ITEMS: Final = 1000
"""Of a list in a request."""

LONGEST: Final = 1024
"""Characters of an id, a name, a type or a token."""

LONGEST_URL: Final = 8192

_INT32: Final = 2**31 - 1
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)

T = TypeVar("T")


class Members:
    """The members of one object of a request, read one by one; ``taken`` is what was read and is there."""

    __slots__ = ("_at", "_given", "taken")

    def __init__(self, given: object, at: str = "") -> None:
        """``at`` is the object's place in the request, empty for the request itself.

        Raises:
            InvalidParams: it is no object.
        """
        if not isinstance(given, dict):
            raise fault(at or "params", "object")
        self._given: JsonObject = given
        self._at = f"{at}." if at else ""
        self.taken: JsonObject = {}

    def has(self, name: str) -> bool:
        """Whether it has a member, null or not."""
        return name in self._given

    def keep(self, name: str) -> None:
        """Take a member as it is."""
        self.taken[name] = self._given[name]

    def text(self, name: str, longest: int = LONGEST, *, required: bool = False) -> str:
        """Take a text; one that is empty is not there."""
        value = self._given.get(name)
        if value is None or value == "":
            if required:
                raise fault(self._at + name, "missing")
            return ""
        if not isinstance(value, str):
            raise fault(self._at + name, "text")
        if longest and len(value) > longest:
            raise fault(self._at + name, "long")
        self.taken[name] = value
        return value

    def name(self, name: str, *, required: bool = False) -> None:
        """Take an id: a text without control characters, which not every database can keep."""
        if not self.text(name, required=required).isprintable():
            raise fault(self._at + name, "text")

    def integer(self, name: str, least: int, most: int = _INT32) -> None:
        """Take an integer."""
        value = self._given.get(name)
        if value is None:
            return
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise fault(self._at + name, "integer")
        self.taken[name] = value

    def flag(self, name: str) -> None:
        """Take a truth value."""
        value = self._given.get(name)
        if value is None:
            return
        if not isinstance(value, bool):
            raise fault(self._at + name, "flag")
        self.taken[name] = value

    def mapping(self, name: str) -> None:
        """Take an object of any members."""
        value = self._given.get(name)
        if value is None:
            return
        if not isinstance(value, dict):
            raise fault(self._at + name, "object")
        self.taken[name] = value

    def texts(self, name: str) -> None:
        """Take a list of texts."""
        value = self._given.get(name)
        if value is None:
            return
        if not isinstance(value, list) or len(value) > MOST_ITEMS:
            raise fault(self._at + name, "list")
        for index, each in enumerate(value):
            if not isinstance(each, str) or len(each) > LONGEST:
                raise fault(f"{self._at}{name}[{index}]", "text")
        if value:
            self.taken[name] = value

    def time(self, name: str) -> None:
        """Take a point in time (RFC 3339)."""
        value = self.text(name)
        if not value:
            return
        try:
            if not _TIME.fullmatch(value):
                raise fault(self._at + name, "time")
            datetime.fromisoformat(value)
        except ValueError as error:
            raise fault(self._at + name, "time") from error

    def nested(self, name: str, read: Callable[[object, str], JsonObject], *, required: bool = False) -> None:
        """Take an object that is read in its turn."""
        value = self._given.get(name)
        if value is None:
            if required:
                raise fault(self._at + name, "missing")
            return
        self.taken[name] = read(value, self._at + name)

    def every(self, name: str, read: Callable[[object, str], T]) -> None:
        """Take a list that has something, each of which is read in its turn."""
        value = self._given.get(name)
        if value is None or value == []:
            raise fault(self._at + name, "missing")
        if not isinstance(value, list) or len(value) > MOST_ITEMS:
            raise fault(self._at + name, "list")
        self.taken[name] = [read(each, f"{self._at}{name}[{index}]") for index, each in enumerate(value)]

    def value(self, name: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """A member that is not taken; None where there is none."""
        return self._given.get(name)


def fault(at: str, why: str) -> InvalidParams:
    """The error of a member; ``why`` is what it is not."""
    return InvalidParams(f"wire.{why}", {"field": at})
