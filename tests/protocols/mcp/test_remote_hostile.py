"""Servers that break the protocol: every caller gets an error of the table within its time, and others get answers."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from moothall.calls.target import Target
from moothall.capability.decorators import capability
from moothall.errors import CallTimeout, MoothallError, Unavailable
from moothall.protocols.mcp.remote.connector import McpConnector
from tests.protocols.mcp.remote_town import Waiting, connecting, house, outgoing, served

Send = Callable[[dict[str, Any]], Awaitable[None]]
JSON, EVENTS = b"application/json", b"text/event-stream"
LISTED_CHANGED = "notifications/tools/list_changed"
DISCOVERED = {
    "resultType": "complete",
    "supportedVersions": ["2026-07-28"],
    "capabilities": {"tools": {"listChanged": True}},
    "ttlMs": 0,
    "cacheScope": "private",
}


def answer(request: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": request.get("id"), **more}).encode()


def told(method: str, **params: Any) -> bytes:
    return b"data: " + json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode() + b"\n\n"


class Hostile:
    """Speaks the protocol until a tool is called; the name of the tool says what it does then."""

    names: tuple[str, ...] = ("lying", "changing")
    unlisted = False

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        request = json.loads(body)
        if request["method"] == "tools/call":
            await getattr(self, request["params"]["name"])(request, receive, send)
        elif request["method"] == "server/discover":
            await self.whole(send, answer(request, result=DISCOVERED))
        elif request["method"] == "tools/list" and self.unlisted:
            await self.whole(send, answer(request, error={"code": -32603, "message": "no list today"}))
        elif request["method"] == "tools/list":
            schema = {"type": "object", "properties": {"result": {"type": "integer"}}, "required": ["result"]}
            tool = {"inputSchema": {"type": "object"}, "outputSchema": schema}
            tools = [{**tool, "name": name} for name in self.names]
            listed = {"resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "private"}
            await self.whole(send, answer(request, result=listed))
        else:
            await self.whole(send, answer(request, error={"code": -32601, "message": "no"}))

    async def begin(self, send: Send, kind: bytes, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
        head = [(b"content-type", kind), *headers]
        await send({"type": "http.response.start", "status": status, "headers": head})

    async def more(self, send: Send, body: bytes, *, last: bool = False) -> None:
        await send({"type": "http.response.body", "body": body, "more_body": not last})

    async def whole(self, send: Send, body: bytes, kind: bytes = JSON, status: int = 200) -> None:
        await self.begin(send, kind, status)
        await self.more(send, body, last=True)

    async def left(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def good(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        result = {"resultType": "complete", "content": [{"type": "text", "text": "well"}]}
        await self.whole(send, answer(request, result=result))

    async def silent(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.left(receive)

    async def endless(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.begin(send, EVENTS)
        await self.more(send, b": begun\n\n")
        await self.left(receive)

    async def flooding(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        token = request["params"].get("_meta", {}).get("progressToken", 0)
        await self.begin(send, EVENTS)
        gone = asyncio.create_task(self.left(receive))
        while not gone.done():
            await self.more(send, told("notifications/progress", progressToken=token, progress=1) * 50)
            await self.more(send, told(LISTED_CHANGED))
            await asyncio.sleep(0)

    async def huge(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.begin(send, JSON)
        await self.more(send, b'{"jsonrpc":"2.0","id":1,"result":"')
        for _ in range(50):
            await self.more(send, b"x" * 1024 * 1024)
        await self.more(send, b'"}', last=True)

    async def huge_event(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.begin(send, EVENTS)
        for _ in range(50):
            await self.more(send, b"data: " + b"x" * 1024 * 1024 + b"\n")
        await self.more(send, b"\n", last=True)

    async def announced(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.begin(send, JSON, 200, (b"content-length", b"50000000000"))
        await self.left(receive)

    async def half(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.begin(send, JSON, 200, (b"content-length", b"1000"))
        await self.more(send, b'{"jsonrpc":', last=True)

    async def half_events(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.begin(send, EVENTS)
        await self.more(send, b'data: {"jsonrpc":', last=True)

    async def no_json(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.whole(send, b"<html>")

    async def no_kind(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.whole(send, b"well", b"text/html")

    async def no_result(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.whole(send, answer(request, result={"content": 7}))

    async def accepted(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.whole(send, b"", status=202)

    async def wrong_id(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.whole(send, answer({"id": 99_999}, result={"resultType": "complete", "content": []}))

    async def lying(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        result = {"resultType": "complete", "content": [], "structuredContent": {"result": "no integer"}}
        await self.whole(send, answer(request, result=result))

    async def changing(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        self.names = ("other",)
        await self.begin(send, EVENTS)
        await self.more(send, told(LISTED_CHANGED))
        result = {"resultType": "complete", "content": [], "structuredContent": {"result": 5}}
        await self.more(send, b"data: " + answer(request, result=result) + b"\n\n", last=True)

    async def plain(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        result = {"resultType": "complete", "content": [], "structuredContent": {"result": 5}}
        await self.whole(send, answer(request, result=result))

    async def asking(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.whole(send, answer(request, result={"resultType": "input_required", "requestState": "s"}))

    async def away(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.begin(send, JSON, 307, (b"location", b"http://127.0.0.1:9/mcp"))
        await self.more(send, b"", last=True)

    async def round(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.begin(send, JSON, 307, (b"location", b"/mcp"))
        await self.more(send, b"", last=True)

    async def failing(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.whole(send, answer(request, error={"code": -32603, "message": "password=hunter2"}), status=500)

    async def coded(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        await self.whole(send, answer(request, error={"code": -32000, "message": "", "data": {"code": "GONE"}}))


@pytest.fixture
async def connector() -> AsyncIterator[McpConnector]:
    async with (
        served(Hostile()) as port,
        connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as made,
    ):
        yield made


CODES = {
    "silent": "TIMEOUT",
    "endless": "TIMEOUT",
    "flooding": "TIMEOUT",
    "wrong_id": "TIMEOUT",
    "huge": "UPSTREAM_INVALID",
    "huge_event": "UPSTREAM_ERROR",
    "announced": "UPSTREAM_INVALID",
    "half": "UPSTREAM_ERROR",
    "half_events": "UPSTREAM_ERROR",
    "no_json": "UPSTREAM_INVALID",
    "no_kind": "UPSTREAM_INVALID",
    "no_result": "UPSTREAM_INVALID",
    "accepted": "UPSTREAM_INVALID",
    "asking": "INPUT_REQUIRED",
    "away": "UPSTREAM_INVALID",
    "round": "UPSTREAM_INVALID",
    "failing": "UPSTREAM_ERROR",
    "coded": "GONE",
}


@pytest.mark.requirement("TPL-11")
@pytest.mark.parametrize(("tool", "code"), list(CODES.items()))
async def test_a_server_that_misbehaves_is_an_error_of_the_table_and_others_are_answered(
    connector: McpConnector, tool: str, code: str
) -> None:
    assert await connector.call(outgoing("mcp:far.good")) == "well"
    timeout = 0.3 if code == "TIMEOUT" else 20.0
    reported: list[Any] = []

    async def slow(progress: Any) -> None:
        reported.append(progress)
        await asyncio.Event().wait()

    failing = asyncio.create_task(connector.call(outgoing(f"mcp:far.{tool}", timeout=timeout, report=slow)))
    await asyncio.sleep(0)
    assert await connector.call(outgoing("mcp:far.good")) == "well"
    with pytest.raises(MoothallError) as raised:
        await failing
    assert raised.value.code == code
    assert "hunter2" not in f"{raised.value!r} {raised.value.told}"
    assert len(reported) <= 1
    assert await connector.call(outgoing("mcp:far.good")) == "well"


async def test_a_result_is_what_came_however_the_schema_lies(connector: McpConnector) -> None:
    assert await connector.call(outgoing("mcp:far.lying")) == "no integer"


async def test_a_list_of_tools_that_changes_in_mid_call_changes_no_result(connector: McpConnector) -> None:
    before = await connector.describe(Target.parse("mcp:far"), "node")
    assert [each["name"] for each in before["operations"]] == ["lying", "changing"]
    assert await connector.call(outgoing("mcp:far.changing")) == 5
    after = await connector.describe(Target.parse("mcp:far"), "node")
    assert [each["name"] for each in after["operations"]] == ["other"]
    assert await connector.call(outgoing("mcp:far.good")) == "well"


async def test_a_call_that_succeeded_has_a_value_though_the_server_does_not_list_its_tools() -> None:
    @capability(source="mcp", server="far", access="public")
    async def plain() -> int: ...

    server = Hostile()
    server.unlisted = True
    async with (
        served(server) as port,
        connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as connector,
        house(connector, [plain]) as place,
    ):
        assert await connector.call(outgoing("mcp:far.plain")) == {"result": 5}
        reply = await place.call("local:node.plain")
        assert (reply.error, reply.data) == (None, 5)


async def test_a_flood_of_events_is_bounded_and_is_not_what_our_log_is_filled_with(
    connector: McpConnector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("moothall.protocols.mcp.remote.carriage._MOST_EVENTS", 200)
    for tool in ("flooding", "huge", "huge_event", "half_events", "no_json"):
        with pytest.raises(MoothallError) as raised:
            await connector.call(outgoing(f"mcp:far.{tool}"))
        assert tool != "flooding" or raised.value.code == "UPSTREAM_INVALID"
    assert not [record for record in caplog.records if record.name.startswith(("mcp", "client"))]


async def test_events_that_come_faster_than_they_may_are_read_no_faster(
    connector: McpConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.protocols.mcp.remote.carriage._AT_ONCE", 1)
    monkeypatch.setattr("moothall.protocols.mcp.remote.carriage._EVENTS_A_SECOND", 0.001)
    told: list[Any] = []

    async def report(progress: Any) -> None:
        told.append(progress)

    with pytest.raises(CallTimeout):
        await connector.call(outgoing("mcp:far.flooding", timeout=0.3, report=report))
    assert told == []


async def test_a_list_of_tools_is_no_longer_than_it_may_be(
    connector: McpConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.protocols.mcp.remote.tools._MOST_BYTES", 300)
    described = await connector.describe(Target.parse("mcp:far"), "node")
    assert [each["name"] for each in described["operations"]] == ["lying"]


async def test_a_program_that_ends_at_once_is_left_alone_for_a_while(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    program = f"open({str(starts)!r}, 'a').write('x')"
    async with connecting({"far": {"command": sys.executable, "args": ["-I", "-S", "-c", program]}}) as connector:
        for _ in range(20):
            with pytest.raises(Unavailable):
                await connector.call(outgoing("mcp:far.any"))
    assert len(starts.read_text()) < 20


async def test_programs_are_ended_together(tmp_path: Path) -> None:
    program = """
import pathlib, sys, time
folder, me, other = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
(folder / f"{me}.begun").touch()
while sys.stdin.readline():
    pass
(folder / f"{me}.leaving").touch()
while not (folder / f"{other}.leaving").exists():
    time.sleep(0.01)
(folder / f"{me}.ended").touch()
"""
    command = [sys.executable, "-I", "-S", "-c", program, str(tmp_path)]
    tables = {me: {"command": command[0], "args": [*command[1:], me, other]} for me, other in (("a", "b"), ("b", "a"))}
    async with connecting(tables) as connector:
        calls = [asyncio.create_task(connector.call(outgoing(f"mcp:{name}.any"))) for name in tables]
        await Waiting.until(lambda: _left(tmp_path, "begun") == {"a", "b"})
    await asyncio.gather(*calls, return_exceptions=True)
    assert _left(tmp_path, "ended") == {"a", "b"}


def _left(folder: Path, kind: str) -> set[str]:
    return {path.stem for path in folder.glob(f"*.{kind}")}


PROGRAMS = {
    "silent": "import sys\nfor line in sys.stdin: pass",
    "gone": "",
    "one endless line": "import sys\nwhile True: sys.stdout.write('x' * 65536)",
    "no JSON": "while True: print('well', flush=True)",
    "deaf": "import time\ntime.sleep(60)",
    "complaining": "import sys\nwhile True: sys.stderr.write('x' * 65536)",
}


@pytest.mark.parametrize("program", list(PROGRAMS.values()), ids=list(PROGRAMS))
async def test_a_program_that_misbehaves_is_an_error_within_the_time_and_is_ended(program: str) -> None:
    table = {"command": sys.executable, "args": ["-I", "-S", "-c", program]}
    async with connecting({"far": table}) as connector:
        with pytest.raises(MoothallError) as raised:
            await connector.call(outgoing("mcp:far.any", timeout=0.5, text="x" * 1_000_000))
    assert raised.value.code in {CallTimeout.code, "UPSTREAM_ERROR", Unavailable.code}
