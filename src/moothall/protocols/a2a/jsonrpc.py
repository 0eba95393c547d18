"""JSON-RPC 2.0 as A2A uses it (A2A 1.0 §9): requests as read, and how results and errors are written. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from moothall.errors import MoothallError
from moothall.messages import Lang
from moothall.protocols.a2a.failures import InvalidRequest, MethodNotFound, VersionNotSupported
from moothall.protocols.a2a.faults import described
from moothall.protocols.a2a.v03 import METHODS as OLD_METHODS
from moothall.protocols.a2a.versions import Version
from moothall.protocols.a2a.writing import written

Id = str | int | None

METHODS: Final[Mapping[str, str]] = {
    "SendMessage": "send_message",
    "SendStreamingMessage": "stream_message",
    "GetTask": "get_task",
    "ListTasks": "list_tasks",
    "CancelTask": "cancel_task",
    "SubscribeToTask": "subscribe",
    "CreateTaskPushNotificationConfig": "create_push",
    "GetTaskPushNotificationConfig": "get_push",
    "ListTaskPushNotificationConfigs": "list_push",
    "DeleteTaskPushNotificationConfig": "delete_push",
    "GetExtendedAgentCard": "extended_card",
}
"""The operations by their names in 1.0."""

_LONGEST_ID: Final = 256
_MEMBERS: Final = b'{"jsonrpc":"2.0","id":%b,"%b":%b}'


class Refused(Exception):
    """A body that is no request; ``call_id`` is its id where that could be read."""

    def __init__(self, error: MoothallError, call_id: Id = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.call_id = call_id


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    id: Id
    method: str
    params: object


def read(value: object) -> Request:
    """Read a body that is JSON already.

    Raises:
        Refused: it is no request.
    """
    if isinstance(value, list):
        raise Refused(InvalidRequest("wire.batch"))
    if not isinstance(value, dict):
        raise Refused(InvalidRequest("wire.no_request"))
    call_id, method, params = value.get("id"), value.get("method"), value.get("params")
    if "id" not in value or not _is_id(call_id):
        raise Refused(InvalidRequest("wire.request_id"))
    if value.get("jsonrpc") != "2.0":
        raise Refused(InvalidRequest("wire.jsonrpc"), call_id)
    if not isinstance(method, str) or not method:
        raise Refused(InvalidRequest("wire.method_missing"), call_id)
    return Request(call_id, method, {} if params is None else params)


def operation(method: str, version: Version | None) -> tuple[str, Version]:
    """The operation that a method names, and the version in which it is spoken.

    Raises:
        MethodNotFound: there is none in this version.
        VersionNotSupported: it is one of 1.0, and no version is named.
    """
    if version != "1.0" and method in OLD_METHODS:
        return OLD_METHODS[method], "0.3"
    if method in METHODS:
        if version == "1.0":
            return METHODS[method], "1.0"
        raise VersionNotSupported("wire.version", {"versions": "1.0"})
    raise MethodNotFound("wire.method")


def result(call_id: Id, value: object) -> bytes:
    """A response with a value."""
    return _MEMBERS % (json.dumps(call_id).encode(), b"result", written(value))


def failure(
    call_id: Id, error: MoothallError, request_id: str, lang: Lang, challenge: Mapping[str, object] | None = None
) -> bytes:
    """A response with an error, as `faults.described`."""
    form, message, details = described(error, request_id, lang, challenge)
    body = written({"code": form.jsonrpc, "message": message, "data": details})
    return _MEMBERS % (json.dumps(call_id).encode(), b"error", body)


def _is_id(value: Any) -> bool:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str):
        return len(value) <= _LONGEST_ID
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return value.bit_length() <= _LONGEST_ID
    return value is None
