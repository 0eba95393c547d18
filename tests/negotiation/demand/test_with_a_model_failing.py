"""Negotiations whose model fails: they go on by the rules, say so, and never put words into anybody's mouth."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from moothall.directory.profiles import AgentProfile
from moothall.events.model import Event
from moothall.events.types import TERMINAL_EVENT_TYPES
from moothall.messages import text
from moothall.negotiation.demand.participants import AnswerUnknownError
from moothall.node import Node
from tests.negotiation.demand.modelled import (
    DEMAND,
    POOL,
    TRIO,
    WITH_PHOTOS,
    by_agent,
    shy_photographers,
    some_photographers,
    talker,
    who,
)
from tests.negotiation.demand.test_restart import TODAY, finish_elsewhere, told
from tests.server.door import opened
from tests.support.clock import ShiftedClock
from tests.support.demand import DECLINE, Script, negotiate, of_type, profile, running
from tests.support.fake_llm import HANG, Asked, FakeLLM

PATIENT = {"llm_failure_threshold": 1000}
"""A breaker that stays closed, so that every call is really made."""
IMPATIENT = {"llm_timeout": 0.3, **PATIENT}


def ended_once(events: list[Event]) -> bool:
    """Whether the run has exactly one terminal event, its last."""
    return [event.type in TERMINAL_EVENT_TYPES for event in events].count(True) == 1 and (
        events[-1].type in TERMINAL_EVENT_TYPES
    )


def marked(events: list[Event], code: str) -> set[str]:
    """The types of the public events that say they are degraded; each says so whole."""
    found = [event for event in events if event.payload.get("degraded") and event.type not in TERMINAL_EVENT_TYPES]
    for event in found:
        assert event.payload["source"] == "fallback"
        assert event.payload["error"] == {"code": code, "message": text(f"errors.{code}.message", "zh")}
    return {event.type.removeprefix("towow.") for event in found}


async def barrier(node: Any, events: list[Event], key: str) -> dict[str, Any]:
    """The row with which a barrier closed."""
    (row,) = [event.payload for event in await node.log.load(events[0].run) if event.key == key]
    return dict(row)


EVERY_STEP = ["filter", "respond", "aggregate", "review", "gaps"]


@pytest.mark.requirement("NEG-FAIL-12", "NEG-FAIL-06")
@pytest.mark.parametrize("settings", [PATIENT, {}], ids=["asked each time", "left alone by the breaker"])
async def test_a_model_that_fails_from_the_second_prompt_on_degrades_the_run_and_ends_it_once(
    tmp_path: Path, llm: FakeLLM, settings: dict[str, Any]
) -> None:
    llm.script |= {"understand": None, "*": 500}
    async with running(tmp_path, TRIO, **llm.settings(**settings)) as node:
        events = await negotiate(node, DEMAND)
        log = await node.log.load(events[0].run)
    assert ended_once(events)
    final = of_type(events, "proposal.finalized")[0]
    assert (final["degraded"], final["degraded_steps"]) == (True, EVERY_STEP)
    assert marked(events, "E003") == {
        "filter.completed",
        "offer.submitted",
        "proposal.distributed",
        "proposal.feedback",
    }
    assert of_type(events, "demand.understood")[0]["source"] == "llm"
    known = {item.agent_id for item in TRIO}
    assert {item["agent_id"] for item in final["final_proposal"]["assignments"]} <= known
    assert {item["agent_id"] for item in of_type(events, "filter.completed")[0]["candidates"]} <= known
    kept = [event.payload["value"] for event in log if event.type == "decision"]
    assert [item.get("error") for item in kept] == [None, "E003", "E003", "E003"]
    if not settings:
        assert llm.counts.keys() == {"understand", "filter", "respond"}, "after three failures nobody is asked any more"


@pytest.mark.requirement("NEG-OPS-04", "NEG-FAIL-06", "NEG-OPS-07")
async def test_a_model_that_is_too_slow_is_not_waited_for(
    tmp_path: Path, llm: FakeLLM, caplog: pytest.LogCaptureFixture
) -> None:
    llm.script["*"] = HANG
    async with running(tmp_path, TRIO, **llm.settings(**IMPATIENT)) as node:
        events = await negotiate(node, DEMAND)
        assert node.llm is not None
        calls = node.llm.meter.snapshot()
    assert ended_once(events)
    assert of_type(events, "proposal.finalized")[0]["degraded_steps"] == ["understand", *EVERY_STEP]
    assert "demand.understood" in marked(events, "E004")
    slow = [record for record in caplog.records if record.getMessage() == "LLM 调用超时，使用降级响应"]
    assert {record.levelno for record in slow} == {logging.WARNING}
    assert calls.outcomes == {"timeout": len(slow)}


@pytest.mark.requirement("NEG-OPS-04")
async def test_an_open_breaker_answers_by_rules_at_once(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script["respond"] = 529
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    assert ended_once(events)
    assert llm.counts == {"understand": 1, "filter": 1, "respond": 3}
    assert of_type(events, "proposal.finalized")[0]["degraded_steps"] == EVERY_STEP[1:]


@pytest.mark.requirement("NEG-FAIL-06")
async def test_an_agent_with_prose_only_is_unknown_and_no_offer_of_it_is_made_up(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script["respond"] = 500
    profiles = [*TRIO, talker("poet", "演讲嘉宾")]
    async with running(tmp_path, profiles, **llm.settings(**PATIENT)) as node:
        events = await negotiate(node, DEMAND)
        closed = await barrier(node, events, "offers.closed")
    assert (closed["unknown"], closed["silent"], closed["reason"]) == ({"user_agent_poet": "E003"}, [], "all")
    assert len(of_type(events, "offer.submitted")) == 3
    started = of_type(events, "aggregation.started")[0]
    assert (started["offers_count"], started["unknown"]) == (3, {"user_agent_poet": "E003"})
    assert of_type(events, "proposal.finalized")[0]["degraded_steps"] == ["respond"]


@pytest.mark.requirement("NEG-FAIL-06")
@pytest.mark.parametrize(
    ("script", "limit", "code"),
    [
        (500, 60.0, "E003"),
        (HANG, 0.3, "E004"),
        (by_agent({"one": HANG, "two": 500}), 2.0, "E003"),
        ("没有工具，只有空话", 60.0, "E003"),
    ],
    ids=["down", "all too slow", "one too slow, one down", "of no use"],
)
async def test_all_agents_unknown_is_a_failure_of_the_model_and_of_nobody_else(
    tmp_path: Path, llm: FakeLLM, script: Any, limit: float, code: str
) -> None:
    llm.script["respond"] = script
    profiles = [talker("one", "场地提供"), talker("two", "演讲嘉宾")]
    async with running(tmp_path, profiles, **llm.settings(llm_timeout_p3=limit, **PATIENT)) as node:
        events = await negotiate(node, DEMAND)
    (failed,) = of_type(events, "negotiation.failed")
    assert (failed["reason"], failed["code"]) == ("no_participants", code)
    assert text(f"errors.{code}.message", "zh") in failed["message"]
    assert failed["suggestions"]
    assert not of_type(events, "offer.submitted")
    assert failed["degraded_steps"] == ["respond"]


@pytest.mark.requirement("NEG-FAIL-06", "NEG-PROMPT-5a")
@pytest.mark.parametrize(("policy", "feedback"), [("accept", "accept"), ("withdraw", "withdraw"), ("abstain", None)])
async def test_a_review_that_cannot_be_known_is_silence_and_never_consent(
    tmp_path: Path, llm: FakeLLM, policy: str, feedback: str | None
) -> None:
    profiles = [*TRIO, talker("poet", "摄影")]
    llm.script["review"] = by_agent({"poet": 500})
    settings = llm.settings(feedback_timeout_policy=policy, **PATIENT)
    async with running(tmp_path, profiles, **settings) as node:
        events = await negotiate(node, "我想在北京办一场AI主题聚会，需要场地、嘉宾和摄影")
        closed = await barrier(node, events, "feedback.r1.closed")
    assert closed["unknown"] == {"user_agent_poet": "E003"}
    assert closed["silent"] == ["user_agent_poet"]
    given = [item for item in of_type(events, "proposal.feedback") if item["agent_id"] == "user_agent_poet"]
    assert [item["feedback_type"] for item in given] == ([] if feedback is None else [feedback])
    for item in given:
        assert (item["by_default"], item["degraded"], item["error"]["code"]) == (True, True, "E003")
    if policy == "accept":
        final = of_type(events, "proposal.finalized")[0]
        assert (final["consensus"], final["unconfirmed"]) == ("partial", ["user_agent_poet"])


@pytest.mark.requirement("NEG-FAIL-13", "NEG-OPS-07", "NEG-FAIL-01")
async def test_nobody_answers_before_the_response_timeout(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    scripts = {name: Script(offer="later") for name in ("venue", "speaker", "planner")}
    async with running(tmp_path, TRIO, scripts, response_timeout=1) as node, opened(node) as door:
        events = await negotiate(node, DEMAND)
        answer = await door.client.get(f"/api/v1/demand/{events[0].run}")
    (failed,) = of_type(events, "negotiation.failed")
    assert (failed["reason"], failed["code"]) == ("no_answer", "E006")
    assert failed["suggestions"]
    assert answer.status_code == 200
    assert "E006" in answer.text
    said = [record for record in caplog.records if record.getMessage() == "协商失败: no_answer"]
    assert [record.levelno for record in said] == [logging.ERROR]


@pytest.mark.requirement("NEG-FAIL-13")
async def test_one_refusal_among_the_silent_is_an_answer(tmp_path: Path) -> None:
    scripts = {"venue": Script(offer="later"), "speaker": Script(offer=DECLINE), "planner": Script(offer="later")}
    async with running(tmp_path, TRIO, scripts, response_timeout=1) as node:
        events = await negotiate(node, DEMAND)
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] == "no_participants"
    assert "code" not in failed
    assert failed["compromise"]["suggestions"] == failed["suggestions"]


@pytest.mark.requirement("NEG-OPS-07")
async def test_the_log_tells_the_steps_of_a_run_word_for_word(
    tmp_path: Path, llm: FakeLLM, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "moothall")
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        run = (await negotiate(node, DEMAND))[0].run
    lines = {record.getMessage(): record.levelno for record in caplog.records}
    wanted = [f"需求 {run} 开始处理", "智能筛选完成，找到 3 个候选人", f"Channel collab-{run[2:]} 进入第 1 轮协商"]
    assert [lines.get(line) for line in wanted] == [logging.INFO] * 3


@pytest.mark.requirement("NEG-STATE-11", "NEG-FAIL-06")
async def test_after_a_restart_without_the_model_the_log_says_the_same(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script["respond"] = by_agent({"poet": 500, "venue": 500})
    data = tmp_path / "data"
    profiles = [*TRIO, talker("poet", "演讲嘉宾")]
    async with running(data, profiles, clock=ShiftedClock(TODAY), **llm.settings(**PATIENT)) as node:
        run = (await negotiate(node, DEMAND))[0].run
        before = await node.log.load(run)
    shutil.copytree(data, tmp_path / "copy")
    after = await finish_elsewhere(tmp_path / "copy", run)
    assert told(after) == told(before)
    assert before[-1].payload["degraded_steps"] == ["respond"]


async def test_a_plan_with_a_part_from_a_degraded_sub_negotiation_is_degraded(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script |= {"filter": some_photographers, "respond": shy_photographers}
    llm.script["aggregate"] = lambda asked: 500 if len(asked.data["demand"]["requirements"]) == 1 else None
    async with running(tmp_path, POOL, **llm.settings(**PATIENT)) as node:
        events = await negotiate(node, WITH_PHOTOS)
    assert of_type(events, "subnet.completed")[0]["degraded"]
    final = of_type(events, "proposal.finalized")[0]
    assert (final["degraded"], final["degraded_steps"], final["consensus"]) == (True, [], "full")


async def test_a_participant_that_gives_a_code_of_its_own_is_unknown_like_any_other(tmp_path: Path) -> None:
    class Vague:
        async def offer(self, invitation: object, *, key: str) -> Any:
            raise AnswerUnknownError(key)

        async def review(self, request: object, *, key: str) -> Any:
            raise AnswerUnknownError(key)

    def speaker(node: Node, of: AgentProfile) -> Any:
        return Vague() if of.agent_id == "user_agent_planner" else node.persona(of)

    async with running(tmp_path, TRIO, participants=speaker) as node:
        events = await negotiate(node, DEMAND)
    assert of_type(events, "aggregation.started")[0]["unknown"] == {"user_agent_planner": "E003"}


@pytest.mark.requirement("NEG-FAIL-06")
async def test_the_rules_stand_in_with_people_of_the_registry_only(tmp_path: Path, llm: FakeLLM) -> None:
    def invents(asked: Asked) -> dict[str, Any]:
        reply = asked.default()
        stranger = {"agent_id": "user_agent_stranger", "role": "场地提供", "responsibility": "无中生有"}
        return {**reply, "assignments": [*reply["assignments"], stranger]}

    llm.script["aggregate"] = invents
    async with running(tmp_path, [*TRIO, profile("loft", "场地提供", price=900)], **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    assert llm.counts["aggregate"] == 2, "the refusal goes back to the model once"
    (sent,) = of_type(events, "proposal.distributed")
    assert (sent["source"], sent["error"]["code"]) == ("fallback", "DECISION_REFUSED")
    assert "user_agent_stranger" not in {item["agent_id"] for item in sent["proposal"]["assignments"]}
    assert {who(asked) for asked in llm.calls("respond")} == {"venue", "speaker", "planner", "loft"}
