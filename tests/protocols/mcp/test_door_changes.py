"""Changes of the registry at run time, told to clients of both eras, and the streams on which they hear it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from mcp.shared.subscriptions import ToolsListChanged
from mcp_types import ToolListChangedNotification

from moothall.capability.decorators import capability
from moothall.errors import Unauthenticated
from moothall.identity.principal import Principal
from moothall.identity.request import HttpRequest
from tests.protocols.http.hall import Believing, members
from tests.protocols.mcp.hall import ACCEPT, ANNA, BEN, META, MODERN, Hall, hall, of


@capability(access="public")
async def first() -> int:
    return 1


@capability(access="owner")
async def hidden() -> int:
    return 3


@capability(access="authenticated")
async def members_only() -> int:
    return 4


@capability(access="public")
async def waits() -> None:
    await asyncio.Event().wait()


@capability(access="public")
async def second() -> int:
    return 2


CHANGES: dict[str, Callable[[Hall], object]] = {
    "added": lambda door: door.registry.add("node", members([second])),
    "changed": lambda door: door.registry.configure("node.first", description="another one"),
    "removed": lambda door: door.registry.remove("node.first"),
    "disabled": lambda door: door.registry.disable("node.first"),
}


@asynccontextmanager
async def events(door: Hall, headers: dict[str, str] | None = None) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """What a GET stream tells, once it is open."""
    told = {"Accept": "text/event-stream", **(headers or {})}
    async with door.http.stream("GET", "/mcp", headers=told) as answer:
        assert answer.status_code == 200
        lines = answer.aiter_lines()
        await anext(lines)
        yield (json.loads(line.removeprefix("data: ")) async for line in lines if line.startswith("data: "))


@pytest.mark.parametrize("change", CHANGES)
async def test_listeners_of_the_newer_era_hear_of_it(change: str) -> None:
    async with hall(first) as door, door.client(MODERN) as client:
        async with client.listen(tools_list_changed=True) as heard:
            CHANGES[change](door)
            assert await anext(aiter(heard)) == ToolsListChanged()
        names = {tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools}
        assert ("second" in names) is (change == "added")
        assert ("first" in names) is (change in {"added", "changed"})


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("sessions", [0, 5], ids=["stateless", "sessions"])
async def test_clients_of_the_older_era_hear_of_it(change: str, sessions: int) -> None:
    heard = asyncio.Event()

    async def listen(message: object) -> None:
        if isinstance(message, ToolListChangedNotification):
            heard.set()

    async with hall(first, sessions=sessions) as door, door.client("legacy", message_handler=listen) as client:
        while not len(door.streams):  # the client opens its stream on its own
            await client.list_tools()
        CHANGES[change](door)
        await heard.wait()


async def test_a_stream_needs_no_session() -> None:
    async with hall(first) as door, events(door) as told:
        CHANGES["added"](door)
        assert await anext(told) == {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}


async def test_a_session_id_is_good_for_its_principal_only() -> None:
    async with hall(first) as door:
        session = await door.begin(ANNA)
        assert (await door.older("tools/list", who=ANNA, session=session)).status_code == 200
        for who in (BEN, ""):
            assert (await door.older("tools/list", who=who, session=session)).status_code == 404
            headers = {"Accept": "text/event-stream", "Mcp-Session-Id": session, **(of(who) if who else {})}
            assert (await door.http.get("/mcp", headers=headers)).status_code == 404
        assert (await door.older("tools/list", who=ANNA, session="made up")).status_code == 404
        async with events(door, {"Mcp-Session-Id": session, **of(ANNA)}) as told:
            CHANGES["added"](door)
            assert (await anext(told))["method"] == "notifications/tools/list_changed"


async def test_only_so_many_streams_are_open() -> None:
    async with hall(first, streams=1) as door, events(door):
        answer = await door.http.get("/mcp", headers={"Accept": "text/event-stream"})
        assert (answer.status_code, answer.json()["error"]["data"]["code"]) == (503, "UNAVAILABLE")
        assert "retry-after" in answer.headers
        params = {"notifications": {"toolsListChanged": True}}
        assert (await door.modern("subscriptions/listen", params)).status_code == 503


async def test_who_waits_long_is_shown_a_sign_of_life() -> None:
    async with hall(waits, heartbeat=0.01) as door:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "waits", "arguments": {}}}
        async with door.http.stream("POST", "/mcp", json=body, headers=ACCEPT) as answer:
            lines = answer.aiter_lines()
            assert [await anext(lines) for _ in range(4)] == [": ", "", ": ", ""]
        async with events(door) as told:
            CHANGES["added"](door)
            assert (await anext(told))["method"] == "notifications/tools/list_changed"


async def test_streams_end_when_the_server_stops() -> None:
    async with hall(first) as door, events(door) as told:
        door.stop.set()
        with pytest.raises(StopAsyncIteration):
            await anext(told)
        await door.serving
    assert len(door.streams) == 0


async def test_a_list_is_told_to_have_changed_to_whom_it_is_another_one() -> None:
    async with (
        hall(first) as door,
        events(door) as told,
        events(door, of(ANNA)) as told_anna,
        door.client(MODERN) as client,
        client.listen(tools_list_changed=True) as heard,
    ):
        for function in (hidden, members_only):
            before = door.registry.snapshot
            door.registry.add("node", members([function]))
            assert door.registry.snapshot is not before
        assert (await anext(told_anna))["method"] == "notifications/tools/list_changed"
        listening = asyncio.ensure_future(anext(told))
        listening_too = asyncio.ensure_future(anext(aiter(heard)))
        await client.list_tools()
        assert not listening.done()
        assert not listening_too.done()
        door.registry.add("node", members([second]))
        assert (await listening)["method"] == "notifications/tools/list_changed"
        assert await listening_too == ToolsListChanged()


@pytest.mark.parametrize("told", ["event", "sign of life"])
@pytest.mark.parametrize("era", ["older", "newer"])
async def test_a_stream_ends_when_its_reader_is_suspended(era: str, told: str) -> None:
    async with hall(first, heartbeat=0.01 if told == "sign of life" else 60) as door:
        if era == "older":
            asking = door.http.stream("GET", "/mcp", headers={"Accept": "text/event-stream", **of(ANNA)})
        else:
            params = {"notifications": {"toolsListChanged": True}, "_meta": META}
            body = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
            headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "subscriptions/listen", **ACCEPT, **of(ANNA)}
            asking = door.http.stream("POST", "/mcp", json=body, headers=headers)
        async with asking as answer:
            lines = answer.aiter_lines()
            await anext(lines)
            door.suspended.add(ANNA)
            if told == "event":
                door.registry.updated("notes://nobody")
                door.registry.add("node", members([second]))
            assert not [line async for line in lines if "list_changed" in line]
        assert len(door.streams) == 0


async def test_nobody_takes_all_streams() -> None:
    async with hall(first, streams=20) as door, AsyncExitStack() as stack:
        listening = {"Accept": "text/event-stream"}
        for _ in range(16):
            answer = await stack.enter_async_context(door.http.stream("GET", "/mcp", headers=listening))
            assert answer.status_code == 200
        refused = await door.http.get("/mcp", headers=listening)
        assert (refused.status_code, refused.json()["error"]["data"]["code"]) == (503, "UNAVAILABLE")
        params = {"notifications": {"toolsListChanged": True}}
        assert (await door.modern("subscriptions/listen", params)).status_code == 503
        await stack.enter_async_context(events(door, of(ANNA)))


@pytest.mark.parametrize("sessions", [0, 2], ids=["stateless", "sessions"])
async def test_a_stream_ends_when_the_token_of_its_reader_holds_no_more(
    monkeypatch: pytest.MonkeyPatch, sessions: int
) -> None:
    revoked = asyncio.Event()
    believe = Believing.verify

    async def verify(self: Believing, request: HttpRequest) -> Principal:
        if revoked.is_set():
            raise Unauthenticated("the token was revoked")
        return replace(await believe(self, request), binding="token")

    monkeypatch.setattr(Believing, "verify", verify)
    async with hall(first, heartbeat=0.01, sessions=sessions) as door:
        headers = {"Mcp-Session-Id": await door.begin(ANNA), **ACCEPT, **of(ANNA)}
        async with door.http.stream("GET", "/mcp", headers=headers) as answer:
            assert answer.status_code == 200
            revoked.set()
            assert not [line async for line in answer.aiter_lines() if line.startswith("data")]
        assert len(door.streams) == 0
