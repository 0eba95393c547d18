"""What a client of A2A 0.3 gets back: the objects of 1.0 with ``kind`` and the old names (0.3 §6). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from moothall.capability.spec import JsonObject
from moothall.protocols.a2a.v03 import WRAPPED

_STATE: Final = "TASK_STATE_"
_RESTING: Final = frozenset("completed failed canceled rejected input-required auth-required".split())
"""States after which a stream ends."""


def answer(operation: str, value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """An operation's result, or one value of its stream, as 0.3 has it."""
    return _ANSWERS[operation](value)


def _event(value: JsonObject) -> JsonObject:
    """A ``SendMessageResponse`` or ``StreamResponse``, which says by its member what it is."""
    ((name, content),) = value.items()
    return _EVENTS[name](content)


def _task(task: JsonObject) -> JsonObject:
    turned = {**task, "kind": "task", "status": _status(task["status"])}
    if "history" in task:
        turned["history"] = [_message(each) for each in task["history"]]
    if "artifacts" in task:
        turned["artifacts"] = [_artifact(each) for each in task["artifacts"]]
    return turned


def _status(status: JsonObject) -> JsonObject:
    turned = {**status, "state": status["state"].removeprefix(_STATE).lower().replace("_", "-")}
    if "message" in status:
        turned["message"] = _message(status["message"])
    return turned


def _message(message: JsonObject) -> JsonObject:
    role = message["role"].removeprefix("ROLE_").lower()
    return {**message, "kind": "message", "role": role, "parts": [_part(part) for part in message["parts"]]}


def _artifact(artifact: JsonObject) -> JsonObject:
    return {**artifact, "parts": [_part(part) for part in artifact["parts"]]}


def _part(part: JsonObject) -> JsonObject:
    metadata = part.get("metadata")
    if "text" in part:
        turned: JsonObject = {"kind": "text", "text": part["text"]}
    elif "data" in part:
        turned = {"kind": "data", "data": part["data"]}
        if not isinstance(part["data"], dict):
            turned["data"] = {"value": part["data"]}
            metadata = {**(metadata or {}), WRAPPED: True}
    else:
        names = {"raw": "bytes", "url": "uri", "mediaType": "mimeType", "filename": "name"}
        turned = {"kind": "file", "file": {old: part[new] for new, old in names.items() if new in part}}
    return turned if metadata is None else {**turned, "metadata": metadata}


def _status_update(update: JsonObject) -> JsonObject:
    status = _status(update["status"])
    return {**update, "kind": "status-update", "status": status, "final": status["state"] in _RESTING}


def _artifact_update(update: JsonObject) -> JsonObject:
    return {**update, "kind": "artifact-update", "artifact": _artifact(update["artifact"])}


def _push(config: JsonObject) -> JsonObject:
    kept: JsonObject = {name: config[name] for name in ("id", "url", "token") if name in config}
    if authentication := config.get("authentication"):
        kept["authentication"] = {"schemes": [authentication["scheme"]]}
        if "credentials" in authentication:
            kept["authentication"]["credentials"] = authentication["credentials"]
    return {"taskId": config["taskId"], "pushNotificationConfig": kept}


def _pushes(value: JsonObject) -> list[JsonObject]:
    return [_push(config) for config in value.get("configs", ())]


def _same(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    return value


_EVENTS: Final[Mapping[str, Callable[[JsonObject], JsonObject]]] = {
    "task": _task,
    "message": _message,
    "statusUpdate": _status_update,
    "artifactUpdate": _artifact_update,
}
_ANSWERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "send_message": _event,
    "stream_message": _event,
    "subscribe": _event,
    "get_task": _task,
    "cancel_task": _task,
    "create_push": _push,
    "get_push": _push,
    "list_push": _pushes,
    "delete_push": _same,
    "extended_card": _same,
}
