"""Streams as server-sent events over both bindings (A2A 1.0 §3.1.2, §3.1.6, §9.4.2, §11.7)."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.protocols.a2a.hall import ANNA, BEN, GATES, Gates, Place, call, frames, message, place, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def streaming(hall: Place, binding: str, operation: str, params: Any, who: str = ANNA) -> AsyncIterator[Any]:
    """An answer whose body is read as it comes, and an iterator over what its events carry."""
    rpc = {"send": "SendStreamingMessage", "subscribe": "SubscribeToTask"}[operation]
    path = {"send": "/message:stream", "subscribe": f"/tasks/{params.get('id')}:subscribe"}[operation]
    headers = shown(who, "1.0") | {"accept": "text/event-stream"}
    if binding == "jsonrpc":
        asked = hall.client.stream("POST", hall.at(), json=call(rpc, params, id="s"), headers=headers)
    elif operation == "send":
        asked = hall.client.stream("POST", hall.at(rest=path), json=params, headers=headers)
    else:
        asked = hall.client.stream("GET", hall.at(rest=path), headers=headers)
    async with asked as answer:
        yield answer, values(answer, binding)


async def values(answer: httpx.Response, binding: str) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            event = json.loads(line.removeprefix("data: "))
            if binding == "jsonrpc":
                assert (event["jsonrpc"], event["id"]) == ("2.0", "s")
                event = event.get("result", event)
            yield event


def gate() -> tuple[str, Gates]:
    name = uuid.uuid4().hex
    GATES[name] = Gates()
    return name, GATES[name]


BINDINGS = pytest.mark.parametrize("binding", ["jsonrpc", "rest"])


@BINDINGS
async def test_a_stream_begins_with_the_task_and_ends_with_its_end(hall: Place, binding: str) -> None:
    async with streaming(hall, binding, "send", message("count", {"to": 3})) as (answer, events):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
        assert "no-store" in answer.headers["cache-control"]
        seen = [event async for event in events]
    assert [next(iter(event)) for event in seen] == [
        "task", "statusUpdate", "artifactUpdate", "artifactUpdate", "artifactUpdate", "statusUpdate",
    ]  # fmt: skip
    given = [part["data"] for event in seen[2:-1] for part in event["artifactUpdate"]["artifact"]["parts"]]
    assert given == [0, 1, 2]
    assert seen[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"


@BINDINGS
async def test_what_is_refused_before_it_begins_is_no_stream(hall: Place, binding: str) -> None:
    for params, who in ((message("nobody"), ANNA), (message("add", {"a": 1}), ""), ({}, ANNA)):
        async with streaming(hall, binding, "send", params, who) as (answer, _):
            assert "event-stream" not in answer.headers["content-type"]
            assert "error" in json.loads(await answer.aread())
    async with streaming(hall, binding, "subscribe", {"id": "none"}) as (answer, _):
        assert "event-stream" not in answer.headers["content-type"]


@BINDINGS
async def test_a_client_that_leaves_ends_its_stream_and_not_the_task(hall: Place, binding: str) -> None:
    name, gates = gate()
    async with streaming(hall, binding, "send", message("held", {"name": name})) as (_, events):
        task = (await anext(events))["task"]["id"]
        await gates.begun.wait()
    for who in (BEN, ""):
        async with streaming(hall, binding, "subscribe", {"id": task}, who) as (answer, _):
            assert "event-stream" not in answer.headers["content-type"]
    async with streaming(hall, binding, "subscribe", {"id": task}) as (_, events):
        assert (await anext(events))["task"]["status"]["state"] == "TASK_STATE_WORKING"
        gates.go.set()
        rest = [event async for event in events]
    assert rest[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"
    async with streaming(hall, binding, "subscribe", {"id": task}) as (answer, _):
        assert b"UNSUPPORTED_OPERATION" in await answer.aread()


@BINDINGS
async def test_a_task_is_cancelled_while_others_watch_it(hall: Place, binding: str) -> None:
    name, gates = gate()
    async with streaming(hall, binding, "send", message("held", {"name": name})) as (_, events):
        task = (await anext(events))["task"]["id"]
        await gates.begun.wait()
        cancelled = (await hall.rpc("CancelTask", {"id": task}))["result"]
        seen = [event async for event in events]
    assert cancelled["status"]["state"] == "TASK_STATE_CANCELED"
    assert seen[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_CANCELED"
    await gates.ended.wait()


async def test_progress_is_told(hall: Place) -> None:
    name, gates = gate()
    gates.go.set()
    answer = await hall.post(message("held", {"name": name}), "/message:stream")
    told = [part.get("data") for event in frames(answer.text) if "statusUpdate" in event
            for part in event["statusUpdate"]["status"].get("message", {}).get("parts", ())]  # fmt: skip
    assert {"progress": {"done": 1, "total": 2, "message": "half"}} in told


async def test_a_client_that_leaves_a_blocking_request_ends_the_work(hall: Place) -> None:
    name, gates = gate()
    asking = asyncio.create_task(hall.post(call("SendMessage", message("held", {"name": name}))))
    await gates.begun.wait()
    asking.cancel()
    await gates.ended.wait()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_an_idle_stream_shows_signs_of_life_and_ends_when_the_server_stops(tmp_path: Path) -> None:
    name, gates = gate()
    async with place(tmp_path, heartbeat=0.01) as short:
        for binding in ("jsonrpc", "rest"):
            async with streaming(short, binding, "send", message("held", {"name": name})) as (answer, _):
                await gates.begun.wait()
                text = ""
                async for piece in answer.aiter_text():
                    text += piece
                    if text.count("\n:\n") > 1:
                        break
                assert "\n:\n\n" in text
            gates.begun.clear()
        async with streaming(short, "rest", "send", message("held", {"name": name})) as (answer, _):
            await gates.begun.wait()
            short.streams.close()
            last = (await answer.aread()).decode()
        assert "event: error\ndata: " in last
        assert "UNAVAILABLE" in last
