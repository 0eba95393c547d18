"""The requests of every operation, checked in one pass and in the form that `Operations` takes (A2A 1.0 §3.2). Pure.

Members that the specification does not know are left out, as it wants it (§5.7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from moothall.capability.spec import JsonObject
from moothall.protocols.a2a.reading import LONGEST_URL, Members, fault

Read = Callable[[object], JsonObject]
"""Takes a request as it came.

Raises:
    InvalidParams: it does not have the form of its operation.
"""

_CONTENT: Final = ("text", "raw", "url")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]*={0,2}", re.ASCII)
_UNSPECIFIED: Final = "TASK_STATE_UNSPECIFIED"
_STATES: Final = frozenset(
    "TASK_STATE_SUBMITTED TASK_STATE_WORKING TASK_STATE_COMPLETED TASK_STATE_FAILED TASK_STATE_CANCELED"
    " TASK_STATE_INPUT_REQUIRED TASK_STATE_REJECTED TASK_STATE_AUTH_REQUIRED".split()
)
_LARGEST_PAGE: Final = 100


def send_message(given: object) -> JsonObject:
    """``SendMessageRequest``."""
    request = Members(given)
    request.nested("message", _message, required=True)
    request.nested("configuration", _configuration)
    request.mapping("metadata")
    return request.taken


def get_task(given: object) -> JsonObject:
    """``GetTaskRequest``."""
    request = Members(given)
    request.name("id", required=True)
    request.integer("historyLength", 0)
    return request.taken


def list_tasks(given: object) -> JsonObject:
    """``ListTasksRequest``."""
    request = Members(given)
    request.name("contextId")
    state = request.text("status")
    if state == _UNSPECIFIED:
        del request.taken["status"]
    elif state and state not in _STATES:
        raise fault("status", "state")
    request.integer("pageSize", 1, _LARGEST_PAGE)
    request.text("pageToken")
    request.integer("historyLength", 0)
    request.time("statusTimestampAfter")
    request.flag("includeArtifacts")
    return request.taken


def cancel_task(given: object) -> JsonObject:
    """``CancelTaskRequest``."""
    request = Members(given)
    request.name("id", required=True)
    request.mapping("metadata")
    return request.taken


def subscribe(given: object) -> JsonObject:
    """``SubscribeToTaskRequest``."""
    request = Members(given)
    request.name("id", required=True)
    return request.taken


def create_push(given: object) -> JsonObject:
    """``TaskPushNotificationConfig``."""
    return _push(given, "", task=True)


def one_push(given: object) -> JsonObject:
    """``GetTaskPushNotificationConfigRequest`` and its like for deleting."""
    request = Members(given)
    request.name("taskId", required=True)
    request.name("id", required=True)
    return request.taken


def list_push(given: object) -> JsonObject:
    """``ListTaskPushNotificationConfigsRequest``."""
    request = Members(given)
    request.name("taskId", required=True)
    request.integer("pageSize", 0)
    request.text("pageToken")
    return request.taken


def extended_card(given: object) -> JsonObject:
    """``GetExtendedAgentCardRequest``."""
    return Members(given).taken


def _message(given: object, at: str) -> JsonObject:
    message = Members(given, at)
    message.name("messageId", required=True)
    message.name("contextId")
    message.name("taskId")
    if message.text("role", required=True) != "ROLE_USER":
        raise fault(f"{at}.role", "role")
    message.every("parts", _part)
    message.mapping("metadata")
    message.texts("extensions")
    message.texts("referenceTaskIds")
    return message.taken


def _part(given: object, at: str) -> JsonObject:
    part = Members(given, at)
    content = [name for name in _CONTENT if part.value(name) is not None]
    if part.has("data"):  # null is a value here
        content.append("data")
        part.keep("data")
    if len(content) != 1:
        raise fault(at, "content")
    for name in _CONTENT:
        if name in content:
            _content(part, name, at)
    part.mapping("metadata")
    part.text("filename")
    part.text("mediaType")
    return part.taken


def _content(part: Members, name: str, at: str) -> None:
    """Take the text, the bytes or the address of a part; a text may be empty."""
    value = part.value(name)
    if not isinstance(value, str):
        raise fault(f"{at}.{name}", "text")
    if name == "raw" and not _BASE64.fullmatch(value):
        raise fault(f"{at}.{name}", "base64")
    if name == "url" and not 0 < len(value) <= LONGEST_URL:
        raise fault(f"{at}.{name}", "url")
    part.keep(name)


def _configuration(given: object, at: str) -> JsonObject:
    configuration = Members(given, at)
    configuration.texts("acceptedOutputModes")
    configuration.nested("taskPushNotificationConfig", _push)
    configuration.integer("historyLength", 0)
    configuration.flag("returnImmediately")
    return configuration.taken


def _push(given: object, at: str, *, task: bool = False) -> JsonObject:
    config = Members(given, at)
    config.name("id")
    config.name("taskId", required=task)
    config.text("url", LONGEST_URL, required=True)
    config.text("token", LONGEST_URL)
    config.nested("authentication", _authentication)
    return config.taken


def _authentication(given: object, at: str) -> JsonObject:
    authentication = Members(given, at)
    authentication.text("scheme", required=True)
    authentication.text("credentials", LONGEST_URL)
    return authentication.taken


READERS: Final[Mapping[str, Read]] = {
    "send_message": send_message,
    "stream_message": send_message,
    "get_task": get_task,
    "list_tasks": list_tasks,
    "cancel_task": cancel_task,
    "subscribe": subscribe,
    "create_push": create_push,
    "get_push": one_push,
    "list_push": list_push,
    "delete_push": one_push,
    "extended_card": extended_card,
}
"""By the names of the operations."""

STREAMED: Final = frozenset({"stream_message", "subscribe"})
"""Operations that answer with a stream."""

PROVED: Final = frozenset({"list_tasks", "create_push", "get_push", "list_push", "delete_push", "extended_card"})
"""Operations for callers who prove who they are; nobody else is told apart from others."""
