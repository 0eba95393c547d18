"""Agents, demands and recordings that the tests of the page share."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from tests.support.demand import ACCEPT, DECLINE, Script, profile, wish
from tests.support.fake_llm import Asked
from tests.support.page_node import Stage

DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
ENGLISH = "I want to hold an AI meetup in Beijing, I need a venue and speakers"
WITH_PHOTOS = "我想在北京办一场AI主题聚会，需要场地、嘉宾和摄影"
TRIO = [profile("venue", "场地提供"), profile("speaker", "演讲嘉宾"), profile("planner", "活动策划")]
POOL = [
    *(profile(f"venue_{number}", "场地提供", price=1000 + number) for number in range(8)),
    *(profile(f"speaker_{number}", "演讲嘉宾", price=500 + number) for number in range(9)),
    *(profile(f"photo_{number}", "摄影", price=600 + number) for number in range(7)),
    profile("planner", "活动策划"),
]
AGREED = {name: Script(reviews=[ACCEPT]) for name in ("venue", "speaker", "planner")}


def wishing(*names: str) -> dict[str, Script]:
    """Those ask for more in every round, the others of the three accept."""
    return {
        name: Script(reviews=[wish(price=5000)] if name in names else [ACCEPT])
        for name in ("venue", "speaker", "planner")
    }


class Held:
    """A reply of the fake model that waits until the test lets it go."""

    def __init__(self, reply: Any = None) -> None:
        self._reply = reply
        self._let_go = threading.Event()

    def let_go(self) -> None:
        self._let_go.set()

    async def __call__(self, asked: Asked) -> Any:
        while not self._let_go.is_set():  # noqa: ASYNC110 - let go from another thread
            await asyncio.sleep(0.005)
        return self._reply


class Shy:
    """A participant that declines every demand for more than one thing."""

    def __init__(self, persona: Participant) -> None:
        self._persona = persona

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        if len(invitation.demand.requirements) > 1:
            return DECLINE
        return await self._persona.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        return await self._persona.review(request, key=key)


async def told(stage: Stage, demand_id: str) -> list[dict[str, Any]]:
    """All events of a demand as a client gets them."""
    return await stage.door.stream(demand_id)


def recording(demand_id: str, events: Sequence[dict[str, Any]], raw_input: str = DEMAND) -> str:
    """The file that the page's download writes."""
    return json.dumps(
        {
            "format": "moothall-events",
            "version": 1,
            "demand_id": demand_id,
            "raw_input": raw_input,
            "exported_at": "2026-11-21T10:00:00Z",
            "events": list(events),
        },
        ensure_ascii=False,
    )


def renumbered(demand_id: str, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events as one run's: ids in order, one event a second."""
    return [
        {
            **event,
            "event_id": f"evt-{demand_id.removeprefix('d-')}-{number}",
            "timestamp": f"2026-11-21T10:{number // 60:02d}:{number % 60:02d}.000Z",
        }
        for number, event in enumerate(events)
    ]
