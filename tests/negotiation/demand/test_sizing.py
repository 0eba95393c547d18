"""Answers that say too much are refused with a reason; a plan of twenty that say as much as they may still fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall.canonical import dumps
from moothall.events.encode import MAX_PAYLOAD
from moothall.events.model import Event
from moothall.messages import text
from moothall.negotiation.demand import admission, ending, sizing
from moothall.negotiation.demand.models import AgentResponse, Condition, Term
from moothall.negotiation.demand.plan_models import Compromise, ProposalFeedback
from moothall.node import Node
from tests.negotiation.demand.modelled import DEMAND, TRIO
from tests.support.demand import ACCEPT, Script, negotiate, of_type, profile, running

WORDS = "字" * sizing.MOST_WORDS


def term(concept: str = "speaker", **more: Any) -> Term:
    """A role for a price."""
    return Term.model_validate({"tag": "演讲嘉宾", "concept": concept, "price": 100, **more})


def offer(**more: Any) -> AgentResponse:
    """An offer that is fine but for what is changed."""
    return AgentResponse.model_validate({"decision": "conditional", "contribution": "可以", "terms": (term(),), **more})


def full_of_conditions(length: int) -> tuple[str, ...]:
    """As many conditions in words, each of so many characters, as an answer has room for."""
    found: list[str] = []
    while True:
        more = (*found, f"{len(found)}号" + "条" * length)
        if sizing.room(Condition(text=text) for text in more) > sizing.ROOM_OF_CONDITIONS:
            return tuple(found)
        found = list(more)


def changes() -> dict[str, str]:
    """As many wishes as an answer has room for."""
    return {f"wish_{number}": "愿" * 45 for number in range(12)}


async def rows(node: Node, events: list[Event]) -> list[Event]:
    """All rows of a run, of which none may be near the limit of the log."""
    found = list(await node.log.load(events[0].run))
    assert max(len(dumps(row.payload)) for row in found) <= MAX_PAYLOAD
    return found


LONG = [
    pytest.param(offer(contribution=WORDS + "字"), id="contribution"),
    pytest.param(offer(reasoning=WORDS + "字"), id="reasoning"),
    pytest.param(AgentResponse(decision="decline", decline_reason=WORDS + "字"), id="decline_reason"),
    pytest.param(offer(conditions=("字" * 501,)), id="a condition in words"),
    pytest.param(offer(terms=(term(conditions=({"text": "字" * 501},)),)), id="a condition of a term"),
    pytest.param(offer(terms=(term(conditions=({"text": "x", "kind": "k" * 201},)),)), id="a kind"),
    pytest.param(offer(terms=(term(currency="C" * 201),)), id="a currency"),
    pytest.param(offer(conditions=tuple(f"{number}" for number in range(24))), id="too many conditions"),
    pytest.param(
        offer(conditions=tuple(f"{number}" + "x" * 2300 for number in range(22)), terms=(term(),) * 50),
        id="64 kB that would become 2 MB",
    ),
]


@pytest.mark.requirement("NEG-MSG-07", "NEG-FAIL-12")
@pytest.mark.parametrize("answer", LONG)
async def test_an_offer_that_says_too_much_is_refused_and_the_others_go_on(
    tmp_path: Path, answer: AgentResponse
) -> None:
    async with running(tmp_path, TRIO, {"speaker": Script(offer=answer)}, response_timeout=3600) as node:
        events = await negotiate(node, DEMAND)
        refused = [row.payload for row in await rows(node, events) if row.type == "refused"]
    assert [(row["from"], row["reason"]) for row in refused] == [("user_agent_speaker", "too_large")]
    assert of_type(events, "proposal.finalized")


@pytest.mark.requirement("NEG-MSG-07")
@pytest.mark.parametrize(
    "more", [{"reasoning": WORDS + "字"}, {"adjustment_request": WORDS + "字"}, {"proposed_changes": {"x": "y" * 2048}}]
)
async def test_feedback_that_says_too_much_is_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    said = ProposalFeedback(feedback_type="negotiate", **more)
    async with running(tmp_path, TRIO, {"speaker": Script(reviews=[said])}, feedback_timeout=3600) as node:
        events = await negotiate(node, DEMAND)
        refused = [row.payload for row in await rows(node, events) if row.type == "refused"]
    assert {(row["from"], row["reason"]) for row in refused} == {("user_agent_speaker", "too_large")}
    given = {item["agent_id"]: item for item in of_type(events, "proposal.feedback")}
    assert given["user_agent_speaker"]["by_default"]


async def test_an_answer_that_the_log_cannot_hold_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "LARGEST", 10**7)
    monkeypatch.setattr(admission, "too_long", lambda _: "")
    huge = offer(contribution="x" * MAX_PAYLOAD)
    async with running(tmp_path, TRIO, {"speaker": Script(offer=huge)}, response_timeout=3600) as node:
        events = await negotiate(node, DEMAND)
        refused = [row.payload["reason"] for row in await rows(node, events) if row.type == "refused"]
    assert refused == ["too_large"]
    assert of_type(events, "proposal.finalized")


async def test_conditions_in_words_stand_with_one_term_of_the_demand(tmp_path: Path) -> None:
    crowd = profile("speaker", "摄影", "演讲嘉宾")
    said = offer(conditions=("要有停车位",), terms=(term("photography"), term("speaker")))
    async with running(tmp_path, [TRIO[0], crowd], {"speaker": Script(offer=said)}) as node:
        events = await negotiate(node, DEMAND)
    (mine,) = [item for item in of_type(events, "offer.submitted") if item["agent_id"] == "user_agent_speaker"]
    assert [[one["text"] for one in item["conditions"]] for item in mine["terms"]] == [[], ["要有停车位"]]


@pytest.mark.parametrize("end", ["accept", "negotiate"])
@pytest.mark.parametrize("length", [1, 40, 400])
async def test_a_plan_of_twenty_that_say_as_much_as_they_may_fits(tmp_path: Path, end: str, length: int) -> None:
    said = offer(
        contribution=WORDS,
        reasoning=WORDS,
        conditions=full_of_conditions(length),
        terms=(term(dates=tuple(f"2027-{1 + day // 28:02}-{1 + day % 28:02}" for day in range(330))), term()),
    )
    wants = ProposalFeedback(
        feedback_type="negotiate", reasoning=WORDS, adjustment_request=WORDS, proposed_changes=changes()
    )
    names = [f"speaker_{number:02}" for number in range(20)]
    scripts = {name: Script(offer=said, reviews=[ACCEPT if end == "accept" else wants]) for name in names}
    async with running(tmp_path, [profile(name, "演讲嘉宾") for name in names], scripts) as node:
        events = await negotiate(node, "想在北京找20位演讲嘉宾，需要场地")
        everything = await rows(node, events)
    assert not [row for row in everything if row.type == "refused"]
    (first, *_) = of_type(events, "proposal.distributed")
    assert len(first["proposal"]["assignments"]) == 20
    assert "code" not in events[-1].payload
    plan = events[-1].payload.get("final_proposal") or events[-1].payload["last_proposal"]
    roles = {(item["agent_id"], item["role"], item["price"]) for item in plan["assignments"]}
    kept = events[-1].payload["compromise"]["assignments"]
    assert {(item["agent_id"], item["role"], item["price"]) for item in kept} == roles


def test_a_compromise_that_is_shortened_for_the_log_keeps_its_own_summary() -> None:
    told = {"summary": "办聚会", "assignments": [], "type": "compromise", "confidence": "low"}
    plan = {**told, "notes": "字" * ending.ROOM}
    short = ending._fitting({"final_proposal": plan, "compromise": {**told, "compromises": []}})["compromise"]
    assert Compromise.model_validate(short).summary == "办聚会"


@pytest.mark.requirement("NEG-MSG-07")
async def test_who_answered_too_much_is_not_told_to_have_been_silent(tmp_path: Path) -> None:
    said = offer(contribution=WORDS + "字")
    async with running(tmp_path, TRIO, {one.agent_id[11:]: Script(offer=said) for one in TRIO}) as node:
        events = await negotiate(node, DEMAND)
        record = await node.demands.record(events[0].run)
        seats = await node.demands.read.roster(record)
    assert events[-1].payload["message"] == text("channel.failed.answers_too_large", "zh")
    assert {seat.why_not for seat in seats} == {text("channel.why_not.too_large", "zh")}
