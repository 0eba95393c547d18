"""An answer as it is kept for repetitions of a keyed call: JSON text, read back as the same value or error. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from moothall.canonical import dumps, loads
from moothall.errors import Conflict, InternalError, MoothallError, Told

MOST: Final = 1024 * 1024
"""Bytes of an answer that is kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value as JSON, or an error."""

    data: Any = None
    error: MoothallError | None = None


def write_value(data: object) -> str:
    """The text for a value; one that is too large is replaced by an error that says so."""
    text = dumps({"data": data})
    if len(text) > MOST:
        told = Told("calls.answer_not_kept")
        return write_error(Conflict("the call was made, but its answer was too large to be kept", told=told))
    return text.decode()


def write_error(error: MoothallError) -> str:
    """The text for an error: what its caller may read of it."""
    told = error.told
    row = {
        "code": error.code,
        "message": error.message,
        "why": error.why,
        "hint": error.hint,
        "details": _plain(error.details),
        "told": {"why": told.why, "values": _plain(told.values), "hint": told.hint} if told else None,
    }
    return dumps({"error": row}).decode()


def read(text: str) -> Kept:
    """What was written."""
    stored = loads(text)
    row = stored.get("error")
    if row is None:
        return Kept(data=stored["data"])
    told = row["told"]
    error = _classes().get(row["code"], InternalError)(
        row["message"],
        why=row["why"],
        hint=row["hint"],
        told=Told(told["why"], told["values"], told["hint"]) if told else None,
        details=row["details"],
    )
    return Kept(error=error)


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """What JSON can hold of the values; the rest is left out."""
    return {name: value for name, value in values.items() if _is_json(value)}


def _is_json(value: object) -> bool:
    try:
        dumps(value)
    except TypeError:
        return False
    return True


@cache
def _classes() -> Mapping[str, type[MoothallError]]:
    return {kind.code: kind for kind in _below(MoothallError) if "code" in vars(kind)}


def _below(kind: type[MoothallError]) -> Iterator[type[MoothallError]]:
    for narrower in kind.__subclasses__():
        yield narrower
        yield from _below(narrower)
