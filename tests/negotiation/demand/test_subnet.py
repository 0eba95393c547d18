"""Sub-negotiations: one level, one at a time, with a deadline (ADR-003)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall.directory.profiles import AgentProfile
from moothall.events.model import Event
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.questions import RecurseInput
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from tests.support.demand import DECLINE, negotiate, of_type, profile, running

DEMAND = "我想在北京办一场AI主题聚会，需要场地、嘉宾和摄影"
POOL = [
    *(profile(f"venue_{number}", "场地提供", price=1000 + number) for number in range(8)),
    *(profile(f"speaker_{number}", "演讲嘉宾", price=500 + number) for number in range(9)),
    *(profile(f"photo_{number}", "摄影", price=600 + number) for number in range(7)),
    profile("planner", "活动策划"),
]


class Shy:
    """A photographer that declines any demand for more than a photographer, and others if ``always``."""

    def __init__(self, persona: Participant, *, always: bool) -> None:
        self._persona = persona
        self._always = always

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        if self._always or len(invitation.demand.requirements) > 1:
            return DECLINE
        return await self._persona.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        return await self._persona.review(request, key=key)


def speakers(*, always: bool) -> Any:
    """Participants in which photographers are shy."""

    def speaker(node: Node, of: AgentProfile) -> Participant:
        persona = node.persona(of)
        return Shy(persona, always=always) if "photo" in of.agent_id else persona

    return speaker


async def sub_events(node: Node, events: list[Event]) -> list[Event]:
    """The events of the one sub-negotiation."""
    (triggered,) = of_type(events, "subnet.triggered")
    return [event async for event in node.log.follow(triggered["sub_demand_id"])]


@pytest.mark.requirement("NEG-EVENT-15", "NEG-EVENT-14", "NEG-DATA-06")
async def test_a_gap_is_closed_by_agents_not_yet_invited(tmp_path: Path) -> None:
    async with running(tmp_path, POOL, participants=speakers(always=False)) as node:
        events = await negotiate(node, DEMAND)
        child = await sub_events(node, events)
        (triggered,) = of_type(events, "subnet.triggered")
        record = await node.demands.record(triggered["sub_demand_id"])
    assert record.parent == triggered["parent_demand_id"] == events[0].run
    assert triggered["sub_channel_id"] == "collab-" + triggered["sub_demand_id"][2:]
    invited = {item["agent_id"] for item in of_type(events, "filter.completed")[0]["candidates"]}
    asked = {item["agent_id"] for item in of_type(child, "filter.completed")[0]["candidates"]}
    assert asked
    assert len(asked) <= 5
    assert not asked & invited
    assert max(item["round"] for item in of_type(child, "proposal.distributed")) == 1
    final = of_type(events, "proposal.finalized")[0]
    roles = {item["concept"]: item["agent_id"] for item in final["final_proposal"]["assignments"]}
    assert roles["photography"] in asked
    assert final["consensus"] == "full"
    assert final["final_proposal"]["gaps"] == []
    total = sum(item["price"] for item in final["final_proposal"]["assignments"])
    assert final["final_proposal"]["cost"]["total"] == total
    summary = final["final_proposal"]["summary"]
    assert f"费用合计{total:g}元。" in summary
    assert "补上空缺的有" in summary
    assert "尚缺" not in summary


@pytest.mark.requirement("NEG-ARCH-03", "NEG-ADR-03")
async def test_a_gap_in_the_sub_negotiation_opens_no_further_one(tmp_path: Path) -> None:
    async with running(tmp_path, POOL, participants=speakers(always=True)) as node:
        events = await negotiate(node, DEMAND)
        child = await sub_events(node, events)
        runs = await node.log.runs(kind="demand")
    assert not of_type(child, "subnet.triggered")
    assert len(runs) == 2
    final = of_type(events, "proposal.finalized")[0]
    assert final["consensus"] == "partial"
    assert final["compromise"]["type"] == "compromise"
    assert [gap["gap_type"] for gap in final["gaps"]] == ["摄影"]
    assert of_type(events, "subnet.completed")[0]["outcome"] == "failed"


async def test_a_sub_negotiation_that_takes_too_long_leaves_the_gap_open(tmp_path: Path) -> None:
    class Absent(Shy):
        async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
            if len(invitation.demand.requirements) == 1:
                from moothall.negotiation.demand.participants import LATER

                return LATER
            return DECLINE

    def speaker(node: Node, of: AgentProfile) -> Participant:
        persona = node.persona(of)
        return Absent(persona, always=False) if "photo" in of.agent_id else persona

    async with running(tmp_path, POOL, participants=speaker, subnet_timeout=0.2) as node:
        events = await negotiate(node, DEMAND)
        child = await sub_events(node, events)
    assert of_type(events, "subnet.completed")[0]["outcome"] == "timeout"
    assert of_type(events, "proposal.finalized")[0]["consensus"] == "partial"
    assert of_type(child, "negotiation.failed")[0]["reason"] == "cancelled"


def question(plan: dict[str, Any], **changes: Any) -> RecurseInput:
    """A question of prompt 8 in which all three conditions hold, but for ``changes``."""
    values: dict[str, Any] = {
        "demand": {
            "surface_demand": "x",
            "requirements": [
                {"tag": "场地提供", "concept": "venue", "importance": 70},
                {"tag": "摄影", "concept": "photography", "importance": 70},
            ],
            "constraints": {"budget": 5000},
        },
        "gaps": [
            {"gap_type": "摄影", "importance": 70, "reason": "x", "suggested_capability_tags": ["摄影"]},
        ],
        "current_proposal": plan,
        "estimated_cost": {"calls": 5, "calls_used": 50},
        "askable": {"摄影": 3},
    }
    return RecurseInput.model_validate(values | changes)


PLAN = {
    "proposal_id": "prop_001",
    "demand_id": "d-00000001",
    "version": 1,
    "created_at": "2026-11-21T00:00:00Z",
    "summary": "x",
    "objective": "x",
    "timeline": {"start_date": "2026-12-05"},
    "cost": {"total": 1000, "currency": "CNY", "budget": 5000},
}


@pytest.mark.requirement("NEG-PROMPT-8b")
@pytest.mark.parametrize(
    ("changes", "recurse", "conditions"),
    [
        ({}, True, (True, True, True)),
        ({"gaps": [{"gap_type": "摄影", "importance": 30, "reason": "x"}]}, False, (False, True, False)),
        ({"limits": {"min_gain": 0.5}}, True, (True, True, True)),
        ({"limits": {"min_gain": 0.51}}, False, (False, True, True)),
        ({"current_proposal": {**PLAN, "cost": {"total": 5000, "budget": 5000}}}, False, (True, False, True)),
        ({"estimated_cost": {"calls": 15, "calls_used": 50}}, True, (True, True, True)),
        ({"estimated_cost": {"calls": 16, "calls_used": 50}}, False, (True, True, False)),
        ({"limits": {"min_benefit": 4.99}}, True, (True, True, True)),
        ({"limits": {"min_benefit": 5.0}}, False, (True, True, False)),
        ({"depth": 1}, False, None),
        ({"askable": {"摄影": 0}}, False, None),
    ],
)
async def test_each_condition_flips_alone_at_its_limit(
    tmp_path: Path, changes: dict[str, Any], recurse: bool, conditions: tuple[bool, bool, bool] | None
) -> None:
    from moothall.negotiation.demand.prompts import RECURSE

    node = Node()
    given = {"current_proposal": PLAN, **changes}
    decided = (await node.decisions.decide(RECURSE, question(PLAN, **given))).value
    assert decided.should_recurse is recurse
    assert bool(decided.sub_demands) is recurse
    if conditions is not None:
        met = (decided.condition_1_met, decided.condition_2_met, decided.condition_3_met)
        assert met == conditions
