"""The toolkit: tools for a model in one line, what it reads of them, and the ways to call them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall import Node, capability
from moothall.approvals.desk import Place
from moothall.calls.hub import get_current_sdk, using
from moothall.capability.context import CallContext
from moothall.errors import (
    ApprovalPending,
    MoothallError,
    PermissionDeniedError,
    ServiceNotFoundError,
    Unauthenticated,
)
from moothall.identity.principal import ANONYMOUS, OWNER_BY_TOKEN, Principal
from moothall.llm.scripted import ScriptedLLM
from moothall.toolkit.kit import ANPLLMToolkit
from moothall.toolkit.methods import (
    mcp_unified_caller,
    orchestration_method,
    resource_manager_method,
    unified_caller_method,
)
from moothall.toolkit.registry import LLMTool, LLMToolRegistry

TOOLS = {"unified_caller", "unified_crawler", "resource_manager", "orchestration", "forecast"}
STRANGER = Principal(id="did:wba:elsewhere.example:agents:eve:e1_x", kind="did", binding="request")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.requirement("LLM-03")
async def test_setup_takes_tools_in_and_says_so_in_the_log_alone(
    node: Node, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "moothall.toolkit")
    toolkit = ANPLLMToolkit(node)
    assert not toolkit.setup_complete
    assert toolkit.setup() is toolkit
    assert toolkit.setup_complete
    assert set(toolkit.registry.tools) == TOOLS
    assert caplog.messages == ["🔧 MCP服务器已启动，包含 5 个工具", "📝 本地方法已注册，包含 4 个方法"]
    assert len(toolkit.local_methods) == 4
    assert toolkit.mcp_server is not None
    assert capsys.readouterr().out == ""
    await toolkit.aclose()


@pytest.mark.requirement("LLM-03")
async def test_what_is_not_enabled_is_not_there(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "moothall.toolkit")
    toolkit = ANPLLMToolkit(node).setup(enable_mcp=False)
    assert toolkit.mcp_server is None
    assert caplog.messages == ["📝 本地方法已注册，包含 4 个方法"]
    caplog.clear()
    toolkit = ANPLLMToolkit(node, lang="en").setup(enable_local=False)
    assert toolkit.local_methods == {}
    assert caplog.messages == ["🔧 The MCP server has started, with 5 tools"]
    await toolkit.aclose()


@pytest.mark.requirement("LLM-03")
async def test_without_any_settings_of_logs_they_go_to_stderr(tmp_path: Path) -> None:
    program = f"""
import asyncio
from moothall import Node, Settings
from moothall.toolkit.kit import ANPLLMToolkit

async def main():
    async with Node(Settings(data={str(tmp_path)!r}, demo_agents=False)) as node:
        await ANPLLMToolkit(node).setup().aclose()

asyncio.run(main())"""
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == ""
    for line in ("🔧 MCP服务器已启动，包含 4 个工具", "📝 本地方法已注册，包含 4 个方法"):
        assert line in done.stderr


@pytest.mark.requirement("LLM-04")
async def test_descriptions_have_the_form_of_the_specification(node: Node) -> None:
    toolkit = ANPLLMToolkit(node).setup(enable_mcp=False)
    text = toolkit.get_tool_descriptions()
    named = sorted(TOOLS)
    assert text == "\n".join(f"## {name}\n{toolkit.registry.tools[name].description}\n" for name in named)
    two = {name: toolkit.registry.tools[name] for name in ("forecast", "orchestration")}
    toolkit.registry.tools = {
        "a": LLMTool("a", "One.", {}, two["forecast"].target),
        "b": LLMTool("b", "Two.", {}, two["orchestration"].target),
    }
    assert toolkit.get_tool_descriptions() == "## a\nOne.\n\n## b\nTwo.\n"


@pytest.mark.requirement("LLM-04")
async def test_nobody_reads_of_tools_that_it_may_not_use(node: Node) -> None:
    nobody = await ANPLLMToolkit(node, ANONYMOUS).setup(enable_mcp=False).learn()
    assert nobody.get_tool_descriptions() == ""
    stranger = await ANPLLMToolkit(node, STRANGER).setup(enable_mcp=False).learn()
    assert "## unified_caller\n" in stranger.get_tool_descriptions()
    node.host.capabilities.disable("node.forecast")
    try:
        assert "## forecast" not in stranger.get_tool_descriptions()
    finally:
        node.host.capabilities.enable("node.forecast")


@pytest.mark.requirement("LLM-05")
async def test_a_model_calls_a_tool_and_reads_a_sentence(node: Node) -> None:
    toolkit = ANPLLMToolkit(node).setup(enable_mcp=False)
    llm = toolkit.equip(ScriptedLLM(["hello"]))
    arguments = {"target": "local:sky.weather", "parameters": {"city": "北京"}}
    assert await llm.call_tool("unified_caller", arguments) == '调用成功：{"city":"北京","weather":"晴"}'
    assert await llm.async_generate_response("", "hi") == "hello"
    assert (await llm.call_tool("unified_caller", {"target": "local:nothing"})).startswith("调用失败：")
    assert (await llm.call_tool("nothing", {})).startswith("调用失败：")


@pytest.mark.requirement("LLM-06", "ENV-07")
async def test_the_local_way_answers_in_its_own_form_and_http_in_the_envelope(node: Node) -> None:
    with using(node):
        found = await unified_caller_method(target="mcp:weather.get_current", parameters={"location": "北京"})
    assert found == {
        "success": True,
        "result": {"location": "北京", "weather": "windy"},
        "target": "mcp:weather.get_current",
        "method": "",
    }
    with using(node):
        failed = await unified_caller_method("local:nothing", city="x")
    assert failed.keys() == {"success", "error", "target", "method"}
    assert failed["success"] is False
    owner = {"Authorization": f"Bearer {node.owner_token}"}
    async with httpx.AsyncClient(base_url=node.url, trust_env=False, headers=owner) as client:
        body = {"target": "mcp:weather.get_current", "parameters": {"location": "北京"}}
        envelope = (await client.post("/api/v1/capabilities/relay.call", json=body)).json()
    assert envelope["data"] == found["result"]
    assert {"success", "data", "request_id", "timestamp"} <= envelope.keys()


@pytest.mark.requirement("LLM-02")
async def test_without_a_principal_in_the_context_nothing_is_called(node: Node) -> None:
    refused = await unified_caller_method("local:sky.weather", city="x")
    assert refused["success"] is False
    assert "using(node)" in refused["error"]
    assert (await resource_manager_method("list"))["success"] is False
    assert (await orchestration_method("status", id="x"))["success"] is False
    with pytest.raises(Unauthenticated):
        await mcp_unified_caller("local:sky.weather", city="x")
    with using(node, STRANGER):
        assert get_current_sdk() is node
        assert (await mcp_unified_caller("local:sky.weather", city="x"))["city"] == "x"
        with pytest.raises(PermissionDeniedError):
            await mcp_unified_caller("local:shop.for_the_owner")
        assert (await unified_caller_method("local:sky.weather", city="x"))["success"] is True
        for target in ("local:shop.for_the_owner", "local:shop.for_code", "mcp:weather.get_current"):
            assert (await unified_caller_method(target))["success"] is False


async def test_arguments_stand_once(node: Node) -> None:
    with using(node):
        twice = await unified_caller_method("local:sky.weather", parameters={"city": "x"}, city="y")
        assert twice["success"] is False
        wrong = await unified_caller_method("local:sky.weather", parameters="x")
        assert wrong["success"] is False
        found = await resource_manager_method("list", "sky.weather")
    assert [row["name"] for row in found["result"]["resources"]] == ["sky.weather"]


@pytest.mark.requirement("LLM-02", "LLM-07")
async def test_inside_a_capability_a_tool_works_for_its_caller(node: Node) -> None:
    @capability(access="authenticated")
    async def helper(ctx: CallContext, tools: dict) -> list[Any]:
        """Help."""
        mine = await unified_caller_method("local:shop.for_the_owner")
        try:
            code = await tools["unified_caller"](target="local:shop.for_code")
        except ServiceNotFoundError:  # what is for code alone its author calls by the context
            code = await ctx.call("local:shop.for_code", {}) + " itself"
        return [mine["success"], code, await tools["resource_manager"](action="list", resource="for_the_owner")]

    node.include(helper)
    try:
        owner = await node.call("local:helper")
        assert owner[:2] == [True, "hello, code"]
        assert [row["name"] for row in owner[2]["resources"]] == ["shop.for_the_owner"]
        stranger = await node.caller(principal=STRANGER).call("local:helper")
        assert stranger == [False, "hello, code itself", {"resources": []}]
    finally:
        node.host.capabilities.remove("node.helper")


@pytest.mark.requirement("DEC-18")
async def test_models_find_what_is_for_them_and_nothing_that_is_for_code(node: Node) -> None:
    functions = await node.call("local:relay.functions", form="mcp")
    names = {tool["name"] for tool in functions}
    assert "shop_for_models" in names
    assert "shop_for_code" not in names
    owner = {"Authorization": f"Bearer {node.owner_token}"}
    async with httpx.AsyncClient(base_url=node.url, trust_env=False, headers=owner) as client:
        gone = await client.post("/api/v1/capabilities/shop.for_models", json={})
        assert gone.status_code == 404
        there = await client.post("/api/v1/capabilities/sky.weather", json={"city": "x"})
        assert there.status_code == 200


@pytest.mark.requirement("SOA-04")
async def test_one_service_serves_an_agent_a_model_and_another_service(node: Node) -> None:
    schema = {"type": "object", "required": ["item"]}
    assert await node.caller("shop").call("local:shop.data_validation", data={"item": 1}, schema=schema) is True
    toolkit = ANPLLMToolkit(node).setup(enable_mcp=False)
    told = await toolkit.call_tool(
        "unified_caller",
        {"target": "local:shop.data_validation", "parameters": {"data": {}, "schema": schema}},
    )
    assert told == "调用成功：false"
    assert await node.call("local:shop.order", data={"item": 1}) == "taken"
    assert await node.call("local:shop.order", data={}) == "refused"


@pytest.mark.requirement("LLM-09")
async def test_the_tools_are_written_for_whoever_reads_them(node: Node) -> None:
    registry = LLMToolRegistry(node)
    registry.register_core_tools()
    for form, name in (("openai", lambda tool: tool["function"]["name"]), ("a2a", lambda tool: tool["id"])):
        assert {name(tool) for tool in await registry.exported(form)} == TOOLS


@pytest.mark.requirement("MCP-02")
async def test_what_needs_an_approval_waits_for_it_behind_the_tool_as_well(node: Node) -> None:
    made: list[int] = []

    @capability(approval=True, access="authenticated")
    async def pay(cents: int) -> str:
        """Pay."""
        made.append(cents)
        return "paid"

    node.include(pay)
    caller = node.caller(principal=STRANGER)
    asked = {"target": "local:node.pay", "parameters": {"cents": 5}}
    with pytest.raises(ApprovalPending) as waiting:
        await caller.call("local:unified_caller", asked)
    approval = str(waiting.value.details["approval_id"])
    decided = {"target": "local:approvals.decide", "parameters": {"approval_id": approval, "decision": "approved"}}
    with pytest.raises(MoothallError):
        await node.call("local:unified_caller", decided)
    assert made == []
    await node.host.authority.desk.decide(OWNER_BY_TOKEN, approval, "approved", "", Place())
    assert await caller.call("local:unified_caller", asked, approval=approval) == "paid"
    assert made == [5]
    node.host.capabilities.remove("node.pay")
