"""JSON-RPC 2.0 as the Model Context Protocol speaks it: messages as read, messages as bytes. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcp_types import ErrorData

from moothall.canonical import dumps
from moothall.capability.spec import JsonObject
from moothall.errors import Told, UsageError

Id = str | int

PARSE_ERROR: Final = -32700
_LONGEST_ID: Final = 256
_LONGEST_METHOD: Final = 256


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a client: a request, or, without an id, a notification."""

    method: str
    params: JsonObject | None
    id: Id | None = None


def read(value: object) -> Message | None:
    """Read a body that is JSON already; None for the response to a request of ours.

    Raises:
        UsageError: it is no single message.
    """
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        raise _misshapen()
    method, params = value.get("method"), value.get("params")
    if method is None and ("result" in value or "error" in value):
        return None
    known = isinstance(method, str) and 0 < len(method) <= _LONGEST_METHOD
    if not isinstance(method, str) or not known or not (params is None or isinstance(params, dict)):
        raise _misshapen()
    call_id = request_id(value.get("id"))
    if "id" in value and call_id is None:
        raise _misshapen()
    return Message(method, params, call_id)


def request_id(value: object) -> Id | None:
    """A value as the id of a request; None where it is none."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_ID else None
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _LONGEST_ID:
        return value
    return None


def success(call_id: Id, result: Mapping[str, Any]) -> bytes:
    """A response with a result."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (json.dumps(call_id).encode(), _bytes(result))


def failure(call_id: Id | None, error: ErrorData) -> bytes:
    """A response with an error."""
    row: JsonObject = {"code": error.code, "message": error.message}
    if error.data is not None:
        row["data"] = error.data
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (json.dumps(call_id).encode(), _bytes(row))


def notification(method: str, params: Mapping[str, Any] | None) -> bytes:
    """A notification."""
    row: JsonObject = {"jsonrpc": "2.0", "method": method}
    if params is not None:
        row["params"] = params
    return _bytes(row)


def event(message: bytes) -> bytes:
    """A message as a server-sent event."""
    return b"event: message\ndata: " + message + b"\n\n"


def _bytes(value: Mapping[str, Any]) -> bytes:
    try:
        return dumps(value)
    except TypeError:  # an integer beyond 2^53: a token of progress that a client chose, the bound in a schema
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _misshapen() -> UsageError:
    return UsageError("no message of JSON-RPC 2.0", told=Told("mcp.message"))
