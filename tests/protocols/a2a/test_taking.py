"""What a request names is such as every database can keep."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.protocols.a2a.failures import InvalidParams
from moothall.protocols.a2a.requests import READERS
from moothall.protocols.a2a.visits import tenant_of

MESSAGE = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "x"}]}
CONFIG = {"taskId": "t", "id": "c", "url": "https://a.example/"}


@pytest.mark.parametrize("character", ["\x00", "\ud800", "\n"], ids=["zero", "half", "line"])
@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("send_message", {"message": {**MESSAGE, "messageId": "m*"}}),
        ("send_message", {"message": {**MESSAGE, "contextId": "c*"}}),
        ("stream_message", {"message": {**MESSAGE, "taskId": "t*"}}),
        ("send_message", {"message": MESSAGE, "configuration": {"taskPushNotificationConfig": {**CONFIG, "id": "*"}}}),
        ("get_task", {"id": "*"}),
        ("list_tasks", {"contextId": "*"}),
        ("cancel_task", {"id": "*"}),
        ("subscribe", {"id": "*"}),
        ("create_push", {**CONFIG, "taskId": "*"}),
        ("create_push", {**CONFIG, "id": "*"}),
        ("get_push", {"taskId": "*", "id": "c"}),
        ("delete_push", {"taskId": "t", "id": "*"}),
        ("list_push", {"taskId": "*"}),
    ],
)
def test_an_id_has_no_character_that_a_database_refuses(operation: str, request_: Any, character: str) -> None:
    with pytest.raises(InvalidParams):
        READERS[operation](put(request_, character))
    READERS[operation](put(request_, "-"))


@pytest.mark.parametrize("character", ["\x00", "\ud800"], ids=["zero", "half"])
def test_a_tenant_has_no_character_that_a_database_refuses(character: str) -> None:
    with pytest.raises(InvalidParams):
        tenant_of({"tenant": f"a{character}"})
    with pytest.raises(InvalidParams):
        tenant_of({}, f"a{character}")
    assert tenant_of({"tenant": "租户 1"}) == "租户 1"


def put(value: Any, character: str) -> Any:
    """The value with its stars replaced."""
    if isinstance(value, str):
        return value.replace("*", character)
    if isinstance(value, dict):
        return {name: put(each, character) for name, each in value.items()}
    return [put(each, character) for each in value] if isinstance(value, list) else value
