"""Generated code that calls by intent: the stock analysis of spec B §4, and what it may not reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moothall import Agent, capability, llm_generated
from moothall.capability.context import CallContext
from moothall.codegen.report import STAGES
from moothall.codegen.services.wording import as_calls
from moothall.errors import CodeRefused, MoothallError, SandboxFault
from moothall.llm.scripted import ScriptedLLM
from tests.codegen.services.hall import STRANGER, Passing, Smith, forged

WORDS = ["auto:获取股票数据", "auto:技术分析"]
INTERFACE = '''
def stock_analysis_service(symbol: str, days: int = 30) -> dict[str, Any]:
    """分析股票趋势 LLM生成的股票分析服务

    Args:
        symbol: 股票代码
        days: 天数
    """
    ...
'''
CODE = '''
async def stock_analysis_service(symbol: str, days: int = 30) -> dict[str, Any]:
    """LLM生成的股票分析服务"""
    data = await unified_caller("auto:获取股票数据", symbol=symbol)
    analysis = await unified_caller("auto:技术分析", data=data)
    return {"symbol": symbol, "days": days, "analysis": analysis}
'''

CHECKED = CODE.replace(
    "    data =",
    """    if not isinstance(symbol, str) or isinstance(days, bool) or not isinstance(days, int):
        raise ValueError("symbol is a text, days a whole number")
    data =""",
    1,
)


@llm_generated(prompt="创建股票分析服务", auto_publish=True)
@capability(source="llm", expose_to="network")
async def stock_analysis_service(symbol: str, days: int = 30) -> dict:
    """LLM生成的股票分析服务"""


class Market:
    """The two services that the example calls, and one that it must not.

    Attributes:
        made: which of them was called, in order.
        callers: who called for the data, and whether for itself.
    """

    def __init__(self) -> None:
        self.made: list[str] = []
        self.callers: list[tuple[str, bool, bool]] = []

    def agent(self) -> Agent:
        @capability(access="authenticated", read_only=True)
        def stock_data(ctx: CallContext, symbol: str) -> list[int]:
            """获取股票数据"""
            self.made.append("data")
            self.callers.append((ctx.principal.id, ctx.principal.owner, ctx.inside))
            return [3, 10]

        @capability(access="authenticated", read_only=True)
        def analyse(data: list[int]) -> str:
            """技术分析"""
            self.made.append("analysis")
            return "up" if data[-1] > data[0] else "down"

        @capability(access="authenticated", read_only=True)
        def holdings() -> list[str]:
            """查询客户持仓"""
            self.made.append("holdings")
            return ["x"]

        return Agent("market", stock_data, analyse, holdings)


def model(smith: Smith) -> ScriptedLLM:
    """The smith, and a model that leaves every choice to what was found."""

    def chooses(system: str, user: str) -> str | None:
        if "which capability a request means" not in system:
            return None
        word = "stock_data" if "股票数据" in user.partition("</data>")[0] else "analyse"
        return json.dumps({"ranking": [f"local:market.{word}"], "certain": True})

    return ScriptedLLM([chooses, smith.speak])


def oracle(arguments: Any) -> tuple[Any, list[dict[str, Any]]]:
    if not isinstance(arguments["symbol"], str) or type(arguments.get("days", 30)) is not int:
        raise ValueError
    calls: list[dict[str, Any]] = [
        {"target": WORDS[0], "parameters": {"symbol": arguments["symbol"]}, "reply": [3, 10]},
        {"target": WORDS[1], "parameters": {"data": [3, 10]}, "reply": "up"},
    ]
    return {"symbol": arguments["symbol"], "days": arguments.get("days", 30), "analysis": "up"}, calls


@pytest.mark.requirement("GEN-08", "GEN-14")
async def test_the_stock_analysis_goes_from_a_request_to_another_agents_call(tmp_path: Path) -> None:
    """The gate is the real one: what the specification prints takes anything for a symbol, and has to be mended."""
    market = Market()
    smith = Smith(INTERFACE, [CODE, CHECKED], oracle, [*WORDS, "auto:偷走一切", "mcp:evil.steal"])
    async with forged(tmp_path, market.agent(), llm=model(smith)) as site:
        service = await site.forge.code.generate_and_publish("我需要一个能够分析股票趋势的服务")
        assert smith.seen == ["interface", "code", "cases", "code"]
        assert {stage.stage for stage in service.report.stages} == set(STAGES)
        assert service.report.passed
        assert await site.seen_by(STRANGER) == set()
        await site.approve(service.approval_id)
        assert await site.seen_by(STRANGER) == {"forge.stock_analysis_service"}
        assert market.made == [], "the gate calls nobody"
        value = await site.remote("local:forge.stock_analysis_service", symbol="600519")
        shown = await site.call("local:node.services.show", service="forge.stock_analysis_service")
    assert value == {"symbol": "600519", "days": 30, "analysis": "up"}
    assert market.made == ["data", "analysis"]
    assert market.callers == [(STRANGER.id, False, True)]
    assert shown.module["manifest"]["may_call"] == WORDS


@pytest.mark.requirement("GEN-14")
async def test_the_printed_declaration_gets_its_body_from_the_model_and_is_published(tmp_path: Path) -> None:
    market = Market()
    body = CHECKED.replace('{"symbol": symbol, "days": days, "analysis": analysis}', '{"trend": analysis}')

    def told(arguments: Any) -> tuple[Any, list[dict[str, Any]]]:
        value, calls = oracle(arguments)
        return {"trend": value["analysis"]}, calls

    smith = Smith("", [body], told, WORDS)
    agent = Agent("analyst", stock_analysis_service)
    opened = {"analyst.stock_analysis_service": {"access": "authenticated"}}  # as declared it is for the owner alone
    async with forged(tmp_path, market.agent(), agent, llm=model(smith), capabilities=opened) as site:
        await site.forge.declared.settled()
        [view] = await site.call("local:node.services.list")
        assert await site.seen_by(STRANGER) == set()
        await site.approve(view.approval_id)
        assert await site.seen_by(STRANGER) == {"analyst.stock_analysis_service"}
        value = await site.remote("local:analyst.stock_analysis_service", symbol="600519")
    assert value == {"trend": "up"}
    assert market.made == ["data", "analysis"]


@pytest.mark.requirement("GEN-08")
async def test_words_that_the_manifest_does_not_name_reach_nothing(tmp_path: Path) -> None:
    market = Market()
    code = 'async def peek() -> Any:\n    return await unified_caller("auto:查询客户持仓")\n'
    async with forged(tmp_path, market.agent()) as site:
        with pytest.raises(CodeRefused):
            await site.registered(code, may_call=WORDS)
    async with forged(tmp_path, market.agent(), judge=Passing()) as site:
        await site.registered(code, may_call=WORDS)
        with pytest.raises(MoothallError):
            await site.call("local:forge.peek")
    assert market.made == []


@pytest.mark.requirement("GEN-08")
async def test_a_service_has_no_more_rights_than_its_caller_and_not_those_of_a_person(tmp_path: Path) -> None:
    made: list[str] = []

    @capability
    def books() -> str:
        """For the owner."""
        made.append("books")
        return "the books"

    @capability(access="authenticated")
    def sign(ctx: CallContext) -> str:
        """What its caller does itself, or nobody."""
        ctx.firsthand()
        made.append("signature")
        return "signed"

    async with forged(tmp_path, Agent("office", books, sign), judge=Passing()) as site:
        for name in ("books", "sign"):
            code = f"def get_{name}() -> str:\n    return call('local:office.{name}', {{}})\n"
            service = await site.registered(code, may_call=[f"local:office.{name}"])
            await site.approve((await site.forge.code.publish_to_network(service)).approval_id)
        assert await site.call("local:forge.get_books") == "the books"
        assert await site.call("local:office.sign") == "signed"
        for call, target in ((site.remote, "books"), (site.remote, "sign"), (site.call, "sign")):
            with pytest.raises(SandboxFault):  # to the code it is a call that failed
                await call(f"local:forge.get_{target}")
    assert made == ["books", "signature"]


def test_calls_in_the_words_of_the_specification_become_those_of_the_sandbox() -> None:
    assert as_calls(CODE).startswith("def stock_analysis_service(symbol: str, days: int=30)")
    assert "call('auto:技术分析', {'data': data})" in as_calls(CODE)
    assert as_calls("x = 1\n") == "x = 1\n"
    assert as_calls("unified_caller(") == "unified_caller("
    for deep in ("+".join(["a"] * 20_000), "-" * 5_000 + "a", "a" + ".b" * 5_000):
        source = f"x = {deep}  # unified_caller\n"
        assert as_calls(source) == source
    kept = "x = unified_caller(*names)\n"
    assert as_calls(kept) == kept
