"""The forms of a result: a Python value in this process, JSON elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moothall.capability.entry import Entry


@dataclass(frozen=True, slots=True)
class Form:
    """How the result of one capability changes its form; where values come one by one it is the list of them.

    Attributes:
        check: the Python value as its annotation has it.
        encode: the same as JSON.
        decode: the Python value that JSON stands for.
    """

    check: Callable[[Any], Any]
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def form_of(entry: Entry) -> Form:
    """The form of an entry's result."""
    if not entry.streams:
        return Form(entry.check, entry.encode, entry.decode)
    return Form(_each(entry.check), _each(entry.encode), _each(entry.decode))


def _each(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: [change(value) for value in values]
