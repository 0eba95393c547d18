"""What tells the arguments of two calls apart: their JSON, and where JSON hides of which type they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from moothall.capability.entry import Arguments, Entry
from moothall.errors import InternalError, Told, ValidationError

_SAFE: Final = 2**53 - 1
_DEEPEST: Final = 200


def fingerprint(entry: Entry, arguments: Arguments) -> Any:  # noqa: ANN401 - JSON of any shape
    """JSON that is equal for equal arguments only: 2**60 differs from its decimal text, a date from its own.

    Raises:
        ValidationError: an argument has no JSON form.
    """
    try:
        wire = entry.wire(arguments)
        hidden = sorted(_hidden({"": arguments.positional, **arguments.named}, "", 0))
    except (InternalError, TypeError, ValueError) as error:
        raise ValidationError("an argument has no JSON form", told=Told("calls.no_json")) from error
    return [wire, hidden] if hidden else wire


def _hidden(value: object, place: str, depth: int) -> Iterator[str]:
    """The places of values whose type cannot be read from their JSON, and that type."""
    if value is None or isinstance(value, str | float | bool) or (isinstance(value, int) and abs(value) <= _SAFE):
        return
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _hidden(name, f"{place}.{name}#", depth + 1)
            yield from _hidden(item, f"{place}.{name}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _hidden(item, f"{place}.{index}", depth + 1)
    elif isinstance(value, set | frozenset):
        for item in value:
            yield from _hidden(item, f"{place}.{item}", depth + 1)
    else:
        yield f"{place} {type(value).__qualname__}"
        for name in _members(value):
            yield from _hidden(getattr(value, name), f"{place}.{name}", depth + 1)


def _members(value: object) -> Iterable[str]:
    """The fields of a data class or of a model; what else an object has is not in its JSON."""
    if is_dataclass(value):
        return [field.name for field in fields(value)]
    return getattr(type(value), "model_fields", ())
