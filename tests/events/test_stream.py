from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from datetime import datetime

import pytest

from moothall.errors import DemandNotFound
from moothall.events import stream
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event
from moothall.events.run import Run
from tests.events.house import BEGUN, RUN, House, owned

FRAME = re.compile(rb"id: (evt-[0-9a-f]{8}-\d+)\ndata: (\{.*\})\n\n")


async def tell(run: Run, first: int, last: int) -> None:
    """Every third event is internal, so streamed ids skip."""
    for n in range(first, last):
        await run.emit(Draft(f"e{n}", "towow.told" if n % 3 else "inner", {"n": n}))


async def seqs(log: EventLog, after: int = -1, count: int | None = None) -> list[int]:
    found: list[int] = []
    async for event in (events := log.follow(RUN, after=after)):
        found.append(event.seq)
        if len(found) == count:
            break
    await events.aclose()
    return found


@pytest.mark.requirement("NEG-API-11")
async def test_a_late_follower_sees_history_then_what_happens_then_the_end(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await tell(run, 1, 5)
    early, late = asyncio.create_task(seqs(log)), asyncio.create_task(seqs(log, after=3))
    await tell(run, 5, 12)
    await run.emit(Draft("end", "towow.end", {}), close=True)
    public = [event.seq for event in await log.load(RUN, public=True)]
    assert await early == public
    assert await late == [seq for seq in public if seq > 3]
    assert await seqs(log) == public


@pytest.mark.requirement("NEG-API-12")
async def test_a_follower_that_resumes_after_every_event_sees_the_exact_sequence(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)

    async def cut_after_every_event() -> list[int]:
        found: list[int] = []
        while not found or found[-1] != 21:
            found += await seqs(log, after=found[-1] if found else -1, count=1)
        return found

    both = [asyncio.create_task(cut_after_every_event()), asyncio.create_task(seqs(log))]
    await tell(run, 1, 21)
    await run.emit(Draft("end", "towow.end", {}), close=True)
    first, second = await asyncio.gather(*both)
    assert first == second == [event.seq for event in await log.load(RUN, public=True)]


@pytest.mark.requirement("NEG-API-15")
async def test_several_clients_get_equal_lists(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    clients = [asyncio.create_task(seqs(log)) for _ in range(5)]
    await tell(run, 1, 10)
    await run.emit(close=True)
    lists = await asyncio.gather(*clients)
    assert all(found == lists[0] for found in lists)


@pytest.mark.parametrize("after", [-5, 999, 10**9])
async def test_an_invented_place_gives_everything_and_does_not_spin(house: House, after: int) -> None:
    log = await house.log()
    run = await owned(house, log)
    await tell(run, 1, 4)
    await run.emit(close=True)
    assert await seqs(log, after=after) == [0, 1, 2]


async def test_following_an_unknown_run_is_an_error(house: House) -> None:
    log = await house.log()
    with pytest.raises(DemandNotFound):
        await seqs(log)


async def test_a_reader_behind_the_ring_is_served_from_the_table(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RING", 8)
    monkeypatch.setattr(stream, "_PAGE", 5)
    log = await house.log()
    run = await owned(house, log)
    slow = log.follow(RUN)
    found = [(await anext(slow)).seq]
    await tell(run, 1, 60)
    found.append((await anext(slow)).seq)
    await tell(run, 60, 90)
    await run.emit(close=True)
    found += [event.seq async for event in slow]
    assert found == [event.seq for event in await log.load(RUN, public=True)]


@pytest.mark.requirement("NEG-API-10")
async def test_frames_have_an_id_and_one_line_of_json(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(Draft("a", "towow.told", {"text": "场地\nzwei"}), Draft("b", "inner", {}))
    await run.emit(close=True)
    data = b"".join([chunk async for chunk in log.frames(RUN)])
    events = await log.load(RUN, public=True)
    frames = FRAME.findall(data)
    assert data.endswith(b"\n\n: end\n\n")
    assert b"".join(b"id: %s\ndata: %s\n\n" % frame for frame in frames) + b": end\n\n" == data
    for (name, body), event in zip(frames, events, strict=True):
        said = json.loads(body)
        assert list(said) == ["event_id", "event_type", "timestamp", "payload"]
        assert said["event_id"] == name.decode() == event.event_id
        assert said["timestamp"].endswith("Z")
        assert datetime.fromisoformat(said["timestamp"])
        assert (said["event_type"], said["payload"]) == (event.type, event.payload)


async def test_an_idle_stream_sends_heartbeats_and_then_goes_on(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    frames = log.frames(RUN, heartbeat=0.01)
    assert (await anext(frames)).startswith(b"id: evt-0000abcd-0\n")
    assert await anext(frames) == b": heartbeat\n\n"
    await run.emit(Draft("a", "towow.a", {}), close=True)
    rest = b"".join([chunk async for chunk in frames])
    assert b"id: evt-0000abcd-1\n" in rest


async def test_topics_that_nobody_follows_are_dropped(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    one, other = log.follow(RUN), log.follow(RUN)
    await anext(one)
    await anext(other)
    assert list(log._hub._topics) == [RUN]
    await one.aclose()
    await other.aclose()
    assert log._hub._topics == {}
    await run.emit(Draft("a", "towow.a", {}))
    assert await seqs(log, count=2) == [0, 1]


async def test_events_of_another_process_reach_a_follower_by_hint(shared: House) -> None:
    here, there = await shared.log(sweep=60.0), await shared.log(sweep=60.0)
    run = await owned(shared, there)
    following = asyncio.create_task(seqs(here))
    await tell(run, 1, 30)
    await run.emit(Draft("end", "towow.end", {}), close=True)
    assert await following == [event.seq for event in await there.load(RUN, public=True)]


async def test_losing_every_hint_costs_latency_only(shared: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moothall.events.hints.PostgresHints._hear", lambda *_: None)
    here, there = await shared.log(sweep=0.05), await shared.log()
    run = await owned(shared, there)
    following = asyncio.create_task(seqs(here))
    await tell(run, 1, 30)
    await run.emit(Draft("end", "towow.end", {}), close=True)
    assert await following == [event.seq for event in await there.load(RUN, public=True)]


@pytest.mark.parametrize("in_ring", [False, True])
async def test_a_new_follower_of_a_run_closed_elsewhere_ends_the_older_ones_too(
    shared: House, monkeypatch: pytest.MonkeyPatch, *, in_ring: bool
) -> None:
    """No hint and no sweep: what the new follower finds in the table belongs to everybody who follows here."""
    monkeypatch.setattr("moothall.events.hints.PostgresHints._hear", lambda *_: None)
    monkeypatch.setattr(stream, "_PAGE", 4)
    here, there = await shared.log(sweep=600.0), await shared.log(sweep=600.0)
    run = await owned(shared, there)
    older = here.follow(RUN)
    found = [(await anext(older)).seq]
    if in_ring:
        await run.emit(Draft("e1", "towow.told", {}))
        await here._hub.pull([RUN])
        found.append((await anext(older)).seq)
    rest = asyncio.create_task(_rest(older))
    await tell(run, 2, 20)
    await run.emit(Draft("end", "towow.end", {}), close=True)
    newer = await seqs(here)
    public = [event.seq for event in await there.load(RUN, public=True)]
    assert newer == public
    assert found + await rest == public


async def test_sweeping_ends_followers_when_the_hint_of_the_end_was_lost(
    shared: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.events.hints.PostgresHints._hear", lambda *_: None)
    here, there = await shared.log(sweep=600.0), await shared.log(sweep=600.0)
    run = await owned(shared, there)
    followers = [here.follow(RUN) for _ in range(3)]
    found = [[(await anext(follower)).seq] for follower in followers]
    rests = [asyncio.create_task(_rest(follower)) for follower in followers]
    await tell(run, 1, 10)
    await here._hub.sweep()
    await run.emit(Draft("end", "towow.end", {}), close=True)
    await here._hub.sweep()
    public = [event.seq for event in await there.load(RUN, public=True)]
    for first, rest in zip(found, rests, strict=True):
        assert first + await rest == public


async def _rest(events: AsyncGenerator[Event]) -> list[int]:
    return [event.seq async for event in events]


async def test_doubled_hints_change_nothing(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    following = asyncio.create_task(seqs(log))
    for n in range(1, 20):
        await run.emit(Draft(f"e{n}", "towow.told", {}))
        log._heard([RUN, RUN], [RUN])
        log._heard([RUN], [])
    await run.emit(close=True)
    assert await following == list(range(20))


async def test_a_second_process_that_wrote_in_between_leaves_no_hole(shared: House) -> None:
    """A follower here sees events that were written there, then here again after a take-over, without any hint."""
    here = await shared.log(sweep=60.0)
    await here.create(RUN, "test", [BEGUN])
    events = here.follow(RUN)
    assert (await anext(events)).seq == 0
    topic = here._hub._topics[RUN]
    await here.store.write(lambda connection: _insert(connection, [1, 2, 3]))
    topic.add([(RUN, 0, "begun", "towow.begun", "", "{}")], closed=False)
    await here.store.write(lambda connection: _insert(connection, [4]))
    here._hub.publish(RUN, [(RUN, 4, "k4", "towow.x", "2026-01-22T10:05:00.000Z", "{}")], closed=True)
    assert [event.seq async for event in events] == [1, 2, 3, 4]


def _insert(connection: object, seqs: list[int]) -> None:
    import sqlalchemy as sa

    from moothall.storage import schema

    rows = [
        {"run": RUN, "seq": n, "key": f"k{n}", "type": "towow.x", "ts": "2026-01-22T10:05:00.000Z", "payload": "{}"}
        for n in seqs
    ]
    assert isinstance(connection, sa.Connection)
    connection.execute(sa.insert(schema.event), rows)
