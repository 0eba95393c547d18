"""A place that somebody left open goes, before the end, to an unchosen offer whose owner agrees."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from moothall.directory.profiles import AgentProfile
from moothall.events.model import Event
from moothall.negotiation.demand.channel_view import CHANNEL_TYPES, channel_view
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.roster import ROSTER_TYPES, roster
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from tests.negotiation.demand.test_restart import length, reopen, told
from tests.support.demand import (
    ACCEPT,
    DECLINE,
    SILENT,
    WITHDRAW,
    Script,
    Scripted,
    kinds,
    negotiate,
    of_type,
    profile,
    running,
    wish,
)

DEMAND = "我想在北京办一场AI主题聚会，需要场地和2位嘉宾"
TEAM = (
    profile("venue", "场地提供"),
    profile("planner", "活动策划"),
    profile("first", "演讲嘉宾", price=900),
    profile("second", "演讲嘉宾", price=910),
)
SPARES = (profile("third", "演讲嘉宾", price=1500), profile("fourth", "演讲嘉宾", price=1600))
LEAVES = {"second": Script(reviews=[WITHDRAW])}


def final_of(events: list[Event]) -> dict[str, Any]:
    """The terminal event, which is an agreement."""
    (final,) = of_type(events, "proposal.finalized")
    return final


def speakers(final: dict[str, Any]) -> list[str]:
    """Who speaks in the final plan."""
    roles = final["final_proposal"]["assignments"]
    return sorted(item["display_name"] for item in roles if item["role"] == "演讲嘉宾")


@pytest.mark.requirement("NEG-STATE-09", "NEG-EVENT-11")
async def test_whoever_agrees_to_stand_in_is_in_the_plan_that_nobody_else_has_to_see_again(tmp_path: Path) -> None:
    third = Script()
    async with running(tmp_path, [*TEAM, *SPARES], {**LEAVES, "third": third}) as node:
        events = await negotiate(node, DEMAND)
    final = final_of(events)
    assert speakers(final) == ["first", "third"]
    assert (final["rounds_taken"], final["consensus"], final["unconfirmed"], final["gaps"]) == (1, "full", [], [])
    assert final["participants_count"] == 4
    plan = final["final_proposal"]
    assert plan["cost"]["total"] == sum(item["price"] for item in plan["assignments"]) == 4400
    assert "补上空缺的有演讲嘉宾（third）。" in plan["summary"]
    assert "费用合计4400元。" in plan["summary"]
    assert "由4位参与者" in plan["summary"]
    assert "3810" not in plan["summary"]
    assert "尚缺" not in plan["summary"]
    assert "third" not in plan["rationale"]
    assert "second" not in plan["rationale"]
    assert [kind for kind, _ in third.calls] == ["offer", "review"]
    assert kinds(events)[-4:] == [
        "feedback.evaluated", "substitute.invited", "substitute.answered", "proposal.finalized",
    ]  # fmt: skip
    (asked,) = of_type(events, "substitute.invited")
    assert (asked["agent_id"], asked["round"]) == ("user_agent_third", 1)
    assert "演讲嘉宾" in asked["reason"]
    assert asked["deadline_at"] > of_type(events, "proposal.distributed")[0]["deadline_at"]
    (answered,) = of_type(events, "substitute.answered")
    assert (answered["feedback_type"], answered["by_default"]) == ("accept", False)
    assert len(of_type(events, "proposal.feedback")) == 4


class Curious:
    """Keeps the plan it is asked about."""

    def __init__(self, persona: Participant, seen: list[ProposalReview]) -> None:
        self._persona, self._seen = persona, seen
        self.offer = persona.offer

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        self._seen.append(request)
        return await self._persona.review(request, key=key)


async def test_a_stand_in_sees_itself_in_the_plan_without_those_who_left_and_that_it_is_the_last_word(
    tmp_path: Path,
) -> None:
    seen: list[ProposalReview] = []

    def speaker(node: Node, of: AgentProfile) -> Any:
        persona = node.persona(of)
        if of.agent_id == "user_agent_third":
            return Curious(persona, seen)
        return Scripted(persona, LEAVES["second"]) if of.agent_id == "user_agent_second" else persona

    async with running(tmp_path, [*TEAM, *SPARES], participants=speaker) as node:
        await negotiate(node, DEMAND)
    (request,) = seen
    assert request.round == request.max_rounds == 1
    assert [item.price for item in request.proposal.of("user_agent_third")] == [1500]
    assert not request.proposal.of("user_agent_second")
    assert request.proposal.gaps == ()
    assert "尚缺" not in request.proposal.summary
    assert request.your_offer is not None


async def test_who_says_no_or_wants_more_makes_room_for_the_next(tmp_path: Path) -> None:
    for number, answer in enumerate((WITHDRAW, wish(price=9000))):
        scripts = {**LEAVES, "third": Script(reviews=[answer])}
        async with running(tmp_path / str(number), [*TEAM, *SPARES], scripts) as node:
            events = await negotiate(node, DEMAND)
        assert speakers(final_of(events)) == ["first", "fourth"]
        assert [item["agent_id"] for item in of_type(events, "substitute.invited")] == [
            "user_agent_third", "user_agent_fourth",
        ]  # fmt: skip
        assert len(of_type(events, "agent.withdrawn")) == 1


@pytest.mark.parametrize(
    ("answer", "policy"),
    [(WITHDRAW, "accept"), (wish(price=9000), "accept"), (SILENT, "abstain"), (SILENT, "withdraw")],
    ids=["no", "more money", "silent", "silent, which counts as no"],
)
async def test_who_did_not_agree_to_stand_in_is_told_so_and_did_not_withdraw(
    tmp_path: Path, answer: Any, policy: str
) -> None:
    scripts = {**LEAVES, "third": Script(reviews=[answer])}
    async with running(tmp_path, [*TEAM, *SPARES], scripts, feedback_timeout_policy=policy) as node:
        events = await negotiate(node, DEMAND)
        record = await node.log.get(events[0].run)
        assert record is not None
        seats = {item.display_name: item for item in roster(record, await node.log.select([record.id], ROSTER_TYPES))}
    third = seats["third"]
    assert (third.standing, third.why_not_code, third.why_not) == (
        "not_chosen", "not_chosen", "曾被请求补上空缺，没有同意",
    )  # fmt: skip
    assert third.why_not in final_of(events)["final_proposal"]["rationale"]
    assert seats["fourth"].standing == "in_plan"
    assert seats["second"].standing == "withdrawn"


async def test_nobody_is_asked_twice_and_a_place_that_nobody_wants_is_told_as_a_gap(tmp_path: Path) -> None:
    scripts = {**LEAVES, "third": Script(reviews=[WITHDRAW]), "fourth": Script(reviews=[WITHDRAW])}
    async with running(tmp_path, [*TEAM, *SPARES], scripts) as node:
        events = await negotiate(node, DEMAND)
    final = final_of(events)
    assert len(of_type(events, "substitute.invited")) == 2
    assert speakers(final) == ["first"]
    assert final["consensus"] == "partial"
    assert [gap["gap_type"] for gap in final["gaps"]] == ["演讲嘉宾"]
    plan = final["final_proposal"]
    assert "费用合计2900元。" in plan["summary"]
    assert "由3位参与者" in plan["summary"]
    assert "尚缺演讲嘉宾。" in plan["summary"]
    assert "未选fourth、third（2位）：曾被请求补上空缺，没有同意。" in plan["rationale"]
    assert "second" not in str(plan)


async def test_after_three_calls_nobody_more_is_asked(tmp_path: Path) -> None:
    spares = [profile(f"spare{number}", "演讲嘉宾", price=1500 + number) for number in range(5)]
    scripts = {**LEAVES, **{item.user_name: Script(reviews=[WITHDRAW]) for item in spares}}
    async with running(tmp_path, [*TEAM, *spares], scripts) as node:
        events = await negotiate(node, DEMAND)
    assert len(of_type(events, "substitute.invited")) == 3
    assert speakers(final_of(events)) == ["first"]


async def test_a_plan_without_open_places_asks_nobody(tmp_path: Path) -> None:
    async with running(tmp_path, [*TEAM, *SPARES]) as node:
        events = await negotiate(node, DEMAND)
    assert "substitute.invited" not in kinds(events)


async def test_who_costs_more_than_is_left_of_the_budget_is_not_asked(tmp_path: Path) -> None:
    async with running(tmp_path, [*TEAM, *SPARES], LEAVES) as node:
        events = await negotiate(node, "我想在北京办一场AI主题聚会，预算3900元，需要场地和2位嘉宾")
    assert "substitute.invited" not in kinds(events)
    assert speakers(final_of(events)) == ["first"]


@pytest.mark.requirement("NEG-FAIL-08")
@pytest.mark.parametrize(("policy", "joins"), [("accept", True), ("abstain", False), ("withdraw", False)])
async def test_a_silent_stand_in_joins_only_where_silence_is_consent_and_is_told_as_unconfirmed(
    tmp_path: Path, policy: str, joins: bool
) -> None:
    scripts = {**LEAVES, "third": Script(reviews=[SILENT])}
    async with running(tmp_path, [*TEAM, SPARES[0]], scripts, feedback_timeout_policy=policy) as node:
        events = await negotiate(node, DEMAND)
        record = await node.log.get(events[0].run)
        assert record is not None
        view = channel_view(record, await node.log.select([record.id], CHANNEL_TYPES))
    final = final_of(events)
    assert ("third" in speakers(final)) is joins
    assert final["unconfirmed"] == (["user_agent_third"] if joins else [])
    assert final["consensus"] == "partial"
    silent = [item["by_default"] for item in of_type(events, "substitute.answered")]
    assert silent == ([] if policy == "abstain" else [True])
    assert [item.agent_id for item in view.feedback if item.agent_id == "user_agent_third"] == (
        [] if policy == "abstain" else ["user_agent_third"]
    )


@pytest.mark.parametrize(("answer", "joins"), [(ACCEPT, True), (SILENT, False)])
async def test_less_than_was_asked_is_paid_only_to_who_agrees_in_words(
    tmp_path: Path, answer: Any, joins: bool
) -> None:
    scripts = {**LEAVES, "third": Script(reviews=[answer])}
    async with running(tmp_path, [*TEAM, SPARES[0]], scripts, feedback_timeout_policy="accept") as node:
        events = await negotiate(node, "我想在北京办一场AI主题聚会，预算4350元，需要场地和2位嘉宾")
    final = final_of(events)
    assert len(of_type(events, "substitute.answered")) == 1
    assert ("third" in speakers(final)) is joins
    paid = [item["price"] for item in final["final_proposal"]["assignments"] if item["display_name"] == "third"]
    assert all(price < 1500 for price in paid)


VENUES = [profile(f"venue{number}", "场地提供", price=1000 + 100 * number) for number in range(1, 5)]
ONE_GUEST = "我想在北京办一场AI主题聚会，需要场地和嘉宾"


async def test_who_is_new_and_alone_in_a_role_is_asked_after_the_last_round_and_cannot_end_it(tmp_path: Path) -> None:
    for kind, taken in ((WITHDRAW, "venue4"), (ACCEPT, "venue3")):
        scripts = {"venue1": Script(reviews=[WITHDRAW]), "venue2": Script(reviews=[wish(drop_role="场地提供")])}
        scripts["venue3"] = Script(reviews=[kind])
        async with running(tmp_path / taken, [*TEAM[1:3], *VENUES], scripts) as node:
            events = await negotiate(node, ONE_GUEST)
        final = final_of(events)
        names = {item["display_name"] for item in final["final_proposal"]["assignments"]}
        assert names == {"planner", "first", taken}
        assert final["rounds_taken"] == 3


@pytest.mark.requirement("NEG-STATE-10")
async def test_a_substitute_for_a_core_role_lost_in_the_second_round_is_in_the_plan_of_the_third(
    tmp_path: Path,
) -> None:
    scripts = {name: Script(reviews=[WITHDRAW]) for name in ("venue1", "venue2")}
    async with running(tmp_path, [*TEAM[1:3], *VENUES], scripts) as node:
        events = await negotiate(node, ONE_GUEST)
    third = of_type(events, "proposal.distributed")[2]
    names = {item["display_name"] for item in third["proposal"]["assignments"]}
    assert names == {"planner", "first", "venue3"}
    assert (third["round"], final_of(events)["consensus"]) == (3, "full")
    assert "substitute.invited" not in kinds(events)


class Late:
    """Offers only once somebody has left the plan, and agrees to stand in."""

    def __init__(self, persona: Participant, left: list[str]) -> None:
        self._persona, self._left = persona, left
        self.review = persona.review

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        return await self._persona.offer(invitation, key=key) if self._left else DECLINE


class Leaver:
    """Leaves when it sees a plan, and says so to the others of its kind."""

    def __init__(self, persona: Participant, left: list[str]) -> None:
        self._left = left
        self.offer = persona.offer

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        self._left.append(key)
        return WITHDRAW


@pytest.mark.requirement("NEG-PROMPT-8b")
async def test_for_a_place_too_small_for_a_sub_negotiation_agents_in_reserve_are_invited(tmp_path: Path) -> None:
    left: list[str] = []
    more = [profile(f"guest{number:02d}", "演讲嘉宾", price=2000 + number) for number in range(24)]

    def speaker(node: Node, of: AgentProfile) -> Any:
        persona = node.persona(of)
        if of.agent_id == "user_agent_second":
            return Leaver(persona, left)
        return Late(persona, left) if of in more else persona

    async with running(tmp_path, [*TEAM, *more], participants=speaker) as node:
        events = await negotiate(node, DEMAND)
    final, invited = final_of(events), of_type(events, "substitute.invited")
    first_asked = {item["agent_id"] for item in of_type(events, "filter.completed")[0]["candidates"]}
    assert len(invited) == 3
    assert not first_asked & {item["agent_id"] for item in invited}
    (answered,) = of_type(events, "substitute.answered")
    assert speakers(final) == sorted(["first", answered["display_name"]])
    assert (final["consensus"], final["gaps"]) == ("full", [])
    assert "subnet.triggered" not in kinds(events)


@pytest.mark.requirement("NEG-STATE-11")
async def test_a_restart_at_any_row_of_the_call_ends_in_the_same_plan(tmp_path: Path) -> None:
    data, scripts = tmp_path / "data", {**LEAVES, "third": Script(reviews=[WITHDRAW])}
    async with running(data, [*TEAM, *SPARES], scripts) as node:
        run = (await negotiate(node, DEMAND))[0].run
        before = await node.log.load(run)
    first = next(row.seq for row in before if row.key == "standins.1")
    assert await length(data, run) == len(before)
    told_together = {row.seq for row in before if row.type == "towow.substitute.answered"}
    for keep in sorted(set(range(first, len(before))) - told_together):
        copy = tmp_path / str(keep)
        shutil.copytree(data, copy)
        await reopen(copy, run, keep)
        async with running(copy, [], scripts) as node:
            events = [event async for event in node.log.follow(run)]
            after = await node.log.load(run)
        assert speakers(final_of(events)) == ["first", "fourth"]
        assert sorted(map(str, told(after))) == sorted(map(str, told(before)))
