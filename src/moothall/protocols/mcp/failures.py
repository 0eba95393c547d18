"""Our errors as the Model Context Protocol says them: a tool's result with ``isError``, or an error of JSON-RPC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from moothall.canonical import dumps
from moothall.capability.spec import JsonObject
from moothall.errors import InternalError, MoothallError, ServiceNotFoundError, Told
from moothall.messages import Lang, explain, text

_NOT_TOLD: Final = frozenset({"INTERNAL_ERROR"})
"""Codes whose details are nobody's business."""


class Refused(MCPError):
    """An error of ours on its way through the SDK; ``cause`` is what it was."""

    def __init__(self, cause: MoothallError, code: int, message: str, data: Mapping[str, Any]) -> None:
        super().__init__(code, message, dict(data))
        self.cause = cause


def protocol_error(error: MoothallError, lang: Lang, challenge: Mapping[str, object] | None = None) -> Refused:
    """The error of JSON-RPC for one of ours; what it says is in the language of its reader."""
    words = explain(error, lang)
    data: JsonObject = {"code": error.envelope_code, "why": words.why, "hint": words.hint}
    if details := _details(error):
        data["details"] = details
    if challenge is not None:
        data["challenge"] = dict(challenge)
    return Refused(error, error.appearance.jsonrpc, words.message, data)


def unknown_tool(name: str, error: ServiceNotFoundError, lang: Lang) -> Refused:
    """The error for a name that no tool has, or none for this caller: the protocol has a code of its own for it."""
    refused = protocol_error(error, lang)
    return Refused(error, INVALID_PARAMS, f"Unknown tool: {name}", refused.error.data)


def tool_failure(error: MoothallError, lang: Lang) -> JsonObject:
    """A tool's result that says that it failed: an object as JSON text, which models and programs can read."""
    words = explain(error, lang)
    message = text("protocols.error", lang, message=words.message, why=words.why, hint=words.hint)
    row: JsonObject = {"code": error.envelope_code, "message": message}
    if details := _details(error):
        row["details"] = details
    return {"content": [{"type": "text", "text": dumps({"error": row}).decode()}], "isError": True}


def internal(lang: Lang) -> MCPError:
    """The error for a fault of ours, of which nobody outside hears more."""
    refused = protocol_error(InternalError("the node failed", told=Told("protocols.failed")), lang)
    return MCPError(INTERNAL_ERROR, refused.error.message, refused.error.data)


def _details(error: MoothallError) -> JsonObject:
    return {} if error.envelope_code in _NOT_TOLD else dict(error.details)
