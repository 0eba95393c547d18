"""Cancelling at every stage, and waiting for the requester's word across restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from moothall.directory.activities import load_activities
from moothall.directory.concepts import load_vocabulary
from moothall.directory.places import load_gazetteer
from moothall.directory.profiles import AgentProfile
from moothall.errors import Conflict, DemandNotFound, ModelTimeout, ModelUnavailable, MoothallError
from moothall.events.model import Event
from moothall.llm.decision import Brain, Decisions, InT, OutT, Prompt
from moothall.negotiation.demand.confirming import UnderstandingEdits
from moothall.negotiation.demand.participants import LATER, OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.rules.brain import rules_brain
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from moothall.settings import Settings
from tests.negotiation.demand.test_subnet import DEMAND as LARGER
from tests.negotiation.demand.test_subnet import POOL
from tests.support.clock import ManualClock
from tests.support.demand import DECLINE, Script, of_type, profile, running

DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
TRIO = (profile("venue", "场地提供"), profile("speaker", "演讲嘉宾"), profile("planner", "活动策划"))


class Stuck:
    """A brain that never answers one kind of prompt, and says when it was asked."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._rules = rules_brain(load_vocabulary(), load_gazetteer(), load_activities())
        self.asked = asyncio.Event()

    async def answer(self, prompt: Prompt[InT, OutT], data: InT) -> OutT:
        if prompt.kind == self._kind:
            self.asked.set()
            await asyncio.Event().wait()
        return await self._rules.answer(prompt, data)


class Failing:
    """A brain that fails at the first prompt."""

    def __init__(self, error: MoothallError) -> None:
        self._error = error

    async def answer(self, prompt: Prompt[InT, OutT], data: InT) -> OutT:
        raise self._error


@asynccontextmanager
async def thinking(data: Path, brain: Brain) -> AsyncIterator[Node]:
    """A node with three agents whose decisions a brain takes."""
    node = Node(Settings(data=data, demo_agents=False))
    node.decisions = Decisions(brain)
    async with node:
        for item in TRIO:
            await node.registry.register(item)
        yield node


async def rested(node: Node, run: str) -> None:
    """Wait until a run has left memory."""
    while (await node.demands.record(run)).wake_at is None:  # noqa: ASYNC110 - the row is the only sign of rest
        await asyncio.sleep(0)


async def followed(node: Node, run: str) -> list[Event]:
    return [event async for event in node.log.follow(run)]


async def cancelled(node: Node, run: str) -> dict[str, Any]:
    """Cancel a run; its last event's payload."""
    assert await node.demands.steer.cancel(await node.demands.record(run), "alice") == "cancelled"
    events = await followed(node, run)
    assert [event.type for event in events].count("towow.negotiation.failed") == 1
    state = await node.demands.read.state(await node.demands.record(run))
    assert (state.status, state.channel_status, state.reason) == ("failed", "failed", "cancelled")
    return events[-1].payload


@pytest.mark.requirement("NEG-API-23", "NEG-STATE-11")
@pytest.mark.parametrize("kind", ["filter", "respond", "aggregate", "review", "gaps"])
async def test_a_cancellation_is_heard_while_a_decision_takes_for_ever(tmp_path: Path, kind: str) -> None:
    brain = Stuck(kind)
    async with thinking(tmp_path, brain) as node:
        run = (await node.demands.submit(DEMAND)).demand_id
        await brain.asked.wait()
        assert (await cancelled(node, run))["reason"] == "cancelled"


@pytest.mark.parametrize("verb", ["cancel", "erase"])
async def test_a_demand_may_end_before_it_is_understood(tmp_path: Path, verb: str) -> None:
    brain = Stuck("understand")
    async with thinking(tmp_path, brain) as node:
        submitting = asyncio.create_task(node.demands.submit(DEMAND))
        await brain.asked.wait()
        (record,) = await node.log.runs()
        await (node.demands.steer.cancel(record, "alice") if verb == "cancel" else node.demands.steer.erase(record))
        with pytest.raises(Conflict, match=verb):
            await submitting


@pytest.mark.requirement("NEG-API-23")
@pytest.mark.parametrize("script", [Script(offer="later"), Script(reviews=["later"])], ids=["offers", "reviews"])
async def test_a_cancellation_wakes_a_run_that_rests(tmp_path: Path, database_url: str, script: Script) -> None:
    async with running(tmp_path, TRIO, {"venue": script}, database_url=database_url) as node:
        run = (await node.demands.submit(DEMAND)).demand_id
        await rested(node, run)
        await cancelled(node, run)


class Slow:
    """Declines any demand for more than one thing, and answers for one thing later."""

    def __init__(self, persona: Participant) -> None:
        self._persona = persona

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        return DECLINE if len(invitation.demand.requirements) > 1 else LATER

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        return await self._persona.review(request, key=key)


@pytest.mark.requirement("NEG-API-23")
async def test_a_cancellation_ends_a_sub_negotiation_too(tmp_path: Path) -> None:
    def speaker(node: Node, of: AgentProfile) -> Participant:
        return Slow(node.persona(of)) if "photo" in of.agent_id else node.persona(of)

    async with running(tmp_path, POOL, participants=speaker) as node:
        run = (await node.demands.submit(LARGER)).demand_id
        async for event in node.log.follow(run):
            if event.type == "towow.subnet.triggered":
                break
        child = event.payload["sub_demand_id"]
        await cancelled(node, run)
        (end,) = of_type(await followed(node, child), "negotiation.failed")
    assert end["reason"] == "cancelled"


@pytest.mark.requirement("NEG-API-23")
async def test_no_agent_is_looked_for_before_the_confirmation(tmp_path: Path, database_url: str) -> None:
    async with running(tmp_path, TRIO, database_url=database_url) as node:
        reply = await node.demands.submit(DEMAND, confirm=True)
        await rested(node, reply.demand_id)
        before = await node.log.load(reply.demand_id)
    assert [event.payload["value"]["number"] for event in before if event.type == "decision"] == [1]
    assert of_type(before, "demand.understood")[0]["awaiting_confirmation"] is True
    async with running(tmp_path, (), database_url=database_url) as node:
        record = await node.demands.record(reply.demand_id)
        edits = UnderstandingEdits.model_validate({"context": {"location": "上海"}})
        done = await node.demands.steer.confirm(record, edits, "alice")
        assert done.edited == ("context.location",)
        events = await followed(node, reply.demand_id)
        after = await node.demands.read.demand(await node.demands.record(reply.demand_id))
    (confirmed,) = of_type(events, "demand.confirmed")
    assert (confirmed["edited"], confirmed["source"]) == (["context.location"], "requester")
    assert after.context.location == "上海"
    assert after.understanding is not None
    assert after.understanding.constraints.city == "shanghai"
    assert of_type(events, "negotiation.failed"), "nobody of the three works in Shanghai"


@pytest.mark.requirement("NEG-API-23")
async def test_without_the_wish_a_run_never_waits(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO) as node:
        reply = await node.demands.submit(DEMAND)
        events = await followed(node, reply.demand_id)
        record = await node.demands.record(reply.demand_id)
        with pytest.raises(Conflict):
            await node.demands.steer.confirm(record, UnderstandingEdits(), "alice")
    assert of_type(events, "proposal.finalized")
    assert not of_type(events, "demand.confirmed")


async def test_a_demand_that_nobody_confirms_ends_at_its_deadline(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running(tmp_path, TRIO, clock=clock, confirm_timeout=60) as node:
        run = (await node.demands.submit(DEMAND, confirm=True)).demand_id
        await rested(node, run)
        following = asyncio.create_task(followed(node, run))
        while not following.done():
            await clock.advance(timedelta(seconds=61))
        events = following.result()
    assert of_type(events, "negotiation.failed")[0]["reason"] == "not_confirmed"


async def test_an_answer_nobody_asked_for_does_not_confirm(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO) as node:
        run = (await node.demands.submit(DEMAND, confirm=True)).demand_id
        await node.log.post(run, "stray", "offer_response", "user_agent_venue", {"decision": "participate"})
        await rested(node, run)
        state = await node.demands.read.state(await node.demands.record(run))
        refused = [event for event in await node.log.load(run) if event.type == "refused"]
    assert state.awaiting_confirmation
    assert [event.payload["reason"] for event in refused] == ["not_asked"]


@pytest.mark.requirement("NEG-FAIL-01")
@pytest.mark.parametrize("error", [ModelUnavailable("down"), ModelTimeout("slow")], ids=["E003", "E004"])
async def test_a_model_that_nothing_may_stand_in_for_refuses_the_demand(tmp_path: Path, error: MoothallError) -> None:
    async with thinking(tmp_path, Failing(error)) as node:
        with pytest.raises(type(error)):
            await node.demands.submit(DEMAND)
        ((run),) = await node.log.runs()
        seen = await node.demands.read.demand(run)
    assert (seen.status, seen.reason) == ("failed", "not_understood")
    assert seen.error is not None
    assert seen.error.code == error.code


async def test_a_sub_negotiation_is_erased_with_its_demand_only(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO) as node:
        reply = await node.demands.submit(DEMAND)
        await followed(node, reply.demand_id)
        meta = {"depth": 1, "understanding": reply.understanding.model_dump(mode="json"), "today": "2026-01-22"}
        await node.log.create("d-0000abcd", "demand", (), parent=reply.demand_id, meta=meta)
        await followed(node, "d-0000abcd")
        with pytest.raises(Conflict, match=reply.demand_id):
            await node.demands.steer.erase(await node.demands.record("d-0000abcd"))
        await node.demands.steer.erase(await node.demands.record(reply.demand_id))
        for gone in (reply.demand_id, "d-0000abcd"):
            with pytest.raises(DemandNotFound):
                await node.demands.record(gone)
