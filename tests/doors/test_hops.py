"""What is seen of calls over all hops: hooks at every template, one trace, figures, and the view of all services."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from mcp.server import MCPServer

from moothall import Agent, ANPUser, CallContext, MoothallError, Node, capability, group_message_handler
from moothall.errors import Conflict
from moothall.tracing import child, current, received, span, trace_id
from tests.doors.doubles import serving
from tests.doors.house import served

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def weigh(item: str) -> str:
    """Weigh an item."""
    if item == "air":
        raise ValueError("nothing there")
    return f"{item}: 1 kg"


class Seen:
    """An ASGI application, and the traces of the requests that came to it; it answers every plain POST itself."""

    def __init__(self, inner: Any = None) -> None:
        self.traces: list[str] = []
        self._inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.traces.append(dict(scope["headers"]).get(b"traceparent", b"").decode())
        if self._inner is not None:
            await self._inner(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        bad, card = b"air" in body, scope["method"] != "POST"
        status = 404 if card else 500 if bad else 200
        head = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": b'{"result": "1 kg"}' if status == 200 else b"{}"})


@dataclass
class World:
    """A node between a plain service and an MCP server, with what each of them saw."""

    node: Node
    net: Seen
    mcp: Seen
    here: list[str] = field(default_factory=list)


HERE: list[str] = []


@capability
async def local_scale(ctx: CallContext, item: str) -> str:
    """Weigh here."""
    HERE.append(ctx.trace_id)
    return item


@capability(access="public")
def count(item: str) -> int:
    """Count items."""
    if item == "air":
        raise Conflict("nothing there")
    return 1


handlers = ANPUser("desk")


@handlers.register_message_handler
def message(message: dict[str, Any]) -> str:
    """Take a message."""
    return weigh(message["content"])


@group_message_handler(group_id="scales")
def group(group_id: str, event_type: str, event_data: dict[str, Any]) -> str:
    """Take a message of the group."""
    return weigh(event_data["content"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    server = MCPServer("scales")
    server.add_tool(weigh)
    net, mcp = Seen(), Seen(server.streamable_http_app(stateless_http=True, json_response=True))
    async with _in_a_task(server), serving(net) as plain, serving(mcp) as tools:
        handlers.include(group)
        async with served(tmp_path_factory.mktemp("hops"), handlers, mcp={"scales": {"url": f"{tools}/mcp"}}) as node:
            node.include(local_scale, count, *_elsewhere(plain))

            @capability(access="public")
            async def journey(ctx: CallContext, item: str) -> str:
                await ctx.call("local:local_scale", item=item, as_agent=True)
                await ctx.call("local:far_scale", item=item, as_agent=True)
                await ctx.call("local:tool_scale", item=item, as_agent=True)
                return ctx.trace_id

            node.include(journey)
            await node.call("local:groups.create", group="scales", members=[_did(node, "desk")])
            yield World(node, net, mcp)


@asynccontextmanager
async def _in_a_task(server: MCPServer[Any]) -> AsyncIterator[None]:
    """Its sessions begin and end in one task, as they have to; a fixture begins and ends in two."""
    ready, done = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        async with server.session_manager.run():
            ready.set()
            await done.wait()

    task = asyncio.create_task(run())
    await ready.wait()
    try:
        yield
    finally:
        done.set()
        await task


def _elsewhere(plain: str) -> tuple[Any, ...]:
    @capability(template="mcp", source="mcp", server="scales", method="weigh")
    async def tool_scale(item: str) -> str:
        """Weigh by a tool."""

    @capability(template="a2a", source="a2a", endpoint=plain)
    async def far_scale(item: str) -> str:
        """Weigh at an agent."""

    @capability(template="api", source="http", endpoint=f"{plain}/weigh")
    async def api_scale(item: str) -> dict[str, str]:
        """Weigh at an endpoint."""

    return tool_scale, far_scale, api_scale


def _did(node: Node, agent: str) -> str:
    identity = node.host.office.agent(agent)
    assert identity is not None
    return identity.did.text


class Recorder:
    """Writes down which part of a call of one capability it saw."""

    def __init__(self, node: Node, name: str) -> None:
        self.seen: list[str] = []
        hooks = node.hooks
        hooks.before(lambda _context, _arguments: self.seen.append("pre"), name)
        hooks.around(self.around, name)
        hooks.after(lambda _context, _value: self.seen.append("post"), name)
        hooks.on_error(lambda _context, _error: self.seen.append("error"), name)

    async def around(self, _context: CallContext, proceed: Callable[[], Awaitable[Any]]) -> Any:
        self.seen.append("call")
        return await proceed()


Calls: Mapping[str, tuple[str, str, Mapping[str, Any], str]] = {
    "mcp": ("node.tool_scale", "local:tool_scale", {}, "item"),
    "a2a": ("node.far_scale", "local:far_scale", {}, "item"),
    "api": ("node.api_scale", "local:api_scale", {}, "item"),
    "message": ("desk.message", "local:messages.send", {"to": "desk"}, "content"),
    "group": ("desk.group", "local:groups.send", {"group": "scales"}, "content"),
}


@pytest.mark.requirement("TPL-01", "DEC-07")
@pytest.mark.parametrize("template", Calls)
async def test_each_template_has_the_four_parts_of_a_life_cycle(world: World, template: str) -> None:
    name, target, given, argument = Calls[template]
    recorder = Recorder(world.node, name)
    await world.node.call(target, {**given, argument: "tea"})
    assert recorder.seen == ["pre", "call", "post"]
    recorder.seen.clear()
    await world.node.try_call(target, {**given, argument: "air"})
    assert recorder.seen == ["pre", "call", "error"]


@pytest.mark.requirement("TPL-02")
async def test_a_local_a_network_and_an_mcp_hop_see_the_trace_that_a_request_came_with(world: World) -> None:
    for seen in (world.net.traces, world.mcp.traces, HERE):
        seen.clear()
    async with httpx.AsyncClient(base_url=world.node.url, trust_env=False, timeout=20) as client:
        path, body = "/api/v1/capabilities/journey", {"item": "tea"}
        answer = await client.post(path, json=body, headers={"traceparent": PARENT})
        assert answer.json()["data"] == TRACE
        own = (await client.post(path, json=body, headers={"traceparent": "00-bad"})).json()["data"]
    assert re.fullmatch(r"[0-9a-f]{32}", own)
    assert own != TRACE
    assert [TRACE, own] == HERE
    for seen in (world.net.traces, world.mcp.traces):
        assert [each[3:35] for each in seen if each.startswith(f"00-{TRACE}-")], seen
        assert {each[3:35] for each in seen} == {TRACE, own}
        assert PARENT[36:52] not in {each[36:52] for each in seen}


@pytest.mark.requirement("TPL-02")
async def test_metrics_count_calls_by_how_they_ended_and_how_long_they_took(world: World) -> None:
    for item in ("tea", "air", "tea", "tea"):
        await world.node.try_call("local:count", item=item)
    async with httpx.AsyncClient(base_url=world.node.url, trust_env=False, timeout=20) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    calls = [line for line in lines if line.startswith('capability_calls_total{capability="node.count"')]
    assert {re.search(r'outcome="(\w+)"', line)[1]: float(line.split()[-1]) for line in calls} == {
        "ok": 3,
        "CONFLICT": 1,
    }  # type: ignore[index]
    assert 'capability_latency_seconds_count{capability="node.count"} 4.0' in lines
    assert any(line.startswith('outgoing_latency_seconds_count{endpoint="mcp:scales"}') for line in lines)


@pytest.mark.requirement("SOA-08")
async def test_one_view_shows_services_versions_owners_health_calls_and_errors(world: World) -> None:
    @capability(name="priced", version="1.0.0", access="public")
    def old() -> int:
        return 1

    @capability(name="priced", version="2.0.0", access="public")
    def new() -> int:
        raise Conflict("sold out")

    world.node.include(old, new)
    await world.node.call("local:priced@1.0.0")
    await world.node.try_call("local:priced")
    owner = {"Authorization": f"Bearer {world.node.owner_token}"}
    async with httpx.AsyncClient(base_url=world.node.url, trust_env=False, timeout=20) as client:
        path = "/api/v1/capabilities/services.overview"
        refused = await client.post(path, json={})
        view = (await client.post(path, json={}, headers=owner)).json()["data"]
    assert refused.status_code == 401
    rows = {row["id"]: row for row in view["services"]}
    priced = rows["node.priced"]
    assert (priced["version"], priced["versions"]) == ("2.0.0", ["1.0.0", "2.0.0"])
    assert (priced["owner"], priced["health"]) == (_did(world.node, "node"), "ok")
    assert (priced["calls"], priced["errors"]) == (2, 1)
    assert rows["desk.message"]["owner"] == _did(world.node, "desk")
    assert {"id", "health", "owner", "versions"} <= rows["node.tool_scale"].keys()
    assert "node.demand.submit" not in rows
    assert {row["endpoint"] for row in view["endpoints"]} >= {"mcp:scales"}


@pytest.mark.requirement("SOA-08")
async def test_a_service_whose_work_fails_elsewhere_again_and_again_is_shown_as_left_alone(
    tmp_path: Path,
) -> None:
    @capability(source="http", endpoint="http://localhost:9/none", retry=0)
    async def gone() -> int:
        """Ask where nobody is."""

    async with served(tmp_path, Agent("asker", gone)) as node:
        for _ in range(6):
            await node.try_call("local:asker.gone")
        (row,) = (await node.call("local:services.overview", agent="asker")).services
    assert (row.health, row.errors) == ("left_alone", 6)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (PARENT, PARENT),
        (f"cc{PARENT[2:]}-what-comes", PARENT),
        (f"{PARENT}-more", ""),
        (f"ff{PARENT[2:]}", ""),
        (PARENT.upper(), ""),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (None, ""),
        ("", ""),
    ],
)
async def test_a_traceparent_is_read_as_the_recommendation_says(said: str | None, read: str) -> None:
    assert received(said) == read


async def test_a_span_is_a_child_of_what_runs_and_ends_with_its_block() -> None:
    assert trace_id() == ""
    token = current.set(PARENT)
    try:
        with span("stage") as within:
            assert (within[:36], trace_id()) == (PARENT[:36], TRACE)
            assert within != PARENT
        assert current.get() == PARENT
    finally:
        current.reset(token)
    assert child("", "12345678-1234-4234-8234-123456789abc")[3:35] == "12345678123442348234123456789abc"
    with pytest.raises(MoothallError), span("failing"):
        raise Conflict("no")
    assert trace_id() == ""
