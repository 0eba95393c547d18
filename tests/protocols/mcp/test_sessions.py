"""Sessions of the handshake era: questions inside a call, cancelling, whose they are, how many, and how they end."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import httpx
import pytest
from mcp_types import ElicitResult

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Form
from tests.protocols.mcp.hall import ACCEPT, ANNA, BEN, Hall, hall, of

GATE: dict[str, asyncio.Event] = {}
FORM = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


@capability(access="public")
async def ask(ctx: CallContext) -> str:
    answers = await ctx.ask({"who": Form("Who are you?", FORM)})
    return str(answers["who"]["content"]["name"])


@capability(access="public")
async def held(name: str) -> str:
    GATE[f"{name} begun"].set()
    try:
        await GATE[f"{name} go"].wait()
    finally:
        GATE[f"{name} ended"].set()
    return "done"


@capability(access="public")
async def who(ctx: CallContext) -> str:
    return ctx.principal.id


def gates(name: str) -> dict[str, Any]:
    for moment in ("begun", "go", "ended"):
        GATE[f"{name} {moment}"] = asyncio.Event()
    return {"name": "held", "arguments": {"name": name}}


def answered(response: httpx.Response) -> dict[str, Any]:
    """The JSON-RPC response, as JSON or as the last event."""
    if response.headers["content-type"].startswith("application/json"):
        return dict(response.json())
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    return dict(events[-1])


async def both(door: Hall, session: str) -> tuple[httpx.Response, httpx.Response]:
    """Two requests of one id, the second while the first is answered."""
    params = gates(session)
    first = asyncio.create_task(door.older("tools/call", params, session=session, call_id=7))
    await GATE[f"{session} begun"].wait()
    second = await door.older("tools/list", session=session, call_id="7")
    GATE[f"{session} go"].set()
    return await first, second


async def test_a_client_is_asked_while_its_call_waits() -> None:
    async def elicit(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"name": "Ada"})

    async with hall(ask, sessions=5) as door, door.client("legacy", elicitation_callback=elicit) as client:
        assert (await client.call_tool("ask", {})).structured_content == {"result": "Ada"}


async def test_a_client_without_a_session_cannot_be_asked() -> None:
    async with hall(ask) as door, door.client("legacy") as client:
        result = await client.call_tool("ask", {})
        assert result.is_error
        assert json.loads(result.content[0].text)["error"]["code"] == "INPUT_REQUIRED"  # type: ignore[union-attr]


@pytest.mark.parametrize("sessions", [0, 5], ids=["stateless", "sessions"])
async def test_two_requests_of_one_id_are_not_answered_at_once(sessions: int) -> None:
    async with hall(held, sessions=sessions) as door:
        first, second = await both(door, await door.begin())
        assert answered(first)["result"]["structuredContent"] == {"result": "done"}
        assert (second.status_code, second.json()["error"]["code"]) == (400, -32600)
        after = await both(door, await door.begin())
        assert "result" in answered(after[0])


@pytest.mark.parametrize("sessions", [0, 5], ids=["stateless", "sessions"])
async def test_a_cancelled_request_ends_its_work(sessions: int) -> None:
    async with hall(held, sessions=sessions) as door:
        session = await door.begin()
        params = gates(session)
        calling = asyncio.create_task(door.older("tools/call", params, session=session, call_id=3))
        await GATE[f"{session} begun"].wait()
        told = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}}
        other = {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": await door.begin()}
        await door.post(told, headers=other)
        assert not GATE[f"{session} ended"].is_set()
        answer = await door.post(told, headers={**other, "Mcp-Session-Id": session})
        assert answer.status_code == 202
        await GATE[f"{session} ended"].wait()
        assert "result" not in (await calling).text
        assert (await door.older("tools/list", session=session)).status_code == 200


async def test_a_session_belongs_to_its_principal() -> None:
    async with hall(who, sessions=5) as door:
        session = await door.begin(ANNA)
        call = {"name": "who", "arguments": {}}
        mine = answered(await door.older("tools/call", call, who=ANNA, session=session))
        assert mine["result"]["structuredContent"] == {"result": ANNA}
        for other in (BEN, ""):
            assert (await door.older("tools/call", call, who=other, session=session)).status_code == 404


async def test_messages_without_a_session_are_refused_where_there_are_some() -> None:
    async with hall(who, sessions=5) as door:
        assert (await door.older("tools/list")).status_code == 400
        assert (await door.older("tools/list", session="made up")).status_code == 404


async def test_the_oldest_idle_session_of_a_principal_makes_room_for_its_next() -> None:
    async with hall(who, sessions=2) as door:
        anna, ben = await door.begin(ANNA), await door.begin(BEN)
        another = await door.begin(ANNA)
        assert (await door.older("tools/list", who=ANNA, session=anna)).status_code == 404
        assert (await door.older("tools/list", who=ANNA, session=another)).status_code == 200
        assert (await door.older("tools/list", who=BEN, session=ben)).status_code == 200


async def test_nobody_makes_room_for_somebody_else() -> None:
    async with hall(who, sessions=1) as door:
        session = await door.begin(ANNA)
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        refused = await door.older("initialize", hello, who=BEN)
        assert (refused.status_code, refused.json()["error"]["data"]["code"]) == (503, "UNAVAILABLE")
        assert "retry-after" in refused.headers
        assert (await door.older("tools/list", who=ANNA, session=session)).status_code == 200


async def test_who_proves_nothing_makes_room_for_who_does() -> None:
    async with hall(who, sessions=1) as door:
        session = await door.begin()
        await door.begin(ANNA)
        assert (await door.older("tools/list", session=session)).status_code == 404


async def test_the_stream_of_a_session_ends_when_the_server_stops() -> None:
    async with hall(who, sessions=1) as door:
        headers = {"Mcp-Session-Id": await door.begin(), "MCP-Protocol-Version": "2025-11-25", **ACCEPT}
        async with door.http.stream("GET", "/mcp", headers=headers) as answer:
            assert answer.status_code == 200
            assert len(door.streams) == 1
            door.stop.set()
            assert [line async for line in answer.aiter_lines() if line.startswith("data")] == []
        await door.serving


async def test_a_session_ends_when_its_client_says_so() -> None:
    async with hall(who, sessions=1) as door:
        session = await door.begin()
        headers = {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
        assert (await door.http.delete("/mcp", headers=headers)).status_code == 200
        assert (await door.older("tools/list", session=session)).status_code == 404
        await door.begin(BEN)


async def test_a_session_in_which_nothing_happens_ends() -> None:
    async with hall(who, sessions=1, idle=0.05) as door:
        await door.begin()
        while door.room.sessions:
            await asyncio.wait([asyncio.ensure_future(door.http.get("/elsewhere"))])
        await door.begin(BEN)


async def test_a_handshake_that_fails_leaves_no_session() -> None:
    async with hall(who, sessions=1) as door:
        for _ in range(3):
            assert "error" in answered(await door.older("initialize", {"protocolVersion": 7}))
        await door.begin(ANNA)


async def test_sessions_leave_nothing_behind() -> None:
    async with hall(who, sessions=3) as door:
        before = len(asyncio.all_tasks())
        for _ in range(20):
            await door.begin(ANNA)
        for _ in range(20):
            session = await door.begin(ANNA)
            await door.http.delete("/mcp", headers={"Mcp-Session-Id": session, "Authorization": f"Test {ANNA}"})
        gc.collect()
        assert door.room.sessions <= 2
        assert len(asyncio.all_tasks()) <= before + 3 * door.room.sessions + 4


async def test_handshakes_at_once_all_end_and_leave_no_more_sessions_than_there_may_be() -> None:
    async with hall(who, sessions=3) as door:
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        answers = await asyncio.gather(*(door.older("initialize", hello, who=ANNA) for _ in range(12)))
        assert {answer.status_code for answer in answers} <= {200, 503}
        assert 1 <= door.room.sessions <= 3
        await door.begin(ANNA)
        assert door.room.sessions <= 3


async def test_the_work_of_a_request_ends_when_its_client_leaves_and_its_id_is_free_then() -> None:
    async with hall(held, sessions=3) as door:
        session = await door.begin()
        params = gates(session)
        calling = asyncio.create_task(door.older("tools/call", params, session=session, call_id=5))
        await GATE[f"{session} begun"].wait()
        calling.cancel()
        await GATE[f"{session} ended"].wait()
        again = gates(session)
        GATE[f"{session} go"].set()
        while "result" not in (answer := answered(await door.older("tools/call", again, session=session, call_id=5))):
            assert answer["error"]["code"] == -32600
        assert answer["result"]["structuredContent"] == {"result": "done"}


async def test_the_id_of_a_request_is_taken_until_its_work_has_ended() -> None:
    let_go = asyncio.Event()
    stopping = asyncio.Event()
    begun = asyncio.Event()

    @capability(access="public")
    async def stubborn() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopping.set()
            await asyncio.shield(asyncio.ensure_future(let_go.wait()))
        return "never"

    async with hall(stubborn, who, sessions=3) as door:
        session = await door.begin()
        call = {"name": "stubborn", "arguments": {}}
        calling = asyncio.create_task(door.older("tools/call", call, session=session, call_id=5))
        await begun.wait()
        calling.cancel()
        await stopping.wait()
        answer = await door.older("tools/list", session=session, call_id=5)
        let_go.set()
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32600)


async def test_a_request_whose_session_ends_is_answered_with_an_error() -> None:
    async with hall(held, sessions=3) as door:
        session = await door.begin()
        calling = asyncio.create_task(door.older("tools/call", gates(session), session=session, call_id=5))
        await GATE[f"{session} begun"].wait()
        headers = {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
        assert (await door.http.delete("/mcp", headers=headers)).status_code == 200
        answer = answered(await calling)
        assert (answer["id"], answer["error"]["code"]) == (5, -32000)
        await GATE[f"{session} ended"].wait()


async def test_the_session_of_one_that_is_suspended_ends_with_its_stream() -> None:
    async with hall(who, sessions=2) as door:
        headers = {"Mcp-Session-Id": await door.begin(ANNA), "MCP-Protocol-Version": "2025-11-25", **ACCEPT, **of(ANNA)}
        async with door.http.stream("GET", "/mcp", headers=headers) as answer:
            door.suspended.add(ANNA)
            door.registry.remove("node.who")
            assert [line async for line in answer.aiter_lines() if line.startswith("data")] == []
        assert door.room.sessions == 0
