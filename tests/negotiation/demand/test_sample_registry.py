"""Sensible ends over the shipped sample agents, with the deterministic engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from moothall.events.model import Event
from moothall.node import Node
from tests.support.clock import ShiftedClock
from tests.support.demand import WITHDRAW, Script, kinds, negotiate, of_type, running

TODAY = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A node with the sample agents, on 21 November 2026."""
    async with running(tmp_path, clock=ShiftedClock(TODAY), demo_agents=True) as started:
        yield started


def final(events: list[Event]) -> dict[str, Any]:
    """The payload of the agreement."""
    (found,) = of_type(events, "proposal.finalized")
    return found


def concepts(payload: dict[str, Any]) -> list[str]:
    """The roles of a final plan."""
    return sorted(item["concept"] for item in payload["final_proposal"]["assignments"])


def check_money(payload: dict[str, Any], budget: float | None) -> None:
    """The total is the sum, and within the budget."""
    plan = payload["final_proposal"]
    assert plan["cost"]["total"] == sum(item["price"] for item in plan["assignments"])
    assert budget is None or plan["cost"]["total"] <= budget


async def test_the_sample_demand_ends_in_a_plan(node: Node) -> None:
    events = await negotiate(node, "我想在北京办一场AI主题聚会，需要场地和嘉宾")
    assert 10 <= of_type(events, "filter.completed")[0]["candidates_count"] <= 20
    payload = final(events)
    assert {"venue", "speaker", "event_planning"} <= set(concepts(payload))
    assert payload["consensus"] == "full"
    assert payload["final_proposal"]["timeline"]["milestones"]
    check_money(payload, None)


async def test_a_plan_without_a_head_count_has_room_for_the_number_it_assumes(node: Node) -> None:
    payload = final(await negotiate(node, "我想在北京办一场AI主题聚会，需要场地和嘉宾"))
    venue = next(item for item in payload["final_proposal"]["assignments"] if item["concept"] == "venue")
    profile = (await node.registry.get(venue["agent_id"])).profile
    capacity = next(offer.capacity for offer in profile.capabilities.offers if offer.tag in {"场地提供", "venue"})
    assert capacity is None or capacity >= 30


async def test_a_salon_in_shanghai_within_a_tight_budget(node: Node) -> None:
    events = await negotiate(node, "下个月在上海办一场50人的技术沙龙，预算5000元，需要3位嘉宾和茶歇")
    payload = final(events)
    assert concepts(payload).count("speaker") == 3
    assert "catering" in concepts(payload)
    check_money(payload, 5000)
    start = date.fromisoformat(payload["final_proposal"]["timeline"]["start_date"])
    assert (start.year, start.month) == (2026, 12)


async def test_an_english_demand_is_answered_in_english(node: Node) -> None:
    events = await negotiate(
        node, "I need a photographer and a venue in Shenzhen on 2027-03-14 for 80 people, budget 20000 CNY"
    )
    payload = final(events)
    assert concepts(payload) == ["photography", "venue"]
    assert payload["final_proposal"]["timeline"]["start_date"] == "2027-03-14"
    assert payload["final_proposal"]["summary"].isascii()
    check_money(payload, 20000)


async def test_a_vague_demand_says_what_is_unclear(node: Node) -> None:
    reply = await node.demands.submit("想找人一起搞点事情")
    assert reply.understanding.confidence == "low"
    assert len(reply.understanding.uncertainties) >= 3
    events = [event async for event in node.log.follow(reply.demand_id)]
    assert of_type(events, "negotiation.failed")[0]["code"] == "E005"


@pytest.mark.requirement("NEG-FAIL-09")
async def test_a_base_on_mars_has_no_candidates(node: Node) -> None:
    events = await negotiate(node, "在火星上建基地")
    (failed,) = of_type(events, "negotiation.failed")
    assert (failed["code"], failed["message"]) == ("E005", "未找到合适的协作者")
    assert failed["suggestions"]


async def test_where_everybody_declines_the_compromise_says_where_to_go(node: Node) -> None:
    events = await negotiate(node, "在拉萨办一场1000人的音乐会，需要场地和音响，预算300元")
    assert {item["decision"] for item in of_type(events, "offer.submitted")} == {"decline"}
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] == "no_participants"
    assert failed["suggestions"]


async def test_a_tight_budget_takes_three_rounds(node: Node) -> None:
    events = await negotiate(node, "在武汉办一场20人的聚会，预算4000元，需要投影、4位嘉宾")
    assert kinds(events).count("proposal.distributed") == 3
    check_money(final(events), 4000)


async def test_a_core_agent_that_withdraws_with_nobody_to_take_over_ends_the_negotiation(tmp_path: Path) -> None:
    leaving = {"juniper_asante": Script(reviews=[WITHDRAW])}
    async with running(tmp_path, (), leaving, demo_agents=True, clock=ShiftedClock(TODAY)) as node:
        events = await negotiate(node, "明年1月在杭州办一场120人的工作坊，预算9000元，需要主持")
    (left,) = of_type(events, "agent.withdrawn")
    assert left["agent_id"] == "user_agent_juniper_asante"
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] == "core_role_lost"
    assert failed["last_proposal"]
    assert failed["suggestions"]


async def test_what_the_money_does_not_reach_is_a_gap_and_drives_nobody_out(node: Node) -> None:
    events = await negotiate(node, "明年1月在杭州办一场120人的工作坊，预算4000元，需要场地、主持")
    assert of_type(events, "agent.withdrawn") == []
    check_money(final(events), 4000)
    assert {gap["gap_type"] for gap in final(events)["gaps"]} == {"场地提供", "活动策划"}


@pytest.mark.requirement("NEG-EVENT-15")
async def test_a_gap_opens_a_sub_negotiation_whose_alternative_is_offered_and_not_ordered(node: Node) -> None:
    events = await negotiate(node, "下个月在上海办一场20人的年会，预算40000元，需要乐队、主持")
    assert kinds(events).count("subnet.triggered") == 1
    (found,) = of_type(events, "subnet.completed")
    assert found["outcome"] == "finalized"
    other = {item["agent_id"]: item["display_name"] for item in found["proposal"]["assignments"]}
    payload = final(events)
    assert payload["consensus"] == "partial"
    assert [gap["gap_type"] for gap in payload["gaps"]] == ["现场音乐"]
    assert not set(other) & {item["agent_id"] for item in payload["final_proposal"]["assignments"]}
    assert any(name in line for name in other.values() for line in payload["suggestions"])
    check_money(payload, 40000)
