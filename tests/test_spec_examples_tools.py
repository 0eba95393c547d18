"""Spec B §10: the tools of a model, as they are printed."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import moothall
from moothall import (
    Agent,
    ANPLLMToolkit,
    ANPMCPServer,
    Node,
    ScriptedLLM,
    UnifiedCaller,
    UnifiedCrawler,
    capability,
    mcp_tool,
)
from moothall.calls.hub import using
from tests.doors.doubles import mcp_server
from tests.doors.house import served
from tests.support.printed import carried_out, part, printed

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = (Path(__file__).parents[1] / "docs" / "names.md").read_text(encoding="utf-8")


def get_current(location: str) -> dict[str, str]:
    """Tell the weather of a place."""
    return {"location": location, "weather": "windy"}


@capability(access="authenticated", read_only=True, tags=["天气"])
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


def at_home(text: str) -> str:
    """A text with the modules of the specification in the places that `docs/names.md` gives them."""
    for module in ("anp_open_sdk_framework.unified_caller", "anp_open_sdk.anp_sdk"):
        place = re.search(rf"^\| `{re.escape(module)}` \| `([\w.]+)` \|", NAMES, re.MULTILINE)
        assert place is not None
        text = text.replace(f"from {module} import", f"from {place[1]} import")
    return text


@pytest.fixture(scope="module")
def assistant() -> Any:
    scope: dict[str, Any] = {"capability": capability, "__name__": "printed"}
    exec(part(printed("10.3"), "# 方式3：在LLM编写的本地方法中使用\n"), scope)  # noqa: S102 - the printed code
    return scope["intelligent_assistant"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory, assistant: Any) -> AsyncIterator[Node]:
    agents = (
        Agent("sky", weather),
        Agent("math_agent", calculate),
        Agent("words", translate),
        Agent("helper", assistant),
    )
    ready: asyncio.Future[Node] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def whole() -> None:
        """Open and close in one task: the SDK's server asks for that."""
        async with (
            mcp_server("weather", get_current) as tools,
            served(tmp_path_factory.mktemp("node"), *agents, mcp={"weather": {"url": tools}}) as opened,
        ):
            ready.set_result(opened)
            await stop.wait()

    running = asyncio.create_task(whole())
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
    yield ready.result()
    stop.set()
    await running


async def test_10_1_the_server_holds_what_is_printed_and_answers_in_its_words(node: Node) -> None:
    server = ANPMCPServer(node)
    assert server.server.name == "anp-tools"
    assert isinstance(server.unified_caller, UnifiedCaller)
    assert isinstance(server.unified_crawler, UnifiedCrawler)
    for given in (
        {"target": "auto:获取天气信息", "parameters": {"city": "北京"}},
        {"target": "local:sky.weather", "method": "", "parameters": {"city": "北京"}},
    ):
        told = await server.unified_caller_tool(given)
        assert told.startswith("调用成功：")
        assert json.loads(told.removeprefix("调用成功："))["city"] == "北京"
    assert (await server.unified_caller_tool({"target": "local:nobody.nothing"})).startswith("调用失败：")
    await server.aclose()


async def test_10_1_the_printed_method_runs_with_its_imports_at_home(node: Node) -> None:
    decorator = '@capability(source="local", expose_to="llm")'
    assert printed("10.1b").count(decorator) == 1
    collecting = printed("10.1b").replace(decorator, '@mcp_tool("unified_caller_method")')  # as docs/names.md says
    scope = await carried_out(at_home(collecting), mcp_tool=mcp_tool)
    for method in (scope["unified_caller_method"], moothall.unified_caller_method):
        with using(node):
            made = await method("local:math_agent.calculate", expression="1+1")
            assert made == {"success": True, "result": "= 1+1", "target": "local:math_agent.calculate", "method": ""}
            made = await method("auto:获取天气信息", city="上海")
            assert (made["success"], made["result"]["city"]) == (True, "上海")
            failed = await method("local:nobody.nothing", "x")
        assert failed.keys() == {"success", "error", "target", "method"}
        assert (failed["success"], failed["method"]) == (False, "x")


async def test_10_2_the_toolkit(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "moothall.toolkit")
    toolkit = ANPLLMToolkit(node)
    assert toolkit.setup_complete is False
    assert toolkit.setup() is toolkit
    assert toolkit.setup_complete is True
    count, methods = len(toolkit.registry.tools), len(toolkit.registry.get_local_methods())
    shown = [f"🔧 MCP服务器已启动，包含 {count} 个工具", f"📝 本地方法已注册，包含 {methods} 个方法"]
    assert caplog.messages == shown
    printed_texts = re.findall(r'print\(f"(\S+ ?\S+包含) ', printed("10.2"))
    assert [text.partition("包含")[0] + "包含" for text in shown] == printed_texts
    told = [f"## {name}\n{tool.description}\n" for name, tool in toolkit.registry.tools.items()]
    assert toolkit.get_tool_descriptions() == "\n".join(told)
    await toolkit.aclose()


async def test_10_3_the_first_two_ways_run_as_printed(node: Node) -> None:
    ways = printed("10.3").partition("# 方式3")[0]
    llm = ANPLLMToolkit(node).setup(enable_mcp=False).equip(ScriptedLLM([]))
    with using(node):
        scope = await carried_out(ways, llm=llm, unified_caller_method=moothall.unified_caller_method)
    told = scope["llm_response"]
    assert told.startswith("调用成功：")
    assert json.loads(told.removeprefix("调用成功："))["city"] == "北京"
    assert scope["result"] == {
        "success": True,
        "result": {"location": "北京", "weather": "windy"},
        "target": "mcp:weather.get_current",
        "method": "",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [("北京天气怎么样", "晴"), ("计算 1+1", "= 计算 1+1"), ("把文本翻译成英文", "local:words.translate")],
)
async def test_10_3_the_assistant_runs_as_printed(node: Node, query: str, expected: str) -> None:
    answer = await node.call("local:helper.intelligent_assistant", query=query)
    assert (answer["query"], answer["method"]) == (query, "intelligent_routing")
    assert expected in json.dumps(answer["result"], ensure_ascii=False)
