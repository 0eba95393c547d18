"""One demand from its submission to its end, through a node, with scripted participants."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from moothall.events.model import Event
from moothall.negotiation.demand.models import AgentResponse
from moothall.node import Node
from tests.support.demand import (
    ACCEPT,
    DECLINE,
    SILENT,
    WITHDRAW,
    Script,
    kinds,
    negotiate,
    of_type,
    profile,
    running,
    wish,
)

DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
VENUE, SPEAKER, PLANNER = (
    profile("venue", "场地提供"),
    profile("speaker", "演讲嘉宾"),
    profile("planner", "活动策划"),
)
TRIO = (VENUE, SPEAKER, PLANNER)


async def internal(node: Node, events: list[Event], kind: str) -> list[dict[str, object]]:
    """The payloads of one internal type of the same run."""
    return [event.payload for event in await node.log.load(events[0].run) if event.type == kind]


@pytest.mark.requirement("NEG-STATE-07", "NEG-EVENT-11", "NEG-ARCH-22", "NEG-EVENT-06", "NEG-EVENT-07", "NEG-EVENT-09")
async def test_everyone_accepts_and_the_plan_is_final_after_one_round(tmp_path: Path) -> None:
    scripts = {name: Script(reviews=[ACCEPT]) for name in ("venue", "speaker", "planner")}
    async with running(tmp_path, TRIO, scripts) as node:
        events = await negotiate(node, DEMAND)
    final = of_type(events, "proposal.finalized")[0]
    assert (final["rounds_taken"], final["consensus"], final["participants_count"]) == (1, "full", 3)
    assert final["unconfirmed"] == []
    assert of_type(events, "aggregation.started")[0]["offers_count"] == 3
    (evaluated,) = of_type(events, "feedback.evaluated")
    assert (evaluated["accepts"], evaluated["rejects"], evaluated["negotiates"]) == (3, 0, 0)
    assert evaluated["accept_rate"] == 1.0
    assert [item["round"] for item in of_type(events, "proposal.distributed")] == [1]


@pytest.mark.requirement("NEG-EVENT-00", "NEG-EVENT-01", "NEG-EVENT-02", "NEG-EVENT-03", "NEG-EVENT-04", "NEG-EVENT-05")
async def test_the_events_come_in_the_order_of_the_specification(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO) as node:
        events = await negotiate(node, DEMAND)
    assert kinds(events) == [
        "demand.submitted",
        "demand.understood",
        "filter.completed",
        "channel.created",
        "demand.broadcast",
        *["offer.submitted"] * 3,
        "aggregation.started",
        "proposal.distributed",
        *["proposal.feedback"] * 3,
        "feedback.evaluated",
        "proposal.finalized",
    ]
    (found,) = of_type(events, "filter.completed")
    assert found["candidates_count"] == len(found["candidates"]) == 3
    assert all(item["reason"] for item in found["candidates"])
    assert of_type(events, "channel.created")[0]["participants_count"] == 3
    assert of_type(events, "demand.broadcast")[0]["recipients_count"] == 3
    assert {item["agent_id"] for item in of_type(events, "offer.submitted")} == {item.agent_id for item in TRIO}


@pytest.mark.requirement("NEG-API-02", "NEG-API-03", "NEG-API-04", "NEG-API-06")
async def test_the_reply_to_a_submission(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO) as node:
        reply = await node.demands.submit(DEMAND)
        record = await node.demands.record(reply.demand_id)
    assert re.fullmatch(r"d-[0-9a-f]{8}", reply.demand_id)
    assert reply.channel_id == "collab-" + reply.demand_id[2:]
    assert reply.status == "processing"
    assert record.meta["requester_id"] == "anonymous"
    assert reply.understanding.capability_tags == ("场地提供", "演讲嘉宾", "活动策划")


@pytest.mark.requirement("NEG-ARCH-20", "NEG-STATE-08", "NEG-EVENT-10", "NEG-EVENT-16", "NEG-ARCH-15", "NEG-MSG-03")
async def test_two_wishes_make_three_rounds_and_change_the_plan(tmp_path: Path) -> None:
    scripts = {"venue": Script(reviews=[wish(price=1100), wish(price=1150), ACCEPT])}
    async with running(tmp_path, TRIO, scripts) as node:
        events = await negotiate(node, DEMAND)
        messages = await internal(node, events, "message")
    plans = of_type(events, "proposal.distributed")
    assert [item["round"] for item in plans] == [1, 2, 3]
    assert [item["proposal"]["version"] for item in plans] == [1, 2, 3]
    assert [item["round"] for item in of_type(events, "negotiation.round_started")] == [2, 3]
    prices = [
        next(a["price"] for a in item["proposal"]["assignments"] if a["agent_id"] == "user_agent_venue")
        for item in plans
    ]
    assert prices == [1000, 1100, 1150]
    assert [item["round"] for item in of_type(events, "negotiation.bargain")] == [1, 2]
    order = kinds(events)
    for index, kind in enumerate(order):
        if kind == "negotiation.bargain":
            assert "proposal.feedback" in {order[index - 1], order[index + 1]}
    assert of_type(events, "proposal.finalized")[0]["rounds_taken"] == 3
    reviews = [m for m in messages if m["body"]["type"] == "proposal_review"]
    assert [m["body"]["round"] for m in reviews] == [1] * 3 + [2] * 3 + [3] * 3


@pytest.mark.requirement("NEG-ARCH-02", "NEG-STATE-09")
async def test_endless_wishes_end_in_one_failure_after_round_three(tmp_path: Path) -> None:
    scripts = {name: Script(reviews=[wish(price=5000)]) for name in ("venue", "speaker", "planner")}
    async with running(tmp_path, TRIO, scripts) as node:
        events = await negotiate(node, DEMAND)
    assert max(event.payload.get("round", 0) for event in events) == 3
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] == "no_agreement"
    assert failed["last_proposal"]["version"] == 3
    assert failed["suggestions"]


@pytest.mark.requirement("NEG-EVENT-13", "NEG-ARCH-15", "NEG-EVENT-12")
async def test_a_withdrawal_is_told_once_and_the_agent_gets_no_further_review(tmp_path: Path) -> None:
    profiles = [*TRIO, profile("second", "演讲嘉宾", price=900), profile("third", "演讲嘉宾", price=950)]
    scripts = {"second": Script(reviews=[WITHDRAW]), "venue": Script(reviews=[wish(price=1010), ACCEPT])}
    async with running(tmp_path, profiles, scripts) as node:
        events = await negotiate(node, "我想在北京办一场AI主题聚会，需要场地和2位嘉宾")
    (left,) = of_type(events, "agent.withdrawn")
    assert (left["agent_id"], left["reason"]) == ("user_agent_second", "有别的安排")
    assert [kind for kind, _ in scripts["second"].calls] == ["offer", "review"]
    final = of_type(events, "proposal.finalized")[0]["final_proposal"]
    assert "user_agent_second" not in {item["agent_id"] for item in final["assignments"]}


@pytest.mark.requirement("NEG-STATE-10")
async def test_a_lost_core_role_goes_to_an_unchosen_offer(tmp_path: Path) -> None:
    profiles = [*TRIO, profile("spare", "场地提供", price=2000)]
    async with running(tmp_path, profiles, {"venue": Script(reviews=[WITHDRAW])}) as node:
        events = await negotiate(node, DEMAND)
    final = of_type(events, "proposal.finalized")[0]
    agents = {item["agent_id"] for item in final["final_proposal"]["assignments"]}
    assert "user_agent_spare" in agents
    assert "user_agent_venue" not in agents
    assert final["rounds_taken"] == 2


@pytest.mark.requirement("NEG-STATE-10", "NEG-EVENT-12", "NEG-EVENT-14")
async def test_a_lost_core_role_without_substitute_fails_with_the_plan_and_the_gap(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO, {"venue": Script(reviews=[WITHDRAW])}) as node:
        events = await negotiate(node, DEMAND)
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] == "core_role_lost"
    assert failed["last_proposal"]["assignments"]
    assert any("场地" in gap["gap_type"] for gap in failed["gaps"])
    assert of_type(events, "gap.identified")


@pytest.mark.requirement("NEG-STATE-10")
async def test_a_core_role_lost_in_round_three_fails_even_with_a_spare(tmp_path: Path) -> None:
    profiles = [*TRIO, profile("spare", "场地提供", price=2000)]
    scripts = {
        "venue": Script(reviews=[wish(price=1010), wish(price=1020), WITHDRAW]),
    }
    async with running(tmp_path, profiles, scripts) as node:
        events = await negotiate(node, DEMAND)
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] == "core_role_lost"


@pytest.mark.requirement("NEG-FAIL-10")
async def test_nobody_takes_part_and_the_compromise_says_what_could_be_done(tmp_path: Path) -> None:
    scripts = {name: Script(offer=DECLINE) for name in ("venue", "speaker", "planner")}
    async with running(tmp_path, TRIO, scripts) as node:
        events = await negotiate(node, DEMAND)
    (failed,) = of_type(events, "negotiation.failed")
    assert failed["reason"] == "no_participants"
    assert failed["compromise"]["type"] == "compromise"
    assert failed["suggestions"]
    assert "last_proposal" not in failed


@pytest.mark.requirement("NEG-FAIL-09")
async def test_nobody_fits_and_nobody_is_invented(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO) as node:
        events = await negotiate(node, "在火星上建基地")
    (failed,) = of_type(events, "negotiation.failed")
    assert (failed["code"], failed["reason"], failed["message"]) == ("E005", "no_candidates", "未找到合适的协作者")
    assert failed["suggestions"]
    assert failed["message"] not in failed["suggestions"]
    assert not any("moot" in line for line in failed["suggestions"])
    assert of_type(events, "filter.completed")[0]["candidates_count"] == 0
    assert "channel.created" not in kinds(events)


async def test_silence_of_all_is_a_timeout(tmp_path: Path) -> None:
    scripts = {name: Script(offer=SILENT) for name in ("venue", "speaker", "planner")}
    async with running(tmp_path, TRIO, scripts) as node:
        events = await negotiate(node, DEMAND)
    (failed,) = of_type(events, "negotiation.failed")
    assert (failed["code"], failed["reason"]) == ("E006", "no_answer")


@pytest.mark.requirement("NEG-FAIL-08", "NEG-EVENT-08")
@pytest.mark.parametrize(
    ("policy", "accepts", "rejects", "silent"), [("accept", 3, 0, 0), ("abstain", 2, 0, 1), ("withdraw", 2, 1, 0)]
)
async def test_a_silent_reviewer_counts_as_the_policy_says(
    tmp_path: Path, policy: str, accepts: int, rejects: int, silent: int
) -> None:
    scripts = {"planner": Script(reviews=[SILENT])}
    async with running(tmp_path, TRIO, scripts, feedback_timeout_policy=policy) as node:
        events = await negotiate(node, DEMAND)
    evaluated = of_type(events, "feedback.evaluated")[0]
    assert (evaluated["accepts"], evaluated["rejects"], evaluated["silent"]) == (accepts, rejects, silent)
    by_default = [item for item in of_type(events, "proposal.feedback") if item["by_default"]]
    assert [item["agent_id"] for item in by_default] == ([] if policy == "abstain" else ["user_agent_planner"])
    if policy == "accept":
        final = of_type(events, "proposal.finalized")[0]
        assert final["unconfirmed"] == ["user_agent_planner"]
        assert (final["consensus"], final["consensus_label"]) == ("partial", "部分共识")


@pytest.mark.requirement("NEG-ARCH-17")
@pytest.mark.parametrize(("relevant", "least", "most"), [(4, 4, 4), (35, 10, 20)])
async def test_ten_to_twenty_candidates_and_never_padded(tmp_path: Path, relevant: int, least: int, most: int) -> None:
    profiles = [profile(f"speaker_{number:02d}", "演讲嘉宾") for number in range(relevant)]
    others = [profile(f"lawyer_{number:02d}", "法律咨询") for number in range(10)]
    async with running(tmp_path, [*profiles, *others]) as node:
        events = await negotiate(node, "想在北京找3位演讲嘉宾")
    (found,) = of_type(events, "filter.completed")
    assert least <= found["candidates_count"] <= most
    assert all(item["agent_id"].startswith("user_agent_speaker") for item in found["candidates"])


async def test_a_registry_edit_reaches_the_next_demand(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO) as node:
        before = await negotiate(node, DEMAND)
        await node.registry.disable("user_agent_planner")
        await node.registry.update(profile("venue", "场地提供", price=1700))
        after = await negotiate(node, DEMAND)
    assert of_type(before, "filter.completed")[0]["candidates_count"] == 3
    assert of_type(after, "filter.completed")[0]["candidates_count"] == 2
    assert 1700 in {item["price"] for item in of_type(after, "proposal.distributed")[0]["proposal"]["assignments"]}


async def test_a_participant_that_answers_in_words_alone_is_taken_at_the_word_of_its_card(tmp_path: Path) -> None:
    words = AgentResponse(decision="participate", contribution="我可以提供30人的会议室")
    async with running(tmp_path, TRIO, {"venue": Script(offer=words, reviews=[ACCEPT])}) as node:
        events = await negotiate(node, DEMAND)
    final = of_type(events, "proposal.finalized")[0]["final_proposal"]
    assert {"user_agent_venue"} <= {item["agent_id"] for item in final["assignments"]}
