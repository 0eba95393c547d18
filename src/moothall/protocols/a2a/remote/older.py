"""Version 0.3 of the protocol, translated: requests of 1.0 into it, its answers into those of 1.0. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.capability.spec import JsonObject

METHODS: Final[Mapping[str, str]] = {
    "SendMessage": "message/send",
    "SendStreamingMessage": "message/stream",
    "GetTask": "tasks/get",
    "CancelTask": "tasks/cancel",
    "SubscribeToTask": "tasks/resubscribe",
}
_WRAPPED: Final = "data_part_compat"
"""Says in the metadata of a data part that its value is no object, and stands in one as ``value``."""

_STATES: Final[Mapping[str, str]] = {
    "submitted": "TASK_STATE_SUBMITTED",
    "working": "TASK_STATE_WORKING",
    "completed": "TASK_STATE_COMPLETED",
    "failed": "TASK_STATE_FAILED",
    "canceled": "TASK_STATE_CANCELED",
    "rejected": "TASK_STATE_REJECTED",
    "input-required": "TASK_STATE_INPUT_REQUIRED",
    "auth-required": "TASK_STATE_AUTH_REQUIRED",
}
_MEMBERS: Final[Mapping[str, str]] = {
    "task": "task",
    "message": "message",
    "status-update": "statusUpdate",
    "artifact-update": "artifactUpdate",
}


def asked(request: JsonObject) -> JsonObject:
    """A request as 0.3 has it."""
    message = request.get("message")
    if not isinstance(message, dict):
        return {key: value for key, value in request.items() if key in {"id", "metadata"}}
    parts = [_part_of_old(part) for part in message["parts"]]
    return {
        "message": {**message, "kind": "message", "role": "user", "parts": parts},
        "configuration": {"acceptedOutputModes": request["configuration"]["acceptedOutputModes"], "blocking": True},
        "metadata": request["metadata"],
    }


def answered(result: object) -> JsonObject:
    """An answer or an event of 0.3 as ``{"task": …}``, ``{"message": …}``, ``{"statusUpdate": …}`` and so on."""
    row = result if isinstance(result, dict) else {}
    member = _MEMBERS.get(str(row.get("kind")))
    if member is None:
        return {}
    new = dict(row)
    if isinstance(new.get("status"), dict):
        new["status"] = _status(new["status"])
    if isinstance(new.get("artifacts"), list):
        new["artifacts"] = [_holder(each) for each in new["artifacts"]]
    if isinstance(new.get("artifact"), dict):
        new["artifact"] = _holder(new["artifact"])
    return {member: _holder(new)}


def _status(status: Mapping[str, Any]) -> JsonObject:
    state = _STATES.get(str(status.get("state")), "")
    return {**status, "state": state, "message": _holder(status.get("message"))}


def _holder(value: object) -> Any:  # noqa: ANN401 - JSON of any shape
    """A message or an artifact with its parts in the new form."""
    if not isinstance(value, dict) or not isinstance(value.get("parts"), list):
        return value
    return {**value, "parts": [_part_of_new(part) for part in value["parts"]]}


def _part_of_old(part: Mapping[str, Any]) -> JsonObject:
    return {"kind": "text" if "text" in part else "data", **part}


def _part_of_new(part: object) -> Any:  # noqa: ANN401 - JSON of any shape
    if not isinstance(part, dict):
        return part
    found = part.get("file")
    if part.get("kind") == "file" and isinstance(found, dict):
        names = {"bytes": "raw", "uri": "url", "name": "filename", "mimeType": "mediaType"}
        return {names[key]: value for key, value in found.items() if key in names}
    new = {key: value for key, value in part.items() if key != "kind"}
    metadata, data = part.get("metadata"), part.get("data")
    if isinstance(metadata, dict) and metadata.get(_WRAPPED) is True and isinstance(data, dict) and "value" in data:
        new["data"] = data["value"]
    return new
