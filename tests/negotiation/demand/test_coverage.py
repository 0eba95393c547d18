"""The parts that the specification wants covered are covered, measured while negotiations run (row NEG-OPS-01)."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import coverage
import pytest

from moothall import Coordinator, LLMServiceWithFallback, ModelUnavailable, UserAgent
from moothall.llm.decision import Decisions
from moothall.negotiation.demand.channel_admin import ChannelAdmin
from tests.server.door import DEMAND, team
from tests.support.demand import Script, negotiate, of_type, running
from tests.support.fake_llm import FakeLLM

CONDITIONAL = {"decision": "conditional", "contribution": "提供场地", "conditions": ["自备茶歇"], "confidence": 70}
DECLINE = {"decision": "decline", "decline_reason": "没有档期", "reasoning": "没有档期"}


def share(measured: coverage.Coverage, *functions: Callable[..., Any]) -> float:
    """The share of the statements of these functions that ran."""
    ran = wanted = 0
    for function in functions:
        source, first = inspect.getsourcelines(function)
        lines = {first + node.lineno - 1 for node in ast.walk(ast.parse(dedent("".join(source)))) if is_counted(node)}
        _, statements, _, missing, _ = measured.analysis2(inspect.getsourcefile(function) or "")
        own = lines & set(statements)
        wanted += len(own)
        ran += len(own - set(missing))
    return ran / wanted


def is_counted(node: ast.AST) -> bool:
    return isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


async def decisions_of(data: Path, scripts: dict[str, Script], **settings: Any) -> set[str]:
    """What the agents decided in one negotiation."""
    async with running(data, team(), scripts, **settings) as node:
        events = await negotiate(node, DEMAND)
    return {payload["decision"] for payload in of_type(events, "offer.submitted")}


async def refused_by_a_strict_node(data: Path, llm: FakeLLM) -> None:
    llm.script["understand"] = ["{cut off", "{cut off"]
    async with running(data, team(), **llm.settings(llm_strict=True)) as node:
        with pytest.raises(ModelUnavailable):
            await node.demands.submit(DEMAND)


@pytest.mark.requirement("NEG-OPS-01")
async def test_what_the_specification_wants_covered_is_covered(tmp_path: Path, llm: FakeLLM) -> None:
    measured = coverage.Coverage(data_file=None, config_file=False, include=["*/moothall/*"])
    answers = {"user_agent_loft": CONDITIONAL, "user_agent_planner": DECLINE}
    llm.script["aggregate"] = 500
    llm.script["respond"] = lambda asked: answers.get(asked.data["agent_profile"]["agent_id"])
    with measured.collect():
        later = {"speaker": Script(offer="later")}
        await decisions_of(tmp_path / "rules", later, response_timeout=0.2)
        decided = await decisions_of(tmp_path / "model", {}, **llm.settings())
        await refused_by_a_strict_node(tmp_path / "strict", llm)
    assert decided == {"participate", "conditional", "decline"}
    assert share(measured, Coordinator._smart_filter) >= 0.8
    assert share(measured, UserAgent._generate_response) >= 0.8
    assert share(measured, ChannelAdmin._broadcast_demand, ChannelAdmin._aggregate_proposals) >= 0.8
    assert LLMServiceWithFallback is Decisions
    assert share(measured, Decisions.decide, Decisions.by_rules) >= 0.9
