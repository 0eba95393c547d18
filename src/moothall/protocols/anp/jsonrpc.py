"""JSON-RPC 2.0 as the call route speaks it: requests as read, responses as bytes (rows WIRE-RPC-02, 03). Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from moothall.calls.ports import Params
from moothall.calls.reply import Item, Progress
from moothall.canonical import dumps
from moothall.errors import (
    AuthorizationRequired,
    MoothallError,
    MoreInformation,
    NegotiationExpired,
    NegotiationRejected,
    Told,
    UsageError,
)
from moothall.messages import Lang, explain

Id = str | int | float | None

PARSE_ERROR: Final = -32700
MOST_CALLS: Final = 50
"""Calls of one batch."""

_LONGEST_ID: Final = 256
_LONGEST_METHOD: Final = 512
_NOT_TOLD: Final = frozenset({"INTERNAL_ERROR"})
"""Codes whose details are nobody's business."""

_RETRYABLE: Final = (AuthorizationRequired, MoreInformation, NegotiationExpired)
"""What ends otherwise once something has been added, approved or negotiated anew."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call; a notification wants no response."""

    id: Id
    method: str
    params: Params
    notification: bool = False


@dataclass(frozen=True, slots=True)
class Misshapen:
    """What stood where a call should; answered with its id where it has one."""

    id: Id
    error: MoothallError


@dataclass(frozen=True, slots=True)
class Message:
    """A body that was read: one call, or a batch of them."""

    calls: tuple[Call | Misshapen, ...]
    batch: bool


def read(value: object) -> Message:
    """Read a body that is JSON already."""
    if not isinstance(value, list):
        return Message((_call(value),), batch=False)
    if not value:
        return Message((_misshapen("rpc_empty_batch"),), batch=False)
    if len(value) > MOST_CALLS:
        return Message((_misshapen("rpc_large_batch", most=MOST_CALLS),), batch=False)
    calls = tuple(map(_call, value))
    ids = [call.id for call in calls if (call.id is not None if isinstance(call, Misshapen) else not call.notification)]
    if len(set(ids)) < len(ids):  # nobody could tell the responses apart, nor which call had an effect
        return Message((_misshapen("rpc_id_twice"),), batch=False)
    return Message(calls, batch=True)


def success(call_id: Id, result: object) -> bytes:
    """A response with a value.

    Raises:
        TypeError: the value is no JSON.
    """
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (_id_bytes(call_id), dumps(result))


def failure(
    call_id: Id,
    error: MoothallError,
    request_id: str,
    lang: Lang,
    code: int | None = None,
    challenge: Mapping[str, object] | None = None,
) -> bytes:
    """A response with an error: what the caller may know of it, in its language.

    Args:
        call_id: the call's, None where that could not be read.
        error: why it failed.
        request_id: under which the log has it.
        lang: the caller's.
        code: the number in place of the one that the table has for the error.
        challenge: what an error of authentication brings along (row WIRE-CHAL-03).
    """
    words = explain(error, lang)
    data: dict[str, object] = {"code": error.envelope_code, "why": words.why, "hint": words.hint}
    if error.details and error.envelope_code not in _NOT_TOLD:
        data["details"] = error.details
    if isinstance(error, NegotiationRejected):
        data |= {"anp_code": error.anp_code, "retryable": isinstance(error, _RETRYABLE), "details": error.details}
    data["request_id"] = request_id
    if challenge is not None:
        data["challenge"] = dict(challenge)
    body = dumps({"code": error.appearance.jsonrpc if code is None else code, "message": words.message, "data": data})
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (_id_bytes(call_id), body)


def told(call_id: Id, chunk: Item | Progress) -> bytes:
    """A notification: one value of a stream, or how far the work is.

    Raises:
        TypeError: the value is no JSON.
    """
    if isinstance(chunk, Item):
        method, members = b"rpc.item", b'"value":%b' % dumps(chunk.value)
    else:
        row = dumps({"done": chunk.done, "total": chunk.total, "message": chunk.message})
        method, members = b"rpc.progress", row[1:-1]
    return b'{"jsonrpc":"2.0","method":"%b","params":{"id":%b,%b}}' % (method, _id_bytes(call_id), members)


def request(call_id: Id, method: str, params: object) -> bytes:
    """A call, as a client sends it.

    Raises:
        TypeError: the arguments are no JSON.
    """
    return dumps({"jsonrpc": "2.0", "id": call_id, "method": method, "params": params})


def _call(value: object) -> Call | Misshapen:
    if not isinstance(value, dict):
        return _misshapen("rpc_no_object")
    call_id = value.get("id")
    if not _is_id(call_id):
        return _misshapen("rpc_id")
    method, params = value.get("method"), value.get("params", {})
    if value.get("jsonrpc") != "2.0":
        return _misshapen("rpc_version", call_id)
    if not isinstance(method, str) or not 0 < len(method) <= _LONGEST_METHOD:
        return _misshapen("rpc_method", call_id)
    if not isinstance(params, dict | list):
        return _misshapen("rpc_params", call_id)
    return Call(call_id, method, params, notification="id" not in value)


def _is_id(value: Any) -> bool:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str):
        return len(value) <= _LONGEST_ID
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, int):
        return not isinstance(value, bool) and value.bit_length() <= _LONGEST_ID
    return value is None


def _id_bytes(call_id: Id) -> bytes:
    return json.dumps(call_id).encode()  # exact for integers that the strict form refuses


def _misshapen(why: str, call_id: Id = None, **values: object) -> Misshapen:
    told = Told(f"anp.{why}", values, "anp.hint")
    return Misshapen(call_id, UsageError("no call of JSON-RPC 2.0", told=told))
