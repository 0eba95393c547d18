"""Restarts, rests and cancellations in the middle of a collection or a review: what the log says is settled."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.errors import StorageError
from moothall.events.mailbox import Mailbox
from moothall.events.model import Event
from moothall.events.run import Run
from moothall.negotiation.demand.channel import channel_id_of
from moothall.negotiation.demand.post import Letter
from moothall.negotiation.demand.post import Mailbox as Box
from moothall.node import Node
from moothall.storage import schema
from moothall.storage.store import Store
from tests.negotiation.demand.modelled import DEMAND, TRIO, WITH_PHOTOS, by_agent, talker, who
from tests.negotiation.demand.test_restart import reopen
from tests.negotiation.demand.test_waiting import rested
from tests.support.demand import Script, kinds, negotiate, of_type, running
from tests.support.fake_llm import HANG, FakeLLM

PEOPLE = (*TRIO, talker("poet", "摄影"), talker("mute", "演讲嘉宾"))
"""``venue`` answers through the inbox; ``poet`` is unknown at the review, ``mute`` at the invitation."""
PATIENT = {"llm_failure_threshold": 1000}
MOMENTS = {"created_at", "deadline_at"}


def later() -> dict[str, Script]:
    """The venue answers in its own time."""
    return {"venue": Script(offer="later", reviews=["later"])}


def answer(run: str, kind: str, number: int, **body: Any) -> dict[str, Any]:
    """The venue's answer as it comes from outside."""
    return {
        "type": kind,
        "channel_id": channel_id_of(run),
        "agent_id": "user_agent_venue",
        "round": number,
        **body,
    }


async def say_yes(node: Node, run: str) -> list[Event]:
    """Let the venue answer whenever the run rests for it, to the end of the run."""
    await rested(node, run)
    await node.log.post(run, "offer", "offer_response", "user_agent_venue", answer(run, "offer_response", 1, **OFFER))
    return await accept(node, run)


async def accept(node: Node, run: str) -> list[Event]:
    """Let the venue accept every plan, to the end of the run."""
    events = []
    async for event in node.log.follow(run):
        events.append(event)
        if event.type == "towow.proposal.distributed":
            number = event.payload["round"]
            body = answer(run, "proposal_feedback", number, feedback_type="accept")
            await node.log.post(run, f"feedback.{number}", "proposal_feedback", "user_agent_venue", body)
    return events


OFFER = {"decision": "participate", "contribution": "可以提供场地"}


def asked(llm: FakeLLM) -> list[tuple[str, str]]:
    """Which agents a model spoke for, in a fixed order."""
    return sorted((item.kind, who(item)) for kind in ("respond", "review") for item in llm.calls(kind))


def without_moments(value: Any) -> Any:
    """JSON without the moments at which things happened."""
    if isinstance(value, dict):
        return {key: without_moments(item) for key, item in value.items() if key not in MOMENTS}
    return [without_moments(item) for item in value] if isinstance(value, list) else value


def told(events: list[Event]) -> dict[str, Any]:
    """What a run has told, by key: concurrent answers may come in any order."""
    return {event.key: (event.type, without_moments(event.payload)) for event in events}


def settled(rows: list[Event]) -> set[tuple[str, str]]:
    """Of whom the log knows what they answer, or that it cannot be known."""
    known = set()
    for row in rows:
        phase, _, rest = row.key.rpartition("user_agent_")
        kind = {"offers.": "respond", "feedback.r1.": "review"}.get(phase)
        if kind and row.type in {"message", "unknown"}:
            known.add((kind, rest.removesuffix(".unknown")))
    return known


async def unsaid(data: Path, run: str, kind: str) -> None:
    """Take back what came through the inbox of a kind that nobody had asked for yet."""
    store, inbox = await Store.open(data), schema.inbox
    posted = sa.delete(inbox).where(inbox.c.run == run, inbox.c.kind == kind)
    try:
        await store.write(lambda connection: connection.execute(posted))
    finally:
        await store.close()


def begins(row: Event) -> bool:
    """Whether a row is the first of its transaction, so that a node may have died right before it."""
    return row.type in {"message", "unknown", "barrier"}


@pytest.mark.requirement("NEG-STATE-11", "NEG-FAIL-06")
@pytest.mark.parametrize("phase", ["offers", "feedback.r1"])
async def test_a_restart_inside_a_phase_asks_nobody_again_and_ends_the_same(
    tmp_path: Path, llm: FakeLLM, phase: str
) -> None:
    llm.script |= {"respond": by_agent({"mute": 500}), "review": by_agent({"poet": 500})}
    data = tmp_path / "data"
    async with running(data, PEOPLE, later(), **llm.settings(**PATIENT)) as node:
        run = (await node.demands.submit(WITH_PHOTOS)).demand_id
        before = await say_yes(node, run)
        rows = await node.log.load(run)
    place = {row.key: row.seq for row in rows}
    assert before[-1].payload["degraded_steps"] == ["respond", "review"]
    assert before[-1].payload["unconfirmed"] == ["user_agent_poet"]
    cuts = [seq for seq in range(place[f"{phase}.deadline"] + 1, place[f"{phase}.closed"] + 1) if begins(rows[seq])]
    assert len(cuts) > 3
    for keep in cuts:
        copy = tmp_path / f"{keep}"
        shutil.copytree(data, copy)
        await reopen(copy, run, keep)
        if phase == "offers":
            await unsaid(copy, run, "proposal_feedback")
        llm.requests.clear()
        async with running(copy, (), later(), **llm.settings(**PATIENT)) as node:
            after = await accept(node, run)
        assert told(after) == told(before), rows[keep - 1].key
        assert not settled(rows[:keep]) & set(asked(llm)), rows[keep - 1].key
        assert len(asked(llm)) == len(set(asked(llm)))


@pytest.mark.requirement("NEG-FAIL-06", "NEG-FAIL-12")
async def test_who_is_unknown_stays_so_while_the_run_rests_beside_a_later_participant(
    tmp_path: Path, llm: FakeLLM, database_url: str
) -> None:
    llm.script |= {"respond": by_agent({"mute": 500}), "review": by_agent({"poet": 500})}
    settings = llm.settings(**PATIENT, database_url=database_url)
    async with running(tmp_path, PEOPLE, later(), **settings) as node:
        run = (await node.demands.submit(WITH_PHOTOS)).demand_id
        await rested(node, run)
    async with running(tmp_path, (), later(), **settings) as node:
        events = await say_yes(node, run)
        rows = await node.log.load(run)
    questions = asked(llm)
    assert len(questions) == len(set(questions)), "nobody is asked twice, unknown or not"
    barriers = {row.key: row.payload for row in rows if row.type == "barrier"}
    assert barriers["offers.closed"]["unknown"] == {"user_agent_mute": "E003"}
    assert barriers["offers.closed"]["silent"] == []
    assert barriers["feedback.r1.closed"]["unknown"] == {"user_agent_poet": "E003"}
    given = {item["agent_id"]: item for item in of_type(events, "proposal.feedback")}
    assert (given["user_agent_poet"]["by_default"], given["user_agent_poet"]["error"]["code"]) == (True, "E003")
    assert of_type(events, "aggregation.started")[0]["unknown"] == {"user_agent_mute": "E003"}
    assert events[-1].payload["degraded_steps"] == ["respond", "review"]


async def test_everybody_unknown_beside_a_later_participant_who_declines_is_told_with_the_marks(
    tmp_path: Path, llm: FakeLLM
) -> None:
    llm.script["respond"] = 500
    profiles = [TRIO[0], talker("mute", "演讲嘉宾"), talker("poet", "演讲嘉宾")]
    async with running(tmp_path, profiles, later(), **llm.settings(**PATIENT)) as node:
        run = (await node.demands.submit(DEMAND)).demand_id
        await rested(node, run)
        no = answer(run, "offer_response", 1, decision="decline", decline_reason="没有档期")
        await node.log.post(run, "offer", "offer_response", "user_agent_venue", no)
        events = [event async for event in node.log.follow(run)]
    assert of_type(events, "aggregation.started")[0]["unknown"] == {
        "user_agent_mute": "E003",
        "user_agent_poet": "E003",
    }
    assert events[-1].payload["degraded_steps"] == ["respond"]
    assert len(asked(llm)) == 2


@pytest.mark.requirement("NEG-API-23")
async def test_a_cancellation_is_heard_after_a_read_that_failed(
    tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    llm.script["filter"] = HANG
    original, failed = Mailbox.spot, []

    async def spot(self: Mailbox, kind: str) -> Any:
        if not failed:
            failed.append(kind)
            raise StorageError("the database is busy")
        return await original(self, kind)

    monkeypatch.setattr(Mailbox, "spot", spot)
    async with running(tmp_path, TRIO, **llm.settings(llm_timeout=600)) as node:
        run = (await node.demands.submit(DEMAND)).demand_id
        await node.log.post(run, "cancel", "cancel", "anonymous", {})
        events = [event async for event in node.log.follow(run)]
    assert failed
    assert of_type(events, "negotiation.failed")[0]["reason"] == "cancelled"
    assert "channel.created" not in kinds(events)


@pytest.mark.requirement("NEG-API-23")
@pytest.mark.parametrize("phase", ["offers", "feedback.r1"])
async def test_a_cancellation_that_lies_beside_the_last_answer_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    """The last answer closes the barrier; what came in the inbox meanwhile is looked at before anything goes on."""
    emit, posted = Run.emit, []

    async def spot(self: Mailbox, kind: str) -> Any:
        del self, kind
        raise RuntimeError("nobody watches")

    async def beside(self: Run, *drafts: Any, **more: Any) -> None:
        await emit(self, *drafts, **more)
        if not posted and any(draft.key == f"{phase}.user_agent_planner" for draft in drafts):
            posted.append(await node.log.post(self.id, "cancel", "cancel", "anonymous", {}))

    take = Box.take

    def planner_last(self: Box) -> Letter | None:
        """The planner's letter only when no other waits."""
        letters = []
        while letter := take(self):
            letters.append(letter)
        letters.sort(key=lambda item: item.sender == "user_agent_planner")
        for item in letters[1:]:
            self.put(item)
        return letters[0] if letters else None

    monkeypatch.setattr(Mailbox, "spot", spot)
    monkeypatch.setattr(Run, "emit", beside)
    monkeypatch.setattr(Box, "take", planner_last)
    async with running(tmp_path, TRIO) as node:
        events = await negotiate(node, DEMAND)
    assert posted == [True]
    assert of_type(events, "negotiation.failed")[0]["reason"] == "cancelled"
    assert ("aggregation.started" if phase == "offers" else "feedback.evaluated") not in kinds(events)
