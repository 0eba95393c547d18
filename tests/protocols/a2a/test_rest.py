"""HTTP+JSON below an agent's address (A2A 1.0 §11)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.protocols.a2a.hall import ANNA, BEN, MAX_BODY, Place, code_of, message, shown, value_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

A2A = "application/a2a+json"


async def made(hall: Place, path: str = "/message:send", **more: Any) -> dict[str, Any]:
    answer = await hall.post(message("add", {"a": 1}, **more), path)
    assert answer.status_code == 200, answer.text
    task: dict[str, Any] = answer.json()["task"]
    return task


@pytest.mark.parametrize("kind", ["application/json", A2A, "Application/A2A+JSON; charset=utf-8"])
async def test_a_message_becomes_a_task(hall: Place, kind: str) -> None:
    answer = await hall.post(message("add", {"a": 1}), "/message:send", headers={"content-type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (200, A2A)
    assert value_of(answer.json()["task"]) == 2


@pytest.mark.parametrize(("accept", "kind"), [
    ("*/*", A2A), ("application/*", A2A), ("application/json", "application/json"),
    ("application/json;q=0.5, application/a2a+json", A2A), ("text/html, application/json", "application/json"),
    ("application/a2a+json;q=0, application/json", "application/json"),
])  # fmt: skip
async def test_an_answer_is_of_the_type_that_the_client_takes(hall: Place, accept: str, kind: str) -> None:
    assert (await hall.get("/tasks", accept=accept)).headers["content-type"] == kind


async def test_an_answer_that_the_client_does_not_take_is_not_made(hall: Place) -> None:
    answer = await hall.get("/tasks", accept="text/html")
    assert (answer.status_code, answer.headers["content-type"]) == (406, A2A)
    answer = await hall.post(message("add", {"a": 1}), "/message:stream", headers={"accept": "application/json"})
    assert answer.status_code == 406


async def test_a_task_is_read_listed_and_no_longer_cancelled(hall: Place) -> None:
    task = await made(hall)
    got = await hall.get(f"/tasks/{task['id']}?historyLength=0")
    assert (got.json()["id"], "history" in got.json()) == (task["id"], False)
    assert "no-store" in got.headers["cache-control"]
    listed = (await hall.get("/tasks?pageSize=1&includeArtifacts=true&status=TASK_STATE_COMPLETED")).json()
    assert value_of(listed["tasks"][0]) == 2
    assert (listed["pageSize"], len(listed["tasks"])) == (1, 1)
    assert "artifacts" not in (await hall.get("/tasks?pageSize=1")).json()["tasks"][0]
    cancelled = await hall.post(b"", f"/tasks/{task['id']}:cancel")
    assert (cancelled.status_code, cancelled.json()["error"]["details"][0]["reason"]) == (400, "TASK_NOT_CANCELABLE")


async def test_the_tenant_can_stand_in_the_path(hall: Place) -> None:
    task = await made(hall, "/blue/message:send")
    assert (await hall.get(f"/blue/tasks/{task['id']}")).status_code == 200
    for path in (f"/tasks/{task['id']}", f"/red/tasks/{task['id']}"):
        assert (await hall.get(path)).status_code == 404
    assert [each["id"] for each in (await hall.get("/blue/tasks")).json()["tasks"]] == [task["id"]]
    same = await hall.post(message("add", {"a": 1}, tenant="blue"), "/blue/message:send")
    assert same.status_code == 200
    assert (await hall.post(message("add", {"a": 1}, tenant="red"), "/blue/message:send")).status_code == 400


async def test_others_find_nothing(hall: Place) -> None:
    task = await made(hall)
    for who in (BEN, ""):
        answer = await hall.get(f"/tasks/{task['id']}", who=who)
        assert (answer.status_code, answer.json()["error"]["details"][0]["reason"]) == (404, "TASK_NOT_FOUND")
    assert (await hall.get("/tasks", who="")).status_code == 401
    assert task["id"] not in (await hall.get("/tasks", who=BEN)).text


async def test_errors_have_the_form_of_google_rpc_status(hall: Place) -> None:
    answer = await hall.get("/tasks/none")
    error = answer.json()["error"]
    assert (answer.status_code, answer.headers["content-type"]) == (404, A2A)
    assert (error["code"], error["status"]) == (404, "NOT_FOUND")
    assert error["details"][0] == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "TASK_NOT_FOUND", "domain": "a2a-protocol.org",
        "metadata": {"code": "VALIDATION_ERROR", "requestId": answer.headers["x-request-id"]},
    }  # fmt: skip
    refused = await hall.post(message("guarded"), "/message:send")
    assert (refused.status_code, refused.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    unproved = await hall.post(message("add", {"a": 1}), "/message:send", who="")
    assert (unproved.status_code, code_of(unproved.json()["error"])) == (401, "UNAUTHENTICATED")
    assert "www-authenticate" in unproved.headers
    chinese = await hall.get("/tasks/none", **{"accept-language": "zh"})
    assert chinese.json()["error"]["message"] != error["message"]


@pytest.mark.parametrize("body", [
    b"{", b'{"message":{},"message":{}}', b'{"message":NaN}', b"[]", b'"x"', b"{}", b"null", b"\xff", b"",
], ids=lambda body: body.decode("latin-1"))  # fmt: skip
async def test_bodies_that_are_no_request_are_refused(hall: Place, body: bytes) -> None:
    answer = await hall.post(body, "/message:send")
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert code_of(answer.json()["error"]) == "VALIDATION_ERROR"


@pytest.mark.parametrize("query", [
    "pageSize=0", "pageSize=x", "pageSize=1&pageSize=2", "includeArtifacts=yes", "unknown=1", "status=working",
    "statusTimestampAfter=now", "pageSize=%ff", "page_size=1", "historyLength=-1",
])  # fmt: skip
async def test_parameters_that_have_not_their_form_are_refused(hall: Place, query: str) -> None:
    assert (await hall.get(f"/tasks?{query}")).status_code == 400


async def test_a_body_of_another_type_or_size_is_refused(hall: Place) -> None:
    wrong = await hall.post(b"{}", "/message:send", headers={"content-type": "text/plain"})
    assert (wrong.status_code, code_of(wrong.json()["error"])) == (415, "UNSUPPORTED_MEDIA_TYPE")
    long = await hall.post(b" " * (MAX_BODY + 1), "/message:send")
    assert (long.status_code, code_of(long.json()["error"])) == (413, "TOO_LARGE")


@pytest.mark.parametrize("version", [None, "0.3", "0.9", "1.1", "x"])
async def test_other_versions_are_refused(hall: Place, version: str | None) -> None:
    answer = await hall.get("/tasks", version=version)
    assert (answer.status_code, answer.json()["error"]["details"][0]["reason"]) == (400, "VERSION_NOT_SUPPORTED")
    assert (await hall.get("/tasks?A2A-Version=1.0", version=None)).status_code == 200


@pytest.mark.parametrize(("path", "allowed"), [
    ("/message:send", "POST"), ("/tasks", "GET, HEAD"), ("/tasks/x", "GET, HEAD"), ("/tasks/x:cancel", "POST"),
    ("/tasks/x:subscribe", "GET, POST"), ("/tasks/x/pushNotificationConfigs", "GET, POST, HEAD"),
    ("/tasks/x/pushNotificationConfigs/y", "GET, DELETE, HEAD"), ("/blue/extendedAgentCard", "GET, HEAD"),
])  # fmt: skip
async def test_other_verbs_are_not_answered(hall: Place, path: str, allowed: str) -> None:
    answer = await hall.client.put(hall.at(rest=path), headers=shown(ANNA, "1.0"))
    assert (answer.status_code, answer.headers["allow"]) == (405, f"{allowed}, OPTIONS")
    options = await hall.client.options(hall.at(rest=path))
    assert (options.status_code, options.headers["allow"]) == (204, f"{allowed}, OPTIONS")


@pytest.mark.parametrize("path", ["/tasks/", "/message", "/nothing", "/a/b/tasks", "/tasks/x/y", "/blue/"])
async def test_other_addresses_have_nothing(hall: Place, path: str) -> None:
    answer = await hall.get(path)
    assert (answer.status_code, answer.json()["error"]["details"][0]["reason"]) == (404, "METHOD_NOT_FOUND")


async def test_the_head_of_an_answer_can_be_asked_for_alone(hall: Place) -> None:
    answer = await hall.client.head(hall.at(rest="/tasks"), headers=shown(ANNA, "1.0"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 2


async def test_push_configurations_are_kept_read_listed_and_deleted(hall: Place) -> None:
    task = await made(hall)
    path = f"/tasks/{task['id']}/pushNotificationConfigs"
    assert (await hall.get(path)).json().get("configs", []) == []
    refused = await hall.post({"url": "http://10.0.0.1/hook"}, path)
    assert refused.status_code in {400, 403, 502}, refused.text
    assert (await hall.post({"url": "https://hook.example/"}, path, who="")).status_code == 401
    assert (await hall.post({"url": "https://hook.example/", "taskId": "other"}, path)).status_code == 400
    assert (await hall.client.delete(hall.at(rest=f"{path}/none"), headers=shown(ANNA, "1.0"))).json() == {}


async def test_integers_are_exact(hall: Place) -> None:
    body = json.dumps(message("add", {"a": 2**70, "b": 0})).encode()
    assert int(value_of((await hall.post(body, "/message:send")).json()["task"])) == 2**70
