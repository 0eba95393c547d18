"""The product as it is: a node over a fresh SQLite store negotiates the sentence of a demand to its end."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from benchmarks.quality.cards import card
from benchmarks.quality.participants import participant
from benchmarks.quality.world import Plan, Role, Scenario
from moothall.clock import SystemClock
from moothall.directory.profiles import AgentProfile
from moothall.events.model import Event
from moothall.negotiation.demand.models import DemandUnderstanding
from moothall.negotiation.demand.participants import Participant
from moothall.node import Node
from moothall.settings import Settings

Policy = Literal["accept", "abstain", "withdraw"]


class OtherDay(SystemClock):
    """The machine's clock, on the day on which the scenario's demand is stated."""

    def __init__(self, day: date) -> None:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        self._shift = noon - datetime.now(UTC)

    def now(self) -> datetime:
        """The wall clock, shifted."""
        return super().now() + self._shift

    async def sleep_until(self, when: datetime) -> None:
        """Sleep until the shifted clock has reached ``when``."""
        await super().sleep_until(when - self._shift)


@dataclass(frozen=True, slots=True)
class Result:
    """What the product made of a scenario, read from its public events and its log."""

    plan: Plan
    finalized: bool
    full: bool
    reason: str
    understood: DemandUnderstanding
    invited: tuple[str, ...]
    gaps: tuple[str, ...]
    accepted: frozenset[str]
    withdrawn: frozenset[str]
    rounds: int
    calls: int
    seconds: float
    confidence: str
    first_plan: Plan


async def negotiate(scenario: Scenario, policy: Policy = "accept") -> Result:
    """Run one scenario through a node of its own; ``policy`` says what silence in a review counts for."""
    with tempfile.TemporaryDirectory(prefix="moothall-quality-") as folder, _quiet():
        settings = Settings(data=Path(folder), demo_agents=False, feedback_timeout_policy=policy, llm_provider="none")

        def speaker(profile: AgentProfile) -> Participant:
            return participant(node, scenario, profile)

        node = Node(settings, participants=speaker, clock=OtherDay(scenario.today))
        async with node:
            await node.registry.load([card(agent) for agent in scenario.agents])
            begin = time.perf_counter()
            submitted = await node.demands.submit(scenario.demand.text)
            events = [event async for event in node.log.follow(submitted.demand_id)]
            seconds = time.perf_counter() - begin
            log = await node.log.load(submitted.demand_id)
    return read(events, log, seconds)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings about agents that cannot be reached: here they are what is measured."""
    log = logging.getLogger("moothall")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


def read(events: Sequence[Event], log: Sequence[Event], seconds: float) -> Result:
    """The figures of one negotiation out of its events."""
    by_type: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        by_type.setdefault(event.type.removeprefix("towow."), []).append(event.payload)
    ends = by_type.get("proposal.finalized", [])
    end = ends[0] if ends else by_type["negotiation.failed"][0]
    plans = by_type.get("proposal.distributed", [])
    answers = [*by_type.get("proposal.feedback", []), *by_type.get("substitute.answered", [])]
    spoken = [item for item in answers if not item["by_default"]]
    last = {item["agent_id"]: item["feedback_type"] for item in sorted(spoken, key=lambda item: item["round"])}
    senders = {"coordinator", "channel_admin"}
    calls = sum(event.type == "decision" for event in log)
    calls += sum(event.type == "message" and event.payload["from"] not in senders for event in log)
    return Result(
        plan=_plan(end["final_proposal"]) if ends else Plan(),
        finalized=bool(ends),
        full=bool(ends) and end["consensus"] == "full",
        reason=end.get("reason", ""),
        understood=DemandUnderstanding.model_validate(by_type["demand.understood"][0]),
        invited=tuple(
            item["agent_id"] for item in by_type.get("filter.completed", [{"candidates": []}])[0]["candidates"]
        ),
        gaps=tuple(gap["gap_type"] for gap in end.get("gaps", [])),
        accepted=frozenset(name for name, kind in last.items() if kind == "accept"),
        withdrawn=frozenset(name for name, kind in last.items() if kind == "withdraw"),
        rounds=max((item["round"] for item in plans), default=0),
        calls=calls,
        seconds=seconds,
        confidence=end["final_proposal"]["confidence"] if ends else "",
        first_plan=_plan(plans[0]["proposal"]) if plans else Plan(),
    )


def _plan(proposal: dict[str, Any]) -> Plan:
    roles = tuple(
        Role(
            agent_id=item["agent_id"],
            concept=item["concept"],
            price=item["price"],
            waived=any(one["kind"] == "requires" and one["status"] != "met" for one in item["conditions"]),
        )
        for item in proposal["assignments"]
    )
    return Plan(roles, date.fromisoformat(proposal["timeline"]["start_date"]))
