"""What the tools of a node tell a model of a call: a sentence, and the same for programs (row MCP-09). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.canonical import dumps
from moothall.capability.spec import JsonObject
from moothall.errors import MoothallError
from moothall.messages import Lang, explain, text

RESULT: Final = "result"
SCHEMA: Final[JsonObject] = {
    "type": "object",
    "properties": {
        RESULT: {"description": "What the target gave"},
        "error": {"type": "object", "description": "Why there is no result"},
    },
}
"""Of what programs read."""

_NOT_TOLD: Final = "INTERNAL_ERROR"
"""The code whose details are nobody's business."""


def told_value(value: Any, lang: Lang) -> str:  # noqa: ANN401 - JSON of any shape
    """The sentence for a call that gave a value; a text stands as it is, anything else as JSON.

    Raises:
        TypeError: the value is no JSON.
    """
    shown = value if isinstance(value, str) else dumps(value).decode()
    return text("tools.success", lang, result=shown)


def told_error(error: MoothallError, lang: Lang) -> str:
    """The sentence for a call that failed: what a stranger may read of the error, and nothing else."""
    return text("tools.failure", lang, error=public(error, lang))


def public(error: MoothallError, lang: Lang) -> str:
    """What a stranger may read of an error."""
    words = explain(error, lang)
    return text("tools.reason", lang, message=words.message, why=words.why, hint=words.hint)


def value_form(value: Any) -> JsonObject:  # noqa: ANN401 - JSON of any shape
    """A value for programs."""
    return {RESULT: value}


def error_form(error: MoothallError, lang: Lang) -> JsonObject:
    """An error for programs."""
    row: JsonObject = {"code": error.envelope_code, "message": explain(error, lang).message}
    details: Mapping[str, object] = {} if error.envelope_code == _NOT_TOLD else error.details
    if details:
        row["details"] = dict(details)
    return {"error": row}
