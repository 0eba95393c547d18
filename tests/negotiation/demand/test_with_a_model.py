"""Whole negotiations decided by a language model: what it says is what happens, call by call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall.events.model import Event
from moothall.node import Node
from tests.negotiation.demand.modelled import (
    DEMAND,
    LEAVE,
    NO,
    POOL,
    TRIO,
    WITH_PHOTOS,
    by_agent,
    by_round,
    expected_calls,
    expected_calls_below,
    shy_photographers,
    some_photographers,
    wants,
)
from tests.server.door import SUBMIT, served, team
from tests.support.demand import kinds, negotiate, of_type, profile, running
from tests.support.fake_llm import INPUT_TOKENS, OUTPUT_TOKENS, FakeLLM

TOKENS = INPUT_TOKENS + OUTPUT_TOKENS


async def below(node: Node, events: list[Event]) -> list[Event]:
    """The events of the one sub-negotiation."""
    (triggered,) = of_type(events, "subnet.triggered")
    return [event async for event in node.log.follow(triggered["sub_demand_id"])]


def roles(event: dict[str, Any]) -> dict[str, str]:
    """Who does what in a final plan."""
    return {item["concept"]: item["agent_id"] for item in event["final_proposal"]["assignments"]}


@pytest.mark.requirement("NEG-OPS-02", "NEG-OPS-04", "NEG-ARCH-08")
async def test_full_flow_three_people_agree_in_one_round(tmp_path: Path, llm: FakeLLM) -> None:
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    final = of_type(events, "proposal.finalized")[0]
    assert (final["consensus"], final["participants_count"], final["rounds_taken"]) == ("full", 3, 1)
    assert (final["degraded"], final["degraded_steps"]) == (False, [])
    assert llm.counts == {"understand": 1, "filter": 1, "respond": 3, "aggregate": 1, "review": 3, "gaps": 1}
    assert len(llm.requests) == expected_calls(events) == 10
    sources = {event.payload["source"] for event in events if "source" in event.payload}
    assert sources == {"llm"}


@pytest.mark.requirement("NEG-ARCH-06")
async def test_a_submission_leads_to_a_plan_made_of_the_models_answers(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script["aggregate"] = lambda asked: {**asked.default(), "summary": "三个人，一个下午", "rationale": "够用就好"}
    async with served(tmp_path, settings=llm.settings()) as door:
        reply = (await door.client.post(SUBMIT, json={"raw_input": DEMAND})).json()
        events = await door.stream(reply["demand_id"])
    final = next(event["payload"] for event in events if event["event_type"] == "towow.proposal.finalized")
    assert (final["final_proposal"]["summary"], final["final_proposal"]["rationale"]) == (
        "三个人，一个下午",
        "够用就好",
    )
    assert llm.order[:2] == ["understand", "filter"]
    assert len(llm.calls("respond")) == len(team())


@pytest.mark.requirement("NEG-ARCH-01")
async def test_two_scripts_make_two_plans_and_two_demands_other_candidates(tmp_path: Path, llm: FakeLLM) -> None:
    profiles = [*TRIO, profile("loft", "场地提供", price=900), profile("lens", "摄影")]

    async def told(name: str, demand: str, **script: Any) -> tuple[set[str], set[str]]:
        llm.forget()
        llm.script |= script
        async with running(tmp_path / name, profiles, **llm.settings()) as node:
            events = await negotiate(node, demand)
        assert llm.requests
        found = {item["agent_id"] for item in of_type(events, "filter.completed")[0]["candidates"]}
        return found, set(roles(of_type(events, "proposal.finalized")[0]).values())

    one = await told("one", DEMAND, respond=by_agent({"loft": NO}))
    two = await told("two", DEMAND, respond=by_agent({"venue": NO}))
    assert "user_agent_venue" in one[1]
    assert "user_agent_loft" in two[1]
    assert one[1] != two[1]
    other = await told("other", "在北京找一位摄影师")
    assert other[0] == {"user_agent_lens"} != one[0]


@pytest.mark.requirement("NEG-ARCH-05")
async def test_one_agents_other_answer_changes_only_its_offer(tmp_path: Path, llm: FakeLLM) -> None:
    async def offers(name: str, **script: Any) -> dict[str, Any]:
        llm.forget()
        llm.script |= script
        async with running(tmp_path / name, TRIO, **llm.settings()) as node:
            events = await negotiate(node, DEMAND)
        shown = ("decision", "contribution", "conditions", "reasoning", "decline_reason", "confidence", "terms")
        submitted = of_type(events, "offer.submitted")
        return {offer["agent_id"]: [offer[key] for key in shown] for offer in submitted}

    before = await offers("before")
    after = await offers("after", respond=by_agent({"planner": NO}))
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == ["user_agent_planner"]


@pytest.mark.requirement("NEG-OPS-02", "NEG-ARCH-09", "NEG-ARCH-08")
async def test_several_rounds_one_plan_then_one_adjustment_a_round(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script["review"] = by_round({"venue": [wants(price=1050), wants(price=1100), {"feedback_type": "accept"}]})
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    plans = [item["proposal"] for item in of_type(events, "proposal.distributed")]
    prices = [{item["agent_id"]: item["price"] for item in plan["assignments"]} for plan in plans]
    assert [price["user_agent_venue"] for price in prices] == [1000, 1050, 1100]
    assert {price["user_agent_speaker"] for price in prices} == {1000}
    assert (llm.counts["aggregate"], llm.counts["adjust"], llm.counts["review"]) == (1, 2, 9)
    assert len(llm.requests) == expected_calls(events)
    assert of_type(events, "proposal.finalized")[0]["rounds_taken"] == 3


@pytest.mark.requirement("NEG-OPS-02")
async def test_a_core_agent_leaves_and_another_takes_its_place(tmp_path: Path, llm: FakeLLM) -> None:
    profiles = [*TRIO, profile("spare", "场地提供", price=2000)]
    chosen = {item.agent_id for item in TRIO}
    llm.script["aggregate"] = lambda asked: {
        **asked.default(),
        "assignments": [item for item in _everybody(asked.data) if item["agent_id"] in chosen],
    }
    llm.script["review"] = by_round({"venue": [LEAVE]})
    async with running(tmp_path, profiles, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    final = of_type(events, "proposal.finalized")[0]
    assert roles(final)["venue"] == "user_agent_spare"
    assert final["rounds_taken"] == 2
    assert [item["agent_id"] for item in of_type(events, "agent.withdrawn")] == ["user_agent_venue"]


def _everybody(data: dict[str, Any]) -> list[dict[str, Any]]:
    """One role for every offer."""
    return [
        {
            "agent_id": offer["agent_id"],
            "display_name": offer["display_name"],
            "role": offer["terms"][0]["tag"],
            "responsibility": "负责这一项",
            "dependencies": [],
        }
        for offer in data["offers"]
    ]


@pytest.mark.requirement("NEG-OPS-02")
async def test_a_core_agent_leaves_and_nobody_can_take_its_place(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script["review"] = by_round({"venue": [LEAVE]})
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] == "core_role_lost"
    assert [gap["gap_type"] for gap in failed["gaps"]] == ["场地提供"]
    assert failed["suggestions"] == ["ask again with another date"]
    assert failed["last_proposal"]["type"] == "compromise"
    assert (llm.counts["gaps"], llm.counts["compromise"]) == (1, 1)
    assert "recurse" not in llm.counts, "nobody looks further once the negotiation has failed"


@pytest.mark.requirement("NEG-OPS-02", "NEG-OPS-04", "NEG-ARCH-10")
async def test_a_gap_is_closed_by_a_sub_negotiation_whose_calls_are_counted(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script |= {"filter": some_photographers, "respond": shy_photographers}
    async with running(tmp_path, POOL, **llm.settings()) as node:
        events = await negotiate(node, WITH_PHOTOS)
        child = await below(node, events)
        log = await node.log.load(events[0].run)
    final = of_type(events, "proposal.finalized")[0]
    assert final["consensus"] == "full"
    assert roles(final)["photography"].startswith("user_agent_photo")
    assert (llm.counts["gaps"], llm.counts["recurse"]) == (1, 1)
    assert "compromise" not in llm.counts
    assert [gap["gap_type"] for gap in of_type(events, "gap.identified")[0]["gaps"]] == ["摄影"]
    assert len(llm.requests) == expected_calls(events, gaps=True) + expected_calls_below(child)
    cost = llm.calls("recurse")[0].data["estimated_cost"]
    before = llm.order.index("recurse")
    assert cost["tokens_used"] == before * TOKENS
    assert cost["tokens"] == cost["calls"] * TOKENS
    assert cost["calls_used"] == before
    kept = [event.payload["value"] for event in log if event.type == "decision"]
    assert {item["usage"]["input_tokens"] for item in kept} == {INPUT_TOKENS}


@pytest.mark.requirement("NEG-ARCH-04", "NEG-ARCH-21", "NEG-ARCH-10", "NEG-OPS-04", "NEG-PROMPT-9b")
@pytest.mark.parametrize("provider", ["anthropic", "openai"])
async def test_nine_kinds_of_prompts_and_the_last_three_in_their_order(
    tmp_path: Path, llm: FakeLLM, provider: str
) -> None:
    """A gap that nobody closes, after a round of bargaining: every prompt is needed."""
    llm.script |= {"filter": some_photographers, "respond": by_agent({f"photo_{number}": NO for number in range(4)})}
    llm.script["review"] = lambda asked: (
        wants(price=sum(item["price"] for item in asked.data["my_assignments"]) + 10)
        if asked.data["round"]["now"] == 1 and "venue" in asked.data["agent_profile"]["agent_id"]
        else {"feedback_type": "accept", "reasoning": "可以"}
    )
    async with running(tmp_path, POOL, **llm.settings(provider)) as node:
        events = await negotiate(node, WITH_PHOTOS)
        child = await below(node, events)
    assert len(llm.counts) == 9
    mine = [kind for kind in llm.order if kind in {"gaps", "recurse", "compromise"}]
    assert mine == ["gaps", "recurse", "compromise"]
    assert kinds(events)[-3:] == ["subnet.triggered", "subnet.completed", "proposal.finalized"]
    asked = len(of_type(child, "filter.completed")[0]["candidates"])
    assert len(llm.requests) == expected_calls(events, gaps=True, compromise=True) + 1 + asked
    final = of_type(events, "proposal.finalized")[0]
    plan = final["final_proposal"]
    eleven = {
        "proposal_id", "demand_id", "version", "summary", "objective", "assignments", "timeline", "rationale", "gaps",
        "confidence", "created_at",
    }  # fmt: skip
    assert eleven | {"type", "compromises", "unresolved", "suggestions"} <= plan.keys()
    assert (plan["type"], plan["confidence"], plan["gaps"]) == ("compromise", "low", ["摄影"])
    assert plan["suggestions"] == final["suggestions"] == ["ask again with another date"]
    assert final["consensus"] == "partial"


@pytest.mark.requirement("NEG-OPS-04")
async def test_a_single_participant_is_a_plan_of_one(tmp_path: Path, llm: FakeLLM) -> None:
    async with running(tmp_path, [profile("lens", "摄影")], **llm.settings()) as node:
        events = await negotiate(node, "在北京找一位摄影师")
    final = of_type(events, "proposal.finalized")[0]
    assert (final["participants_count"], final["consensus"]) == (1, "full")
    assert len(llm.requests) == expected_calls(events) == 6


@pytest.mark.requirement("NEG-OPS-04")
async def test_nobody_fits_and_no_further_question_is_asked(tmp_path: Path, llm: FakeLLM) -> None:
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, "在火星上建基地")
    (failed,) = of_type(events, "negotiation.failed")
    assert (failed["reason"], failed["code"]) == ("no_candidates", "E005")
    assert failed["suggestions"]
    assert llm.counts.keys() <= {"understand", "filter"}


@pytest.mark.requirement("NEG-OPS-04", "NEG-PROMPT-9b", "NEG-PROMPT-9a")
async def test_all_decline_and_prompt_9_says_what_could_be_done(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script["respond"] = NO
    llm.script["compromise"] = lambda asked: {
        "summary": "没有人有空",
        "type": "compromise",
        "suggestions": [f"换一天：{asked.data['declines'][0]['reason']}"],
        "confidence": "high",
    }
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] == "no_participants"
    assert failed["suggestions"] == ["换一天：那天有别的安排"]
    assert "last_proposal" not in failed
    assert "code" not in failed
    assert (failed["compromise"]["assignments"], failed["compromise"]["confidence"]) == ([], "medium")
    assert llm.counts == {"understand": 1, "filter": 1, "respond": 3, "compromise": 1}


@pytest.mark.requirement("NEG-PROMPT-9b", "NEG-PROMPT-9a")
async def test_a_plan_that_stays_divided_ends_as_the_compromise_settles_it(tmp_path: Path, llm: FakeLLM) -> None:
    """The planner wants more in every round and is left out; what it would have done is then a gap."""
    llm.script["review"] = by_round({"planner": [wants(price=5000)]})
    llm.script["adjust"] = lambda asked: _declining(asked.default())
    llm.script["compromise"] = lambda asked: {
        **asked.default(),
        "assignments": [item for item in asked.data["available_resources"] if item["agent_id"] != "user_agent_planner"],
        "compromises": [{"issue": "策划要价过高", "resolution": "自己策划", "rationale": "预算"}],
    }
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    final = of_type(events, "proposal.finalized")[0]
    plan = final["final_proposal"]
    assert (final["rounds_taken"], final["consensus"]) == (3, "partial")
    assert set(roles(final).values()) == {"user_agent_venue", "user_agent_speaker"}
    assert (plan["gaps"], plan["cost"]["total"]) == (["活动策划"], 2000)
    assert [gap["gap_type"] for gap in final["gaps"]] == ["活动策划"]
    assert plan["compromises"] == [{"issue": "策划要价过高", "resolution": "自己策划", "rationale": "预算"}]
    assert len(llm.requests) == expected_calls(events, compromise=True)


def _declining(reply: dict[str, Any]) -> dict[str, Any]:
    """An adjusted plan that grants nothing."""
    summary = reply["adjustment_summary"]
    asked = [*summary["requests_addressed"], *summary["requests_declined"]]
    kept = [{name: value for name, value in item.items() if name != "price"} for item in reply["assignments"]]
    nothing = {**summary, "changes_made": [], "requests_addressed": [], "requests_declined": asked}
    return {**reply, "assignments": kept, "adjustment_summary": nothing}
