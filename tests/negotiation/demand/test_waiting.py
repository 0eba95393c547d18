"""Deadlines, late and early answers, cancellation, rest and recovery."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from moothall.negotiation.demand.channel import channel_id_of
from moothall.node import Node
from tests.support.demand import ACCEPT, Script, kinds, negotiate, of_type, profile, running

DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
TRIO = (profile("venue", "场地提供"), profile("speaker", "演讲嘉宾"), profile("planner", "活动策划"))


def feedback(run: str, number: int, kind: str = "accept") -> dict[str, Any]:
    """The venue's answer to a plan, as it comes from outside."""
    return {
        "type": "proposal_feedback",
        "channel_id": channel_id_of(run),
        "agent_id": "user_agent_venue",
        "feedback_type": kind,
        "round": number,
    }


async def until(node: Node, run: str, kind: str) -> None:
    """Follow a run up to the first event of a kind."""
    async for event in node.log.follow(run):
        if event.type == f"towow.{kind}":
            return


async def rested(node: Node, run: str) -> None:
    """Wait until a run has left memory: its lease is given back and a time to wake stands in its row."""
    while (await node.demands.record(run)).wake_at is None:  # noqa: ASYNC110 - the row is the only sign of rest
        await asyncio.sleep(0)


@pytest.mark.requirement("NEG-FAIL-07", "NEG-STATE-04")
async def test_at_the_response_timeout_the_others_go_on(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO, {"planner": Script(offer="later")}, response_timeout=0.3) as node:
        events = await negotiate(node, DEMAND)
        closed = [event for event in await node.log.load(events[0].run) if event.key == "offers.closed"]
    assert of_type(events, "aggregation.started")[0]["offers_count"] == 2
    assert kinds(events).count("aggregation.started") == 1
    assert closed[0].payload["reason"] == "deadline"
    assert closed[0].payload["silent"] == ["user_agent_planner"]
    assert of_type(events, "proposal.finalized")


@pytest.mark.requirement("NEG-FAIL-07", "NEG-STATE-04")
async def test_with_all_answers_in_nobody_waits_for_the_timeout(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO, response_timeout=3600) as node:
        events = await negotiate(node, DEMAND)
        closed = [event for event in await node.log.load(events[0].run) if event.key == "offers.closed"]
    assert closed[0].payload["reason"] == "all"


@pytest.mark.requirement("NEG-FAIL-08")
async def test_at_the_feedback_timeout_silence_is_an_answer_by_default(tmp_path: Path) -> None:
    script = Script(reviews=["later"])
    async with running(tmp_path, TRIO, {"venue": script}, feedback_timeout=0.3) as node:
        events = await negotiate(node, DEMAND)
    by_default = [item for item in of_type(events, "proposal.feedback") if item["by_default"]]
    assert [item["feedback_type"] for item in by_default] == ["accept"]
    final = of_type(events, "proposal.finalized")[0]
    assert final["unconfirmed"] == ["user_agent_venue"]
    assert final["consensus"] == "partial"


@pytest.mark.requirement("NEG-STATE-03", "NEG-STATE-06", "NEG-MSG-05")
async def test_answers_that_come_early_are_kept(tmp_path: Path) -> None:
    """The venue's answers lie in the inbox before the phases that ask for them begin."""
    script = Script(offer="later", reviews=["later"])
    async with running(tmp_path, TRIO, {"venue": script}) as node:
        reply = await node.demands.submit(DEMAND)
        run = reply.demand_id
        body = {
            "type": "offer_response",
            "channel_id": reply.channel_id,
            "agent_id": "user_agent_venue",
            "decision": "participate",
            "contribution": "一间会议室",
        }
        await node.log.post(run, "venue.offer", "offer_response", "user_agent_venue", body)
        await until(node, run, "proposal.distributed")
        await node.log.post(run, "venue.r1", "proposal_feedback", "user_agent_venue", feedback(run, 1))
        events = [event async for event in node.log.follow(run)]
    assert kinds(events).count("aggregation.started") == 1
    assert of_type(events, "feedback.evaluated")[0]["accepts"] == 3
    assert of_type(events, "proposal.finalized")[0]["consensus"] == "full"


async def test_a_run_that_waits_for_a_person_leaves_memory_and_comes_back(tmp_path: Path) -> None:
    script = Script(reviews=["later"])
    async with running(tmp_path, TRIO, {"venue": script}) as node:
        run = (await node.demands.submit(DEMAND)).demand_id
        await until(node, run, "proposal.distributed")
        await rested(node, run)
        await node.log.post(run, "venue.r1", "proposal_feedback", "user_agent_venue", feedback(run, 1))
        events = [event async for event in node.log.follow(run)]
    assert of_type(events, "proposal.finalized")[0]["consensus"] == "full"
    assert len({event.event_id for event in events}) == len(events)


async def test_a_restart_in_the_middle_goes_on_without_asking_again(tmp_path: Path) -> None:
    script, speaker = Script(reviews=["later"]), Script(reviews=[ACCEPT])
    scripts = {"venue": script, "speaker": speaker}
    async with running(tmp_path, TRIO, scripts) as node:
        run = (await node.demands.submit(DEMAND)).demand_id
        await until(node, run, "proposal.distributed")
        await rested(node, run)
        before = await node.log.load(run)
    async with running(tmp_path, (), scripts) as node:
        await node.log.post(run, "venue.r1", "proposal_feedback", "user_agent_venue", feedback(run, 1))
        events = [event async for event in node.log.follow(run)]
        after = await node.log.load(run)
    assert after[: len(before)] == before
    assert [event.seq for event in after] == list(range(len(after)))
    assert of_type(events, "proposal.finalized")
    assert [kind for kind, _ in speaker.calls] == ["offer", "review"]
    assert len({key for _, key in script.calls}) == 2, "a repeated call carries the same idempotency key"


@pytest.mark.requirement("NEG-STATE-11")
async def test_a_cancellation_ends_the_run_in_one_failed_event(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO, {"venue": Script(offer="later")}) as node:
        run = (await node.demands.submit(DEMAND)).demand_id
        await until(node, run, "demand.broadcast")
        await node.log.post(run, "cancel", "cancel", "anonymous", {})
        events = [event async for event in node.log.follow(run)]
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] == "cancelled"
    assert kinds(events)[-1] == "negotiation.failed"


@pytest.mark.requirement("NEG-STATE-11")
async def test_a_participant_that_breaks_costs_its_own_answer_only(tmp_path: Path) -> None:
    class Broken:
        async def offer(self, invitation: object, *, key: str) -> Any:
            raise RuntimeError(key)

        async def review(self, request: object, *, key: str) -> Any:
            raise RuntimeError(key)

    def speaker(node: Node, of: Any) -> Any:
        return Broken() if of.agent_id == "user_agent_planner" else node.persona(of)

    async with running(tmp_path, TRIO, participants=speaker) as node:
        events = await negotiate(node, DEMAND)
    assert of_type(events, "aggregation.started")[0]["offers_count"] == 2
    assert of_type(events, "proposal.finalized")
