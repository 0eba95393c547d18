"""What a stranger learns at the doors for people, and what an answer at the last moment is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall.clock import SystemClock
from moothall.events.log import EventLog
from tests.server.door import DEMAND, SUBMIT, Door, opened
from tests.server.test_people import CHANNELS, LIN, OFFER, Guest, guests, hosts

ALICE = {"Authorization": "Bearer 0123456789abcdef-alice"}
BOB = {"Authorization": "Bearer 0123456789abcdef-bob"}
KEYS = {"api_keys": "alice:0123456789abcdef-alice, bob:0123456789abcdef-bob"}
NOWHERE = "collab-00000000"


async def asked(door: Door, channel_id: str, **headers: str) -> list[httpx.Response]:
    """Knock at all three doors of a channel."""
    head = {"X-Participant-Token": "not-a-token", **headers}
    return [
        await door.client.get(f"{CHANNELS}/{channel_id}/invitation", headers=head),
        await door.client.post(f"{CHANNELS}/{channel_id}/offer", json=OFFER, headers=head),
        await door.client.post(f"{CHANNELS}/{channel_id}/feedback", json={"feedback_type": "accept"}, headers=head),
    ]


def said(answers: list[httpx.Response]) -> list[Any]:
    """Status and error of answers, without what differs between any two requests."""
    errors = [answer.json()["error"] for answer in answers]
    shown = [{name: error[name] for name in error if name not in {"request_id", "timestamp"}} for error in errors]
    return [(answer.status_code, error) for answer, error in zip(answers, shown, strict=True)]


@pytest.mark.requirement("NEG-API-28", "NEG-API-09")
@pytest.mark.parametrize("who", [{}, BOB], ids=["a stranger", "another user"])
async def test_with_keys_nobody_can_tell_whether_a_channel_exists(tmp_path: Path, who: dict[str, str]) -> None:
    """Nor by the language: the demand is an English one, the default is Chinese."""
    async with hosts(tmp_path, **KEYS) as node, opened(node) as door:
        body = {"raw_input": "I need a venue in Beijing for a party", "participants": [LIN]}
        reply = (await door.client.post(SUBMIT, json=body, headers=ALICE)).json()
        there, nowhere, odd = [await asked(door, name, **who) for name in (reply["channel_id"], NOWHERE, "x")]
    assert said(there) == said(nowhere) == said(odd)
    assert {status for status, _ in said(there)} == {401}


@pytest.mark.requirement("NEG-API-17", "NEG-API-28")
async def test_who_may_know_is_told_that_there_is_no_such_channel(tmp_path: Path) -> None:
    async with hosts(tmp_path / "keys", **KEYS) as node, opened(node) as door:
        owner = await asked(door, NOWHERE, **{"X-Admin-Key": node.owner_token})
    async with hosts(tmp_path / "open") as node, opened(node) as door:
        anybody = await asked(door, NOWHERE)
    for status, error in said(owner) + said(anybody):
        assert (status, error["code"]) == (404, "E007")


class Leap(SystemClock):
    """The machine's clock, which can leap ahead."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


Post = Callable[..., Awaitable[bool]]


async def at_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, stored_before: bool) -> list[Any]:
    """A person's offer that is checked in time; the time for it ends before or after it is stored."""
    clock, original = Leap(), EventLog.post

    async def slowly(self: EventLog, run: str, key: str, kind: str, sender: str, payload: Any) -> bool:
        if kind != "offer_response":
            return await original(self, run, key, kind, sender, payload)
        if stored_before:
            fresh = await original(self, run, key, kind, sender, payload)
            clock.ahead = timedelta(seconds=21)
            return fresh
        clock.ahead = timedelta(seconds=21)
        return await original(self, run, key, kind, sender, payload)

    monkeypatch.setattr(EventLog, "post", slowly)
    async with hosts(tmp_path, clock=clock, response_timeout=20) as node, opened(node) as door:
        (guest,) = await guests(door, LIN, demand=DEMAND)
        answer = await guest.offer()
        await _closed(guest)
        rows = await node.log.load(guest.demand_id)
    counted = [row for row in rows if row.key == f"offers.{guest.agent_id}"]
    return [answer.status_code, len(counted)]


async def _closed(guest: Guest) -> None:
    await guest.until("aggregation.started")


@pytest.mark.requirement("NEG-API-28", "NEG-MSG-04")
@pytest.mark.parametrize(("stored_before", "told"), [(True, [200, 1]), (False, [409, 0])])
async def test_an_answer_is_acknowledged_only_when_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored_before: bool, told: list[int]
) -> None:
    assert await at_the_deadline(tmp_path, monkeypatch, stored_before=stored_before) == told


@pytest.mark.requirement("NEG-API-28")
async def test_an_answer_that_the_channel_would_refuse_as_too_large_is_refused_at_the_door(tmp_path: Path) -> None:
    wishes = {f"wish_{number}": "愿" * 400 for number in range(12)}
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
        offer = await guest.offer(decision="conditional", conditions=[f"{number}" + "条" * 400 for number in range(20)])
        assert (await guest.offer(decision="conditional", conditions=["需要投影仪"])).status_code == 200
        await guest.asked_again(1)
        feedback = await guest.feedback("negotiate", proposed_changes=wishes)
        assert (await guest.feedback("accept")).status_code == 200
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in (offer, feedback)] == [
        (400, "INVALID_INPUT"),
        (400, "INVALID_INPUT"),
    ]
    assert "conditions" in offer.text
    assert "proposed_changes" in feedback.text
