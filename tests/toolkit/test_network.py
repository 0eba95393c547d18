"""The whole network through the tools: by intent, from inside a capability, and from node to node."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from moothall import Agent, Node, capability
from moothall.calls.ports import CallFacts
from moothall.calls.reply import Reply
from moothall.calls.target import Target
from moothall.errors import Conflict, ValidationError
from moothall.identity.principal import OWNER, Principal
from moothall.llm.scripted import ScriptedLLM
from moothall.server.run import bind
from moothall.toolkit.kit import ANPLLMToolkit
from tests.doors import assistant_example
from tests.doors.house import served
from tests.protocols.mcp.hall import MODERN

STRANGER = Principal(id="did:wba:elsewhere.example:agents:eve:e1_x", kind="did", binding="request")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@capability(access="authenticated", read_only=True, tags=["天气", "weather"])
async def weather(city: str = "", query: str = "") -> dict[str, str]:
    """获取天气信息：查询一个城市的天气"""
    return {"city": city, "query": query, "weather": "晴"}


@capability(access="authenticated", read_only=True)
async def calculate(expression: str) -> str:
    """计算一个数学表达式"""
    return f"= {expression}"


@capability(access="authenticated", read_only=True, tags=["翻译"])
async def translate(text: str = "") -> str:
    """把文本翻译成英文"""
    return f"translated {text}"


@capability(access="authenticated")
async def passes_on(target: str, tools: dict) -> dict[str, Any]:  # type: ignore[type-arg]
    """Look around, and call what its caller names."""
    listed = await tools["unified_crawler"](action="discover", parameters={"size": 100})
    called = await tools["unified_caller"](target=target)
    return {"called": called, "found": [row["target"].split("@")[0] for row in listed["resources"]]}


@capability(access="owner", expose_to="both")
async def ledger() -> str:
    """Read the books."""
    return "the books"


@capability(access="authenticated", expose_to="local")
async def inner() -> str:
    """For code of this process."""
    return "inner"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    agents = (Agent("sky", weather), Agent("math_agent", calculate), Agent("words", translate))
    helper = Agent("helper", assistant_example.intelligent_assistant)
    desk = Agent("desk", passes_on, ledger, inner)
    async with served(tmp_path_factory.mktemp("network"), *agents, helper, desk) as opened:
        yield opened


@pytest.mark.requirement("LLM-05")
async def test_a_model_calls_by_intent_with_the_arguments_that_it_names(node: Node) -> None:
    llm = ANPLLMToolkit(node).setup(enable_mcp=False).equip(ScriptedLLM(["-"]))
    told = await llm.call_tool("unified_caller", {"target": "auto:获取北京的天气信息", "parameters": {"city": "北京"}})
    assert told.startswith("调用成功：")
    assert json.loads(told.removeprefix("调用成功："))["city"] == "北京"


@pytest.mark.requirement("LLM-07", "LLM-08")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("北京天气怎么样", lambda result: result["weather"] == "晴"),
        ("计算 1+1", lambda result: result == "= 计算 1+1"),
        ("把文本翻译成英文", lambda result: result["target"].startswith("local:words.translate")),
    ],
)
async def test_the_printed_assistant_finds_its_way(node: Node, query: str, found: Any) -> None:
    answer = await node.call("local:helper.intelligent_assistant", query=query)
    assert answer.keys() == {"query", "result", "method"}
    assert (answer["query"], answer["method"]) == (query, "intelligent_routing")
    assert found(answer["result"]), answer


@pytest.mark.requirement("LLM-07")
async def test_a_caller_brings_no_tools_of_its_own(node: Node) -> None:
    entry = node.host.capabilities.snapshot.resolve("helper.intelligent_assistant")
    assert list(entry.input_schema["properties"]) == ["query"]
    with pytest.raises(ValidationError):
        await node.call("local:helper.intelligent_assistant", query="计算", tools={"unified_caller": "mine"})


@pytest.mark.requirement("LLM-07")
async def test_the_tools_of_a_capability_reach_for_a_stranger_what_the_stranger_reaches(node: Node) -> None:
    async def asked(who: Principal, target: str) -> Reply[Any]:
        facts = CallFacts(door="anp" if who is STRANGER else "local", principal=who)
        return await node.host.path.call(Target.parse("local:desk.passes_on"), {"target": target}, facts)

    for target in ("local:desk.ledger", "local:desk.inner", "https://elsewhere.example/x"):
        assert (await asked(STRANGER, target)).error is not None, target
    for target, value in (("local:desk.ledger", "the books"), ("local:desk.inner", "inner")):
        assert (await asked(OWNER, target)).data["called"] == value
    theirs, ours = [await asked(who, "local:sky.weather") for who in (STRANGER, OWNER)]
    assert theirs.data["called"]["weather"] == "晴"
    assert {"local:sky.weather"} == {"local:sky.weather", "local:desk.ledger"} & set(theirs.data["found"])
    assert {"local:sky.weather", "local:desk.ledger"} <= set(ours.data["found"])


@pytest.mark.requirement("MCP-03")
async def test_every_action_of_the_crawler_works_through_the_tool(node: Node) -> None:
    async def crawl(action: str, query: str = "", **parameters: Any) -> Any:
        return await node.call("local:unified_crawler", action=action, query=query, parameters=parameters)

    targets = {row["target"].split("@")[0] for row in (await crawl("discover", size=100))["resources"]}
    assert {"local:sky.weather", "local:math_agent.calculate"} <= targets
    assert not any("unified_" in target for target in targets)
    found = await crawl("search", "天气", limit=3)
    assert found["resources"][0]["name"] == "sky.weather"
    told = await crawl("describe", found["resources"][0]["target"])
    assert "city" in told["input_schema"]["properties"]
    assert (await crawl("call", "local:sky.weather", parameters={"city": "x"}))["result"]["city"] == "x"
    made = await crawl("intelligent_call", "查询天气", city="上海")
    assert made["result"]["city"] == "上海"


def next_step(_system: str, told: str) -> str:
    """What a model would do next: each step uses what the one before told."""
    answers = [json.loads(line) for line in told.splitlines()]
    match answers:
        case []:
            step: tuple[str, dict[str, Any]] = ("unified_crawler", {"action": "search", "query": "天气"})
        case [found]:
            step = ("unified_crawler", {"action": "describe", "query": found["resources"][0]["target"]})
        case [found, described]:
            (first, *_) = described["input_schema"]["properties"]
            target = found["resources"][0]["target"]
            step = ("unified_caller", {"target": target, "parameters": {first: "北京"}})
        case [*_, {"weather": text}]:
            step = ("unified_caller", {"target": "local:words.translate", "parameters": {"text": text}})
        case _:
            return json.dumps({"done": answers[-1]})
    return json.dumps({"tool": step[0], "arguments": step[1]})


@asynccontextmanager
async def client_of(node: Node) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {node.owner_token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=20, trust_env=False) as http,
        Client(streamable_http_client(f"{node.url}/mcp", http_client=http), mode=MODERN) as client,
    ):
        yield client


@pytest.mark.requirement("MCP-08")
async def test_a_scripted_model_searches_describes_and_calls_twice(node: Node) -> None:
    llm, used, told = ScriptedLLM([next_step]), list[tuple[str, str]](), list[str]()
    async with client_of(node) as client:
        while "tool" in (said := json.loads(await llm.async_generate_response("use the tools", "\n".join(told)))):
            result = await client.call_tool(said["tool"], said["arguments"])
            assert not result.is_error, result
            used.append((said["tool"], said["arguments"].get("action", "")))
            told.append(json.dumps((result.structured_content or {})["result"]))
    crawler, caller = "unified_crawler", "unified_caller"
    assert used == [(crawler, "search"), (crawler, "describe"), (caller, ""), (caller, "")]
    assert said == {"done": "translated 晴"}


@pytest.mark.requirement("MCP-08")
async def test_a_new_capability_is_announced_found_and_called(node: Node) -> None:
    @capability(access="authenticated", read_only=True, tags=["潮汐"])
    async def tide(place: str = "") -> str:
        """潮汐查询"""
        return f"high at {place}"

    async with client_of(node) as client, client.listen(tools_list_changed=True) as changes:
        assert "tide" not in {tool.name for tool in (await client.list_tools()).tools}
        node.include(tide)
        async with asyncio.timeout(20):
            await anext(aiter(changes))
        assert "tide" in {tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools}
        found = await client.call_tool("unified_crawler", {"action": "search", "query": "潮汐"})
        target = found.structured_content["result"]["resources"][0]["target"]
        called = await client.call_tool("unified_caller", {"target": target, "parameters": {"place": "青岛"}})
        assert called.structured_content == {"result": "high at 青岛"}
    node.host.capabilities.remove("node.tide")


@pytest.mark.requirement("MCP-05")
async def test_a_plan_is_a_task_that_lasts(node: Node) -> None:
    async def plan(action: str, **more: Any) -> Any:
        return await node.call("local:orchestration", action=action, **more)

    steps = [
        {"id": "sky", "target": "local:sky.weather", "arguments": {"city": "北京"}},
        {"id": "sum", "target": "local:math_agent.calculate", "arguments": {"expression": "1+1"}},
    ]
    taken = await plan("submit", steps=steps)
    ended = await node.call("local:orchestration.status", id=taken["id"], wait=20)
    assert ended["status"] == "completed"
    assert await plan("status", id=taken["id"]) == ended
    shown = await plan("submit", steps=steps, run="ask")
    assert (shown["status"], shown["needs_confirmation"]) == ("proposed", True)
    agreed = await plan("confirm", id=shown["id"], digest=shown["digest"])
    assert agreed["status"] in {"running", "completed"}


@pytest.mark.requirement("MCP-05")
async def test_a_long_plan_has_its_handle_at_once_and_stops_when_it_is_cancelled(node: Node) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    @capability(access="authenticated", read_only=True)
    async def wait() -> str:
        """Wait until told."""
        begun.set()
        await end.wait()
        return "done"

    node.include(wait)
    steps = [
        {"id": "first", "target": "local:sky.weather", "arguments": {"city": "x"}},
        {"id": "long", "target": "local:node.wait", "after": ["first"]},
        {"id": "next", "target": "local:sky.weather", "arguments": {"city": "x"}, "after": ["long"]},
    ]
    taken = await node.call("local:orchestration", action="submit", steps=steps)
    await begun.wait()
    under_way = await node.call("local:orchestration", action="status", id=taken["id"])
    assert under_way["status"] == "running"
    assert [step["state"] for step in under_way["steps"]] == ["done", "waiting", "waiting"]
    assert (await node.call("local:orchestration", action="cancel", id=taken["id"]))["status"] == "cancelled"
    end.set()
    after = await node.call("local:orchestration.status", id=taken["id"], wait=5)
    assert after["status"] == "cancelled"
    assert [step["state"] for step in after["steps"]][2] == "cancelled"
    node.host.capabilities.remove("node.wait")


@capability(access="authenticated")
async def greet() -> str:
    """Greet."""
    return "hello"


@capability(source="mcp", server="other", method="there_ping", access="authenticated")
async def ping() -> str: ...


@pytest.mark.requirement("MCP-07")
async def test_two_nodes_serve_and_use_each_other_and_a_circle_is_cut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "moothall.mcp")
    with bind("127.0.0.1", 0) as one, bind("127.0.0.1", 0) as two:
        urls = [f"http://localhost:{each.getsockname()[1]}/mcp" for each in (one, two)]
        a_uses, b_uses = ({"other": {"url": url, "auth": "did"}} for url in reversed(urls))
        async with (
            served(tmp_path / "a", Agent("there", greet, ping), at=one, mcp=a_uses) as a,
            served(tmp_path / "b", Agent("there", greet, ping), at=two, mcp=b_uses) as b,
        ):
            assert await a.call("mcp:other.there_greet") == "hello"
            assert await b.call("local:unified_caller", target="mcp:other.there_greet") == "hello"
            async with asyncio.timeout(20):
                with pytest.raises(Conflict):
                    await a.call("local:unified_caller", target="local:there.ping")
            first, *_ = [line for line in caplog.messages if "says of there_ping" in line]
            assert "the call has passed through more than 8 capabilities and nodes" in first
