"""Code that wants to harm its host does not pass the gate, and would harm nothing if it did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from moothall import Agent, capability
from moothall.errors import CodeRefused, MoothallError
from moothall.llm.base import BaseLLM
from moothall.llm.named import OpenAILLM
from moothall.llm.scripted import ScriptedLLM
from tests.codegen.services.hall import DOUBLE, Passing, Smith, forged
from tests.support.fake_llm import KEY, FakeLLM

HOSTILE = {
    "socket": "import socket\ndef bad(a: int) -> Any:\n    return socket.gethostname()\n",
    "file": "def bad(a: int) -> Any:\n    return open('/etc/passwd').read()\n",
    "loop": "def bad(a: int) -> int:\n    while True:\n        a = a + 1\n    return a\n",
    "memory": "def bad(a: int) -> int:\n    return len([0] * 10**9)\n",
    "introspection": "def bad(a: int) -> Any:\n    return str(().__class__.__base__.__subclasses__())\n",
    "recursion": "def bad(a: int) -> int:\n    return bad(a)\n",
    "flood": "def bad(a: int) -> int:\n    for each in range(10**7):\n        print('x' * 1000)\n    return a\n",
    "environment": "import os\ndef bad(a: int) -> Any:\n    return dict(os.environ)\n",
}


@pytest.mark.requirement("GEN-06", "GEN-09")
@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_code_is_refused_by_the_gate_with_a_report(tmp_path: Path, kind: str) -> None:
    async with forged(tmp_path) as site:
        decorated = site.forge.code.add_capability_decorator(HOSTILE[kind])
        with pytest.raises(CodeRefused) as refused:
            await site.forge.code.execute_and_register(decorated)
        assert any(stage["problems"] for stage in refused.value.details["report"]["stages"])
        assert await site.call("local:node.services.list") == []


@pytest.mark.requirement("GEN-06")
async def test_hostile_code_that_came_through_all_the_same_fails_within_its_limits(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing(), sandbox_seconds=0.3) as site:
        await site.registered(DOUBLE)
        for kind, code in HOSTILE.items():
            await site.registered(code, name=f"bad_{kind}")
        for kind in HOSTILE:
            with pytest.raises(MoothallError) as failed:
                await site.call(f"local:forge.bad_{kind}", a=1)
            assert "root:" not in f"{failed.value} {failed.value.details}"
            assert await site.call("local:forge.double", value=4) == 8


TREND = """
def stock_trend(symbol: str) -> dict[str, int]:
    if not isinstance(symbol, str):
        raise ValueError("symbol is a text")
    found = call("local:market.price", {"symbol": symbol})
    return {"rise": found["now"] - found["before"]}
"""


class Price(BaseModel):
    """What a stock costs."""

    now: int
    before: int


@capability(access="authenticated", read_only=True)
def price(symbol: str) -> Price:
    """The price of a stock: now, and before."""
    return Price(now=len(symbol) * 10, before=7)


def rise(arguments: Any) -> tuple[Any, list[dict[str, Any]]]:
    if not isinstance(arguments["symbol"], str):
        raise ValueError  # noqa: TRY004 - what a generated service says
    asked = {"target": "local:market.price", "parameters": {"symbol": arguments["symbol"]}}
    now = 40 + len(arguments["symbol"])
    return {"rise": now - 33}, [{**asked, "reply": {"now": now, "before": 33}}]


def trend_smith() -> Smith:
    interface = 'def stock_trend(symbol: str) -> dict[str, int]:\n    """Rate the trend of a stock."""\n    ...\n'
    return Smith(interface, [TREND], rise, ["local:market.price"])


def scripted(smith: Smith, server: FakeLLM) -> BaseLLM:
    del server
    return smith.llm()


def by_http(smith: Smith, server: FakeLLM) -> BaseLLM:
    server.script["text"] = lambda asked: smith.speak(asked.system, asked.user)
    return OpenAILLM(KEY, "gpt-test", f"{server.url}/v1", timeout=30.0)


@pytest.mark.requirement("GEN-01", "GEN-03", "GEN-04", "GEN-10")
@pytest.mark.parametrize("port", [scripted, by_http], ids=["scripted", "http"])
async def test_a_service_comes_out_of_any_model_through_the_whole_gate(tmp_path: Path, llm: FakeLLM, port: Any) -> None:
    model = port(trend_smith(), llm)
    async with forged(tmp_path, Agent("market", price), llm=model) as site:
        service = await site.forge.code.generate_and_publish("I need the trend of a stock")
        assert service.report.passed
        await site.approve(service.approval_id)
        assert await site.remote("local:forge.stock_trend", symbol="ABC") == {"rise": 23}


@pytest.mark.requirement("GEN-10", "GEN-09")
async def test_a_broken_body_is_caught_by_the_tests_that_were_written_apart_from_it(tmp_path: Path) -> None:
    smith = trend_smith()
    smith.code = [TREND.replace('found["now"] - found["before"]', 'found["before"] - found["now"]')]
    async with forged(tmp_path, Agent("market", price), llm=smith.llm(), repair_rounds=2) as site:
        with pytest.raises(CodeRefused) as refused:
            await site.forge.code.generate_and_publish("I need the trend of a stock")
        failed = next(stage for stage in refused.value.details["report"]["stages"] if not stage["passed"])
        assert failed["stage"] == "tests"
        assert refused.value.details["attempts"] == 3
        assert await site.call("local:node.services.list") == []


@pytest.mark.requirement("GEN-05")
async def test_a_model_that_designs_permissions_is_asked_again_and_then_refused(tmp_path: Path) -> None:
    decorated = "@capability(access='public')\ndef f(a: int) -> int:\n    ..."
    llm = ScriptedLLM([lambda _system, _user: json.dumps({"interface": decorated, "may_call": []})])
    async with forged(tmp_path, llm=llm, judge=Passing()) as site:
        with pytest.raises(CodeRefused):
            await site.forge.code.generate("anything")
    assert llm.calls == 3
    assert "refused" in llm.prompts[1].user


async def test_another_requirement_of_the_same_name_is_another_service(tmp_path: Path) -> None:
    smith = trend_smith()
    async with forged(tmp_path, Agent("market", price), llm=smith.llm(), judge=Passing()) as site:
        code = site.forge.code
        first = await code.register(await code.generate("the trend"), "the trend")
        again = await code.register(await code.generate("the trend"), "the trend")
        other = await code.register(await code.generate("the trend of bonds"), "the trend of bonds")
        assert [(each.name, each.version) for each in (first, again, other)] == [
            ("forge.stock_trend", "1.0.0"),
            ("forge.stock_trend", "1.1.0"),
            ("forge.stock_trend_2", "1.0.0"),
        ]
