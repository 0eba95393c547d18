"""Record the runs anew that the page is tested with: real negotiations on a real node, read through its API.

python -m scripts.record_fixtures [name ...]

The agents follow scripts, so that every kind of course and end is among them. Ids and times are replaced by fixed ones:
a fixture changes only when the node does, or where the node draws lots between equals.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from moothall.clock import parse_rfc3339, rfc3339
from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.models import AgentResponse
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from tests.negotiation.demand.modelled import DEMAND, TRIO, WITH_PHOTOS
from tests.negotiation.demand.test_subnet import POOL, speakers
from tests.server.door import Door, opened
from tests.support.clock import ShiftedClock
from tests.support.demand import ACCEPT, DECLINE, SILENT, WITHDRAW, Script, Scripted, profile, running, wish
from tests.support.fake_llm import fake_llm

TARGET = Path(__file__).parent.parent / "web" / "src" / "fixtures"
START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
STEP = timedelta(seconds=0.6)
"""Between two events of a fixture."""
PACE = 0.03
"""Seconds between the answers of two agents, so that they always come in the same order."""
SLICE = 200

Speaker = Callable[[Node, AgentProfile], Participant]
Steps = Callable[[Door, str], Awaitable[None]]


@dataclass(frozen=True)
class Course:
    """One negotiation: who is there, what they say, and what the requester does meanwhile."""

    demand: str = DEMAND
    profiles: Sequence[AgentProfile] = TRIO
    scripts: Mapping[str, Script] = field(default_factory=dict)
    speaker: Speaker | None = None
    submit: Mapping[str, object] = field(default_factory=dict)
    requester: Steps | None = None
    model: Literal["none", "agreeable", "dead"] = "none"
    settings: Mapping[str, Any] = field(default_factory=dict)


class Paced:
    """A participant that answers in its turn."""

    def __init__(self, inner: Participant, seconds: float) -> None:
        self._inner = inner
        self._seconds = seconds

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        await asyncio.sleep(self._seconds)
        return await self._inner.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        await asyncio.sleep(self._seconds)
        return await self._inner.review(request, key=key)


async def cancel_in_review(door: Door, demand_id: str) -> None:
    """Cancel as soon as there is a plan."""
    async for event in door.node.log.follow(demand_id):
        if event.type == "towow.proposal.distributed":
            break
    (await door.client.post(f"/api/v1/demand/{demand_id}/cancel")).raise_for_status()


async def confirm_with_edits(door: Door, demand_id: str) -> None:
    """Confirm, for more people in another month."""
    edits = {"context": {"expected_attendees": 40, "date": "2027-03-15"}, "uncertainties": []}
    answer = await door.client.post(f"/api/v1/demand/{demand_id}/confirm", json={"understanding": edits})
    answer.raise_for_status()


def conditional(text: str) -> AgentResponse:
    """An offer with a condition."""
    return AgentResponse(decision="conditional", contribution="可以承担", conditions=(text,), reasoning="要看安排")


SPARE = profile("spare", "场地提供", price=2000)
SPEAKERS = (*TRIO, profile("second", "演讲嘉宾", price=900), profile("third", "演讲嘉宾", price=950))

COURSES: Mapping[str, Course] = {
    "full-agreement": Course(profiles=(*TRIO, SPARE)),
    "three-rounds": Course(
        scripts={
            "venue": Script(reviews=[wish(price=1100), wish(price=1150), ACCEPT]),
            "speaker": Script(offer=conditional("需要提供投影设备")),
        },
    ),
    "partial-by-silence": Course(scripts={"planner": Script(reviews=[SILENT])}),
    "compromise-with-gaps": Course(demand=WITH_PHOTOS),
    "divided": Course(scripts={"venue": Script(reviews=[wish(price=1100), wish(price=1200), wish(price=3000)])}),
    "failed-no-agreement": Course(
        scripts={name: Script(reviews=[wish(price=5000)]) for name in ("venue", "speaker", "planner")}
    ),
    "failed-core-role-lost": Course(scripts={"venue": Script(reviews=[WITHDRAW])}),
    "failed-no-candidates": Course(demand="在火星上建基地"),
    "failed-no-answer": Course(
        scripts={name: Script(offer=SILENT) for name in ("venue", "speaker", "planner")},
    ),
    "failed-all-decline": Course(scripts={name: Script(offer=DECLINE) for name in ("venue", "speaker", "planner")}),
    "cancelled": Course(
        scripts={name: Script(reviews=["later"]) for name in ("venue", "speaker", "planner")},
        requester=cancel_in_review,
    ),
    "confirmed-edited": Course(submit={"confirm": True}, requester=confirm_with_edits),
    "with-a-person": Course(
        submit={"participants": [{"display_name": "小林", "capability_tags": ["摄影"]}]},
        settings={"response_timeout": 1, "feedback_timeout": 1},
    ),
    "sub-negotiation": Course(
        demand="我想在北京办一场AI主题聚会，需要场地、嘉宾和摄影", profiles=POOL, speaker=speakers(always=False)
    ),
    "sub-negotiation-failed": Course(
        demand="我想在北京办一场AI主题聚会，需要场地、嘉宾和摄影", profiles=POOL, speaker=speakers(always=True)
    ),
    "substitute": Course(profiles=(*TRIO, SPARE), scripts={"venue": Script(reviews=[WITHDRAW])}),
    "stand-in": Course(
        demand="我想在北京办一场AI主题聚会，需要场地和2位嘉宾",
        profiles=SPEAKERS,
        scripts={"second": Script(reviews=[WITHDRAW])},
    ),
    "with-a-model": Course(demand=WITH_PHOTOS, profiles=(*TRIO, SPARE), model="agreeable"),
    "degraded": Course(profiles=(*TRIO, SPARE), model="dead"),
}


def speaker_of(course: Course) -> Speaker:
    """Everybody's participant: scripted where there is a script, and each in its turn."""
    turn = {item.agent_id: number for number, item in enumerate(course.profiles)}
    scripts = {f"user_agent_{name}": Script(item.offer, item.reviews) for name, item in course.scripts.items()}

    def speak(node: Node, of: AgentProfile) -> Participant:
        inner = course.speaker(node, of) if course.speaker else node.persona(of)
        if of.agent_id in scripts:
            inner = Scripted(inner, scripts[of.agent_id])
        return Paced(inner, PACE * (1 + turn.get(of.agent_id, 0)))

    return speak


@asynccontextmanager
async def model_of(course: Course) -> AsyncIterator[dict[str, Any]]:
    """The settings of the course's model: none, one that agrees to all, or one that fails at everything."""
    if course.model == "none":
        yield {}
        return
    async with fake_llm() as llm:
        llm.script["*"] = 500 if course.model == "dead" else None
        yield llm.settings()


async def record(course: Course) -> list[dict[str, Any]]:
    """The demand as its requester sees it in the end, and its sub-negotiations after it."""
    with tempfile.TemporaryDirectory() as data:
        async with model_of(course) as model:
            values = {**model, **course.settings, "clock": ShiftedClock(START), "participants": speaker_of(course)}
            async with running(Path(data), course.profiles, **values) as node, opened(node) as door:
                demand_id = await door.submit(course.demand, **course.submit)
                if course.requester:
                    await course.requester(door, demand_id)
                events = [event async for event in node.log.follow(demand_id)]
                subs = [row.payload["sub_demand_id"] for row in events if row.type == "towow.subnet.triggered"]
                for sub in subs:
                    async for _ in node.log.follow(sub):
                        pass
                return [await seen(door, item) for item in (demand_id, *subs)]


async def seen(door: Door, demand_id: str) -> dict[str, Any]:
    """All that the API tells of a demand."""
    demand = await read(door, f"demand/{demand_id}")
    demand.pop("stream_token", None)
    events = await all_events(door, demand_id)
    recording = {
        "format": "moothall-events",
        "version": 1,
        "demand_id": demand_id,
        "raw_input": demand["raw_input"],
        "exported_at": events[-1]["timestamp"],
        "events": events,
    }
    created = any(event["event_type"] == "towow.channel.created" for event in events)
    return {
        "recording": recording,
        "demand": demand,
        "seats": (await read(door, f"channels/{demand['channel_id']}/agents"))["agents"] if created else [],
        "steps": (await read(door, f"demand/{demand_id}/steps"))["steps"],
    }


async def all_events(door: Door, demand_id: str) -> list[dict[str, Any]]:
    """Every slice of ``/recent``."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["event_id"] if found else ""
        path = f"events/negotiations/{demand_id}/recent"
        rows = (await read(door, path, count=SLICE, after=after))["events"]
        found += rows
        if len(rows) < SLICE:
            return found


async def read(door: Door, path: str, **query: object) -> dict[str, Any]:
    answer = await door.client.get(f"/api/v1/{path}", params={name: str(value) for name, value in query.items()})
    answer.raise_for_status()
    return dict(answer.json())


# -- fixed ids and times --------------------------------------------------------------------------------------

_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$")
_PERSON = re.compile(r"person_[0-9a-f]{8}")


class Times:
    """Maps the moments of a run to fixed ones: event number *n* is ``n`` steps after the start."""

    def __init__(self, events: Sequence[Mapping[str, Any]], begin: datetime) -> None:
        self._real = [parse_rfc3339(event["timestamp"]) for event in events]
        self._begin = begin

    def of(self, number: int) -> datetime:
        """When the event of this number was."""
        return self._begin + number * STEP

    def moved(self, moment: datetime) -> datetime:
        """A moment within the run: that of the first event that is not before it. A later one keeps its distance."""
        for number, real in enumerate(self._real):
            if real >= moment:
                return self.of(number)
        beyond = round((moment - self._real[-1]).total_seconds())
        return self.of(len(self._real) - 1) + timedelta(seconds=beyond)

    def deadline(self, number: int, moment: datetime) -> datetime:
        """A moment that an event looks ahead to."""
        return self.of(number) + timedelta(seconds=round((moment - self._real[number]).total_seconds()))


def fixed(run: dict[str, Any], names: Mapping[str, str], begin: datetime) -> dict[str, Any]:
    """The run with fixed ids and times."""
    events = run["recording"]["events"]
    times = Times(events, begin)
    for number, event in enumerate(events):
        ahead = event["payload"].get("deadline_at")
        event["payload"] = mapped(event["payload"], times.moved)
        if ahead:
            event["payload"]["deadline_at"] = rfc3339(times.deadline(number, parse_rfc3339(ahead)))
    rest = {key: mapped(value, times.moved) for key, value in run.items() if key != "recording"}
    for step in rest["steps"]:
        step["seconds"] = None if step["seconds"] is None else round(step["seconds"])
    for number, event in enumerate(events):
        event["timestamp"] = rfc3339(times.of(number))
    run["recording"]["exported_at"] = rfc3339(times.of(len(events)))
    text = json.dumps({"recording": run["recording"], **rest}, ensure_ascii=False)
    for old, new in names.items():
        text = text.replace(old, new)
    return dict(json.loads(text))


def mapped(value: Any, moved: Callable[[datetime], datetime]) -> Any:  # noqa: ANN401 - JSON
    """The value with every moment in it moved."""
    if isinstance(value, dict):
        return {key: mapped(item, moved) for key, item in value.items()}
    if isinstance(value, list):
        return [mapped(item, moved) for item in value]
    if isinstance(value, str) and _TIME.match(value):
        return rfc3339(moved(parse_rfc3339(value)))
    return value


def names_of(runs: Sequence[dict[str, Any]]) -> dict[str, str]:
    """New names for the random ids of these runs."""
    names: dict[str, str] = {}
    for number, run in enumerate(runs, start=1):
        names[run["demand"]["demand_id"][2:]] = f"{number:08x}"
    people = sorted({person for run in runs for person in _PERSON.findall(json.dumps(run))})
    return names | {person: f"person_{number:08x}" for number, person in enumerate(people, start=1)}


def write(name: str, run: dict[str, Any]) -> None:
    text = json.dumps(run, ensure_ascii=False, indent=1) + "\n"
    (TARGET / f"{name}.json").write_text(text, encoding="utf-8")
    last = run["recording"]["events"][-1]
    print(f"{name}: {len(run['recording']['events'])} events, {last['event_type']}")


async def main(wanted: Sequence[str]) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in wanted or COURSES:
        runs = await record(COURSES[name])
        names = names_of(runs)
        for number, run in enumerate(runs):
            write(name if number == 0 else f"{name}-child", fixed(run, names, START))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
