"""`ANPMCPServer`: the tools of a node for MCP clients, over both transports."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from moothall import Node
from moothall.calls.caller import UnifiedCaller
from moothall.directory.crawler import UnifiedCrawler
from moothall.identity.principal import ANONYMOUS, OWNER
from moothall.server.run import Address
from moothall.toolkit.server import ANPMCPServer
from tests.protocols.mcp.hall import MODERN
from tests.protocols.mcp.test_stdio import HELLO, READY, Written, lines, request

TOOLS = {"unified_caller", "unified_crawler", "resource_manager", "orchestration", "forecast"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def connected(node: Node, mode: str = MODERN) -> AsyncIterator[Client]:
    """A standard client of the server over HTTP, with the owner's token."""
    server, stop = ANPMCPServer(node), asyncio.Event()
    ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(server.serve_http(on_ready=ready.set_result, stop=stop))
    headers = {"Authorization": f"Bearer {node.owner_token}"}
    url = f"{(await ready).url}/mcp"
    try:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=20, trust_env=False) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            yield client
    finally:
        stop.set()
        await serving
        await server.aclose()


async def over_lines(node: Node, *messages: dict[str, Any]) -> dict[Any, dict[str, Any]]:
    server, written = ANPMCPServer(node), Written()
    await server.serve_stdio(lines(*messages), written)
    await server.aclose()
    return written.messages


@pytest.mark.requirement("MCP-01", "LLM-01")
@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_a_standard_client_lists_and_calls_over_http(node: Node, mode: str) -> None:
    async with connected(node, mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        arguments = {"target": "local:sky.weather", "parameters": {"city": "北京"}}
        result = await client.call_tool("unified_caller", arguments)
        assert not result.is_error
        assert result.structured_content == {"result": {"city": "北京", "weather": "晴"}}
        assert (await client.call_tool("forecast", {"city": "x", "parameters": {"days": 2}})).structured_content == {
            "city": "x", "days": 2,
        }  # fmt: skip
        failed = await client.call_tool("unified_caller", {"target": "local:nobody.nothing"})
        assert failed.is_error
        found = await client.call_tool("unified_crawler", {"action": "search", "query": "天气"})
        assert not found.is_error
        assert found.structured_content["result"]["resources"][0]["target"].startswith("local:sky.weather")


@pytest.mark.requirement("MCP-01", "LLM-01")
@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_a_standard_client_starts_it_as_a_process(tmp_path: Path, mode: str) -> None:
    """Over the standard input and output of a process of its own, as clients start servers."""
    root = Path(__file__).parents[2]
    program = [str(root / "tests" / "toolkit" / "stdio_program.py"), str(tmp_path)]
    server = StdioServerParameters(
        command=sys.executable, args=program, cwd=root, env={"PYTHONPATH": f"{root}/src:{root}"}
    )
    async with Client(stdio_client(server), mode=mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS - {"forecast"}
        arguments = {"target": "local:sky.weather", "parameters": {"city": "北京"}}
        result = await client.call_tool("unified_caller", arguments)
        assert result.content[0].text == '调用成功：{"city":"北京","weather":"晴"}'
        listed = await client.call_tool("unified_crawler", {"action": "discover", "parameters": {"size": 100}})
        assert "local:sky.weather" in str(listed.structured_content)


@pytest.mark.requirement("MCP-01", "LLM-01")
async def test_the_same_over_standard_input_and_output(node: Node) -> None:
    call = {
        "name": "unified_caller",
        "arguments": {"target": "local:math_agent.calculate", "parameters": {"expression": "1+1"}},
    }
    answers = await over_lines(node, HELLO, READY, request(2, "tools/list"), request(3, "tools/call", **call))
    assert answers[1]["result"]["serverInfo"]["name"] == "anp-tools"
    assert {tool["name"] for tool in answers[2]["result"]["tools"]} == TOOLS
    assert answers[3]["result"]["content"] == [{"type": "text", "text": "调用成功：= 1+1"}]


@pytest.mark.requirement("MCP-01")
async def test_it_offers_nothing_else_of_the_node(node: Node) -> None:
    answers = await over_lines(
        node, HELLO, READY, request(2, "tools/call", name="sky_weather", arguments={"city": "x"})
    )
    assert answers[2]["error"]["message"] == "Unknown tool: sky_weather"


async def test_who_proves_nothing_is_asked_for_a_proof(node: Node) -> None:
    answers = await over_lines(node, HELLO)
    assert "error" not in answers[1]
    stranger, written = ANPMCPServer(node, ANONYMOUS), Written()
    await stranger.serve_stdio(lines(HELLO, READY, request(2, "tools/list")), written)
    await stranger.aclose()
    assert written.messages[2]["result"]["tools"] == []


@pytest.mark.requirement("LLM-01")
async def test_it_holds_a_caller_and_knows_its_tools(node: Node) -> None:
    server = ANPMCPServer(node)
    assert isinstance(server.unified_caller, UnifiedCaller)
    assert isinstance(server.unified_crawler, UnifiedCrawler)
    assert await server.unified_caller.call("local:math_agent.calculate", expression="2") == "= 2"
    assert set(server.tools) == TOOLS
    assert await server.unified_caller_tool({"target": "local:sky.weather", "parameters": {"city": "x"}}) == (
        '调用成功：{"city":"x","weather":"晴"}'
    )
    assert "sky.weather" in await server.resource_manager_tool({"action": "list", "resource": "sky.weather"})
    assert (await server.orchestration_tool({"action": "status", "id": "none"})).startswith("调用失败：")
    assert server.server.name == "anp-tools"
    await server.aclose()


@pytest.mark.requirement("MCP-06", "MCP-08")
async def test_a_tool_that_is_added_is_announced_and_called(node: Node) -> None:
    from moothall.toolkit.decorator import mcp_tool

    @mcp_tool("late")
    async def late() -> str:
        """Come late."""
        return "better than never"

    async with connected(node) as client, client.listen(tools_list_changed=True) as changes:
        node.include(late)
        await anext(aiter(changes))
        assert "late" in {tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools}
        result = await client.call_tool("late", {})
        assert json.loads(result.content[0].text) == "better than never"
    node.host.capabilities.remove("node.late")


@pytest.mark.requirement("MCP-08", "DEC-18")
async def test_moot_mcp_gives_its_user_the_tools_among_everything_for_models(node: Node) -> None:
    written = Written()
    room = node.host.edges.mcp  # what `moot mcp` serves
    await room.serve_stdio(OWNER, stdin=lines(HELLO, READY, request(2, "tools/list")), stdout=written)
    names = {tool["name"] for tool in written.messages[2]["result"]["tools"]}
    assert TOOLS | {"sky_weather", "shop_for_models"} <= names
    assert "shop_for_code" not in names
