"""The tools of a node through its MCP door: what they show, whom they serve, and what they tell of a call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from moothall.calls.ports import CallFacts
from moothall.calls.target import Target
from moothall.errors import PermissionDeniedError, ServiceNotFoundError
from moothall.identity.principal import OWNER, Principal
from tests.directory.tools.tower import TOOLS, local, tower
from tests.protocols.mcp.hall import ANNA, Hall

STRANGER = Principal(id=ANNA, kind="did", binding="request")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door() -> AsyncIterator[Hall]:
    async with tower() as opened:
        yield opened


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def listed(door: Hall, who: str) -> dict[str, Any]:
    answer = await door.modern("tools/list", who=who)
    return {tool["name"]: tool for tool in answer.json()["result"]["tools"]}


async def use(door: Hall, tool: str, arguments: dict[str, Any], who: str = ANNA, lang: str = "zh") -> dict[str, Any]:
    """The result of a tool."""
    params = {"name": tool, "arguments": arguments}
    answer = await door.modern("tools/call", params, who=who, **{"Accept-Language": lang})
    assert "SECRET" not in answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


def said(result: dict[str, Any]) -> str:
    (block,) = result["content"]
    return str(block["text"])


def code(result: dict[str, Any]) -> str:
    assert result["isError"]
    return str(result["structuredContent"]["error"]["code"])


@pytest.mark.requirement("MCP-02", "MCP-03", "MCP-04", "MCP-05")
async def test_the_four_tools_have_schemas_of_named_arguments(door: Hall) -> None:
    tools = await listed(door, ANNA)
    assert set(TOOLS) <= set(tools)
    for name in TOOLS:
        assert tools[name]["inputSchema"]["type"] == "object"
        assert tools[name]["inputSchema"]["additionalProperties"] is False
    caller = tools["unified_caller"]["inputSchema"]
    assert list(caller["properties"]) == ["target", "method", "parameters"]
    assert caller["properties"]["parameters"]["type"] == "object"
    assert (caller["properties"]["method"]["default"], caller["properties"]["parameters"]["default"]) == ("", {})
    assert caller["required"] == ["target"]
    crawler = tools["unified_crawler"]["inputSchema"]["properties"]
    assert list(crawler) == ["action", "query", "parameters"]
    assert tools["resource_manager"]["inputSchema"]["properties"]["action"]["enum"] == [
        "list", "describe", "enable", "disable", "publish",
    ]  # fmt: skip
    assert {"submit", "status", "cancel"} <= set(tools["orchestration"]["inputSchema"]["properties"]["action"]["enum"])


@pytest.mark.requirement("MCP-02", "MCP-09")
async def test_a_call_is_made_as_the_caller_and_told_in_its_language(door: Hall) -> None:
    arguments = {"target": "local:node.weather", "parameters": {"city": "北京"}}
    result = await use(door, "unified_caller", arguments)
    assert said(result) == '调用成功：{"city":"北京","weather":"sunny"}'
    assert result["structuredContent"] == {"result": {"city": "北京", "weather": "sunny"}}
    assert not result.get("isError")
    assert said(await use(door, "unified_caller", arguments, lang="en")).startswith("The call succeeded: {")
    told = await use(door, "unified_caller", {"target": "local:node.shown"})
    assert told["structuredContent"]["result"] == f"{ANNA} True"


@pytest.mark.requirement("MCP-09")
@pytest.mark.parametrize(("lang", "begins"), [("zh", "调用失败："), ("en", "The call failed: ")])
async def test_a_failure_is_marked_and_tells_nothing_of_the_inside(door: Hall, lang: str, begins: str) -> None:
    result = await use(door, "unified_caller", {"target": "local:node.leaky"}, lang=lang)
    assert said(result).startswith(begins)
    assert code(result) == "INTERNAL_ERROR"
    assert result["structuredContent"]["error"].keys() == {"code", "message"}


@pytest.mark.requirement("MCP-02")
@pytest.mark.parametrize(
    ("target", "refusal"),
    [
        ("local:node.owners", "PERMISSION_DENIED"),
        ("local:node.inner_only", "NOT_FOUND"),
        ("local:node.nothing", "NOT_FOUND"),
        ("mcp:town.weather", "PERMISSION_DENIED"),
        ("https://elsewhere.example/", "PERMISSION_DENIED"),
        ("no target", "VALIDATION_ERROR"),
    ],
)
async def test_a_stranger_reaches_no_more_than_at_any_door(door: Hall, target: str, refusal: str) -> None:
    assert code(await use(door, "unified_caller", {"target": target})) == refusal
    assert code(await use(door, "unified_crawler", {"action": "call", "query": target})) == refusal


@pytest.mark.requirement("MCP-02")
async def test_the_owner_and_whom_it_granted_the_network_call_elsewhere(door: Hall) -> None:
    for who in ("owner", f"{ANNA} network"):
        result = await use(door, "unified_caller", {"target": "mcp:town", "method": "weather"}, who)
        assert result["structuredContent"]["result"]["target"] == "mcp:town.weather"
        assert result["structuredContent"]["result"]["who"] == who.split()[0]


@pytest.mark.requirement("MCP-03")
async def test_the_crawler_looks_around_as_the_caller(door: Hall) -> None:
    result = await use(door, "unified_crawler", {"action": "search", "query": "weather", "parameters": {"limit": 3}})
    assert result["structuredContent"]["result"] == {"action": "search", "query": "weather", "who": ANNA, "limit": 3}
    called = {"action": "call", "parameters": {"target": "local:node.weather", "parameters": {"city": "x"}}}
    made = (await use(door, "unified_crawler", called))["structuredContent"]["result"]
    assert made == {"target": "local:node.weather", "result": {"city": "x", "weather": "sunny"}}
    twice = {"action": "search", "query": "x", "parameters": {"query": "y"}}
    assert code(await use(door, "unified_crawler", twice)) == "VALIDATION_ERROR"
    waits = await use(door, "unified_crawler", {"action": "intelligent_call", "query": "change it"})
    assert waits["structuredContent"]["error"]["details"]["target"] == "local:node.weather"
    words = {"action": "intelligent_call", "query": "change it"}
    blank = await use(door, "unified_crawler", {**words, "parameters": {"confirmed": "*"}})
    assert code(blank) == code(waits)
    agreed = await use(door, "unified_crawler", {**words, "parameters": {"confirmed": "local:node.weather"}})
    assert not agreed.get("isError")


@pytest.mark.requirement("MCP-04")
async def test_who_may_call_it_sees_it_and_admins_alone_change_it(door: Hall) -> None:
    found = await use(door, "resource_manager", {"action": "list", "resource": "weather"})
    assert [row["target"] for row in found["structuredContent"]["result"]["resources"]] == ["local:node.weather"]
    everything = await use(door, "resource_manager", {"action": "list"})
    assert "local:node.owners" not in said(everything)
    told = await use(door, "resource_manager", {"action": "describe", "resource": "node.weather"})
    assert told["structuredContent"]["result"]["input_schema"]["required"] == ["city"]
    assert code(await use(door, "resource_manager", {"action": "describe", "resource": "node.owners"})) == "NOT_FOUND"
    for action in ("enable", "disable", "publish"):
        assert code(await use(door, "resource_manager", {"action": action, "resource": "node.weather"})) == (
            "PERMISSION_DENIED"
        )
    admin = f"{ANNA} admin"
    off = await use(door, "resource_manager", {"action": "disable", "resource": "node.weather"}, admin)
    assert off["structuredContent"]["result"]["state"] == "disabled"
    assert code(await use(door, "unified_caller", {"target": "local:node.weather"})) == "GONE"
    listed_ = await use(door, "resource_manager", {"action": "list", "resource": "weather"}, admin)
    assert listed_["structuredContent"]["result"]["resources"][0]["state"] == "disabled"
    on = await use(door, "resource_manager", {"action": "enable", "resource": "node.weather"}, admin)
    assert on["structuredContent"]["result"]["state"] == "enabled"
    out = await use(door, "resource_manager", {"action": "publish", "resource": "node.shown"}, admin)
    assert out["structuredContent"]["result"]["expose_to"] == ["llm", "net"]
    itself = {"action": "disable", "resource": "node.resource_manager"}
    assert code(await use(door, "resource_manager", itself, admin)) == "CONFLICT"


@pytest.mark.requirement("MCP-04")
async def test_no_capability_changes_anything_in_an_admins_name(door: Hall) -> None:
    inside = {"target": "local:node.resource_manager", "parameters": {"action": "disable", "resource": "node.weather"}}
    result = await use(door, "unified_caller", inside, "owner", "en")
    assert code(result) == "PERMISSION_DENIED"
    assert "no capability may do it for its caller" in said(result)


@pytest.mark.requirement("MCP-05")
async def test_a_plan_has_a_handle_at_once_and_can_be_stopped(door: Hall) -> None:
    steps = [{"target": "local:node.weather", "parameters": {"city": "x"}}]
    taken = await use(door, "orchestration", {"action": "submit", "request": "the weather", "steps": steps})
    handle = taken["structuredContent"]["result"]["id"]
    status = await use(door, "orchestration", {"action": "status", "id": handle})
    assert status["structuredContent"]["result"] == "running"
    await use(door, "orchestration", {"action": "cancel", "id": handle})
    status = await use(door, "orchestration", {"action": "status", "id": handle})
    assert status["structuredContent"]["result"] == "cancelled"
    outside = {"action": "submit", "steps": [{"target": "mcp:town.weather"}]}
    assert code(await use(door, "orchestration", outside)) == "PERMISSION_DENIED"


async def test_code_of_the_process_reaches_what_it_may_name_itself(door: Hall) -> None:
    inner = await local(door, "unified_caller", {"target": "local:node.inner_only"}, STRANGER)
    assert inner.data == "inner"
    there = await local(door, "unified_caller", {"target": "mcp:town.weather"}, STRANGER)
    assert there.error is None
    refused = await local(door, "unified_caller", {"target": "local:node.owners"}, STRANGER)
    assert isinstance(refused.error, PermissionDeniedError)
    missing = await local(door, "unified_caller", {"target": "local:node.nothing"}, OWNER)
    assert isinstance(missing.error, ServiceNotFoundError)


@pytest.mark.requirement("LLM-07")
async def test_tools_that_a_capability_was_given_reach_no_more_for_a_stranger_than_its_own(door: Hall) -> None:
    for target in ("local:node.inner_only", "mcp:town.weather"):
        refused = await door.path.call(
            Target("local", "node.helper"), {"target": target}, CallFacts(door="anp", principal=STRANGER)
        )
        assert refused.error is not None
        allowed = await local(door, "node.helper", {"target": target}, OWNER)
        assert allowed.error is None
    shown = await local(door, "node.helper", {"target": "local:node.shown"}, STRANGER)
    assert shown.data == f"{ANNA} True"


@pytest.mark.requirement("MCP-02")
async def test_who_proves_nothing_has_no_tools(door: Hall) -> None:
    answer = await door.modern("tools/call", {"name": "unified_caller", "arguments": {"target": "local:node.weather"}})
    assert answer.status_code == 401
    assert not set(TOOLS) & set(await listed(door, ""))


async def test_the_tools_are_for_models_alone(door: Hall) -> None:
    entries = [entry for entry in door.registry.snapshot.newest if entry.spec.name in TOOLS]
    assert all(entry.spec.exposure == {"local", "llm"} for entry in entries)
    assert len(entries) == len(TOOLS)
