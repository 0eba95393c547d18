"""How long a negotiation waits for its model: everybody is asked at once, and two answers deep is one round."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from moothall.clock import parse_rfc3339
from moothall.events.model import Event
from tests.negotiation.demand.modelled import DEMAND, YES, wants, who
from tests.support.demand import negotiate, of_type, profile, running
from tests.support.fake_llm import Asked, FakeLLM, Late

TWELVE = (
    *(profile(f"venue_{number}", "场地提供", price=1000 + number) for number in range(4)),
    *(profile(f"speaker_{number}", "演讲嘉宾", price=500 + number) for number in range(4)),
    *(profile(f"planner_{number}", "活动策划", price=300 + number) for number in range(4)),
)
MANY = "我想在北京办一场AI主题聚会，需要场地和10位嘉宾"


class Together:
    """Holds every answer of a kind back until as many questions are open at the same moment."""

    def __init__(self, llm: FakeLLM, number: int, reply: Any = None) -> None:
        self._llm = llm
        self._number = number
        self._reply = reply
        self._all = asyncio.Event()
        self.most = 0

    async def __call__(self, asked: Asked) -> Any:
        if len(self._llm.calls(asked.kind)) == self._number:
            self.most = self._llm.under_way
            self._all.set()
        await self._all.wait()
        return self._reply


def span(events: list[Event], first: str, last: str) -> float:
    """Seconds from the last event of one type to the last of another."""
    when = {event.type.removeprefix("towow."): parse_rfc3339(event.ts) for event in events}
    return (when[last] - when[first]).total_seconds()


@pytest.mark.requirement("NEG-ARCH-18")
async def test_all_twelve_offers_are_asked_for_at_the_same_moment(tmp_path: Path, llm: FakeLLM) -> None:
    together = llm.script["respond"] = Together(llm, 12)
    async with running(tmp_path, TWELVE, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    assert together.most == 12
    assert len(of_type(events, "offer.submitted")) == 12
    assert not of_type(events, "proposal.finalized")[0]["degraded"]


@pytest.mark.requirement("NEG-ARCH-19")
async def test_all_reviews_of_a_round_are_asked_for_at_the_same_moment(tmp_path: Path, llm: FakeLLM) -> None:
    profiles = [profile("venue", "场地提供"), *(profile(f"speaker_{number}", "演讲嘉宾") for number in range(10))]
    together = llm.script["review"] = Together(llm, 11, YES)
    async with running(tmp_path, profiles, **llm.settings()) as node:
        events = await negotiate(node, MANY)
    assert together.most == 11
    assert of_type(events, "feedback.evaluated")[0]["accepts"] == 11


@pytest.mark.requirement("NEG-ARCH-18", "NEG-ARCH-19")
async def test_a_second_of_latency_is_paid_once_for_all_offers_and_once_for_all_reviews(
    tmp_path: Path, llm: FakeLLM
) -> None:
    """One after another they would take 12 and 11 seconds; the bound leaves room for a busy machine."""
    profiles = [profile("venue", "场地提供"), *(profile(f"speaker_{number}", "演讲嘉宾") for number in range(11))]
    llm.script |= {"respond": Late(1.0), "review": Late(1.0, YES)}
    async with running(tmp_path, profiles, **llm.settings()) as node:
        events = await negotiate(node, MANY)
    assert len(of_type(events, "offer.submitted")) == 12
    assert 1.0 <= span(events, "demand.broadcast", "offer.submitted") < 2.5
    assert 1.0 <= span(events, "proposal.distributed", "proposal.feedback") < 2.5
    assert not of_type(events, "proposal.finalized")[0]["degraded"]


@pytest.mark.requirement("NEG-ADR-02")
async def test_a_round_at_three_seconds_of_latency_takes_less_than_twenty(tmp_path: Path, llm: FakeLLM) -> None:
    """A further round is one adjustment and then all reviews at once: two answers deep, however many take part."""

    def once(asked: Asked) -> Any:
        if asked.data["round"]["now"] > 1:
            return Late(3.0, YES)
        mine = sum(item["price"] for item in asked.data["my_assignments"])
        return wants(price=mine + 20) if who(asked).startswith("venue") else YES

    llm.script |= {"review": once, "adjust": Late(3.0)}
    started = time.monotonic()
    async with running(tmp_path, TWELVE, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
    assert of_type(events, "proposal.finalized")[0]["rounds_taken"] == 2
    evaluated = [parse_rfc3339(event.ts) for event in events if event.type == "towow.feedback.evaluated"]
    assert 6.0 <= (evaluated[1] - evaluated[0]).total_seconds() < 20
    assert time.monotonic() - started >= 6.0
