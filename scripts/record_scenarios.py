"""Record the scenarios that travel with the package anew: negotiations of the invented agents, decided by the rules.

python scripts/record_scenarios.py

Each agent takes its own, fixed time to answer, so that a replay has the rhythm of a meeting and not of a machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from importlib.resources import files
from pathlib import Path

from moothall.events.model import Event
from moothall.messages import detect_lang
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.recording import Scenario, recorded
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from moothall.settings import Settings

QUICKEST, STEP, STEPS = 0.4, 0.15, 16
"""Seconds that the quickest agent takes, and by how much and how many steps others are slower."""

SCENARIOS = (
    ("ai-meetup-beijing", "北京 AI 聚会", "An AI meetup in Beijing", "我想在北京办一场AI主题聚会，需要场地和嘉宾"),
    (
        "photographer-shenzhen",
        "深圳的摄影师与场地",
        "A photographer and a venue in Shenzhen",
        "I need a photographer and a venue in Shenzhen for 80 people",
    ),
    (
        "budget-too-small",
        "预算不够的晚宴",
        "A dinner beyond its budget",
        "我想在上海办一场200人的晚宴，需要场地、餐饮和摄影，预算2000元",
    ),
)


class Unhurried:
    """A persona that thinks about it."""

    def __init__(self, persona: Participant, seconds: float) -> None:
        self._persona = persona
        self._seconds = seconds

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        """Answer an invitation."""
        await asyncio.sleep(self._seconds)
        return await self._persona.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        """Answer a plan."""
        await asyncio.sleep(self._seconds)
        return await self._persona.review(request, key=key)


def pace(agent_id: str) -> float:
    """How long this agent takes, always the same."""
    return QUICKEST + STEP * (hashlib.sha256(agent_id.encode()).digest()[0] % STEPS)


async def negotiated(demand: str) -> list[Event]:
    """The public events of one negotiation on a fresh node."""
    with tempfile.TemporaryDirectory() as data:
        settings = Settings(data=Path(data), llm_provider="none")
        node = Node(settings, participants=lambda of: Unhurried(node.persona(of), pace(of.agent_id)))
        async with node:
            submitted = await node.demands.submit(demand)
            return [event async for event in node.log.follow(submitted.demand_id)]


def outcome(events: list[Event]) -> str:
    """How it ended."""
    last = events[-1]
    return str(last.payload["consensus"]) if last.type == "towow.proposal.finalized" else "failed"


async def main() -> None:
    """Record them all."""
    folder = Path(str(files("moothall"))) / "data" / "scenarios"
    folder.mkdir(exist_ok=True)
    for scenario_id, title_zh, title_en, demand in SCENARIOS:
        events = await negotiated(demand)
        scenario = Scenario.model_validate(
            {
                "scenario_id": scenario_id,
                "title": {"zh": title_zh, "en": title_en},
                "lang": detect_lang(demand),
                "raw_input": demand,
                "outcome": outcome(events),
                "moments": [moment.model_dump() for moment in recorded(events)],
            }
        )
        row = scenario.model_dump(mode="json")
        for moment in row["moments"]:
            moment["after_seconds"] = round(moment["after_seconds"], 2)
        text = json.dumps(row, ensure_ascii=False, indent=1) + "\n"
        (folder / f"{scenario_id}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
