"""A node that thinks with a model: every provider, what it costs, what it logs, what it leaves behind."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from moothall.llm.decision import TIMED_OUT
from moothall.llm.providers import ProviderModel
from tests.server.door import DEMAND, team
from tests.support.demand import SILENT, Script, kinds, negotiate, of_type, running
from tests.support.fake_llm import HANG, INPUT_TOKENS, FakeLLM

WHOLE = {"understand": 1, "filter": 1, "respond": 4, "aggregate": 1, "review": 3, "gaps": 1}


@pytest.mark.parametrize("provider", ["anthropic", "openai", "azure", "openrouter"])
async def test_a_whole_negotiation_is_decided_by_the_model_of_any_provider(
    tmp_path: Path, llm: FakeLLM, provider: str
) -> None:
    async with running(tmp_path, team(), **llm.settings(provider)) as node:
        events = await negotiate(node, DEMAND)
        assert node.llm is not None
        assert node.llm.provider == provider
        figures = node.llm.meter.snapshot()
    assert kinds(events)[-1] == "proposal.finalized"
    assert llm.counts == WHOLE
    assert {name: one.successes for name, one in figures.by_prompt.items()} == WHOLE
    assert figures.input_tokens == sum(WHOLE.values()) * INPUT_TOKENS
    marks = [event.payload for event in events if "source" in event.payload]
    assert {(mark["source"], mark["degraded"]) for mark in marks} == {("llm", False)}


async def test_a_node_without_a_model_says_so_and_asks_nobody(tmp_path: Path, llm: FakeLLM) -> None:
    async with running(tmp_path, team(), **llm.settings(llm_provider="none")) as node:
        events = await negotiate(node, DEMAND)
        assert node.llm is None
    assert kinds(events)[-1] == "proposal.finalized"
    assert llm.counts == {}


@pytest.mark.requirement("NEG-FAIL-06")
@pytest.mark.parametrize("place", ["warm", "ask"])
async def test_a_node_whose_client_is_broken_decides_by_the_rules_to_the_end(
    tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    async def broken(*_: object) -> None:
        raise ImportError("no client")

    monkeypatch.setattr(ProviderModel, place, broken)
    async with running(tmp_path, team(), **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    assert kinds(events)[-1] == "proposal.finalized"
    marks = {(event.payload["source"], event.payload["degraded"]) for event in events if "source" in event.payload}
    assert marks == {("fallback", True)}
    assert llm.counts == {}


async def test_the_language_of_the_prompts_is_that_of_the_demand(tmp_path: Path, llm: FakeLLM) -> None:
    async with running(tmp_path, team(), **llm.settings()) as node:
        await negotiate(node, "A venue and a speaker for an AI meetup in Beijing")
        await negotiate(node, DEMAND)
    english, chinese = llm.calls("understand")
    assert "Rules for every prompt" in english.system
    assert "通用规则" in chinese.system
    assert english.system.startswith("Prompt 1 (understand)")


@pytest.mark.requirement("NEG-OPS-07")
async def test_what_the_specification_wants_in_the_log_is_there_word_for_word(
    tmp_path: Path, llm: FakeLLM, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "moothall")
    llm.script["gaps"] = HANG
    async with running(tmp_path / "a", team(), **llm.settings(llm_timeout_p7=0.2)) as node:
        events = await negotiate(node, DEMAND)
    scripts = {name: Script(offer=SILENT) for name in ("hall", "loft", "speaker", "planner")}
    async with running(tmp_path / "b", team(), scripts, response_timeout=0.2) as node:
        failed = await negotiate(node, DEMAND)
    channel = of_type(events, "channel.created")[0]["channel_id"]
    reason = of_type(failed, "negotiation.failed")[0]["reason"]
    logged = {(record.levelname, record.getMessage()) for record in caplog.records}
    assert {
        ("INFO", f"需求 {events[0].run} 开始处理"),
        ("INFO", "智能筛选完成，找到 4 个候选人"),
        ("INFO", f"Channel {channel} 进入第 1 轮协商"),
        ("WARNING", TIMED_OUT),
        ("ERROR", f"协商失败: {reason}"),
    } <= logged


async def test_a_node_that_stops_in_the_middle_of_a_question_hangs_up_and_leaves_nothing(
    tmp_path: Path, llm: FakeLLM
) -> None:
    llm.script["filter"] = HANG
    before = len(asyncio.all_tasks())
    async with running(tmp_path, team(), **llm.settings()) as node:
        demand = (await node.demands.submit(DEMAND)).demand_id
        await llm.got(1, "filter")
    await llm.idle()
    assert llm.gone == 1
    assert len(asyncio.all_tasks()) == before
    llm.script["filter"] = None
    async with running(tmp_path, **llm.settings()) as node:
        events = [event async for event in node.log.follow(demand)]
    assert kinds(events)[-1] == "proposal.finalized"
    assert llm.counts == {**WHOLE, "filter": 2}, "what was decided before is not asked again"
