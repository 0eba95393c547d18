"""Values on their way between Python and JSON: integers that other readers would round, depth, what is not finite."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from pydantic import BaseModel

from moothall.errors import ValidationError

SAFE: Final = 2**53 - 1
"""The greatest integer that every JSON reader keeps; what is beyond travels as a decimal string."""

DEEPEST: Final = 128
"""Levels of lists and objects in the arguments of a call."""

_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


class TooLong(ValueError):
    """An integer has more digits than Python writes."""


def safe_integer(value: int) -> int | str:
    """The integer, or its decimal string where other readers would round it.

    Raises:
        TooLong: it has more than 4,300 digits.
    """
    if -SAFE <= value <= SAFE:
        return value
    try:
        return str(value)
    except ValueError as error:
        raise TooLong("the integer has too many digits") from error


def narrow(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """JSON with every integer beyond 2^53 as a decimal string.

    Raises:
        ValueError: it holds a number that is not finite, or an integer that is too long.
    """
    kind = type(value)
    if kind is int:
        return safe_integer(value)
    if kind is dict:
        return {key: narrow(item) for key, item in value.items()}
    if kind is list:
        return [narrow(item) for item in value]
    if kind is float and not math.isfinite(value):
        raise ValueError("a number that is not finite has no JSON form")
    return value


def within_depth(value: object) -> set[int]:
    """Refuse what is nested too deeply; return the identities of the objects in it that are not JSON.

    Raises:
        ValidationError: it is.
    """
    handed: set[int] = set()
    open_: list[tuple[Any, int]] = [(value, 0)]
    while open_:
        outer, depth = open_.pop()
        if depth > DEEPEST:
            raise misplaced("nesting", f"Input should be nested at most {DEEPEST} levels deep")
        for item in outer.values() if isinstance(outer, Mapping) else outer:
            if isinstance(item, dict | list | tuple):
                open_.append((item, depth + 1))
            elif type(item) not in _PLAIN:
                handed.add(id(item))
    return handed


def finite(named: Mapping[str, Any], handed: AbstractSet[int], defaults: AbstractSet[int]) -> None:
    """Refuse numbers that are not finite, wherever they hide: models have a configuration of their own.

    Args:
        named: validated arguments.
        handed: identities of objects that callers in this process made themselves; they are not looked into.
        defaults: identities of the defaults, which are the author's affair.

    Raises:
        ValidationError: there is one.
    """
    for name, value in named.items():
        if id(value) not in defaults and not _is_finite(value, handed):
            raise misplaced("finite_number", "Input should be a finite number", name)


def misplaced(kind: str, message: str, *loc: str) -> ValidationError:
    """An error of validation that pydantic does not know."""
    return ValidationError(
        "the arguments do not fit", details={"errors": [{"loc": list(loc), "type": kind, "msg": message}]}
    )


def plain(value: Any) -> Any:  # noqa: ANN401
    """A model, data class or collection of them as dictionaries and lists; anything else is returned itself."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _is_finite(value: object, handed: AbstractSet[int]) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if type(value) in _PLAIN or id(value) in handed:
        return True
    return all(_is_finite(item, handed) for item in _inside(value))


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, BaseModel):
        extra = value.__pydantic_extra__
        return (*value.__dict__.values(), *extra.values()) if extra else value.__dict__.values()
    if isinstance(value, Mapping):
        return value.values()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, item.name) for item in dataclasses.fields(value)]
    return value if isinstance(value, Sequence | AbstractSet) and not isinstance(value, str | bytes) else ()
