"""What the door refuses before anything is begun, and what it says when something fails that nobody foresaw."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from moothall.protocols.a2a.service import TaskService
from tests.protocols.a2a.hall import RAN, Place, call, code_of, message, value_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = "/agents/hall/.well-known/agent-card.json"


async def test_a_stream_that_has_no_place_begins_no_work(hall: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    name = uuid.uuid4().hex
    wanted = message("effect", {"name": name})
    events = {"accept": "text/event-stream"}
    monkeypatch.setattr(hall.streams, "_limit", len(hall.streams))
    refused = await hall.post(call("SendStreamingMessage", wanted), headers=events)
    assert code_of(refused.json()["error"]) == "UNAVAILABLE"
    plain = await hall.post(wanted, "/message:stream", headers=events)
    assert plain.status_code == 503
    assert RAN[name] == 0
    monkeypatch.undo()
    assert (await hall.post(call("SendStreamingMessage", wanted), headers=events)).status_code == 200
    assert RAN[name] == 1


@pytest.mark.parametrize("operation", ["get_task", "subscribe"])
async def test_a_fault_of_the_node_is_told_as_the_binding_has_it(
    hall: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, operation: str
) -> None:
    def broken(self: TaskService, visit: Any, request: Any) -> Any:
        raise RuntimeError("SECRET")

    monkeypatch.setattr(TaskService, operation, broken)
    method, path = {"get_task": ("GetTask", "/tasks/t"), "subscribe": ("SubscribeToTask", "/tasks/t:subscribe")}[
        operation
    ]
    told = await hall.rpc(method, {"id": "t"}, id="mine")
    assert (told["id"], told["error"]["code"], code_of(told["error"])) == ("mine", -32603, "INTERNAL_ERROR")
    answer = await hall.get(path)
    assert (answer.status_code, code_of(answer.json()["error"])) == (500, "INTERNAL_ERROR")
    assert "SECRET" not in str(told) + answer.text
    assert sum("SECRET" in (record.exc_text or "") for record in caplog.records) == 2


async def test_a_version_in_the_query_that_is_no_latin_text_is_none_of_ours(hall: Place) -> None:
    answer = await hall.client.post(f"{hall.at()}?A2A-Version=%E2%82%AC", json=call("GetTask", {"id": "t"}))
    assert answer.json()["error"]["code"] == -32009


@pytest.mark.parametrize("zone", ["+99999999999999999999", "+9999", "x"])
async def test_a_date_that_cannot_be_is_no_condition(hall: Place, zone: str) -> None:
    since = {"if-modified-since": f"Mon, 01 Jan 2020 00:00:00 {zone}"}
    assert (await hall.client.get(hall.url + CARD, headers=since)).status_code == 200


async def test_a_task_is_not_taken_for_a_tenant_of_its_name(hall: Place) -> None:
    answer = await hall.get("/tasks/tasks")
    assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")
    assert (await hall.get("/tasks/tasks/tasks")).status_code == 404
    assert (await hall.get("/acme/tasks")).json()["tasks"] == []


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*;q=0", 406),
        ("application/json;q=0, application/a2a+json; q=0.0, */*", 406),
        ("application/*;q=0, application/json", 200),
        ("text/html, */*;q=0.1", 200),
        ("application/json;v=1;q=0.05", 200),
    ],
)
async def test_the_most_precise_type_that_a_client_names_counts(hall: Place, accept: str, status: int) -> None:
    assert (await hall.get("/tasks", accept=accept)).status_code == status


async def test_the_keys_of_an_agent_have_the_date_of_their_change(hall: Place) -> None:
    agent = hall.cards.agent("hall")
    assert agent is not None
    assert hall.cards.keys(agent) is hall.cards.keys(agent)
    answer = await hall.client.get(f"{hall.url}/agents/hall/.well-known/jwks.json")
    assert answer.headers["last-modified"] == hall.cards.keys(agent).last_modified


class TestKeys:
    @pytest.mark.parametrize("rest", [False, True])
    async def test_the_header_means_what_the_metadata_means(self, hall: Place, rest: bool) -> None:
        name, key = uuid.uuid4().hex, uuid.uuid4().hex
        bare, both = message("effect", {"name": name}), message("effect", {"name": name})
        both["metadata"] = {"moothall/idempotencyKey": key}
        for wanted, header in ((bare, key), (both, None), (both, key)):
            headers = {} if header is None else {"idempotency-key": header}
            body = wanted if rest else call("SendMessage", wanted)
            answer = (await hall.post(body, "/message:send" if rest else "", headers=headers)).json()
            assert value_of((answer if rest else answer["result"])["task"]) == 1
        assert RAN[name] == 1

    @pytest.mark.parametrize("header", ["other", "", "two words", "x" * 256])
    async def test_one_that_differs_or_is_none_is_refused(self, hall: Place, header: str) -> None:
        name = uuid.uuid4().hex
        wanted = message("effect", {"name": name}, metadata={"moothall/idempotencyKey": "mine"})
        if header != "other":
            del wanted["metadata"]
        answer = await hall.post(call("SendMessage", wanted), headers={"idempotency-key": header})
        assert answer.json()["error"]["code"] == -32602
        assert RAN[name] == 0
