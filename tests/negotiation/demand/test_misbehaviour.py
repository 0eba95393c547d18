"""Participants that are late, huge, broken or contrary cost their own answer, never the negotiation."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from moothall.directory.profiles import AgentProfile
from moothall.errors import Conflict, InternalError, Overloaded
from moothall.events.run import Run
from moothall.negotiation.demand import channel_admin, service
from moothall.negotiation.demand.driver import RunSpawner
from moothall.negotiation.demand.models import AgentResponse
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from tests.support.demand import ACCEPT, WITHDRAW, Script, Scripted, kinds, negotiate, of_type, profile, running, wish

DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
TRIO = (profile("venue", "场地提供"), profile("speaker", "演讲嘉宾"), profile("planner", "活动策划"))


def offer(contribution: str) -> AgentResponse:
    """An offer in words."""
    return AgentResponse(decision="participate", contribution=contribution)


@pytest.mark.parametrize("words", ["x" * 70_000, "\ud800"], ids=["huge", "no text"])
async def test_an_unusable_offer_keeps_nobody_waiting(tmp_path: Path, words: str) -> None:
    scripts = {"planner": Script(offer=offer(words))}
    async with running(tmp_path, TRIO, scripts, response_timeout=3600) as node:
        events = await negotiate(node, DEMAND)
        log = await node.log.load(events[0].run)
    assert len(of_type(events, "offer.submitted")) == 2
    assert [row.payload["from"] for row in log if row.type == "refused"] == ["user_agent_planner"]
    assert of_type(events, "proposal.finalized")


async def test_a_factory_that_fails_for_one_agent_costs_that_agent_only(tmp_path: Path) -> None:
    def speaker(node: Node, of: AgentProfile) -> Participant:
        if of.agent_id == "user_agent_planner":
            raise RuntimeError(of.agent_id)
        return node.persona(of)

    async with running(tmp_path, TRIO, participants=speaker) as node:
        events = await negotiate(node, DEMAND)
    assert len(of_type(events, "offer.submitted")) == 2
    assert of_type(events, "proposal.finalized")


class Dawdler:
    """Says no, and says it after the deadline of the first round; the next time in time."""

    def __init__(self, persona: Participant, patience: asyncio.Event) -> None:
        self._persona, self._patience = persona, patience

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        return await self._persona.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        if request.round == 1:
            await self._patience.wait()
        return WITHDRAW


async def test_a_late_withdrawal_is_asked_again_and_heard(tmp_path: Path) -> None:
    patience = asyncio.Event()
    profiles = [*TRIO, profile("second", "演讲嘉宾", price=900)]
    scripts = {"venue": Script(reviews=[wish(price=1010), ACCEPT])}

    def speaker(node: Node, of: AgentProfile) -> Any:
        persona = node.persona(of)
        if of.agent_id == "user_agent_venue":
            return Scripted(persona, scripts["venue"])
        return Dawdler(persona, patience) if of.agent_id == "user_agent_second" else persona

    text = "我想在北京办一场AI主题聚会，需要场地和2位嘉宾"
    async with running(tmp_path, profiles, participants=speaker, feedback_timeout=0.5) as node:
        run = (await node.demands.submit(text)).demand_id
        events = []
        async for event in node.log.follow(run):
            events.append(event)
            if event.type == "towow.feedback.evaluated":
                patience.set()
    (left,) = of_type(events, "agent.withdrawn")
    assert (left["agent_id"], left["round"]) == ("user_agent_second", 2)
    final = of_type(events, "proposal.finalized")[0]["final_proposal"]
    assert "user_agent_second" not in {item["agent_id"] for item in final["assignments"]}


async def test_a_plan_that_everybody_leaves_is_a_failure(tmp_path: Path) -> None:
    alone = profile("venue", "场地提供")
    scripts = {"venue": Script(reviews=[wish(drop_role="场地提供")])}
    async with running(tmp_path, [alone], scripts) as node:
        events = await negotiate(node, "想在北京找一个场地")
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] in {"no_feasible_plan", "no_agreement"}
    assert "proposal.finalized" not in kinds(events)


async def test_a_cancelled_parent_ends_its_sub_negotiation(tmp_path: Path) -> None:
    pool = [
        *(profile(f"venue_{number}", "场地提供", price=1000 + number) for number in range(8)),
        *(profile(f"speaker_{number}", "演讲嘉宾", price=500 + number) for number in range(9)),
        *(profile(f"photo_{number}", "摄影", price=600 + number) for number in range(7)),
        profile("planner", "活动策划"),
    ]

    class Shy:
        def __init__(self, persona: Participant) -> None:
            self._persona = persona

        async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
            if len(invitation.demand.requirements) > 1:
                return AgentResponse(decision="decline", decline_reason="不接大活动")
            await asyncio.Event().wait()
            return await self._persona.offer(invitation, key=key)

        async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
            return await self._persona.review(request, key=key)

    def speaker(node: Node, of: AgentProfile) -> Participant:
        persona = node.persona(of)
        return Shy(persona) if "photo" in of.agent_id else persona

    async with running(tmp_path, pool, participants=speaker, subnet_timeout=3600) as node:
        run = (await node.demands.submit("我想在北京办一场AI主题聚会，需要场地、嘉宾和摄影")).demand_id
        child = ""
        async for event in node.log.follow(run):
            if event.type == "towow.subnet.triggered":
                child = event.payload["sub_demand_id"]
                await node.log.post(run, "stop", "cancel", "anonymous", {})
        ended = [event async for event in node.log.follow(child)]
    assert of_type(ended, "negotiation.failed")[0]["reason"] == "cancelled"


async def test_an_id_that_is_taken_is_not_given_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter(["d-00000001", "d-00000001", "d-00000002"])
    monkeypatch.setattr(service, "new_demand_id", lambda: next(ids))
    async with running(tmp_path, TRIO) as node:
        first, second = await node.demands.submit(DEMAND), await node.demands.submit("想在北京找摄影")
        with pytest.raises(Conflict):
            await RunSpawner(node.log).spawn("d-00000001", "d-00000002", {})
    assert (first.demand_id, second.demand_id) == ("d-00000001", "d-00000002")
    assert second.understanding.capability_tags == ("摄影",)


@pytest.mark.requirement("NEG-STATE-06", "NEG-MSG-05")
async def test_feedback_that_is_there_before_the_plan_was_distributed_counts(tmp_path: Path) -> None:
    """The answer lies in the inbox while the channel is in `proposal_sent`: the run is held there by its own log."""
    script = Script(reviews=["later"])
    async with running(tmp_path, TRIO, {"venue": script}) as node:
        log, seen, original = node.log, asyncio.Event(), Run.emit

        async def held(self: Run, *drafts: Any, **more: Any) -> None:
            if any(draft.key == "distributed.r1" for draft in drafts):
                body = {
                    "type": "proposal_feedback",
                    "channel_id": "collab-" + self.id[2:],
                    "agent_id": "user_agent_venue",
                    "feedback_type": "accept",
                    "round": 1,
                }
                await log.post(self.id, "early", "proposal_feedback", "user_agent_venue", body)
                states = [row.payload["to_state"] for row in self.history if row.type == "transition"]
                assert states[-1] == "proposal_sent"
                seen.set()
            await original(self, *drafts, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Run, "emit", held)
            events = await negotiate(node, DEMAND)
    assert seen.is_set()
    given = {item["agent_id"]: item for item in of_type(events, "proposal.feedback")}
    assert (given["user_agent_venue"]["feedback_type"], given["user_agent_venue"]["by_default"]) == ("accept", False)
    assert of_type(events, "proposal.finalized")[0]["consensus"] == "full"


async def test_a_participant_that_swallows_its_cancellation_does_not_hold_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_admin, "DISMISSAL", 0.01)
    let_go = asyncio.Event()

    class Stubborn:
        async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:
                    continue
            return offer("太迟了")

        async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
            return ACCEPT

    def speaker(node: Node, of: AgentProfile) -> Participant:
        return Stubborn() if of.agent_id == "user_agent_planner" else node.persona(of)

    settings = {"response_timeout": 0.2, "max_open_runs": 1}
    async with running(tmp_path, TRIO, participants=speaker, **settings) as node:
        events = await negotiate(node, DEMAND)
        await asyncio.wait_for(_room(node), 10)
        let_go.set()
    assert of_type(events, "proposal.finalized")


async def _room(node: Node) -> None:
    """Wait until the node has room for one more negotiation."""
    while True:
        try:
            await node.demands.submit("在火星上建基地")
        except Overloaded:
            await asyncio.sleep(0)
        else:
            return


async def test_a_run_that_is_given_up_says_so_in_the_language_of_its_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the brain is out")

    async with running(tmp_path, TRIO) as node:
        monkeypatch.setattr(node.decisions, "decide", broken)
        with pytest.raises(InternalError):
            await node.demands.submit("I need a venue in Beijing")
        (record,) = await node.log.runs(kind="demand")
        events = await node.log.load(record.id)
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["code"] == "INTERNAL_ERROR"
    assert failed["message"].isascii()
