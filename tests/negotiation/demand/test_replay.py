"""A recorded negotiation is shown again: same order, own ids, marked, and never counted as a real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from moothall.clock import parse_rfc3339
from moothall.directory.loading import load_profiles_from_file, mock_profiles_file
from moothall.directory.registry import init_mock_agents
from moothall.errors import Conflict, DemandNotFound, InvalidInput
from moothall.events.model import Event
from moothall.events.types import TERMINAL_EVENT_TYPES
from moothall.negotiation.demand.payloads import PAYLOADS
from moothall.negotiation.demand.recording import Moment, again, recorded, scenarios
from moothall.negotiation.demand.replay import WAIT, Replays
from moothall.node import Node
from moothall.settings import Settings
from tests.support.clock import ManualClock
from tests.support.demand import Script, negotiate, profile, running

TEAM = [profile("hall", "场地提供"), profile("speaker", "演讲嘉宾", price=600), profile("planner", "活动策划")]
DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
FAST = 1000.0


async def shown(node: Node, replay_id: str) -> list[Event]:
    return [event async for event in node.log.follow(replay_id)]


def unmarked(events: list[Event]) -> list[Any]:
    """What is left of payloads without marks, and with one id for every run."""
    own = events[0].run.removeprefix("d-")
    marks = {"demo", "mark"}
    rows = [{key: value for key, value in event.payload.items() if key not in marks} for event in events]
    return [json.loads(json.dumps(row).replace(f"-{own}", "-xxxxxxxx")) for row in rows]


def test_the_package_holds_a_chinese_an_english_and_an_unlucky_negotiation() -> None:
    found = scenarios().values()
    assert {one.lang for one in found} == {"zh", "en"}
    assert len(found) >= 3
    assert any(one.outcome != "full" for one in found)
    agents = {row.agent_id for row in load_profiles_from_file(mock_profiles_file())}
    for one in found:
        kinds = [moment.event_type for moment in one.moments]
        assert kinds[0] == "towow.demand.submitted"
        assert [kind for kind in kinds if kind in TERMINAL_EVENT_TYPES] == [kinds[-1]]
        assert one.moments[0].payload["raw_input"] == one.raw_input
        for moment in one.moments:
            PAYLOADS[moment.event_type].model_validate(moment.payload)
            assert moment.payload.get("agent_id", next(iter(agents))) in agents


@pytest.mark.requirement("NEG-DATA-11")
async def test_a_scenario_is_shown_in_its_order_under_new_ids_and_marked(tmp_path: Path) -> None:
    async with running(tmp_path) as node:
        replays = Replays(node.log)
        for name, scenario in scenarios().items():
            first, second = [await replays.create(scenario_id=name, speed=FAST) for _ in range(2)]
            told = [await shown(node, (await replays.start(one.record.id)).record.id) for one in (first, second)]
            assert [event.type for event in told[0]] == [moment.event_type for moment in scenario.moments]
            assert unmarked(told[0]) == unmarked(told[1])
            for event in told[0]:
                assert (event.payload["demo"], event.payload["mark"]) == (True, "DEMO")
                assert event.payload["demand_id"] == first.record.id
                assert event.payload["channel_id"] == first.record.id.replace("d-", "collab-")
            assert first.record.id != second.record.id


@pytest.mark.requirement("NEG-DATA-11")
async def test_an_ended_negotiation_of_the_node_can_be_shown_again(tmp_path: Path) -> None:
    async with running(tmp_path, TEAM) as node:
        real = await negotiate(node, DEMAND)
        replays = Replays(node.log)
        replay = await replays.create_from(real[0].run, speed=FAST)
        assert replay.state == "waiting"
        await replays.start(replay.record.id)
        told = await shown(node, replay.record.id)
        assert [event.type for event in told] == [event.type for event in real]
        assert unmarked(told) == unmarked(real)
        assert (await replays.get(replay.record.id)).state == "ended"
        assert replay.record.id not in {run.id for run in await node.log.runs(kind="demand")}


@pytest.mark.requirement("NEG-DATA-11")
async def test_the_rhythm_is_the_recorded_one_times_the_speed_and_survives_a_restart(tmp_path: Path) -> None:
    name = "ai-meetup-beijing"
    moments = scenarios()[name].moments
    clock, half = ManualClock(), len(moments) // 2
    async with running(tmp_path, clock=clock) as node:
        replays = Replays(node.log)
        replay = (await replays.create(scenario_id=name, speed=2)).record.id
        await replays.start(replay)
        last = await _in_time(node, clock, replay, moments[:half], clock.now(), after=-1)
    async with running(tmp_path, clock=clock) as node:
        last = await _in_time(node, clock, replay, moments[half:], parse_rfc3339(last.ts), after=last.seq)
        told = await shown(node, replay)
        assert told[-1] == last
        assert [event.type for event in told] == [moment.event_type for moment in moments]


async def _in_time(
    node: Node, clock: ManualClock, replay: str, moments: Sequence[Moment], since: datetime, *, after: int
) -> Event:
    """Follow these moments, each of which comes when the clock reaches its time at twice the speed; the last event."""
    async with aclosing(node.log.follow(replay, after=after)) as events:
        for moment in moments:
            due = since + timedelta(seconds=moment.after_seconds / 2)
            await clock.advance(due)
            event = await anext(events)
            since = parse_rfc3339(event.ts)
            assert abs(since - due) < timedelta(milliseconds=2)
    return event


async def test_a_replay_waits_to_be_started_once(tmp_path: Path) -> None:
    async with running(tmp_path) as node:
        replays = Replays(node.log)
        replay = (await replays.create(scenario_id="ai-meetup-beijing", speed=FAST)).record.id
        assert await node.log.load(replay, public=True) == []
        assert (await replays.start(replay)).state == "running"
        with pytest.raises(Conflict):
            await replays.start(replay)
        await shown(node, replay)
        with pytest.raises(Conflict):
            await replays.start(replay)
        assert [(one.record.id, one.state) for one in await replays.listed(10)] == [(replay, "ended")]


async def test_a_replay_that_nobody_starts_is_closed(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running(tmp_path, clock=clock) as node:
        replays = Replays(node.log)
        replay = (await replays.create(scenario_id="ai-meetup-beijing", speed=1)).record.id
        follower = asyncio.create_task(shown(node, replay))
        while not follower.done():
            await clock.advance(WAIT / 2)
        assert await follower == []
        assert (await replays.get(replay)).state == "ended"


async def test_what_cannot_be_replayed_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, TEAM) as node:
        replays = Replays(node.log)
        with pytest.raises(InvalidInput):
            await replays.create(scenario_id="../secrets", speed=1)
        for nobody in ("d-00000000", (await replays.create(scenario_id="ai-meetup-beijing", speed=1)).record.id):
            with pytest.raises(DemandNotFound):
                await replays.create_from(nobody, speed=1)
        with pytest.raises(DemandNotFound):
            await replays.start("d-00000000")
        with pytest.raises(DemandNotFound):
            await replays.get((await negotiate(node, DEMAND))[0].run)


async def test_a_negotiation_that_goes_on_cannot_be_replayed(tmp_path: Path) -> None:
    async with running(tmp_path, TEAM, {"hall": Script(offer="later")}) as node:
        demand_id = (await node.demands.submit(DEMAND)).demand_id
        with pytest.raises(Conflict):
            await Replays(node.log).create_from(demand_id, speed=1)


async def test_erasing_a_negotiation_erases_its_replays(tmp_path: Path) -> None:
    async with running(tmp_path, TEAM) as node:
        real = await negotiate(node, DEMAND)
        replays = Replays(node.log)
        ended, waiting = [(await replays.create_from(real[0].run, speed=FAST)).record.id for _ in range(2)]
        await replays.start(ended)
        await shown(node, ended)
        await node.log.erase(real[0].run)
        for name in (ended, waiting):
            with pytest.raises(DemandNotFound):
                await replays.get(name)
            assert all(event.payload == {} for event in await node.log.load(name))


def test_ids_of_a_sub_negotiation_are_renamed_alike_in_every_event() -> None:
    ids = {"demand_id": "d-11111111", "channel_id": "collab-11111111"}
    triggered = Moment(
        event_type="towow.subnet.triggered", after_seconds=0, payload={**ids, "sub_demand_id": "d-22222222"}
    )
    completed = Moment(
        event_type="towow.subnet.completed",
        after_seconds=0,
        payload={**ids, "sub_channel_id": "collab-22222222", "names": ["d-22222222", "about d-22222222"]},
    )
    one, other = again(triggered, "d-33333333"), again(completed, "d-33333333")
    assert one["demand_id"] == "d-33333333"
    assert other["channel_id"] == "collab-33333333"
    assert one["sub_demand_id"].removeprefix("d-") == other["sub_channel_id"].removeprefix("collab-")
    assert one["sub_demand_id"] not in {"d-22222222", "d-33333333"}
    assert other["names"] == [one["sub_demand_id"], "about d-22222222"]
    assert again(triggered, "d-44444444")["sub_demand_id"] != one["sub_demand_id"]


async def test_recording_and_replaying_agree_on_every_database(tmp_path: Path, database_url: str) -> None:
    settings = Settings(data=tmp_path, database_url=database_url, demo_agents=False)
    async with Node(settings) as node:
        await init_mock_agents(node.registry)
        real = await negotiate(node, DEMAND)
        replays = Replays(node.log)
        replay = (await replays.create_from(real[0].run, speed=FAST)).record.id
        await replays.start(replay)
        assert [moment.event_type for moment in recorded(await shown(node, replay))] == [event.type for event in real]
