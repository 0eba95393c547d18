"""A2A 0.3 at the address of JSON-RPC: its methods, its objects, its names."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from a2a.compat.v0_3 import types as v03

from tests.protocols.a2a.hall import ANNA, GATES, Gates, Place, call, frames

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERSIONS = pytest.mark.parametrize("version", [None, "0.3", "0.3.0"], ids=str)


def message(skill: str, arguments: Any, **more: Any) -> dict[str, Any]:
    part = {"kind": "data", "data": {"skill": skill, "arguments": arguments}}
    return {"message": {"kind": "message", "messageId": "m", "role": "user", "parts": [part]}, **more}


async def asked(hall: Place, method: str, params: Any, version: str | None = "0.3", who: str = ANNA) -> Any:
    return await hall.rpc(method, params, version=version, who=who)


@VERSIONS
async def test_a_message_becomes_a_task_of_the_old_form(hall: Place, version: str | None) -> None:
    task = (await asked(hall, "message/send", message("room", {"room": {"name": "blue"}}), version))["result"]
    assert (task["kind"], task["status"]["state"]) == ("task", "completed")
    part = task["artifacts"][0]["parts"][0]
    assert (part["kind"], part["data"]["beds"]) == ("data", 3)
    assert (task["history"][0]["kind"], task["history"][0]["role"]) == ("message", "user")
    assert v03.Task.model_validate(task).id == task["id"]
    got = (await asked(hall, "tasks/get", {"id": task["id"], "historyLength": 0}, version))["result"]
    assert (got["kind"], got["history"] == task["history"]) == ("task", True)


async def test_a_value_that_is_no_object_stands_in_one(hall: Place) -> None:
    task = (await asked(hall, "message/send", message("add", {"a": 1})))["result"]
    part = task["artifacts"][0]["parts"][0]
    assert (part["data"], part["metadata"]["data_part_compat"]) == ({"value": 2}, True)


@pytest.mark.parametrize("part", [
    {"kind": "text", "text": "hello"}, {"kind": "file", "file": {"bytes": "aGk=", "mimeType": "text/plain", "name": "n"}},
    {"kind": "file", "file": {"uri": "https://files.example/x"}},
], ids=lambda part: str(part)[:50])  # fmt: skip
async def test_parts_of_every_kind_are_read(hall: Place, part: dict[str, Any]) -> None:
    request = message("add", {"a": 1})
    request["message"]["parts"].append(part)
    answer = await asked(hall, "message/send", request)
    if "result" in answer:
        assert answer["result"]["history"][0]["parts"][1] == part
    else:
        assert answer["error"]["code"] in {-32602, -32005}


async def test_a_stream_says_of_each_event_what_it_is(hall: Place) -> None:
    answer = await hall.post(call("message/stream", message("count", {"to": 2})), version=None)
    assert answer.headers["content-type"] == "text/event-stream"
    events = [frame["result"] for frame in frames(answer.text)]
    assert [event["kind"] for event in events] == [
        "task", "status-update", "artifact-update", "artifact-update", "status-update",
    ]  # fmt: skip
    assert [event["final"] for event in events if event["kind"] == "status-update"] == [False, True]
    for frame in frames(answer.text):
        v03.SendStreamingMessageResponse.model_validate(frame)


async def test_a_task_is_taken_up_again_and_cancelled(hall: Place) -> None:
    name = uuid.uuid4().hex
    GATES[name] = gates = Gates()
    request = message("held", {"name": name}, configuration={"blocking": False})
    task = (await asked(hall, "message/send", request))["result"]
    assert task["status"]["state"] in {"submitted", "working"}
    await gates.begun.wait()
    cancelled = (await asked(hall, "tasks/cancel", {"id": task["id"]}))["result"]
    assert (cancelled["kind"], cancelled["status"]["state"]) == ("task", "canceled")
    refused = await hall.post(call("tasks/resubscribe", {"id": task["id"]}), version="0.3")
    assert refused.json()["error"]["code"] == -32004


@pytest.mark.parametrize(("method", "params", "number"), [
    ("message/send", {}, -32602), ("message/send", {"message": "text"}, -32602), ("message/send", [], -32602),
    ("message/send", {"message": {"messageId": "m", "role": "user", "parts": [{"text": "x"}]}}, -32602),
    ("message/send", {"message": {"messageId": "m", "role": "user", "parts": [7]}}, -32602),
    ("message/send", {"message": {"messageId": "m", "role": "agent", "parts": [{"kind": "text", "text": "x"}]}}, -32602),
    ("tasks/get", {"id": "none"}, -32001), ("tasks/cancel", {"id": "none"}, -32001), ("tasks/cancel", {}, -32602),
    ("tasks/pushNotificationConfig/set", {"taskId": "x"}, -32602),
    ("tasks/pushNotificationConfig/get", {"id": "none"}, -32001), ("tasks/list", {}, -32601),
    ("SendMessage", {}, -32009),
], ids=lambda value: str(value)[:40])  # fmt: skip
async def test_what_is_wrong_has_the_same_number_as_in_1_0(hall: Place, method: str, params: Any, number: int) -> None:
    answer = await asked(hall, method, params)
    assert (answer["id"], answer["error"]["code"]) == (1, number)


async def test_who_proves_nothing_is_asked_to(hall: Place) -> None:
    answer = await hall.post(call("message/send", message("add", {"a": 1})), version=None, who="")
    assert answer.status_code == 401
    public = await asked(hall, "message/send", message("echo", {"value": {"a": 1}}), who="")
    assert public["result"]["artifacts"][0]["parts"][0]["data"] == {"a": 1}


async def test_cards_can_be_read_by_clients_of_0_3(hall: Place) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        public = (await http.get(f"{hall.url}/.well-known/agent-card.json")).json()
    card = v03.AgentCard.model_validate(public)
    assert (card.url, card.preferred_transport, card.protocol_version) == (hall.at(), "JSONRPC", "0.3.0")
    extended = (await asked(hall, "agent/getAuthenticatedExtendedCard", None))["result"]
    assert {"echo", "add"} <= {skill.id for skill in v03.AgentCard.model_validate(extended).skills}
