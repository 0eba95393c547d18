"""Spec B §2 and §3: the caller, the crawler and their tools, as they are printed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import moothall
from moothall import (
    A2AServiceCaller,
    Agent,
    ANPMCPServer,
    LocalMethodCaller,
    MCPServiceCaller,
    Node,
    RemoteAgentCaller,
    Settings,
    UnifiedCaller,
    UnifiedCrawler,
    capability,
    mcp_tool,
)
from moothall.errors import InvalidInput, PermissionDeniedError
from moothall.messages import explain
from tests.doors.doubles import JsonService, lead_to, mcp_server, serving
from tests.doors.house import served
from tests.groups.master.quarters import legacy_keys
from tests.support.printed import carried_out, lines_of, part, printed

LOCAL = "http://localhost"
FAR = "did:wba:weather.com:api"


@capability(read_only=True)
def get_current(city: str = "北京") -> dict[str, Any]:
    """获取城市当前的天气预报"""
    return {"city": city, "celsius": 4}


def get_forecast() -> str:
    """Tell the weather of tomorrow."""
    return "windy"


@asynccontextmanager
async def elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, Any]]:
    """The hosts of the example: weather.com with an agent of a DID without fingerprint, and api.service.com."""
    legacy_keys(folder, "api", FAR)
    plain = JsonService(lambda host, params: f"{host} is well")
    far = Node(
        Settings(
            data=folder, demo_agents=False, allow_legacy_did=True, egress_allow=LOCAL, public_url="http://weather.com"
        )
    )
    far.add(Agent("api", capability(access="authenticated")(get_forecast)))

    async def both(scope: Any, receive: Any, send: Any) -> None:
        host = dict(scope["headers"])[b"host"]
        await (plain if host == b"api.service.com" else far.app())(scope, receive, send)

    async with mcp_server("weather", get_forecast) as tools, far, serving(both) as url:
        lead_to(monkeypatch, url, "weather.com", "api.service.com")
        yield {
            "mcp": {"weather": {"url": tools}},
            "egress_allow": f"{LOCAL}, http://weather.com, http://api.service.com",
        }


@asynccontextmanager
async def whole(folder: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> AsyncIterator[Node]:
    """A node for which everything that the example names is there."""
    async with (
        elsewhere(folder / "there", monkeypatch) as reach,
        served(folder / "here", Agent("weather", get_current), **{**reach, **more}) as node,
    ):
        yield node


async def test_2_2_every_line_runs_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with whole(tmp_path, monkeypatch, allow_legacy_did=True) as node:
        told = await lines_of(printed("2.2"), caller=UnifiedCaller(node), crawler=UnifiedCrawler(node))
    auto, local, remote, tool, agent, results, best = told
    assert auto == local == {"city": "北京", "celsius": 4}
    assert (remote["did"], [each["name"] for each in remote["operations"]]) == (FAR, ["get_forecast"])
    assert tool == "windy"
    assert agent == "api.service.com is well"
    assert results[0].listing.target == "local:weather.get_current"
    assert (best.target, best.value["city"]) == ("local:weather.get_current", "上海")


async def test_2_2_what_has_to_be_allowed_first_is_refused_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with whole(tmp_path, monkeypatch, egress_allow=LOCAL) as node:
        caller = UnifiedCaller(node)
        with pytest.raises(InvalidInput) as refused:
            await caller.call(FAR)
        assert "allow_legacy_did" in explain(refused.value, "en").why
        with pytest.raises((InvalidInput, PermissionDeniedError)):
            await caller.call("a2a:http://api.service.com")


async def test_2_1_each_part_of_the_caller_calls_what_it_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with whole(tmp_path, monkeypatch, allow_legacy_did=True) as node:
        assert await LocalMethodCaller(node).call("weather.get_current") == {"city": "北京", "celsius": 4}
        assert await RemoteAgentCaller(node).call(FAR, "get_forecast") == "windy"
        assert await MCPServiceCaller(node).call("weather", "get_forecast") == "windy"
        assert await A2AServiceCaller(node).call("http://api.service.com") == "api.service.com is well"


async def test_3_1_the_tools_run_as_printed_and_a_client_sees_them(tmp_path: Path) -> None:
    text = part(printed("3.1"), "# MCP工具定义\n")
    names = {name: getattr(moothall, name) for name in ("mcp_tool", "UnifiedCaller", "UnifiedCrawler")}
    scope = await carried_out(text, **names)
    node = Node(Settings(data=tmp_path, demo_agents=False))
    shop = Agent("shop", scope["mcp_unified_caller"], scope["mcp_unified_crawler"])
    node.add(Agent("weather", get_current), shop)
    async with node:
        given = {"target": "local:weather.get_current", "parameters": {"city": "上海"}}
        assert (await node.call("local:shop.unified_caller", given))["city"] == "上海"
        found = await node.call("local:shop.unified_crawler", {"action": "search", "query": "天气预报"})
        assert found["resources"][0]["target"] == "local:weather.get_current"
        tools = {tool["name"]: tool for tool in await node.call("local:relay.functions", form="mcp")}
        for name, first in (("unified_caller", "target"), ("unified_crawler", "action")):
            schema = tools[f"shop_{name}"]["inputSchema"]
            assert next(iter(schema["properties"])) == first
            assert schema["properties"]["parameters"]["type"] == "object"


async def test_3_1_the_server_has_the_four_tools_of_the_tree(tmp_path: Path) -> None:
    tree = part(printed("3.1"), "# MCP服务器架构\n").partition("\n\n")[0]
    named = [line.split()[1] for line in tree.splitlines()[1:]]
    async with Node(Settings(data=tmp_path, demo_agents=False)) as node:
        server = ANPMCPServer(node)
        assert len(named) == 4
        for name in named:
            assert callable(getattr(server, name))
            assert name.removesuffix("_tool") in server.tools
        await server.aclose()


def test_2_1_the_names_of_the_trees_are_in_the_package() -> None:
    drawn = [line.split()[1] for line in printed("2.1").splitlines() if line.startswith(("├", "└"))]
    assert len(drawn) == 8
    for name in (*drawn, "UnifiedCaller", "UnifiedCrawler", "ANPMCPServer"):
        assert isinstance(getattr(moothall, name), type), name
    assert callable(mcp_tool)
