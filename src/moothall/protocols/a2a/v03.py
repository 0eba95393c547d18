"""A2A 0.3: its requests as those of 1.0 (0.3 §7), by JSON-RPC. What it gets back is in `v03_answers`. Pure.

Only the form is turned around here; whether a request has all that it needs is checked as in 1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from moothall.capability.spec import JsonObject
from moothall.protocols.a2a.reading import fault

METHODS: Final[Mapping[str, str]] = {
    "message/send": "send_message",
    "message/stream": "stream_message",
    "tasks/get": "get_task",
    "tasks/cancel": "cancel_task",
    "tasks/resubscribe": "subscribe",
    "tasks/pushNotificationConfig/set": "create_push",
    "tasks/pushNotificationConfig/get": "get_push",
    "tasks/pushNotificationConfig/list": "list_push",
    "tasks/pushNotificationConfig/delete": "delete_push",
    "agent/getAuthenticatedExtendedCard": "extended_card",
}
"""The operations by their names in 0.3."""

WRAPPED: Final = "data_part_compat"
"""Metadata of a data part whose value is no object in 1.0, and so stands in a member ``value``."""

_ROLES: Final = {"user": "ROLE_USER", "agent": "ROLE_AGENT"}


def modern(operation: str, params: object) -> object:
    """The parameters of a request as 1.0 has them.

    Raises:
        InvalidParams: they have no form that could be turned around.
    """
    if not isinstance(params, dict):
        return params
    turn = _TURNS.get(operation)
    return params if turn is None else turn(params)


def _send(params: JsonObject) -> JsonObject:
    turned = dict(params)
    if (message := params.get("message")) is not None:
        turned["message"] = _message(message)
    if (configuration := params.get("configuration")) is not None:
        turned["configuration"] = _configuration(configuration)
    return turned


def _message(given: object) -> JsonObject:
    message = dict(_object(given, "message"))
    if isinstance(role := message.get("role"), str):
        message["role"] = _ROLES.get(role, role)
    if isinstance(parts := message.get("parts"), list):
        message["parts"] = [_part(part, f"message.parts[{index}]") for index, part in enumerate(parts)]
    return message


def _part(given: object, at: str) -> JsonObject:
    part = _object(given, at)
    kind = part.get("kind")
    turned: JsonObject = {"metadata": part.get("metadata")}
    if kind == "text":
        turned["text"] = part.get("text")
    elif kind == "data":
        turned |= _data(_object(part.get("data"), f"{at}.data"), part.get("metadata"))
    elif kind == "file":
        file = _object(part.get("file"), f"{at}.file")
        turned |= {"raw": file.get("bytes"), "url": file.get("uri")}
        turned |= {"mediaType": file.get("mimeType"), "filename": file.get("name")}
    else:
        raise fault(f"{at}.kind", "content")
    return turned


def _data(data: JsonObject, metadata: object) -> JsonObject:
    if isinstance(metadata, dict) and metadata.get(WRAPPED) is True and "value" in data:
        return {"data": data["value"], "metadata": {key: each for key, each in metadata.items() if key != WRAPPED}}
    return {"data": data}


def _configuration(given: object) -> JsonObject:
    configuration = dict(_object(given, "configuration"))
    push = configuration.pop("pushNotificationConfig", None)
    if push is not None:
        configuration["taskPushNotificationConfig"] = _push(push, "configuration.pushNotificationConfig")
    if isinstance(blocking := configuration.pop("blocking", None), bool):
        configuration["returnImmediately"] = not blocking
    _unlimited(configuration)
    return configuration


def _push(given: object, at: str) -> JsonObject:
    config = dict(_object(given, at))
    authentication = config.get("authentication")
    if isinstance(authentication, dict):
        schemes = authentication.get("schemes")
        scheme = schemes[0] if isinstance(schemes, list) and schemes else None
        config["authentication"] = {"scheme": scheme, "credentials": authentication.get("credentials")}
    return config


def _get(params: JsonObject) -> JsonObject:
    turned = dict(params)
    _unlimited(turned)
    return turned


def _unlimited(request: JsonObject) -> None:
    """A history of no length is one without a limit in 0.3."""
    if request.get("historyLength") == 0:
        del request["historyLength"]


def _create_push(params: JsonObject) -> JsonObject:
    config = _push(params.get("pushNotificationConfig"), "pushNotificationConfig")
    task = params.get("taskId")
    return {**config, "taskId": task, "id": config.get("id") or task}  # one without an id is the task's only one in 0.3


def _named_push(params: JsonObject) -> JsonObject:
    return {"taskId": params.get("id"), "id": params.get("pushNotificationConfigId") or params.get("id")}


def _task_push(params: JsonObject) -> JsonObject:
    return {"taskId": params.get("id")}


def _object(given: Any, at: str) -> JsonObject:  # noqa: ANN401 - JSON of any shape
    if not isinstance(given, dict):
        raise fault(at, "object")
    return given


_TURNS: Final[Mapping[str, Callable[[JsonObject], JsonObject]]] = {
    "send_message": _send,
    "stream_message": _send,
    "get_task": _get,
    "create_push": _create_push,
    "get_push": _named_push,
    "delete_push": _named_push,
    "list_push": _task_push,
}
