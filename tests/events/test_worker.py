from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from moothall.errors import LeaseLost, StorageError
from moothall.events.log import EventLog
from moothall.events.model import Draft
from moothall.events.postgres import PostgresSink
from moothall.events.run import Run
from moothall.storage import schema
from tests.events.house import BEGUN, LATER, RUN, Hands, House, Scripted, closed, owned, steal
from tests.support.clock import ManualClock

ENDLESS = {"sweep_seconds": 60.0, "lease_seconds": 600.0}


async def finish(run: Run) -> None:
    await run.emit(Draft("end", "towow.end", {"epoch": run.record.epoch}), close=True)


async def test_a_run_created_here_is_driven_at_once_without_a_claim(house: House) -> None:
    log = await house.log()
    await house.worker(log, {"test": Scripted(finish)}, **ENDLESS)
    await log.create(RUN, "test", [BEGUN])
    events = await closed(log)
    record = await log.get(RUN)
    assert [event.key for event in events] == ["begun", "end"]
    assert record is not None
    assert (record.owner, record.epoch) == (log.store.node, 1)


async def test_what_was_left_open_is_driven_at_start(house: House) -> None:
    log = await house.log()
    for i in range(5):
        await log.create(f"d-{i:08x}", "test", [BEGUN])
    await house.worker(log, {"test": Scripted(finish)}, **ENDLESS)
    for i in range(5):
        assert [event.key for event in await closed(log, f"d-{i:08x}")] == ["begun", "end"]


async def test_a_run_created_without_a_worker_is_found_when_one_is_there(house: House) -> None:
    log = await house.log()
    worker = await house.worker(log, {"other": Scripted(finish)}, **ENDLESS)
    await log.create(RUN, "test", [BEGUN])
    assert worker.takes("test") is False
    record = await log.get(RUN)
    assert record is not None
    assert (record.owner, record.epoch) == (None, 0)


async def test_stopping_gives_runs_back_so_that_the_next_process_goes_on_at_once(house: House) -> None:
    log = await house.log("node")
    run = await owned(house, log)
    await house.stack.pop_all().aclose()
    again = await house.log("node")
    await house.worker(again, {"test": Scripted(finish)}, **ENDLESS)
    events = await closed(again)
    assert events[-1].payload == {"epoch": run.record.epoch + 1}


async def test_a_restarted_node_takes_its_own_runs_back_in_spite_of_their_lease(house: House) -> None:
    log = await house.log("node")
    await owned(house, log)
    await log.store.write(lambda connection: _lease(connection, log.store.node))
    await house.worker(log, {"test": Scripted(finish)}, **ENDLESS)
    assert (await closed(log))[-1].payload == {"epoch": 2}


def _lease(connection: sa.Connection, owner: str) -> None:
    """As a process leaves it that was killed a moment ago."""
    held = sa.update(schema.run).where(schema.run.c.id == RUN).values(owner=owner, lease_until=LATER)
    connection.execute(held)


async def test_no_more_runs_are_in_memory_than_allowed_and_all_are_driven(house: House) -> None:
    log = await house.log()
    now, most = 0, 0

    async def crowd(run: Run) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await run.step("s", _nothing)
        now -= 1
        await finish(run)

    await house.worker(log, {"test": Scripted(crowd)}, concurrency=3, **ENDLESS)
    names = [f"d-{i:08x}" for i in range(12)]
    await asyncio.gather(*[log.create(name, "test", [BEGUN]) for name in names])
    for name in names:
        await closed(log, name)
    assert most <= 3


async def _family(house: House) -> tuple[EventLog, Scripted]:
    """A log, and a driver whose childless runs make a child and wait for its word."""
    log = await house.log()

    async def drive(run: Run) -> None:
        if (parent := run.record.parent) is not None:
            await log.post(parent, f"from.{run.id}", "ended", run.id, {})
            return await finish(run)
        await log.create(f"{run.id}.child", "test", [BEGUN], parent=run.id)
        posting = await run.receive(None)
        assert posting is not None
        return await run.emit(Draft(f"in.{posting.key}", "heard", {}), Draft("end", "towow.end", {}), close=True)

    return log, Scripted(drive)


async def test_a_run_that_waits_for_its_child_does_not_take_the_childs_place(house: House) -> None:
    log, driver = await _family(house)
    worker = await house.worker(log, {"test": driver}, concurrency=1, **ENDLESS)
    names = [f"d-{i:08x}" for i in range(4)]
    await asyncio.gather(*[log.create(name, "test", [BEGUN]) for name in names])
    for name in names:
        assert [event.key for event in await closed(log, name)] == ["begun", f"in.from.{name}.child", "end"]
        await closed(log, f"{name}.child")
    assert worker.takes("test")


async def test_children_are_claimed_even_when_parents_fill_every_place(house: House) -> None:
    """As after a crash: parents and children are all in the table before the worker starts."""
    log, driver = await _family(house)
    names = [f"d-{i:08x}" for i in range(3)]
    for name in names:
        await log.create(name, "test", [BEGUN])
    for name in names:
        await log.create(f"{name}.child", "test", [BEGUN], parent=name)
    await house.worker(log, {"test": driver}, concurrency=1, **ENDLESS)
    for name in names:
        assert (await closed(log, name))[-1].key == "end"


async def test_a_full_worker_refuses_new_runs_but_not_children(house: House) -> None:
    log = await house.log()
    hands = Hands()
    worker = await house.worker(log, {"test": hands}, concurrency=1, **ENDLESS)
    await log.create(RUN, "test", [BEGUN])
    await hands.held.get()
    await log.create("d-child", "test", [BEGUN], parent=RUN)
    assert (await hands.held.get()).id == "d-child"
    assert not worker.takes("test")
    assert worker.takes("test", child=True)
    hands.free.set()


async def _nothing() -> None:
    return None


async def test_a_failing_driver_is_tried_three_times_and_then_the_run_is_abandoned(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    log = await house.log(clock=clock)

    async def broken(run: Run) -> None:
        await run.emit(Draft("tried", "tried", {}))
        raise ZeroDivisionError

    driver = Scripted(broken)
    await house.worker(log, {"test": driver}, **ENDLESS)
    await log.create(RUN, "test", [BEGUN])
    for _ in range(2):
        await clock.sleeping()
        await clock.advance(timedelta(minutes=1))
    events = await closed(log)
    assert [event.key for event in events] == ["begun", "tried", "failed"]
    assert len(driver.runs) == 3
    assert events[-1].payload == {"error": "ZeroDivisionError"}
    assert [type(error) for error in driver.abandoned] == [ZeroDivisionError]
    assert sum(record.exc_info is not None for record in caplog.records) == 3


async def test_failures_are_counted_in_a_row_without_progress(house: House) -> None:
    clock = ManualClock()
    log = await house.log(clock=clock)
    recording = {3, 4, 6}

    async def stumbling(run: Run) -> None:
        if len(driver.runs) in recording:
            await run.emit(Draft(f"step.{len(driver.runs)}", "step", {}))
        raise ZeroDivisionError

    driver = Scripted(stumbling)
    await house.worker(log, {"test": driver}, **ENDLESS)
    await log.create(RUN, "test", [BEGUN])
    for _ in range(7):
        await clock.sleeping()
        await clock.advance(timedelta(minutes=1))
    events = await closed(log)
    assert [event.key for event in events] == ["begun", "step.3", "step.4", "step.6", "failed"]
    assert len(driver.runs) == 8
    assert len(driver.abandoned) == 1


async def test_a_driver_that_neither_closes_nor_parks_counts_as_failing(house: House) -> None:
    clock = ManualClock()
    log = await house.log(clock=clock)
    await house.worker(log, {"test": Scripted(lambda _run: _nothing())}, **ENDLESS)
    await log.create(RUN, "test", [BEGUN])
    for _ in range(2):
        await clock.sleeping()
        await clock.advance(timedelta(minutes=1))
    assert (await closed(log))[-1].payload == {"error": "InternalError"}


async def test_a_worker_whose_run_was_taken_over_writes_nothing_more(house: House) -> None:
    log = await house.log()
    hands = Hands()
    await house.worker(log, {"test": hands}, **ENDLESS)
    await log.create(RUN, "test", [BEGUN])
    run = await hands.held.get()
    await steal(log, RUN)
    steps = [asyncio.create_task(run.step(f"s{i}", _nothing)) for i in range(5)]
    results = await asyncio.gather(*steps, return_exceptions=True)
    assert all(isinstance(result, LeaseLost) for result in results)
    hands.free.set()
    assert [event.key for event in await log.load(RUN)] == ["begun"]


async def test_a_lost_run_is_dropped_at_the_next_renewal(house: House) -> None:
    log = await house.log()
    cancelled = asyncio.Event()

    async def forever(_run: Run) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    driver = Scripted(forever)
    await house.worker(log, {"test": driver}, sweep_seconds=0.02, lease_seconds=600.0)
    await log.create(RUN, "test", [BEGUN])
    await driver.seen.wait()
    await steal(log, RUN)
    await cancelled.wait()


async def test_a_run_that_waits_hears_of_a_posting_whose_hint_was_lost(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    log.attach(None)
    waiting = asyncio.create_task(run.receive(None))
    await asyncio.sleep(0)
    await log.post(RUN, "k", "x", "s", {})
    run.rouse(0)
    run.rouse(1)
    posting = await waiting
    assert posting is not None


async def test_a_failing_database_is_no_fault_of_the_driver(house: House) -> None:
    log = await house.log()
    fail = True

    async def unlucky(run: Run) -> None:
        if fail:
            raise StorageError("gone")
        await finish(run)

    driver = Scripted(unlucky)
    await house.worker(log, {"test": driver}, sweep_seconds=0.02, lease_seconds=0.2)
    await log.create(RUN, "test", [BEGUN])
    await driver.seen.wait()
    fail = False
    events = await closed(log)
    assert [event.key for event in events] == ["begun", "end"]
    assert driver.abandoned == []


async def test_two_workers_on_one_database_never_drive_a_run_at_two_live_epochs(shared: House) -> None:
    live: dict[str, int] = {}
    overlaps = []

    async def drive(run: Run) -> None:
        if run.id in live:
            overlaps.append((run.id, live[run.id], run.record.epoch))
        live[run.id] = run.record.epoch
        for n in range(5):
            await run.step(f"s{n}", _nothing)
        del live[run.id]
        await finish(run)

    logs = [await shared.log() for _ in range(2)]
    names = [f"d-{i:08x}" for i in range(60)]
    for name in names:
        await logs[0].create(name, "test", [BEGUN])
    drivers = [Scripted(drive), Scripted(drive)]
    for log, driver in zip(logs, drivers, strict=True):
        await shared.worker(log, {"test": driver}, concurrency=7, sweep_seconds=0.05, lease_seconds=30.0)
    for name in names:
        assert [event.seq for event in await closed(logs[1], name)] == list(range(7))
    assert overlaps == []
    assert sum(len(driver.runs) for driver in drivers) == 60


async def test_another_node_takes_over_when_a_lease_runs_out(shared: House) -> None:
    first, second = await shared.log(), await shared.log()
    stuck = await shared.worker(first, {"test": Hands()}, sweep_seconds=60.0, lease_seconds=0.3)
    await first.create(RUN, "test", [BEGUN])
    assert stuck._loop is not None
    stuck._loop.cancel()  # it stops renewing, as a process that hangs does
    await shared.worker(second, {"test": Scripted(finish)}, sweep_seconds=0.05, lease_seconds=30.0)
    assert (await closed(second))[-1].payload == {"epoch": 2}


async def test_runs_go_on_after_the_database_dropped_its_connections(shared: House) -> None:
    log = await shared.log()
    halfway, go = asyncio.Event(), asyncio.Event()

    async def drive(run: Run) -> None:
        await run.step("a", _nothing)
        halfway.set()
        await go.wait()
        await run.step("b", _nothing)
        await finish(run)

    await shared.worker(log, {"test": Scripted(drive)}, sweep_seconds=0.05, lease_seconds=0.5)
    await log.create(RUN, "test", [BEGUN])
    await halfway.wait()
    sink = log.writer._sink
    assert isinstance(sink, PostgresSink)
    pid = (await sink._connection()).get_server_pid()
    await log.store.write(lambda connection: connection.execute(sa.select(sa.func.pg_terminate_backend(pid))))
    go.set()
    events = await closed(log)
    assert [event.key for event in events] == ["begun", "a", "b", "end"]
