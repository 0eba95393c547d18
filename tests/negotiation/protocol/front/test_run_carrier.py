"""Messages of a durable negotiation: requests that are repeated until they got through, replies put in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from moothall.errors import (
    CallTimeout,
    MoothallError,
    NegotiationExpired,
    NodeUnreachable,
    SessionEnded,
    Unauthenticated,
)
from moothall.events.model import Draft
from moothall.negotiation.protocol.bodies import NegotiationReply
from moothall.negotiation.protocol.run_carrier import RequestingCarrier

PROVIDER = "did:wba:there.example:agents:bob"


class Wall:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    async def sleep_until(self, when: datetime) -> None:
        self.time = when


class Peer:
    """Answers requests, one after another, and keeps what was asked."""

    def __init__(self, *answers: NegotiationReply | MoothallError, wall: Wall | None = None) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []
        self.wall = wall

    async def __call__(self, operation: str, messages: Sequence[Any], received: int) -> NegotiationReply:
        self.asked.append((operation, received))
        if self.wall is not None:
            self.wall.time += timedelta(seconds=1)
        answer = self.answers.pop(0) if self.answers else reply()
        if isinstance(answer, MoothallError):
            raise answer
        return answer


class Beside:
    """Keeps what would be committed with a step."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []

    def beside(self, draft: Draft) -> None:
        self.drafts.append(draft)


def reply(*numbers: int, status: str = "needs_more_information") -> NegotiationReply:
    said = [{"n": number, "message": {"number": number}} for number in numbers]
    return NegotiationReply.model_validate({"negotiationId": "n", "status": status, "candidateProtocols": said})


def carrier(peer: Peer, wall: Wall, history: Sequence[Any] = ()) -> tuple[RequestingCarrier, Beside]:
    run: Any = SimpleNamespace(id="pr-1", clock=wall, history=history)
    beside: Any = Beside()
    return RequestingCarrier(run, PROVIDER, beside, peer, patience=10), beside


async def test_a_request_that_did_not_get_through_is_the_same_request_again() -> None:
    peer = Peer(NodeUnreachable("away"), NodeUnreachable("away"), reply(1))
    talk, _ = carrier(peer, Wall())
    await talk.send({"text": "hello"})
    assert [operation for operation, _ in peer.asked] == ["pr-1.1"] * 3
    assert await talk.receive(5) == {"number": 1}


async def test_a_provider_that_stays_away_ends_it() -> None:
    talk, _ = carrier(Peer(*[NodeUnreachable("away")] * 99), Wall())
    with pytest.raises(SessionEnded):
        await talk.send({"text": "hello"})


@pytest.mark.parametrize("error", [Unauthenticated("no"), NegotiationExpired("over")], ids=["proof", "expired"])
async def test_a_refusal_is_not_asked_for_again(error: MoothallError) -> None:
    peer = Peer(error)
    talk, _ = carrier(peer, Wall())
    with pytest.raises(SessionEnded):
        await talk.send({"text": "hello"})
    assert len(peer.asked) == 1
    assert talk.refusal is error


async def test_silence_is_a_timeout() -> None:
    wall = Wall()
    talk, _ = carrier(Peer(wall=wall), wall)
    with pytest.raises(CallTimeout):
        await talk.receive(3)


async def test_messages_come_in_their_order_and_once() -> None:
    peer = Peer(reply(1, 2), reply(2, 3))
    talk, _ = carrier(peer, Wall())
    await talk.send({})
    await talk.send({})
    assert [await talk.receive(1) for _ in range(3)] == [{"number": 1}, {"number": 2}, {"number": 3}]
    assert [received for _, received in peer.asked] == [0, 2]


async def test_a_message_that_would_leave_a_gap_is_not_taken() -> None:
    wall = Wall()
    talk, _ = carrier(Peer(reply(2), wall=wall), wall)
    with pytest.raises(CallTimeout):
        await talk.receive(1)


async def test_after_its_last_word_a_provider_is_not_asked_again() -> None:
    peer = Peer(reply(1, status="rejected"))
    talk, _ = carrier(peer, Wall())
    await talk.send({})
    assert await talk.receive(1) == {"number": 1}
    with pytest.raises(SessionEnded):
        await talk.receive(1)
    assert len(peer.asked) == 1


async def test_a_run_that_starts_again_has_the_messages_that_it_had() -> None:
    talk, beside = carrier(Peer(reply(1, 2)), Wall())
    await talk.send({})
    await talk.receive(1)
    peer = Peer()
    again, _ = carrier(peer, Wall(), history=beside.drafts)
    assert await again.receive(1) == {"number": 2}
    await again.send({})
    assert peer.asked == [("pr-1.2", 2)]
