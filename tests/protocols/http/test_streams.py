"""Calls whose answer is a stream of events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import Conflict
from tests.protocols.http.hall import ANNA, PREFIX, Hall, hall, of

EVENTS = {"Accept": "text/event-stream"}


@capability(access="public")
async def count(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number


@capability(access="public")
async def stumbles(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number
    raise Conflict("stumbled")


@capability(access="public")
async def works(ctx: CallContext, steps: int) -> str:
    for step in range(steps):
        await ctx.progress(step + 1, steps, f"step {step + 1}")
    return "done"


@capability()
async def owned() -> AsyncIterator[int]:
    yield 1


@pytest.fixture
async def room() -> AsyncIterator[Hall]:
    async with hall(count, stumbles, works, owned) as opened:
        yield opened


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


async def test_values_come_one_by_one_and_then_the_envelope(room: Hall) -> None:
    answer = await room.post("count", {"to": 3}, headers=EVENTS)
    *items, (last, envelope) = events(answer.text)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    assert items == [("item", 0), ("item", 1), ("item", 2)]
    assert (last, envelope["success"], envelope["request_id"]) == ("end", True, answer.headers["X-Request-ID"])


async def test_without_asking_for_events_the_values_are_a_list(room: Hall) -> None:
    assert (await room.post("count", {"to": 3})).json()["data"] == [0, 1, 2]


async def test_a_stream_that_fails_midway_ends_with_the_error(room: Hall) -> None:
    answer = await room.post("stumbles", {"to": 2}, headers=EVENTS)
    *items, (last, envelope) = events(answer.text)
    assert [value for _, value in items] == [0, 1]
    assert (last, envelope["error"]["code"], envelope["status_code"]) == ("end", "CONFLICT", 409)


@pytest.mark.parametrize(("name", "params", "status"), [
    ("stumbles", {"to": 0}, 409), ("count", {"to": "x"}, 400), ("owned", {}, 401), ("nobody", {}, 404),
])  # fmt: skip
async def test_a_call_that_fails_at_once_has_its_status(room: Hall, name: str, params: Any, status: int) -> None:
    answer = await room.post(name, params, headers=EVENTS)
    assert (answer.status_code, answer.json()["status_code"]) == (status, status)


async def test_progress_comes_before_the_value(room: Hall) -> None:
    answer = await room.post("works", {"steps": 2}, headers=EVENTS)
    assert events(answer.text)[:-1] == [
        ("progress", {"done": 1, "total": 2, "message": "step 1"}),
        ("progress", {"done": 2, "total": 2, "message": "step 2"}),
    ]
    assert events(answer.text)[-1][1]["data"] == "done"


async def test_progress_that_nobody_asked_for_is_not_told(room: Hall) -> None:
    assert (await room.post("works", {"steps": 2})).json()["data"] == "done"


async def test_a_stream_brings_the_headers_of_a_call(room: Hall) -> None:
    answer = await room.post("count", {"to": 1}, headers={**EVENTS, **of(ANNA)})
    assert answer.headers["X-API-Version"] == "1.0.0"
    assert "Authentication-Info" in answer.headers


async def lines_until(response: httpx.Response, wanted: str) -> list[str]:
    found = []
    async for line in response.aiter_lines():
        found.append(line)
        if line.startswith(wanted):
            break
    return found


async def test_an_idle_stream_shows_a_sign_of_life() -> None:
    go = asyncio.Event()

    @capability(access="public")
    async def waits() -> AsyncIterator[int]:
        await go.wait()
        yield 1

    async with hall(waits, heartbeat=0.02) as room, room.client.stream(
        "POST", f"{PREFIX}/waits", headers=EVENTS
    ) as response:  # fmt: skip
        lines = response.aiter_lines()
        assert await anext(lines) == ":"
        go.set()
        rest = [line async for line in lines]
    assert "event: item" in rest
    assert "event: end" in rest


async def test_a_reader_that_leaves_ends_the_stream() -> None:
    ended = asyncio.Event()

    @capability(access="public")
    async def endless() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with hall(endless) as room:
        async with room.client.stream("POST", f"{PREFIX}/endless", headers=EVENTS) as response:
            await lines_until(response, "data: 1")
        await ended.wait()


async def test_streams_are_ended_and_told_so_when_the_server_stops() -> None:
    @capability(access="public")
    async def endless() -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    async with hall(endless) as room, room.client.stream("POST", f"{PREFIX}/endless", headers=EVENTS) as response:
        lines = response.aiter_lines()
        while await anext(lines) != "data: 1":
            pass
        room.stop.set()
        rest = "\n".join([line async for line in lines])
    [(kind, envelope)] = events(rest.strip())
    assert (kind, envelope["error"]["code"], envelope["status_code"]) == ("end", "UNAVAILABLE", 503)


async def test_there_are_only_so_many_streams_at_once(room: Hall) -> None:
    room.streams._limit = 0
    answer = await room.post("count", {"to": 1}, headers=EVENTS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
    assert answer.headers["Retry-After"]
