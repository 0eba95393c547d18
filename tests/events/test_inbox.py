from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from moothall.errors import DemandNotFound, InvalidInput
from moothall.events import leases
from moothall.events.model import Draft
from moothall.events.run import Parked, Run
from tests.events.house import BEGUN, LATER, RUN, House, Scripted, closed, owned
from tests.support.clock import ManualClock


async def test_a_posting_is_kept_once_per_key(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    assert await log.post(RUN, "answer.1", "answer", "agent-1", {"n": 1}) is True
    assert await log.post(RUN, "answer.1", "answer", "agent-1", {"n": 2}) is False
    posting = await run.receive(None)
    assert posting is not None
    assert (posting.key, posting.kind, posting.sender, posting.payload) == ("answer.1", "answer", "agent-1", {"n": 1})


async def test_the_same_posting_at_the_same_time_is_kept_once(house: House) -> None:
    log = await house.log()
    await owned(house, log)
    posts = [log.post(RUN, f"k{i % 3}", "x", "s", {}) for i in range(12)]
    assert sum(await asyncio.gather(*posts)) == 3


async def test_unknown_and_closed_runs_take_nothing_and_look_the_same(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(close=True)
    for name in (RUN, "d-0000ffff"):
        with pytest.raises(DemandNotFound, match="no open run"):
            await log.post(name, "k", "x", "s", {})
    with pytest.raises(InvalidInput):
        await log.post(RUN, "", "x", "s", {})


async def test_a_posting_wakes_who_waits_and_comes_before_the_deadline(house: House) -> None:
    clock = ManualClock()
    log = await house.log(clock=clock)
    run = await owned(house, log)
    deadline = clock.now() + timedelta(seconds=300)
    waiting = asyncio.create_task(run.receive(deadline))
    await clock.sleeping()
    await log.post(RUN, "k", "x", "s", {})
    posting = await waiting
    assert posting is not None
    assert posting.received_at == clock.now()


async def test_at_the_deadline_there_is_nothing_and_later_postings_are_kept(house: House) -> None:
    clock = ManualClock()
    log = await house.log(clock=clock)
    run = await owned(house, log)
    deadline = clock.now() + timedelta(seconds=300)
    waiting = asyncio.create_task(run.receive(deadline))
    await clock.sleeping()
    await clock.advance(301)
    assert await waiting is None
    await log.post(RUN, "late", "x", "s", {})
    assert await run.receive(deadline) is None
    late = await run.receive(None)
    assert late is not None
    assert late.key == "late"


async def test_what_came_before_the_deadline_counts_even_when_it_is_read_after(house: House) -> None:
    clock = ManualClock()
    log = await house.log(clock=clock)
    run = await owned(house, log)
    deadline = clock.now() + timedelta(seconds=300)
    await log.post(RUN, "b", "x", "s", {})
    await log.post(RUN, "a", "x", "s", {})
    await clock.advance(1000)
    got = [await run.receive(deadline) for _ in range(3)]
    assert [posting and posting.key for posting in got] == ["a", "b", None]


async def test_consumed_postings_do_not_come_again_after_a_crash_and_others_do(house: House) -> None:
    log = await house.log()

    async def half(run: Run) -> None:
        first = await run.receive(None)
        assert first is not None
        await run.emit(Draft(f"in.{first.key}", "received", first.payload))
        await run.receive(None)
        ready.set()
        await asyncio.Event().wait()

    async def rest(run: Run) -> None:
        posting = await run.receive(None)
        assert posting is not None
        await run.emit(Draft("end", "towow.end", {"left": posting.key}), close=True)

    ready = asyncio.Event()
    worker = await house.worker(log, {"test": Scripted(half)})
    await log.create(RUN, "test", [BEGUN])
    await log.post(RUN, "a", "x", "s", {})
    await log.post(RUN, "b", "x", "s", {})
    await ready.wait()
    await worker.stop()
    await house.worker(log, {"test": Scripted(rest)})
    assert (await closed(log))[-1].payload == {"left": "b"}


async def test_a_parked_run_leaves_memory_and_a_posting_brings_it_back(house: House) -> None:
    log = await house.log()

    async def patient(run: Run) -> None:
        if (posting := await run.receive(run.clock.now())) is None:
            await run.park(LATER)
        await run.emit(Draft("end", "towow.end", posting.payload), close=True)

    driver = Scripted(patient)
    worker = await house.worker(log, {"test": driver}, sweep_seconds=60.0, lease_seconds=600.0)
    await log.create(RUN, "test", [BEGUN])
    await driver.seen.wait()
    while (record := await log.get(RUN)) is None or record.wake_at is None:  # noqa: ASYNC110 - only the table knows
        await asyncio.sleep(0)
    assert record.wake_at == LATER
    await log.post(RUN, "k", "x", "s", {"came": True})
    assert (await closed(log))[-1].payload == {"came": True}
    assert len({id(run) for run in driver.runs}) == len(driver.runs) >= 2
    assert worker.takes("test")


async def test_a_renewal_that_crosses_the_lying_down_of_a_run_does_not_lease_it_again(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    held = {RUN: run.record.epoch}
    with pytest.raises(Parked):
        await run.park(LATER)
    store = log.store
    ours = await store.write(lambda connection: leases.renew(connection, owner=store.node, epochs=held, lease=600.0))
    assert ours == {}


async def test_a_parked_run_comes_back_when_its_time_has_come(house: House) -> None:
    clock = ManualClock()
    log = await house.log(clock=clock)

    async def patient(run: Run) -> None:
        await run.emit(Draft("opened", "x", {"until": (clock.now() + timedelta(hours=3)).isoformat()}))
        if clock.now() < (until := run.record.created_at + timedelta(hours=3)):
            await run.park(until)
        await run.emit(Draft("end", "towow.end", {}), close=True)

    await house.worker(log, {"test": Scripted(patient)}, sweep_seconds=60.0, lease_seconds=600.0)
    await log.create(RUN, "test", [BEGUN])
    await clock.sleeping()
    await clock.advance(timedelta(hours=3))
    assert [event.key for event in await closed(log)] == ["begun", "opened", "end"]


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_a_posting_that_comes_while_a_run_lies_down_is_never_slept_over(house: House, turns: int) -> None:
    """No sweep can help here: whatever the interleaving, the run must see the posting at once."""
    log = await house.log()

    async def patient(run: Run) -> None:
        for n in range(4):
            if run.recorded(f"in.k{n}") is None:
                asking.set()
                if await run.receive(run.clock.now()) is None:
                    await run.park(LATER)
                await run.emit(Draft(f"in.k{n}", "x", {}))
        await run.emit(Draft("end", "towow.end", {}), close=True)

    asking = asyncio.Event()
    await house.worker(log, {"test": Scripted(patient)}, sweep_seconds=60.0, lease_seconds=600.0)
    await log.create(RUN, "test", [BEGUN])
    for n in range(4):
        await asking.wait()
        asking.clear()
        for _ in range(turns * (n + 1)):
            await asyncio.sleep(0)
        await log.post(RUN, f"k{n}", "x", "s", {})
    assert [event.key for event in await closed(log)] == ["begun", "in.k0", "in.k1", "in.k2", "in.k3", "end"]


async def test_parking_with_unread_postings_means_driving_again(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await log.post(RUN, "k", "x", "s", {})
    with pytest.raises(Parked) as caught:
        await run.park(LATER)
    assert caught.value.again
