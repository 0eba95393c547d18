"""Tools through the MCP door: what a call gives, and what every refusal looks like, in both eras."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import httpx
import pytest
import pytest_asyncio
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel, Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import Conflict, ServiceNotFoundError
from tests.protocols.mcp.hall import ACCEPT, ANNA, BEN, META, MODERN, Hall, hall

SECRET = "SECRET"
pytestmark = pytest.mark.asyncio(loop_scope="module")

GATE: dict[str, asyncio.Event] = {}


class Room(BaseModel):
    name: str
    beds: int = 2


@capability(access="public")
async def add(a: int, b: int = 3) -> int:
    """Add two numbers."""
    return a + b


@capability(access="public")
async def echo(value: Any) -> Any:
    return value


@capability(access="public")
async def room(room: Room) -> Room:
    return room


@capability(access="public")
async def nothing() -> None:
    pass


@capability(access="authenticated")
async def who(ctx: CallContext) -> str:
    return f"{ctx.principal.id} {ctx.door} {ctx.hops} {ctx.idempotency_key}"


@capability(access="public")
async def lost() -> str:
    raise ServiceNotFoundError("there is no such listing")


@capability(permissions=["read"])
async def guarded() -> str:
    return "welcome"


@capability(access="public")
async def leaky() -> None:
    raise RuntimeError(SECRET)


@capability(access="public")
async def clash() -> None:
    raise Conflict("there is one already", details={"place": 7})


@capability(access="public")
async def retired() -> None:
    pass


@capability(access="public", expose_to="local")
async def inner() -> None:
    pass


@capability(access="public")
async def works(steps: int, ctx: CallContext) -> str:
    for step in range(steps):
        await ctx.progress(step + 1, steps, f"step {step + 1}")
    return "done"


@capability(access="public")
async def count(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number


@capability(access="public", timeout=0.1)
async def slow() -> None:
    await asyncio.Event().wait()


@capability(access="public")
async def held(name: str) -> str:
    GATE[f"{name} begun"].set()
    try:
        await asyncio.Event().wait()
    finally:
        GATE[f"{name} ended"].set()
    return "never"


@capability(access="public", rate_limit="1/hour")
async def rare() -> str:
    return "once"


@capability(access="public")
async def mirrored(city: Annotated[str, Field(json_schema_extra={"x-mcp-header": "City"})]) -> str:
    return city


@capability(access="owner")
async def kept(city: Annotated[str, Field(json_schema_extra={"x-mcp-header": "City"})]) -> str:
    return city


LATE: list[asyncio.Task[None]] = []


@capability(access="public")
async def hasty(ctx: CallContext) -> str:
    gate = GATE["answered"] = asyncio.Event()

    async def afterwards() -> None:
        await gate.wait()
        await ctx.progress(1, 2, "too late")

    LATE.append(asyncio.create_task(afterwards()))
    return "done"


@capability(access="public", read_only=True, open_world=True, idempotent=True)
async def look() -> str:
    """Look around."""
    return "quiet"


EVERYTHING: list[Callable[..., Any]] = [
    add, echo, room, nothing, who, guarded, leaky, clash, lost, retired, inner, works, count, slow, held, rare, mirrored, look,
    kept, hasty,
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="door")
async def _door() -> AsyncIterator[Hall]:
    async with hall(*EVERYTHING, agents={"shop": [look]}) as opened:
        opened.registry.disable("node.retired")
        yield opened


def code_of(message: dict[str, Any]) -> str:
    """The code of the error that a message tells, however it tells it."""
    if "error" in message:
        return str(message["error"]["data"]["code"])
    if message["result"].get("isError"):
        return str(json.loads(message["result"]["content"][0]["text"])["error"]["code"])
    return "ok"


@pytest.mark.parametrize("mode", [MODERN, "legacy", "auto"])
async def test_the_sdks_client_lists_and_calls_in_every_era(door: Hall, mode: str) -> None:
    async with door.client(mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools["add"].description == "Add two numbers."
        result = await client.call_tool("add", {"a": 2})
        assert (result.is_error, result.structured_content) == (False, {"result": 5})
        assert (await client.call_tool("room", {"room": {"name": "blue"}})).structured_content == {
            "name": "blue",
            "beds": 2,
        }


async def test_a_tool_says_what_it_does_to_the_world(door: Hall) -> None:
    async with door.client() as client:
        tool = next(tool for tool in (await client.list_tools()).tools if tool.name == "look")
    assert tool.annotations is not None
    assert tool.annotations.model_dump() == {
        "title": "look",
        "read_only_hint": True,
        "destructive_hint": False,
        "idempotent_hint": True,
        "open_world_hint": True,
    }


@pytest.mark.parametrize(
    "value", [None, True, 0, -1.5, "", "汉字 🎪", [1, [2, {"a": None}]], {"k": {"kk": [True]}}], ids=repr
)
async def test_values_come_back_as_they_went(door: Hall, value: Any) -> None:
    message = await door.call("echo", {"value": value})
    assert message["result"]["structuredContent"] == {"result": value}
    assert json.loads(message["result"]["content"][0]["text"]) == value
    assert message["result"]["_meta"]["moothall/wrapped"] is True


@pytest.mark.parametrize("n", [2**53, 2**53 + 1, -(2**64), 10**40], ids=str)
async def test_integers_stay_exact_beyond_2_53(door: Hall, n: int) -> None:
    message = await door.call("add", {"a": n, "b": 1})
    assert message["result"]["structuredContent"] == {"result": str(n + 1)}


async def test_no_value_is_null(door: Hall) -> None:
    assert (await door.call("nothing"))["result"]["structuredContent"] == {"result": None}


async def test_what_streams_is_a_list(door: Hall) -> None:
    message = await door.call("count", {"to": 3})
    assert message["result"]["structuredContent"] == {"result": [0, 1, 2]}


async def test_the_caller_is_who_proved_it_and_the_call_carries_what_its_meta_says(door: Hall) -> None:
    meta = {"moothall/hops": 2, "moothall/idempotencyKey": "k1"}
    params = {"name": "who", "arguments": {}, "_meta": meta}
    said = (await door.modern("tools/call", params, who=ANNA)).json()
    assert said["result"]["structuredContent"] == {"result": f"{ANNA} mcp 2 k1"}


@pytest.mark.parametrize("meta", [
    {"moothall/hops": -1}, {"moothall/hops": True}, {"moothall/hops": 10**9}, {"moothall/timeout": 0},
    {"moothall/timeout": "1"}, {"moothall/idempotencyKey": ""}, {"moothall/idempotencyKey": "ü"},
    {"moothall/idempotencyKey": "x" * 300},
], ids=str)  # fmt: skip
async def test_meta_values_of_another_form_are_refused(door: Hall, meta: dict[str, Any]) -> None:
    params = {"name": "add", "arguments": {"a": 1}, "_meta": meta}
    assert code_of((await door.modern("tools/call", params)).json()) == "VALIDATION_ERROR"


@pytest.mark.parametrize(("tool", "arguments", "code", "status"), [
    ("add", {}, "VALIDATION_ERROR", 200),
    ("add", {"a": "x"}, "VALIDATION_ERROR", 200),
    ("add", {"a": 1, "principal": {}}, "VALIDATION_ERROR", 200),
    ("nobody", {}, "NOT_FOUND", 400),
    ("inner", {}, "NOT_FOUND", 400),
    ("x" * 5000, {}, "NOT_FOUND", 400),
    ("retired", {}, "GONE", 200),
    ("leaky", {}, "INTERNAL_ERROR", 200),
    ("clash", {}, "CONFLICT", 200),
    ("lost", {}, "NOT_FOUND", 200),
    ("slow", {}, "TIMEOUT", 200),
    ("guarded", {}, "UNAUTHENTICATED", 401),
], ids=lambda value: value[:20] if isinstance(value, str) else None)  # fmt: skip
async def test_refusals_have_their_code(
    door: Hall, tool: str, arguments: dict[str, Any], code: str, status: int
) -> None:
    answer = await door.modern("tools/call", {"name": tool, "arguments": arguments})
    assert (code_of(answer.json()), answer.status_code) == (code, status)
    assert SECRET not in answer.text


async def test_a_failure_has_its_details_and_no_structured_content(door: Hall) -> None:
    result = (await door.call("clash"))["result"]
    assert "structuredContent" not in result
    assert json.loads(result["content"][0]["text"])["error"]["details"] == {"place": 7}


async def test_an_unknown_tool_has_the_code_of_the_protocol_in_both_eras(door: Hall) -> None:
    for mode in (MODERN, "legacy"):
        async with door.client(mode) as client:
            with pytest.raises(MCPError, match="Unknown tool: nobody") as caught:
                await client.call_tool("nobody", {})
            assert caught.value.code == -32602


async def test_who_may_not_call_hears_it_and_sees_no_such_tool(door: Hall) -> None:
    message = (await door.modern("tools/call", {"name": "guarded"}, who=BEN)).json()
    assert code_of(message) == "PERMISSION_DENIED"
    for caller, sees in ((BEN, False), (f"{ANNA} read", True)):
        listed = (await door.modern("tools/list", who=caller)).json()["result"]["tools"]
        assert ("guarded" in {tool["name"] for tool in listed}) is sees


async def test_who_proves_nothing_is_asked_to(door: Hall) -> None:
    for answer in (
        await door.modern("tools/call", {"name": "guarded"}),
        await door.modern("tools/list", who="bad"),
        await door.older("tools/list", who="bad"),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("DIDWba")
        assert "accept-signature" in answer.headers
        assert answer.json()["error"]["data"]["challenge"]["code"] == 401


async def test_who_is_suspended_is_refused(door: Hall) -> None:
    answer = await door.modern("tools/list", who="suspended")
    assert (answer.status_code, code_of(answer.json())) == (403, "PERMISSION_DENIED")


async def test_a_proof_is_answered_with_a_token(door: Hall) -> None:
    assert "access_token" in (await door.modern("tools/list", who=ANNA)).headers["authentication-info"]


async def test_a_caller_who_comes_too_often_is_told_when_to_come_again(door: Hall) -> None:
    assert code_of(await door.call("rare")) == "ok"
    refused = await door.call("rare")
    assert code_of(refused) == "RATE_LIMITED"
    assert json.loads(refused["result"]["content"][0]["text"])["error"]["details"]["retry_after"] > 0


async def test_names_of_other_agents_and_ids_are_names_of_tools(door: Hall) -> None:
    for name in ("shop_look", "shop.look", "node.look"):
        assert (await door.call(name))["result"]["structuredContent"] == {"result": "quiet"}


async def test_progress_comes_as_events_before_the_result(door: Hall) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    for mode in (MODERN, "legacy"):
        told.clear()
        async with door.client(mode) as client:
            result = await client.call_tool("works", {"steps": 2}, progress_callback=report)
        assert result.structured_content == {"result": "done"}
        assert told == [(1, 2, "step 1"), (2, 2, "step 2")]


async def test_a_client_that_takes_no_events_gets_the_result_alone(door: Hall) -> None:
    params = {"name": "works", "arguments": {"steps": 1}, "_meta": {"progressToken": 2**60}}
    answer = await door.modern("tools/call", params, Accept="application/json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["result"]["structuredContent"] == {"result": "done"}
    streamed = await door.modern("tools/call", params)
    assert streamed.headers["content-type"] == "text/event-stream"
    assert str(2**60) in streamed.text


async def test_arguments_that_headers_repeat_must_agree_with_them(door: Hall) -> None:
    params = {"name": "mirrored", "arguments": {"city": "Rome"}}
    assert (await door.modern("tools/call", params, **{"Mcp-Param-City": "Rome"})).status_code == 200
    for headers in ({"Mcp-Param-City": "Oslo"}, {}):
        answer = await door.modern("tools/call", params, **headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


async def test_blanks_around_the_value_of_a_header_are_no_part_of_it(door: Hall) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}})
    told = ["POST /mcp HTTP/1.1", f"Host: {door.http.base_url.netloc.decode()}", "Connection: close"]
    told += ["Content-Type: application/json", f"MCP-Protocol-Version: {MODERN}", "Mcp-Method: \t tools/list \t "]
    reader, writer = await asyncio.open_connection(door.http.base_url.host, door.http.base_url.port)
    writer.write("\r\n".join([*told, f"Content-Length: {len(body)}", "", body]).encode())
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()
    await writer.wait_closed()


async def test_a_header_that_repeats_an_argument_stands_there_once(door: Hall) -> None:
    params = {"name": "mirrored", "arguments": {"city": "Rome"}, "_meta": META}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    told = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", "mirrored")]
    cities = [("Mcp-Param-City", "Oslo"), ("Mcp-Param-City", "Rome")]
    answer = await door.http.post("/mcp", json=body, headers=[*ACCEPT.items(), *told, *cities])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


async def test_headers_say_nothing_of_a_tool_to_whom_it_is_not_for(door: Hall) -> None:
    answer = await door.modern("tools/call", {"name": "kept", "arguments": {"city": "Rome"}}, who=BEN)
    assert code_of(answer.json()) == "PERMISSION_DENIED"


async def test_arguments_are_repeated_in_headers_by_the_newer_era_only(door: Hall) -> None:
    answer = await door.older("tools/call", {"name": "mirrored", "arguments": {"city": "Rome"}})
    assert answer.json()["result"]["structuredContent"] == {"result": "Rome"}


async def test_progress_after_the_answer_is_dropped(door: Hall) -> None:
    answer = await door.modern("tools/call", {"name": "hasty", "arguments": {}, "_meta": {"progressToken": 1}})
    assert answer.json()["result"]["structuredContent"] == {"result": "done"}
    GATE["answered"].set()
    await LATE.pop()
    assert code_of(await door.call("add", {"a": 1})) == "ok"


@pytest.mark.parametrize("ended", ["left", "timeout"])
async def test_work_that_nobody_waits_for_is_ended(door: Hall, ended: str) -> None:
    GATE[f"{ended} begun"], GATE[f"{ended} ended"] = asyncio.Event(), asyncio.Event()
    params: dict[str, Any] = {"name": "held", "arguments": {"name": ended}}
    if ended == "timeout":
        params["_meta"] = {"moothall/timeout": 0.1}
        assert code_of((await door.modern("tools/call", params)).json()) == "TIMEOUT"
    else:
        calling = asyncio.create_task(door.modern("tools/call", params))
        await GATE[f"{ended} begun"].wait()
        calling.cancel()
        await asyncio.wait([calling])
    await GATE[f"{ended} ended"].wait()


class TestBytes:
    """Requests that are no proper messages."""

    @pytest.mark.parametrize("value", [
        b"NaN", b'"\\ud800"', b"01", b"[" * 70 + b"]" * 70, b'1,"value":2', b"",
    ], ids=["nan", "surrogate", "zero", "deep", "twice", "nothing"])  # fmt: skip
    async def test_json_that_is_none_or_means_two_things_is_refused(self, door: Hall, value: bytes) -> None:
        body = (
            b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"value":%b}}}' % value
        )
        answer = await door.post(body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32700)
        assert code_of(answer.json()) == "VALIDATION_ERROR"

    @pytest.mark.parametrize("body", [
        b"[]", b"1", b"{}", b'{"jsonrpc":"1.0","id":1,"method":"ping"}', b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', b'{"jsonrpc":"2.0","id":true,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', b'{"jsonrpc":"2.0","id":1,"method":7}',
        b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    ], ids=repr)  # fmt: skip
    async def test_what_is_no_single_message_is_refused(self, door: Hall, body: bytes) -> None:
        answer = await door.post(body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32600)

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    async def test_another_type_of_content_is_refused(self, door: Hall, kind: str) -> None:
        answer = await door.post(b"{}", headers={"Content-Type": kind})
        assert (answer.status_code, code_of(answer.json())) == (415, "UNSUPPORTED_MEDIA_TYPE")

    async def test_ten_megabytes_are_refused_and_the_next_request_is_not(self, door: Hall) -> None:
        answer = await door.post(b'{"x":"%b"}' % (b"x" * 10_000_000))
        assert (answer.status_code, code_of(answer.json())) == (413, "TOO_LARGE")
        assert code_of(await door.call("add", {"a": 1})) == "ok"

    async def test_identity_that_is_only_claimed_means_nothing(self, door: Hall) -> None:
        params = {"name": "who", "arguments": {}, "_meta": {"principal": {"id": "owner"}, "did": ANNA}}
        assert (await door.modern("tools/call", params)).status_code == 401

    async def test_another_method_of_http_is_refused(self, door: Hall) -> None:
        for method in ("PUT", "DELETE", "PATCH"):
            answer = await door.http.request(method, "/mcp")
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
        answer = await door.http.get("/mcp", headers={"MCP-Protocol-Version": MODERN})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")

    async def test_a_client_that_takes_no_json_is_refused(self, door: Hall) -> None:
        assert (await door.modern("tools/list", Accept="text/html")).status_code == 406
        assert (
            await door.modern("subscriptions/listen", {"notifications": {}}, Accept="application/json")
        ).status_code == 406

    @pytest.mark.parametrize("headers", [
        {"Mcp-Method": "tools/call"}, {"Mcp-Name": "other"}, {"MCP-Protocol-Version": "2026-01-01"},
    ], ids=str)  # fmt: skip
    async def test_headers_must_say_what_the_body_says(self, door: Hall, headers: dict[str, str]) -> None:
        params = {"name": "add", "arguments": {"a": 1}} if "Mcp-Name" in headers else {}
        method = "tools/call" if "Mcp-Name" in headers else "tools/list"
        answer = await door.modern(method, params, **headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)

    async def test_a_version_that_nobody_speaks_is_refused_with_those_that_are_spoken(self, door: Hall) -> None:
        meta = {"io.modelcontextprotocol/protocolVersion": "2030-01-01"}
        answer = await door.modern("tools/list", {"_meta": meta}, **{"MCP-Protocol-Version": "2030-01-01"})
        assert (answer.status_code, answer.json()["error"]["data"]["supported"]) == (400, [MODERN])

    async def test_a_message_of_the_newer_era_must_say_so_in_its_headers(self, door: Hall) -> None:
        meta = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
        assert (await door.post(body)).json()["error"]["code"] == -32020

    async def test_notifications_are_taken_and_answered_with_nothing(self, door: Hall) -> None:
        body = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        for headers in ({}, {"MCP-Protocol-Version": MODERN}):
            answer = await door.post(body, headers=headers)
            assert (answer.status_code, answer.content) == (202, b"")

    async def test_an_unknown_method_is_refused(self, door: Hall) -> None:
        answer = await door.modern("tools/nonsense")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32601)

    async def test_big_ids_come_back_as_they_went(self, door: Hall) -> None:
        for call_id in (2**60, "x" * 200, "汉", 0, -1):
            assert (await door.modern("tools/list", call_id=call_id)).json()["id"] == call_id


async def test_a_foreign_page_and_a_foreign_host_are_refused(door: Hall) -> None:
    for headers, status in (({"Origin": "https://evil.example"}, 403), ({"Host": "evil.example"}, 421)):
        answer: httpx.Response = await door.modern("tools/list", None, **headers)
        assert answer.status_code == status


async def test_errors_are_told_in_the_language_that_is_asked_for(door: Hall) -> None:
    told = (await door.modern("tools/call", {"name": "clash"}, **{"Accept-Language": "zh"})).text
    assert any("\u4e00" <= letter <= "\u9fff" for letter in told)
