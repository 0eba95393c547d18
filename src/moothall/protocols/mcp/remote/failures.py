"""What a failed call of an MCP server is to our caller (rows TPL-06, TPL-11). Pure.

What the server wrote stays in our log: whoever reads the error reads ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mcp.shared.exceptions import MCPError
from mcp_types.jsonrpc import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    REQUEST_TIMEOUT,
    URL_ELICITATION_REQUIRED,
)
from pydantic import ValidationError

from moothall.canonical import strict_json
from moothall.errors import (
    InputRequired,
    MoothallError,
    Told,
    Unavailable,
    UpstreamError,
    UpstreamInvalid,
)
from moothall.identity.limited_body import silence
from moothall.protocols.approving import APPROVAL
from moothall.protocols.failures import error_of_status, remote_error
from moothall.protocols.mcp.remote.exchange import Exchange

FAILURES: Final = (MCPError, OSError, RuntimeError, ValidationError, ExceptionGroup)
"""What the SDK raises, and the start of a program."""

_QUESTIONS: Final = frozenset({MISSING_REQUIRED_CLIENT_CAPABILITY, URL_ELICITATION_REQUIRED})
_OF_STATUS: Final = frozenset({INTERNAL_ERROR, METHOD_NOT_FOUND, INVALID_REQUEST})
"""Codes that the SDK makes of an HTTP status, where the answer has no error of its own."""

_OWN: Final = range(-32099, -31999)
_BAD: Final = 400
_LONGEST: Final = 10_000


def failure_of(error: Exception, exchange: Exchange) -> MoothallError:  # noqa: PLR0911 - a table
    """The error of a call that raised one of `FAILURES`, or an error of ours."""
    found = exchange.failure or _sole(error)
    if exchange.asked and isinstance(found, MCPError):
        return unanswered()
    if isinstance(found, UpstreamError) and not found.sent:
        return unreachable(found)
    if isinstance(found, MoothallError):
        return found
    if isinstance(found, MCPError):
        return _of_protocol(found, exchange.status)
    if isinstance(found, TimeoutError):
        return silence()
    if isinstance(found, OSError):
        return Unavailable("the program does not start", told=Told("mcp.remote_start"))
    if isinstance(found, ExceptionGroup):
        return broken()
    return unfit()


def failure_in(result: Mapping[str, Any]) -> MoothallError:
    """The error of a result that says it is one; of another moothall node it has a code that a program reads."""
    shown = result.get("structuredContent")
    row = shown.get("error") if isinstance(shown, Mapping) else None
    if isinstance(row, Mapping) and isinstance(row.get("code"), str):
        return remote_error(row["code"], row.get("details"))
    blocks = result.get("content")
    text = blocks[0].get("text") if isinstance(blocks, Sequence) and len(blocks) == 1 else None
    if isinstance(text, str) and text.startswith("{") and len(text) <= _LONGEST:
        try:
            value = strict_json(text.encode())
        except ValueError:
            value = None
        error = value.get("error") if isinstance(value, dict) else None
        if isinstance(error, dict):
            return remote_error(error.get("code"), error.get("details"))
    return UpstreamError("the tool failed", told=Told("remote.failed"))


def pending_in(result: Mapping[str, Any]) -> MoothallError | None:
    """The error of a call that another moothall node keeps until somebody has approved it; None: it asks otherwise."""
    meta = result.get("_meta")
    details = meta.get(APPROVAL) if isinstance(meta, Mapping) else None
    return remote_error("APPROVAL_PENDING", details) if isinstance(details, Mapping) else None


def unknown(error: Exception) -> bool:
    """Whether the server does not know the tool, or does not take its arguments: one code says either."""
    return isinstance(error, MCPError) and error.code == INVALID_PARAMS and _coded(error) is None


def unreachable(error: MoothallError) -> Unavailable:
    """Nobody is there; nothing was sent, as the cause says."""
    found = Unavailable("the MCP server cannot be reached", told=error.told)
    found.__cause__ = error
    return found


def unanswered() -> InputRequired:
    """The server asks something that cannot be passed on."""
    return InputRequired("the MCP server asks for more", told=Told("remote.refused_INPUT_REQUIRED"))


def unfit() -> UpstreamInvalid:
    """The server does not keep to the protocol."""
    return UpstreamInvalid("the answer is none of the protocol", told=Told("mcp.remote_unfit"))


def broken() -> UpstreamError:
    """The connection ended before the answer was there."""
    return UpstreamError("the connection ended", told=Told("egress.broken"))


def _sole(error: Exception) -> Exception:
    """The one error that the SDK's task groups have wrapped."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _of_protocol(error: MCPError, status: int) -> MoothallError:  # noqa: PLR0911 - a table
    coded = _coded(error)
    if coded is not None:
        return coded
    if status >= _BAD and error.code in _OF_STATUS:
        return error_of_status(status)
    if error.code == REQUEST_TIMEOUT and not status:
        return silence()
    if error.code == CONNECTION_CLOSED:
        return broken()
    if error.code in _QUESTIONS:
        return unanswered()
    if error.code == METHOD_NOT_FOUND:
        return remote_error("NOT_FOUND")
    if error.code == INTERNAL_ERROR or error.code in _OWN:
        return UpstreamError("the MCP server failed", told=Told("remote.failed"))
    return unfit()


def _coded(error: MCPError) -> MoothallError | None:
    """The error of another moothall node, which says its code beside that of JSON-RPC."""
    data = error.data
    code = data.get("code") if isinstance(data, Mapping) else None
    return remote_error(code, data.get("details")) if isinstance(code, str) else None
