"""JSON-RPC 2.0 at an agent's address: requests, results, errors (A2A 1.0 §9)."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.protocols.a2a.hall import BEN, MAX_BODY, Place, call, code_of, message, value_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEEP = b'{"value":' + b"[" * 70 + b"]" * 70 + b"}"


def raw(arguments: bytes, skill: str = "echo") -> bytes:
    part = b'{"data":{"skill":"%b","arguments":%b}}' % (skill.encode(), arguments)
    request = b'{"message":{"messageId":"m","role":"ROLE_USER","parts":[%b]}}' % part
    return b'{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":%b}' % request


async def test_a_message_becomes_a_task_that_has_its_value(hall: Place) -> None:
    answer = await hall.post(call("SendMessage", message("add", {"a": 2, "b": 3})))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["authentication-info"] == 'access_token="for did"'
    task = answer.json()["result"]["task"]
    assert (task["status"]["state"], value_of(task)) == ("TASK_STATE_COMPLETED", 5)
    found = await hall.rpc("GetTask", {"id": task["id"], "historyLength": 0})
    assert found["result"]["id"] == task["id"]
    assert "history" not in found["result"]


@pytest.mark.parametrize("call_id", ["one", "", 7, -1, 2**70, None], ids=repr)
async def test_an_id_comes_back_as_it_was(hall: Place, call_id: Any) -> None:
    answer = await hall.rpc("SendMessage", message("add", {"a": 1}), id=call_id)
    assert answer["id"] == call_id
    assert type(answer["id"]) is type(call_id)


@pytest.mark.parametrize("value", [
    None, True, 0, -1.5, "", "汉字 🎪", [1, [2, {"a": None}]], {"k": {}}, 2**53 - 1, "\u0000",
], ids=repr)  # fmt: skip
async def test_values_come_back_as_they_went(hall: Place, value: Any) -> None:
    task = (await hall.rpc("SendMessage", message("echo", {"value": value})))["result"]["task"]
    assert value_of(task) == value
    assert type(value_of(task)) is type(value)


@pytest.mark.parametrize("digits", [b"9007199254740993", b"123456789012345678901234567890"])
async def test_integers_stay_exact_and_so_does_the_message_they_came_in(hall: Place, digits: bytes) -> None:
    answer = await hall.post(raw(b'{"a":%b,"b":0}' % digits, "add"))
    task = json.loads(answer.text)["result"]["task"]
    assert int(value_of(task)) == int(digits)
    assert task["history"][0]["parts"][0]["data"]["arguments"]["a"] == int(digits)


@pytest.mark.parametrize(("body", "number"), [
    (b"", -32700), (b"{", -32700), (b"\xff", -32700), (raw(b'{"value":NaN}'), -32700),
    (raw(b'{"value":1,"value":2}'), -32700), (raw(DEEP), -32700), (raw(b'{"value":"\\ud800"}'), -32700),
    (b"[]", -32600), (b"[" + raw(b"{}") + b"]", -32600), (b'"text"', -32600), (b"{}", -32600),
    (b'{"jsonrpc":"2.0","method":"GetTask","params":{"id":"x"}}', -32600),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"GetTask"}', -32600), (b'{"jsonrpc":"2.0","id":true,"method":"x"}', -32600),
    (b'{"jsonrpc":"2.0","id":{},"method":"GetTask"}', -32600), (b'{"jsonrpc":"1.0","id":1,"method":"x"}', -32600),
    (b'{"jsonrpc":"2.0","id":1}', -32600), (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"message/send"}', -32601), (b'{"jsonrpc":"2.0","id":1,"method":"x"}', -32601),
    (b'{"jsonrpc":"2.0","id":1,"method":"GetTask","params":[1]}', -32602),
    (b'{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{}}', -32602),
    (b'{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"unknown"}}', -32001),
], ids=lambda value: value[:60].decode("latin-1") if isinstance(value, bytes) else str(value))  # fmt: skip
async def test_what_is_no_request_is_told_what_it_is(hall: Place, body: bytes, number: int) -> None:
    answer = await hall.post(body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (200, number)
    assert code_of(error) == "VALIDATION_ERROR"


async def test_an_error_has_the_id_of_its_request(hall: Place) -> None:
    for method, params in (("GetTask", {"id": "none"}), ("Nothing", None), ("GetTask", None)):
        assert (await hall.rpc(method, params, id="mine"))["id"] == "mine"
    assert (await hall.post(b'{"jsonrpc":"1.0","id":"mine","method":"x"}')).json()["id"] == "mine"


async def test_an_error_says_its_reason_as_the_protocol_has_it_and_ours_beside_it(hall: Place) -> None:
    error = (await hall.rpc("GetTask", {"id": "none"}))["error"]
    info = error["data"][0]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert (info["reason"], info["domain"]) == ("TASK_NOT_FOUND", "a2a-protocol.org")
    assert {type(value) for value in info["metadata"].values()} == {str}
    unknown = (await hall.rpc("SendMessage", message("nobody")))["error"]
    assert (unknown["data"][0]["reason"], unknown["data"][0]["domain"]) == ("NOT_FOUND", "moothall")
    bad = (await hall.rpc("SendMessage", {"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{}]}}))["error"]
    assert bad["code"] == -32602
    assert bad["data"][2]["fieldViolations"][0]["field"] == "message.parts[0]"


@pytest.mark.parametrize(("at", "value"), [
    ("messageId", ""), ("messageId", 7), ("role", "ROLE_AGENT"), ("role", "user"), ("role", None), ("parts", []),
    ("parts", "text"), ("parts", [7]), ("parts", [{"text": 7}]), ("parts", [{"text": "a", "url": "b"}]),
    ("parts", [{"raw": "not base64!"}]), ("parts", [{"url": ""}]), ("parts", [{"data": {}, "mediaType": 7}]),
    ("contextId", 7), ("taskId", []), ("metadata", []), ("extensions", "x"), ("extensions", [7]),
    ("referenceTaskIds", {}), ("messageId", "x" * 2000),
], ids=lambda value: repr(value)[:40])  # fmt: skip
async def test_a_message_that_has_not_its_form_becomes_no_task(hall: Place, at: str, value: Any) -> None:
    request = message("add", {"a": 1})
    request["message"][at] = value
    assert (await hall.rpc("SendMessage", request))["error"]["code"] == -32602


@pytest.mark.parametrize(("method", "params"), [
    ("SendMessage", {"configuration": 7}), ("SendMessage", {"configuration": {"historyLength": -1}}),
    ("SendMessage", {"configuration": {"returnImmediately": "yes"}}), ("SendMessage", {"tenant": 7}),
    ("SendMessage", {"configuration": {"acceptedOutputModes": 7}}), ("SendMessage", {"metadata": 7}),
    ("SendMessage", {"configuration": {"taskPushNotificationConfig": {}}}),
    ("SendMessage", {"metadata": {"moothall/hops": -1}}), ("SendMessage", {"metadata": {"moothall/timeout": 0}}),
    ("SendMessage", {"metadata": {"moothall/timeout": "1"}}),
    ("SendMessage", {"metadata": {"moothall/idempotencyKey": "two words"}}),
    ("ListTasks", {"pageSize": 0}), ("ListTasks", {"pageSize": 101}), ("ListTasks", {"status": "running"}),
    ("ListTasks", {"statusTimestampAfter": "yesterday"}), ("ListTasks", {"includeArtifacts": 1}),
    ("ListTasks", {"statusTimestampAfter": "2026-13-01T00:00:00Z"}), ("ListTasks", {"historyLength": True}),
    ("GetTask", {"id": 7}), ("CancelTask", {}), ("GetTaskPushNotificationConfig", {"taskId": "x"}),
    ("CreateTaskPushNotificationConfig", {"taskId": "x"}),
], ids=lambda value: json.dumps(value) if isinstance(value, dict) else value)  # fmt: skip
async def test_parameters_that_have_not_their_form_are_refused(
    hall: Place, method: str, params: dict[str, Any]
) -> None:
    given = message("add", {"a": 1}) | params if method == "SendMessage" else params
    assert (await hall.rpc(method, given))["error"]["code"] == -32602


async def test_members_that_nobody_knows_are_left_alone(hall: Place) -> None:
    request = message("add", {"a": 1}, later={"x": 1})
    request["message"] |= {"unknown": 1, "contextId": None, "taskId": ""}
    assert value_of((await hall.rpc("SendMessage", request))["result"]["task"]) == 2


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
async def test_a_body_that_is_not_declared_as_json_is_refused(hall: Place, kind: str) -> None:
    answer = await hall.post(raw(b"{}"), headers={"content-type": kind})
    assert (answer.status_code, code_of(answer.json()["error"])) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_that_is_too_long_is_refused(hall: Place) -> None:
    answer = await hall.post(raw(b'{"value":"%b"}' % (b"x" * MAX_BODY)))
    assert (answer.status_code, code_of(answer.json()["error"])) == (413, "TOO_LARGE")


async def test_an_answer_that_the_client_does_not_take_is_not_made(hall: Place) -> None:
    answer = await hall.post(raw(b"{}"), headers={"accept": "text/html"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (406, -32005)


@pytest.mark.parametrize(("version", "number"), [("0.2", -32009), ("1.1", -32009), ("2", -32009), (None, -32009)])
async def test_a_version_that_is_not_spoken_is_refused(hall: Place, version: str | None, number: int) -> None:
    answer = await hall.rpc("SendMessage", message("add", {"a": 1}), version=version)
    assert answer["error"]["code"] == number
    assert answer["error"]["data"][0]["reason"] == "VERSION_NOT_SUPPORTED"


@pytest.mark.parametrize("version", ["1.0", "1.0.4"])
async def test_a_patch_of_the_version_means_nothing(hall: Place, version: str) -> None:
    assert "result" in await hall.rpc("SendMessage", message("add", {"a": 1}), version=version)


async def test_the_version_can_be_a_parameter_of_the_address(hall: Place) -> None:
    body = call("SendMessage", message("add", {"a": 1}))
    assert "result" in (await hall.post(body, "?A2A-Version=1.0", version=None)).json()


async def test_who_proves_nothing_gets_what_is_public_and_a_challenge_for_the_rest(hall: Place) -> None:
    answer = await hall.rpc("SendMessage", message("echo", {"value": 1}), who="")
    assert value_of(answer["result"]["task"]) == 1
    refused = await hall.post(call("SendMessage", message("add", {"a": 1}), id="mine"), who="")
    assert refused.status_code == 401
    assert "www-authenticate" in refused.headers
    assert refused.json()["id"] == "mine"
    assert code_of(refused.json()["error"]) == "UNAUTHENTICATED"
    for method in ("ListTasks", "GetExtendedAgentCard"):
        assert (await hall.post(call(method), who="")).status_code == 401
    assert (await hall.post(call("ListTasks"), agent="quiet", who="")).status_code == 401
    assert (await hall.post(call("ListTasks"), who="bad")).status_code == 401


async def test_who_may_not_call_a_skill_is_told_so(hall: Place) -> None:
    assert code_of((await hall.rpc("SendMessage", message("guarded")))["error"]) == "PERMISSION_DENIED"


async def test_a_task_is_its_callers_and_its_tenants_alone(hall: Place) -> None:
    task = (await hall.rpc("SendMessage", message("add", {"a": 1}, tenant="blue")))["result"]["task"]["id"]
    assert (await hall.rpc("GetTask", {"id": task, "tenant": "blue"}))["result"]["id"] == task
    others: list[tuple[str, dict[str, Any]]] = [
        (BEN, {"tenant": "blue"}), ("", {"tenant": "blue"}), (BEN, {}), ("did:wba:x", {"tenant": "red"}),
    ]  # fmt: skip
    for who, more in others:
        for method in ("GetTask", "CancelTask", "SubscribeToTask"):
            assert (await hall.rpc(method, {"id": task, **more}, who=who))["error"]["code"] == -32001
    assert (await hall.rpc("GetTask", {"id": task}))["error"]["code"] == -32001
    for who, tenant in ((BEN, "blue"), (BEN, "")):
        listed = await hall.rpc("ListTasks", {"tenant": tenant}, who=who)
        assert task not in [each["id"] for each in listed["result"]["tasks"]]


@pytest.mark.parametrize(("skill", "state", "code"), [
    ("leaky", "TASK_STATE_FAILED", "INTERNAL_ERROR"), ("refuses", "TASK_STATE_REJECTED", "CONFLICT"),
])  # fmt: skip
async def test_what_fails_inside_is_a_state_of_the_task_and_tells_no_more_than_its_code(
    hall: Place, skill: str, state: str, code: str
) -> None:
    answer = await hall.post(call("SendMessage", message(skill)))
    task = answer.json()["result"]["task"]
    assert task["status"]["state"] == state
    data = [part["data"] for part in task["status"]["message"]["parts"] if "data" in part]
    assert data[0]["error"]["code"] == code
    assert "SECRET" not in answer.text


async def test_a_repetition_with_its_key_is_done_once(hall: Place) -> None:
    name = uuid.uuid4().hex
    request = message("effect", {"name": name}, metadata={"moothall/idempotencyKey": uuid.uuid4().hex})
    values = [value_of((await hall.rpc("SendMessage", request))["result"]["task"]) for _ in range(2)]
    assert values == [1, 1]


async def test_other_verbs_are_not_answered(hall: Place) -> None:
    for verb in ("GET", "PUT", "DELETE"):
        answer = await hall.client.request(verb, hall.at())
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")
    options = await hall.client.options(hall.at())
    assert (options.status_code, options.headers["allow"]) == (204, "POST, OPTIONS")


async def test_an_agent_that_is_not_there_is_not_found(hall: Place) -> None:
    answer = await hall.post(call("ListTasks"), agent="nobody")
    assert (answer.status_code, code_of(answer.json()["error"])) == (404, "NOT_FOUND")


async def test_a_slash_at_the_end_makes_no_difference(hall: Place) -> None:
    assert "result" in (await hall.post(call("ListTasks"), "/")).json()


async def test_the_extension_that_is_used_is_named(hall: Place) -> None:
    known = {"a2a-extensions": "urn:other, urn:moothall:a2a:capabilities:v1"}
    answer = await hall.post(call("ListTasks"), headers=known)
    assert answer.headers["a2a-extensions"] == "urn:moothall:a2a:capabilities:v1"
    assert "a2a-extensions" not in (await hall.post(call("ListTasks"))).headers
