"""What may cross between host and sandbox: JSON, copied piece by piece within a bound. Pure.

A value of a few bytes inside can stand for gigabytes (a list that holds another twice, thirty times over), or hold
itself; whoever copies it without counting is lost. What the host hands in is copied as well, so that no object of
its own, and no value in two places at once, ever crosses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, Final

DEEPEST: Final = 100
"""Levels of lists and objects."""

LONGEST_INTEGER: Final = 14_000
"""Bits: some 4,200 digits, which is as many as Python writes and reads as text."""

_NODE: Final = 8
"""Bytes that any piece counts at least."""


_TOO_LARGE: Final = "it is too large"


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
        kind = type(value)
        if (measure := _LEAVES.get(kind)) is not None:
            if kind is str and len(value) > self._left:  # type: ignore[arg-type]  # before it is written to be measured
                raise TooLarge(_TOO_LARGE)
            self._take(_NODE + measure(value))
            return value
        self._take(_NODE)
        if levels == 0:
            message = "it is nested too deeply"
            raise NotJson(message)
        if isinstance(value, dict | Mapping):  # the commonest first
            return {self._key(key): self.copy(each, levels - 1) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return self._items(value, levels - 1)
        message = "it holds a value that is no JSON"
        raise NotJson(message)

    def _items(self, values: Sequence[object], levels: int) -> list[Any]:
        if len(values) * _NODE > self._left:
            raise TooLarge(_TOO_LARGE)
        return [self.copy(each, levels) for each in values]

    def _key(self, key: object) -> str:
        if type(key) is not str:
            message = "a name in an object is no text"
            raise NotJson(message)
        if len(key) > self._left:
            raise TooLarge(_TOO_LARGE)
        self._take(_text(key))
        return key

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise TooLarge(_TOO_LARGE)


def _nothing(_: object) -> int:
    return 0


def _text(text: str) -> int:
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        message = "a text holds half a character"
        raise NotJson(message) from None


def _integer(number: int) -> int:
    bits = number.bit_length()
    if bits > LONGEST_INTEGER:
        message = "an integer is too long"
        raise NotJson(message)
    return bits // 8


def _number(number: float) -> int:
    if not isfinite(number):
        message = "a number is not finite"
        raise NotJson(message)
    return 0


_LEAVES: Final[Mapping[type, Callable[[Any], int]]] = {
    type(None): _nothing,
    bool: _nothing,
    str: _text,
    int: _integer,
    float: _number,
}
"""What cannot change and crosses as it is: the bytes that it counts beside those of every piece, by its exact type."""
