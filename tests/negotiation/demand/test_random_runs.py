"""A hundred random negotiations: the order of events, one end, each event once per cause, the counts right."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from moothall.events.model import Event
from moothall.events.types import EVENT_TYPES, TERMINAL_EVENT_TYPES
from moothall.negotiation.demand.machine import TRANSITIONS, ChannelStatus, Trigger
from moothall.negotiation.demand.models import AgentResponse
from moothall.negotiation.demand.payloads import PAYLOADS
from moothall.negotiation.demand.plan_models import ProposalFeedback
from tests.support.demand import (
    ACCEPT,
    DECLINE,
    SILENT,
    WITHDRAW,
    Script,
    kinds,
    negotiate,
    profile,
    running,
    wish,
)

TAGS = ("场地提供", "演讲嘉宾", "活动策划", "摄影")
DEMANDS = (
    "我想在北京办一场AI主题聚会，需要场地和嘉宾",
    "在北京办一场30人的技术沙龙，预算4000元，需要场地、2位嘉宾和摄影",
    "想在北京找摄影和场地，预算1500元",
    "在火星上建基地",
)
RANK = {
    kind: place
    for place, kind in enumerate(
        ("demand.submitted", "demand.understood", "filter.completed", "channel.created", "demand.broadcast")
    )
}


def offers(chance: random.Random) -> AgentResponse | str | None:
    """Mostly the persona's own answer; sometimes a refusal, silence, or words without terms."""
    words = AgentResponse(decision="conditional", contribution="可以", conditions=("需要提前一周确认",))
    return chance.choices([None, DECLINE, SILENT, words], [6, 2, 1, 1])[0]


def reviews(chance: random.Random) -> list[ProposalFeedback | str | None]:
    """Three rounds of anything."""
    wanted = wish(price=chance.randrange(500, 3000))
    picks = [None, ACCEPT, wanted, WITHDRAW, SILENT]
    return chance.choices(picks, [4, 3, 2, 1, 1], k=3)


async def one_run(data: Path, seed: int) -> tuple[list[Event], list[Event]]:
    """One random world and demand; its public events and its whole log."""
    chance = random.Random(seed)
    profiles = [
        profile(
            f"agent_{number:02d}", *chance.sample(TAGS, chance.choice([1, 1, 2])), price=chance.randrange(300, 2500)
        )
        for number in range(chance.randrange(2, 14))
    ]
    scripts = {
        item.agent_id.removeprefix("user_agent_"): Script(offer=offers(chance), reviews=reviews(chance))
        for item in profiles
    }
    policy = chance.choice(["accept", "abstain", "withdraw"])
    async with running(data, profiles, scripts, feedback_timeout_policy=policy) as node:
        events = await negotiate(node, chance.choice(DEMANDS))
        return events, await node.log.load(events[0].run)


def check_order(events: list[Event]) -> None:
    """The partial order of row NEG-EVENT-00."""
    order = kinds(events)
    opening = [RANK[kind] for kind in order if kind in RANK]
    assert opening == sorted(set(opening))
    assert [event.type in TERMINAL_EVENT_TYPES for event in events].count(True) == 1
    assert events[-1].type in TERMINAL_EVENT_TYPES
    stage, number = 0, 0
    for event in events:
        kind, payload = event.type.removeprefix("towow."), event.payload
        if kind == "offer.submitted" and stage == 0:
            assert "demand.broadcast" in order[: events.index(event)]
        elif kind == "aggregation.started":
            assert stage == 0
            stage = 1
        elif kind == "proposal.distributed":
            number += 1
            assert stage in {1, 3}
            assert payload["round"] == payload["proposal"]["version"] == number
            assert number == 1 or f"negotiation.round_started{number}" in {
                f"{item.type.removeprefix('towow.')}{item.payload.get('round')}"
                for item in events[: events.index(event)]
            }
            stage = 2
        elif kind in {"proposal.feedback", "agent.withdrawn", "negotiation.bargain"}:
            assert (stage, payload["round"]) == (2, number)
        elif kind == "feedback.evaluated":
            assert (stage, payload["round"]) == (2, number)
            stage = 3
        elif kind in {"gap.identified", "subnet.triggered", "substitute.invited", "substitute.answered"}:
            assert stage == 3
    assert number <= 3


def check_counts(events: list[Event]) -> None:
    """Feedback counts, participants, and each event once per cause."""
    causes = Counter(
        (event.type, event.payload.get("agent_id"), event.payload.get("round"), event.payload.get("decision"))
        for event in events
    )
    assert set(causes.values()) == {1}
    for event in events:
        if event.type == "towow.feedback.evaluated":
            number, counts = event.payload["round"], event.payload
            given = [
                item.payload
                for item in events
                if item.type == "towow.proposal.feedback" and item.payload["round"] == number
            ]
            total = counts["accepts"] + counts["rejects"] + counts["negotiates"]
            assert total == len(given)
            assert counts["accept_rate"] == (counts["accepts"] / total if total else 0)
            assert len(given) + counts["silent"] == counts["participants"]
        if event.type == "towow.proposal.finalized":
            agents = {item["agent_id"] for item in event.payload["final_proposal"]["assignments"]}
            assert event.payload["participants_count"] == len(agents)


def check_log(log: list[Event]) -> None:
    """No hole, only legal transitions, every public payload fits its schema."""
    assert [event.seq for event in log] == list(range(len(log)))
    state = ChannelStatus.CREATED
    for event in log:
        if event.type == "transition":
            assert event.payload["from_state"] == state
            state = TRANSITIONS[state, Trigger(event.payload["trigger"])]
            assert event.payload["to_state"] == state
        if event.public:
            assert event.type in EVENT_TYPES
            PAYLOADS[event.type].model_validate(event.payload)
    assert state in {ChannelStatus.FINALIZED, ChannelStatus.FAILED}


@pytest.mark.timeout(240)
@pytest.mark.requirement("NEG-EVENT-00", "NEG-ARCH-16", "NEG-EVENT-09", "NEG-EVENT-17", "NEG-STATE-02", "NEG-STATE-11")
async def test_a_hundred_random_runs_keep_the_order_and_end_once(tmp_path: Path) -> None:
    ends: Counter[str] = Counter()
    for seed in range(100):
        events, log = await one_run(tmp_path / str(seed), seed)
        check_order(events)
        check_counts(events)
        check_log(log)
        ends[events[-1].payload.get("reason", events[-1].payload.get("consensus"))] += 1
    assert {"full", "partial", "no_candidates", "core_role_lost"} <= set(ends), "the worlds are varied enough"
