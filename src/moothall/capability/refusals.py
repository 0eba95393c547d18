"""What a caller reads of arguments that do not fit: where and why, never the value (row TPL-37)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError as Refusal

from moothall.errors import Told, Unfit, ValidationError

MOST: Final = 50
"""Errors that are listed."""

_LONGEST: Final = 100
_AUTHORS: Final = frozenset({"value_error", "assertion_error"})
_RULE: Final = "Input does not fit a rule of this capability"


def refused(refusal: Refusal, names: tuple[str, ...]) -> ValidationError:
    """Our error for pydantic's; ``names`` are those of the parameters, for arguments given by position."""
    listed = [_listed(item, names) for item in refusal.errors(include_url=False)[:MOST]]
    shown = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in listed[:3])
    return ValidationError(
        "the arguments do not fit",
        why=shown,
        told=Told("capability.arguments", {"errors": shown}),
        details={"errors": listed, "count": refusal.error_count()},
    )


def _listed(error: Any, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401 - pydantic's ErrorDetails
    loc = [part if isinstance(part, int) else part[:_LONGEST] for part in error["loc"]]
    if loc and isinstance(loc[0], int) and loc[0] < len(names):
        loc[0] = names[loc[0]]
    return {"loc": loc, "type": error["type"], "msg": _message(error)}


def _message(error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    kind: str = error["type"]
    message: str = error["msg"]
    context: dict[str, Any] = error.get("ctx", {})
    if kind == "union_tag_invalid":
        return f"Input should have one of the tags {context['expected_tags']}"
    if kind in _AUTHORS:
        cause = context.get("error")
        return message if isinstance(cause, Unfit) or not _echoes(message, error["input"]) else _RULE
    if "error" in context:  # what a parser stumbled over is a piece of the value
        return re.split(r"[,:] ", message, maxsplit=1)[0]
    return message


def _echoes(message: str, value: object) -> bool:
    return any(text in message for text in _texts(value))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool) and str(value):
        yield str(value)
