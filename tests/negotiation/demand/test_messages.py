"""Messages between the agents of a channel: their shape, their senders, and which answers count."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from moothall.events.model import Event
from moothall.negotiation.demand.admission import Desk, RefusedAnswerError, admit
from moothall.negotiation.demand.post import Letter, PostOffice
from moothall.negotiation.demand.wire import (
    CHANNEL_ADMIN,
    COORDINATOR,
    MESSAGES,
    OfferResponse,
    ProposalFeedbackMessage,
)
from moothall.node import Node
from tests.support.demand import ACCEPT, Script, negotiate, of_type, profile, running

DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
TRIO = (profile("venue", "场地提供"), profile("speaker", "演讲嘉宾"), profile("planner", "活动策划"))
CHANNEL = "collab-0000000a"
EXACT = {
    "create_channel": {"type", "demand_id", "channel_id", "demand", "candidates"},
    "demand_offer": {"type", "channel_id", "demand_id", "demand", "round", "filter_reason", "match_score"},
    "proposal_review": {"type", "channel_id", "demand_id", "proposal", "round", "max_rounds"},
    "offer_response": {
        "type", "channel_id", "agent_id", "display_name", "decision", "contribution", "conditions", "reasoning",
    },
    "proposal_feedback": {
        "type", "channel_id", "agent_id", "feedback_type", "adjustment_request", "proposed_changes", "reasoning",
    },
}  # fmt: skip


async def messages_of(node: Node, events: list[Event]) -> list[dict[str, Any]]:
    """The message log of a run."""
    return [event.payload for event in await node.log.load(events[0].run) if event.type == "message"]


@pytest.mark.requirement("NEG-MSG-01", "NEG-MSG-02", "NEG-MSG-03", "NEG-MSG-04", "NEG-MSG-05", "NEG-ARCH-14")
async def test_the_message_log_of_a_run(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO, {"venue": Script(reviews=[ACCEPT])}) as node:
        events = await negotiate(node, DEMAND)
        log = await messages_of(node, events)
    agents = {item.agent_id for item in TRIO}
    assert {row["from"] for row in log} == {COORDINATOR, CHANNEL_ADMIN, *agents}
    by_type = {kind: [row for row in log if row["body"]["type"] == kind] for kind in EXACT}
    assert {kind: len(rows) for kind, rows in by_type.items()} == {
        "create_channel": 1, "demand_offer": 3, "proposal_review": 3, "offer_response": 3, "proposal_feedback": 3,
    }  # fmt: skip
    for kind, rows in by_type.items():
        for row in rows:
            assert set(row["body"]) >= EXACT[kind]
            MESSAGES[kind].model_validate(row["body"])
    (create,) = by_type["create_channel"]
    assert (create["from"], create["to"]) == (COORDINATOR, CHANNEL_ADMIN)
    found = {item["agent_id"]: item for item in of_type(events, "filter.completed")[0]["candidates"]}
    for candidate in create["body"]["candidates"]:
        assert candidate["relevance_score"] == round(100 * found[candidate["agent_id"]]["confidence"])
    for row in by_type["demand_offer"]:
        source = found[row["to"]]
        assert (row["from"], row["body"]["round"]) == (CHANNEL_ADMIN, 1)
        assert row["body"]["filter_reason"] == source["reason"]
        assert row["body"]["match_score"] == source["match_score"] == round(100 * source["confidence"])
    for kind in ("offer_response", "proposal_feedback"):
        assert {row["from"] for row in by_type[kind]} == agents
        assert all(row["body"]["agent_id"] == row["from"] and row["to"] == CHANNEL_ADMIN for row in by_type[kind])
    assert all(row["body"]["max_rounds"] == 3 for row in by_type["proposal_review"])


def offer(**changes: Any) -> dict[str, Any]:
    """An offer that counts at `DESK`, but for ``changes``."""
    return {
        "type": "offer_response",
        "channel_id": CHANNEL,
        "agent_id": "user_agent_bob",
        "display_name": "Bob",
        "decision": "participate",
        "contribution": "30人的会议室",
        **changes,
    }


DESK = Desk(CHANNEL, "offer_response", 1, frozenset({"user_agent_bob", "user_agent_eve"}))


@pytest.mark.requirement("NEG-MSG-07", "NEG-MSG-04")
@pytest.mark.parametrize(
    ("sender", "body", "reason"),
    [
        ("user_agent_eve", offer(), "forged_sender"),
        ("user_agent_bob", offer(channel_id="collab-0000000b"), "foreign_channel"),
        ("user_agent_bob", offer(round=2), "stale_round"),
        ("user_agent_mallory", offer(agent_id="user_agent_mallory"), "not_asked"),
        ("user_agent_bob", offer(decision="maybe"), "malformed"),
        ("user_agent_bob", {"type": "proposal_review"}, "malformed"),
        ("user_agent_bob", {}, "malformed"),
        ("user_agent_bob", offer(contribution="x" * 70_000), "too_large"),
    ],
)
def test_an_answer_that_does_not_count_is_refused_with_its_reason(
    sender: str, body: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RefusedAnswerError) as caught:
        admit(sender, body, DESK)
    assert caught.value.reason == reason


def test_a_second_answer_of_the_same_agent_is_refused() -> None:
    desk = Desk(CHANNEL, "offer_response", 1, DESK.asked, frozenset({"user_agent_bob"}))
    with pytest.raises(RefusedAnswerError, match="duplicate"):
        admit("user_agent_bob", offer(), desk)


def test_an_offer_in_the_review_phase_is_refused() -> None:
    desk = Desk(CHANNEL, "proposal_feedback", 1, DESK.asked)
    with pytest.raises(RefusedAnswerError, match="wrong_phase"):
        admit("user_agent_bob", offer(), desk)


@pytest.mark.requirement("NEG-MSG-05")
def test_reject_is_read_as_withdraw() -> None:
    body = {
        "type": "proposal_feedback",
        "channel_id": CHANNEL,
        "agent_id": "user_agent_bob",
        "feedback_type": "reject",
    }
    answer = admit("user_agent_bob", body, Desk(CHANNEL, "proposal_feedback", 1, DESK.asked))
    assert isinstance(answer, ProposalFeedbackMessage)
    assert answer.feedback_type == "withdraw"


def test_a_good_answer_is_admitted() -> None:
    assert isinstance(admit("user_agent_bob", offer(), DESK), OfferResponse)


@pytest.mark.requirement("NEG-MSG-07")
async def test_forged_stale_and_foreign_answers_are_refused_and_logged(tmp_path: Path) -> None:
    """A stranger, a liar and a late-comer speak up through the run's inbox while the offers are collected."""
    script = Script(offer="later", reviews=[ACCEPT])
    async with running(tmp_path, TRIO, {"venue": script}) as node:
        reply = await node.demands.submit(DEMAND)
        run = reply.demand_id
        good = offer(channel_id=reply.channel_id, agent_id="user_agent_venue", contribution="一间会议室")
        for key, sender, body in (
            ("a", "user_agent_mallory", good),
            ("b", "user_agent_venue", {**good, "channel_id": "collab-ffffffff"}),
            ("c", "user_agent_venue", {**good, "round": 3}),
            ("d", "user_agent_stranger", {**good, "agent_id": "user_agent_stranger"}),
            ("e", "user_agent_venue", good),
        ):
            assert await node.log.post(run, key, "offer_response", sender, body)
        events = [event async for event in node.log.follow(run)]
        rows = await node.log.load(run)
    refused = {(row.payload["from"], row.payload["reason"]) for row in rows if row.type == "refused"}
    assert refused == {
        ("user_agent_mallory", "forged_sender"),
        ("user_agent_venue", "foreign_channel"),
        ("user_agent_venue", "stale_round"),
        ("user_agent_stranger", "not_asked"),
    }
    offers = {item["agent_id"]: item["contribution"] for item in of_type(events, "offer.submitted")}
    assert offers["user_agent_venue"] == "一间会议室"
    assert len(offers) == 3
    assert of_type(events, "proposal.finalized")


@pytest.mark.requirement("NEG-MSG-06")
async def test_sending_never_waits_for_the_receiver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    office = PostOffice()
    admin, slow = office.open(CHANNEL_ADMIN), office.open("user_agent_slow")
    for number in range(100):
        admin.send("user_agent_slow", {"number": number})
    assert [(await slow.receive()).body["number"] for _ in range(100)] == list(range(100))

    def no_network(*_: object, **__: object) -> None:
        message = "agents of one node talk through memory"
        raise AssertionError(message)

    async with running(tmp_path, TRIO) as node:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "create_connection", no_network)
        monkeypatch.setattr(loop, "create_datagram_endpoint", no_network)
        events = await negotiate(node, DEMAND)
    assert of_type(events, "proposal.finalized")


def test_the_sender_is_stamped_by_the_post_office() -> None:
    office = PostOffice()
    admin, eve = office.open(CHANNEL_ADMIN), office.open("user_agent_eve")
    eve.send(CHANNEL_ADMIN, offer())
    assert admin.take() == Letter("user_agent_eve", CHANNEL_ADMIN, offer())
