"""The MCP server over lines of text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.identity.principal import OWNER
from tests.protocols.mcp.hall import HANDSHAKE, META, Hall, hall


@capability
async def who(ctx: CallContext) -> str:
    """Say who calls."""
    await asyncio.sleep(0)
    return f"{ctx.principal.id} {ctx.door}"


@capability
async def leaky() -> None:
    raise RuntimeError("SECRET")


class Written:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.text = ""
        self._more = asyncio.Event()

    async def write(self, text: str, /) -> None:
        self.text += text
        self._more.set()

    async def until(self, part: str) -> None:
        while part not in self.text:
            self._more.clear()
            await self._more.wait()

    async def flush(self) -> None:
        await asyncio.sleep(0)

    @property
    def messages(self) -> dict[Any, dict[str, Any]]:
        return {message.get("id"): message for message in map(json.loads, self.text.splitlines())}


async def lines(*messages: dict[str, Any] | str) -> AsyncIterator[str]:
    for message in messages:
        yield (message if isinstance(message, str) else json.dumps({"jsonrpc": "2.0", **message})) + "\n"


async def served(door: Hall, *messages: dict[str, Any] | str) -> dict[Any, dict[str, Any]]:
    written = Written()
    await door.room.serve_stdio(OWNER, stdin=lines(*messages), stdout=written)
    assert "SECRET" not in written.text
    return written.messages


def request(call_id: int, method: str, **params: Any) -> dict[str, Any]:
    return {"id": call_id, "method": method, "params": params}


HELLO = request(1, "initialize", protocolVersion=HANDSHAKE, capabilities={}, clientInfo={"name": "t", "version": "1"})
READY = {"method": "notifications/initialized"}


async def test_everything_that_was_asked_is_answered_before_the_end() -> None:
    async with hall(who, leaky) as door:
        answers = await served(
            door,
            HELLO,
            READY,
            request(2, "tools/list"),
            "no JSON",
            request(3, "tools/call", name="who", arguments={}),
            request(4, "tools/call", name="leaky", arguments={}),
            request(5, "tools/call", name="nobody", arguments={}),
            request(6, "tools/call", name="who", arguments={}, _meta={"moothall/hops": -1}),
        )
    assert answers[1]["result"]["serverInfo"] == {"name": "hall", "version": "1.2.3"}
    assert {"who", "leaky"} <= {tool["name"] for tool in answers[2]["result"]["tools"]}
    assert answers[3]["result"]["structuredContent"] == {"result": "owner mcp"}
    assert answers[4]["result"]["isError"] is True
    assert (answers[5]["error"]["code"], answers[5]["error"]["data"]["code"]) == (-32602, "NOT_FOUND")
    assert answers[6]["result"]["isError"] is True


async def test_the_newer_era_is_served_without_a_handshake() -> None:
    async with hall(who) as door:
        answers = await served(door, request(7, "tools/call", name="who", arguments={}, _meta=META))
    assert answers[7]["result"]["structuredContent"] == {"result": "owner mcp"}


async def test_a_listener_does_not_keep_it_from_ending() -> None:
    async with hall(who) as door:
        listen = request(1, "subscriptions/listen", notifications={"toolsListChanged": True}, _meta=META)
        answers = await served(door, listen, request(2, "tools/list", _meta=META))
    assert "result" in answers[2]


@pytest.mark.parametrize("era", ["older", "newer"])
async def test_changes_are_told(era: str) -> None:
    written = Written()
    more = asyncio.Event()

    async def sent() -> AsyncIterator[str]:
        opening = (
            (HELLO, READY, request(2, "tools/list"))
            if era == "older"
            else (request(1, "subscriptions/listen", notifications={"toolsListChanged": True}, _meta=META),)
        )
        async for line in lines(*opening):
            yield line
        await more.wait()

    async with hall(who, leaky) as door:
        serving = asyncio.create_task(door.room.serve_stdio(OWNER, stdin=sent(), stdout=written))
        await written.until("inputSchema" if era == "older" else "acknowledged")
        door.registry.remove("node.leaky")
        await written.until("notifications/tools/list_changed")
        more.set()
        await serving


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("[" * 200_000, -32700),
        ('{"jsonrpc": "2.0", "id": 9, "method": "\ud800"}', -32700),
        ('{"jsonrpc": "2.0", "id": 9, "method": "\\ud800"}', -32700),
        ('{"jsonrpc": "2.0", "id": 9, "id": 8, "method": "ping"}', -32700),
        ('[{"jsonrpc": "2.0", "id": 9, "method": "ping"}]', -32600),
        ('{"id": 9}', -32600),
        ('{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
    ],
    ids=["deep", "surrogate", "escaped surrogate", "key twice", "batch", "no message", "no id"],
)
async def test_a_line_that_is_no_message_is_answered_and_the_next_is_served(line: str, code: int) -> None:
    async with hall(who) as door:
        answers = await served(door, line, " ", HELLO, READY, request(2, "tools/list"))
    assert answers[None]["error"]["code"] == code
    assert "result" in answers[2]
    assert 9 not in answers
