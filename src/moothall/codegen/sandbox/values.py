"""What may cross between host and sandbox: JSON, copied piece by piece within a bound. Pure.

A value of a few bytes inside can stand for gigabytes (a list that holds another twice, thirty times over), or hold
itself; whoever copies it without counting is lost. What the host hands in is copied as well, so that no object of
its own, and no value in two places at once, ever crosses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

DEEPEST: Final = 100
"""Levels of lists and objects."""

LONGEST_INTEGER: Final = 14_000
"""Bits: some 4,200 digits, which is as many as Python writes and reads as text."""

_NODE: Final = 8
"""Bytes that any piece counts at least."""


class NotJson(ValueError):
    """A value that cannot cross; the text says why and repeats nothing of it."""


class TooLarge(NotJson):
    """A value of more bytes than may cross."""


def plain(value: object, most: int) -> Any:  # noqa: ANN401 - JSON is any of its types
    """A copy of a JSON value, of at most `most` bytes; tuples become lists.

    Raises:
        TooLarge: there is more of it.
        NotJson: it is none: another type, a key that is no text, not a number, deeper than DEEPEST.
    """
    return _Copier(most).copy(value, DEEPEST)


class _Copier:
    """Copies one value and counts what is left."""

    def __init__(self, most: int) -> None:
        self._left = most

    def copy(self, value: object, levels: int) -> Any:  # noqa: ANN401 - as `plain`
        self._take(_NODE)
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is int:
            return self._integer(value)
        if kind is float:
            return _number(value)
        if levels == 0:
            message = "it is nested too deeply"
            raise NotJson(message)
        if isinstance(value, Mapping):
            return {self._key(key): self.copy(each, levels - 1) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return self._items(value, levels - 1)
        message = "it holds a value that is no JSON"
        raise NotJson(message)

    def _items(self, values: Sequence[object], levels: int) -> list[Any]:
        self._room(len(values) * _NODE)
        return [self.copy(each, levels) for each in values]

    def _key(self, key: object) -> str:
        if type(key) is not str:
            message = "a name in an object is no text"
            raise NotJson(message)
        return self._text(key)

    def _text(self, text: Any) -> str:  # noqa: ANN401 - a text, as its caller made sure
        self._room(len(text))
        try:
            self._take(len(text.encode()))
        except UnicodeEncodeError:
            message = "a text holds half a character"
            raise NotJson(message) from None
        return str(text)

    def _integer(self, number: Any) -> int:  # noqa: ANN401 - as `_text`
        bits = number.bit_length()
        if bits > LONGEST_INTEGER:
            message = "an integer is too long"
            raise NotJson(message)
        self._take(bits // 8)
        return int(number)

    def _room(self, size: int) -> None:
        if size > self._left:
            message = "it is too large"
            raise TooLarge(message)

    def _take(self, size: int) -> None:
        self._room(size)
        self._left -= size


def _number(number: Any) -> float:  # noqa: ANN401 - as `_text`
    if not isfinite(number):
        message = "a number is not finite"
        raise NotJson(message)
    return float(number)
