from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from moothall.errors import StorageError
from moothall.events.log import EventLog
from moothall.events.model import Draft
from moothall.events.retention import Retention
from moothall.events.run import Run
from moothall.storage import scrub
from tests.events.house import BEGUN, Hands, House, Scripted, closed
from tests.events.remains import everything
from tests.support.clock import ManualClock

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECRET = "words-of-long-ago"


async def end(run: Run) -> None:
    await run.emit(Draft("end", "towow.end", {"text": SECRET}), close=True)


async def erased(log: EventLog) -> set[str]:
    return {record.id for record in await log.runs(erased=True, limit=1_000) if record.erased_at is not None}


@pytest.mark.requirement("NEG-OPS-12")
async def test_closed_runs_vanish_when_they_are_old_enough_and_open_ones_stay(house: House) -> None:
    clock = ManualClock(BEGIN)
    log = await house.log(clock=clock)
    await house.worker(log, {"test": Scripted(end), "open": Hands()})
    await log.create("d-00000001", "test", [BEGUN])
    await log.create("d-00000002", "open", [BEGUN])
    await closed(log, "d-00000001")
    await clock.advance(DAY)
    await log.create("d-00000003", "test", [BEGUN])
    await closed(log, "d-00000003")
    retention = Retention(log, 3)
    assert await retention.sweep(BEGIN + 3 * DAY) == 0
    assert await retention.sweep(BEGIN + 3 * DAY + timedelta(seconds=1)) == 1
    assert await erased(log) == {"d-00000001"}
    assert await retention.sweep(BEGIN + 400 * DAY) == 1
    assert await erased(log) == {"d-00000001", "d-00000003"}
    assert await retention.sweep(BEGIN + 800 * DAY) == 0
    assert SECRET not in await everything(log.store)


@pytest.mark.requirement("NEG-OPS-12")
async def test_a_sweep_over_many_runs_takes_nothing_from_the_runs_that_work_meanwhile(house: House) -> None:
    clock = ManualClock(BEGIN)
    log = await house.log(clock=clock)
    hands = Hands()
    await house.worker(log, {"test": Scripted(end), "busy": hands})
    old = [f"d-{n:08x}" for n in range(120)]
    await asyncio.gather(*[log.create(name, "test", [BEGUN]) for name in old])
    await asyncio.gather(*[closed(log, name) for name in old])
    await clock.advance(2 * DAY)
    await log.create("d-0000beef", "busy", [BEGUN])
    busy = await hands.held.get()
    sweeping = asyncio.create_task(Retention(log, 1).sweep(clock.now()))
    written = 0
    while not sweeping.done():
        await busy.emit(Draft(f"e{written}", "towow.told", {"n": written}))
        written += 1
    assert await sweeping == len(old)
    assert written > 10
    assert await erased(log) == set(old)
    hands.free.set()
    assert len(await closed(log, "d-0000beef")) == 1 + written + 1


async def test_a_run_below_goes_with_the_one_above_and_never_before_it_has_ended(house: House) -> None:
    clock = ManualClock(BEGIN)
    log = await house.log(clock=clock)
    hands = Hands()
    await house.worker(log, {"test": Scripted(end), "open": hands})
    await log.create("d-00000001", "test", [BEGUN])
    await log.create("d-00000002", "open", [BEGUN], parent="d-00000001")
    await closed(log, "d-00000001")
    retention = Retention(log, 1)
    assert await retention.sweep(BEGIN + 9 * DAY) == 0
    hands.free.set()
    await closed(log, "d-00000002")
    assert await retention.sweep(BEGIN + 9 * DAY) == 1
    assert await erased(log) == {"d-00000001", "d-00000002"}


async def test_without_a_number_of_days_nothing_is_erased_and_only_traces_are_cleaned(house: House) -> None:
    clock = ManualClock(BEGIN)
    log = await house.log(clock=clock)
    await house.worker(log, {"test": Scripted(end)})
    for name in ("d-00000001", "d-00000002"):
        await log.create(name, "test", [BEGUN])
        await closed(log, name)
    await log.erase("d-00000001", at_once=False)
    retention = Retention(log, 0)
    await retention.start()
    await retention.stop()
    assert await retention.sweep(BEGIN + 9_000 * DAY) == 0
    assert await erased(log) == {"d-00000001"}


async def test_a_started_retention_sweeps_at_once_and_for_ever_is_a_hundred_years(house: House) -> None:
    clock = ManualClock(BEGIN)
    log = await house.log(clock=clock)
    await house.worker(log, {"test": Scripted(end)})
    await log.create("d-00000001", "test", [BEGUN])
    await closed(log, "d-00000001")
    await clock.advance(40_000 * DAY)
    swept = asyncio.Event()

    class Watched(Retention):
        async def sweep(self, now: datetime) -> int:
            count = await super().sweep(now)
            swept.set()
            return count

    retention = Watched(log, 1e12)
    await retention.start()
    await swept.wait()
    await retention.stop()
    assert await erased(log) == {"d-00000001"}


async def test_a_fault_of_any_kind_does_not_end_the_sweeping(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("moothall.events.retention._EVERY", 0.0)
    log = await house.log(clock=ManualClock(BEGIN))
    swept = asyncio.Event()
    errors: list[Exception] = [RuntimeError("odd"), StorageError("away"), KeyError("odd")]

    class Failing(Retention):
        async def sweep(self, now: datetime) -> int:
            if errors:
                raise errors.pop(0)
            swept.set()
            return await super().sweep(now)

    retention = Failing(log, 1)
    await retention.start()
    await swept.wait()
    await retention.stop()
    told = [record.levelname for record in caplog.records if record.name == "moothall.events.retention"]
    assert told == ["ERROR", "WARNING", "ERROR"]


async def test_files_that_could_not_be_cleaned_are_tried_again_at_the_next_sweep(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await house.log(clock=ManualClock(BEGIN))
    answers = [False, False, True]
    asked: list[datetime] = []

    async def scrub() -> bool:
        asked.append(now)
        return answers[len(asked) - 1]

    monkeypatch.setattr(log.store, "scrub", scrub)
    retention = Retention(log, 1)
    for hour in range(10):
        now = BEGIN + timedelta(hours=hour)
        await retention.sweep(now)
    assert asked == [BEGIN + timedelta(hours=hour) for hour in range(3)], "and a day of rest once it is done"


async def test_a_cleaning_that_failed_after_an_erasure_is_tried_again_at_the_next_sweep(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(BEGIN)
    log = await house.log(clock=clock)
    if log.store.writer is None:
        pytest.skip("PostgreSQL cleans up by itself")
    await house.worker(log, {"test": Scripted(end)})
    await log.create("d-00000001", "test", [BEGUN])
    await closed(log, "d-00000001")
    retention = Retention(log, 0)
    await retention.sweep(clock.now())

    def full(_: sqlite3.Connection) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as disk:
        disk.setattr("moothall.storage.scrub.pay", full)
        await log.erase("d-00000001")
        await retention.sweep(clock.now() + timedelta(hours=1))
    assert await log.store.writer.raw(scrub.owed)
    await retention.sweep(clock.now() + timedelta(hours=2))
    assert not await log.store.writer.raw(scrub.owed)
