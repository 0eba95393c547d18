"""A plan after somebody left or joined tells of the team that there is, and of no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from moothall.negotiation.demand.models import Condition, Offer
from moothall.negotiation.demand.plan_models import Assignment, Proposal
from moothall.negotiation.demand.rules.present import Present
from tests.negotiation.demand.rules.worlds import LEXICA, TODAY, World, agent, demand, play, proposal

NEEDS = demand("venue", "speaker", city="beijing", counts={"speaker": 2}, date_start=date(2027, 2, 1))
AGENTS = [
    agent("hall", {"tag": "场地提供", "price": 3000}),
    agent("first", {"tag": "演讲嘉宾", "price": 900}),
    agent("second", {"tag": "演讲嘉宾", "price": 1000}),
]
MODEL = {"summary": "共3人，合计4900元，一切齐备。", "rationale": "Hall 与 First 最合适。"}


async def whole() -> tuple[Proposal, list[Offer]]:
    """The plan of all three."""
    played = await play(World(NEEDS, AGENTS), rounds=1)
    return proposal(played.plans[0], 1), played.offers


def without(plan: Proposal, name: str) -> list[Assignment]:
    """Everybody's part but one's."""
    return [item for item in plan.assignments if item.agent_id != f"user_agent_{name}"]


def joining(name: str, concept: str, price: float) -> Assignment:
    """The part of somebody who offered nothing here, as a sub-negotiation brings it."""
    return Assignment(
        agent_id=f"user_agent_{name}",
        display_name=name,
        role=LEXICA.vocabulary.label(concept, "zh"),
        responsibility="做",
        concept=concept,
        price=price,
    )


def teller(plan: Proposal, offers: list[Offer]) -> Present:
    """Tells of changes to a plan that was reviewed."""
    return Present(NEEDS, offers, TODAY, LEXICA, plan.assignees())


async def test_when_somebody_left_the_plan_tells_what_it_costs_and_lacks_now() -> None:
    plan, offers = await whole()
    now = teller(plan, offers).of(plan, without(plan, "second"))
    assert "4900" in plan.summary
    assert "4900" not in now.summary
    assert "费用合计3900元。" in now.summary
    assert "尚缺演讲嘉宾。" in now.summary
    assert "由2位参与者" in now.summary
    assert (now.gaps, now.cost.total) == (("演讲嘉宾",), 3900)
    assert (plan.confidence, now.confidence) == ("high", "medium")


async def test_who_left_is_waited_for_by_nobody() -> None:
    plan, offers = await whole()
    assert any("Hall 工作室" in words for item in without(plan, "hall") for words in item.dependencies)
    wordy = plan.assignments[1].model_copy(update={"dependencies": ("等 Hall 工作室 的钥匙", "自带话筒")})
    plan = plan.model_copy(update={"assignments": (plan.assignments[0], wordy, plan.assignments[2])})
    now = teller(plan, offers).of(plan, without(plan, "hall"))
    assert now.assignments[0].dependencies == ("自带话筒",)
    assert not any("Hall 工作室" in words for item in now.assignments for words in item.dependencies)


async def test_who_joins_is_counted_named_and_not_among_those_not_chosen() -> None:
    plan, offers = await whole()
    tell = teller(plan, offers)
    left = tell.of(plan, without(plan, "second"))
    assert "未选Second 工作室" in left.rationale
    back = next(item for item in plan.assignments if item.agent_id == "user_agent_second")
    now = replace(tell, reviewed=left.assignees()).of(left, [*left.assignments, back])
    assert "未选" not in now.rationale
    assert "补上空缺的有演讲嘉宾（Second 工作室）。" in now.summary
    assert "尚缺" not in now.summary
    assert (now.gaps, now.cost.total, now.confidence) == ((), 4900, "high")


async def test_whoever_brings_the_place_is_waited_for_by_those_who_work_there() -> None:
    plan, offers = await whole()
    tell = teller(plan, offers)
    left = tell.of(plan, without(plan, "hall"))
    now = tell.of(left, [*left.assignments, joining("yard", "venue", 100)])
    assert all("场地提供（yard）先行确认" in item.dependencies for item in now.assignments[:2])
    assert "从3份有效报价中选出2位。" in now.rationale


async def test_who_did_not_agree_to_stand_in_is_told_so() -> None:
    plan, offers = await whole()
    tell = replace(teller(plan, offers), refused=("user_agent_second",))
    now = tell.of(plan, without(plan, "second"))
    assert "未选Second 工作室（1位）：曾被请求补上空缺，没有同意。" in now.rationale


async def test_what_a_model_said_about_another_team_gives_way() -> None:
    plan, offers = await whole()
    now = teller(plan, offers).of(plan.model_copy(update=MODEL), without(plan, "first"))
    assert "4900" not in now.summary
    assert "齐备" not in now.summary
    assert "First 最合适" not in now.rationale
    assert now.assignments[0].responsibility == plan.assignments[0].responsibility


async def test_what_somebody_requires_is_met_exactly_where_the_plan_has_it() -> None:
    plan, offers = await whole()
    lost = Condition(text="要有场地", kind="requires", concept="venue", status="met", reason="有")
    got = Condition(text="要有音乐", kind="requires", concept="music", status="declined", reason="没有")
    never = got.model_copy(update={"concept": "catering", "reason": "谁都没有"})
    guest = plan.assignments[1].model_copy(update={"conditions": (lost, got, never)})
    plan = plan.model_copy(update={"assignments": (plan.assignments[0], guest, plan.assignments[2])})
    now = teller(plan, offers).of(plan, [guest, plan.assignments[2], joining("band", "music", 500)])
    assert [item.status for item in now.assignments[0].conditions] == ["declined", "met", "declined"]
    assert now.assignments[0].conditions[2] == never
    assert now.assignments[1].conditions == plan.assignments[2].conditions
