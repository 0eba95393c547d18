"""An answer as it is kept for repetitions of a keyed call: JSON text, read back as the same value or error. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from moothall.canonical import dumps, loads
from moothall.error_classes import classes
from moothall.errors import InternalError, MoothallError, PermissionDeniedError, Told, Unauthenticated

MOST: Final = 64 * 1024
"""Bytes of an answer that is kept."""
_LONGEST: Final = 1000
"""Characters of the sentences of an error whose details are too large to be kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value as JSON, or an error."""

    data: Any = None
    error: MoothallError | None = None


def write_value(data: object, most: int = MOST) -> str | None:
    """The text for a value; None for one that is too large."""
    text = dumps({"data": data})
    return text.decode() if len(text) <= most else None


def write_error(error: MoothallError) -> str:
    """The text for an error: what its caller may read of it, without details where they are too large."""
    told = error.told
    row = {
        "code": error.code,
        "message": error.message,
        "why": error.why,
        "hint": error.hint,
        "details": _plain(error.details),
        "told": {"why": told.why, "values": _plain(told.values), "hint": told.hint} if told else None,
        "reason": error.reason if isinstance(error, PermissionDeniedError | Unauthenticated) else "",
    }
    text = dumps({"error": row})
    if len(text) > MOST:
        short = {name: error_text[:_LONGEST] for name in ("message", "why", "hint") if (error_text := str(row[name]))}
        text = dumps({"error": {**row, "why": "", "hint": "", **short, "details": {}, "told": None}})
    return text.decode()


def read(text: str) -> Kept:
    """What was written."""
    stored = loads(text)
    row = stored.get("error")
    if row is None:
        return Kept(data=stored["data"])
    told = row["told"]
    error = classes().get(row["code"], InternalError)(
        row["message"],
        why=row["why"],
        hint=row["hint"],
        told=Told(told["why"], told["values"], told["hint"]) if told else None,
        details=row["details"],
    )
    if isinstance(error, PermissionDeniedError | Unauthenticated):
        error.reason = row["reason"]
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
