from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import threading
from collections.abc import Coroutine
from contextlib import suppress

import pytest
import sqlalchemy as sa

from moothall.errors import DemandNotFound, LeaseLost, StorageError
from moothall.events import erasure
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event, OutboxDraft
from moothall.events.run import Run
from moothall.storage import schema, scrub
from tests.events.house import BEGUN, RUN, Hands, House, Scripted, closed, owned
from tests.events.remains import everything, files

SECRET = "a-moonlit-harbour-wedding"
CHILD, OTHER = "d-0000c41d", "d-0000face"
TOLD = Draft("told", "towow.told", {"text": SECRET})


async def tell_all(run: Run) -> None:
    """Leave the text in every place that a driver can write to."""
    await run.emit(TOLD, Draft(f"in.{SECRET}", "inbox", {}), outbox=[OutboxDraft(SECRET, SECRET, {"text": SECRET})])
    await run.step(f"step.{SECRET}", lambda: said(SECRET))


async def said(text: str) -> str:
    return text


async def follow(log: EventLog, run: str = RUN) -> list[Event]:
    return [event async for event in log.follow(run)]


async def family(house: House, log: EventLog) -> list[Run]:
    """A run and its child, both open and full of text."""
    hands = Hands()
    await house.worker(log, {"test": hands})
    runs = []
    for name, parent in ((RUN, None), (CHILD, RUN)):
        await log.create(name, "test", [BEGUN], parent=parent, meta={"text": SECRET}, subject=SECRET)
        await log.post(name, f"post-{SECRET}", "note", SECRET, {"text": SECRET})
        runs.append(await hands.held.get())
        await tell_all(runs[-1])
    return runs


async def test_an_open_run_is_erased_with_everything_below_it_and_keeps_its_places(house: House) -> None:
    log = await house.log()
    runs = await family(house, log)
    await log.create(OTHER, "test", [BEGUN], subject="somebody")
    before = await log.load(RUN)
    assert SECRET in await everything(log.store)
    assert await log.erase(RUN) is True
    assert SECRET not in await everything(log.store)
    after = await log.load(RUN)
    assert [(event.seq, event.type, event.ts) for event in after] == [(e.seq, e.type, e.ts) for e in before]
    assert [event.seq for event in after] == list(range(len(after)))
    assert all(event.payload == {} for event in after)
    for run in runs:
        record = await log.get(run.id)
        assert record is not None
        assert record.erased_at is not None
        assert (record.status, record.meta, record.subject, record.owner) == ("closed", {}, None, None)
        assert record.closed_at == record.erased_at
    assert [record.id for record in await log.runs()] == [OTHER]
    assert {record.id for record in await log.runs(erased=True)} == {RUN, CHILD, OTHER}


async def test_erasing_again_or_what_never_was_changes_nothing(house: House) -> None:
    log = await house.log()
    await log.create(RUN, "test", [BEGUN])
    assert await log.erase("d-ffffffff") is False
    assert await log.erase(RUN) is True
    first = await log.get(RUN)
    assert await log.erase(RUN) is False
    assert await log.get(RUN) == first


async def test_a_closed_run_keeps_the_time_of_its_end(house: House) -> None:
    log = await house.log()
    await (await owned(house, log)).emit(TOLD, close=True)
    await closed(log)
    before = await log.get(RUN)
    await log.erase(RUN)
    after = await log.get(RUN)
    assert before is not None
    assert after is not None
    assert after.closed_at == before.closed_at


async def test_whoever_drives_an_erased_run_can_write_nothing_and_nobody_is_alarmed(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    log = await house.log()
    driving, gone = asyncio.Event(), asyncio.Event()

    async def stubborn(run: Run) -> None:
        await tell_all(run)
        driving.set()
        try:
            await gone.wait()
        finally:
            with pytest.raises(LeaseLost):
                await run.emit(Draft("late", "towow.late", {"text": SECRET}))
            gone.set()

    await house.worker(log, {"test": Scripted(stubborn), "other": Scripted(lambda run: run.emit(close=True))})
    await log.create(RUN, "test", [BEGUN])
    await driving.wait()
    await log.erase(RUN)
    await gone.wait()
    await log.create(OTHER, "other", [BEGUN])
    assert len(await closed(log, OTHER)) == 2
    assert SECRET not in await everything(log.store)
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_driver_that_stumbles_over_the_erasure_is_no_failure(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    log = await house.log()

    async def clumsy(run: Run) -> None:
        await asyncio.shield(erasing)
        await run.clock.sleep_until(run.clock.now())
        raise ValueError("what I looked for is gone")

    driver = Scripted(clumsy)
    await house.worker(log, {"test": driver})
    start = asyncio.Event()

    async def erase() -> bool:
        await start.wait()
        return await erasure.erase(log.store, RUN, log.clock.now()) != []

    erasing = asyncio.create_task(erase())
    await log.create(RUN, "test", [BEGUN])
    await driver.seen.wait()
    with caplog.at_level(logging.INFO, logger="moothall.events.worker"):
        (driving,) = (task for task in asyncio.all_tasks() if task.get_name() == f"run {RUN}")
        start.set()
        assert await erasing
        await driving
        assert "taken over or erased" in caplog.text
    assert driver.abandoned == []
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_the_streams_of_an_erased_run_end_and_new_ones_find_nothing(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(TOLD)
    early = log.follow(RUN)
    seen = [await anext(early), await anext(early)]
    late = log.frames(RUN)
    await anext(late)
    live = asyncio.ensure_future(anext(early, None))
    await log.erase(RUN)
    assert await live is None
    assert [chunk async for chunk in late] == [b": end\n\n"]
    assert [event.type for event in seen] == ["towow.begun", "towow.told"]
    with pytest.raises(DemandNotFound):
        await follow(log)


async def test_a_follower_that_is_behind_sees_no_blank_events(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moothall.events.stream._PAGE", 2)
    log = await house.log()
    run = await owned(house, log)
    for n in range(6):
        await run.emit(Draft(f"e{n}", "towow.told", {"n": n}))
    slow = log.follow(RUN)
    first = await anext(slow)
    # The other process: no news of it reaches the topic before the follower asks the table for more.
    await erasure.erase(log.store, RUN, log.clock.now())
    rest = [event async for event in slow]
    assert first.payload == {"n": 0}
    assert all(event.payload for event in rest)
    assert len(rest) < 6


async def test_another_process_loses_the_run_and_its_streams(shared: House, caplog: pytest.LogCaptureFixture) -> None:
    here, there = await shared.log(), await shared.log()
    hands = Hands()
    await shared.worker(there, {"test": hands}, lease_seconds=0.3)
    await there.create(RUN, "test", [BEGUN])
    run = await hands.held.get()
    await run.emit(TOLD)
    following = there.follow(RUN)
    assert [(await anext(following)).type for _ in range(2)] == ["towow.begun", "towow.told"]
    assert await here.erase(RUN) is True
    assert [event async for event in following] == []
    with pytest.raises(LeaseLost):
        await run.emit(Draft("late", "towow.late", {"text": SECRET}))
    assert SECRET not in await everything(here.store)
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_no_child_is_born_below_an_erased_run(house: House) -> None:
    log = await house.log()
    await log.create(RUN, "test", [BEGUN])

    async def breed(number: int) -> None:
        with suppress(DemandNotFound):
            await log.create(f"d-{number:08x}", "test", [TOLD], parent=RUN, meta={"text": SECRET})

    await asyncio.gather(*[breed(n) for n in range(20)], log.erase(RUN), *[breed(n) for n in range(20, 40)])
    with pytest.raises(DemandNotFound):
        await log.create(CHILD, "test", [TOLD], parent=RUN)
    assert await log.get(CHILD) is None
    assert SECRET not in await everything(log.store)


async def test_a_run_is_erased_while_others_post_append_and_close(house: House) -> None:
    """Nothing of either side waits for the other in a circle, and what comes too late is refused."""
    log = await house.log()
    hands = Hands()
    await house.worker(log, {"test": hands})
    names = [f"d-{n:08x}" for n in range(6)]
    for name in names:
        await log.create(name, "test", [BEGUN])
    runs = [await hands.held.get() for _ in names]

    started = asyncio.Barrier(13)

    async def talk(run: Run) -> None:
        for n in range(10_000):
            await run.emit(Draft(f"e{n}", "towow.told", {"text": SECRET}), outbox=[OutboxDraft(f"{n}", "x:y", {})])
            if n == 2:
                await started.wait()

    async def post(name: str) -> None:
        for n in range(10_000):
            await log.post(name, f"p{n}", "note", "somebody", {"text": SECRET})
            if n == 2:
                await started.wait()

    async def refused(work: Coroutine[None, None, None], how: type[Exception]) -> None:
        with pytest.raises(how):
            await work

    talking = [asyncio.create_task(refused(talk(run), LeaseLost)) for run in runs]
    talking += [asyncio.create_task(refused(post(name), DemandNotFound)) for name in names]
    await started.wait()
    assert all(await asyncio.gather(*[log.erase(name) for name in names]))
    await asyncio.gather(*talking)
    assert SECRET not in await everything(log.store)
    for name in names:
        events = await log.load(name)
        assert [event.seq for event in events] == list(range(len(events)))


async def test_cells_that_sqlite_moved_between_pages_leave_no_copy_behind(house: House) -> None:
    """Payloads of many sizes in interleaved runs make SQLite split pages and leave old cells in their unused part."""
    log = await house.log()
    dice = random.Random(7)
    hands = Hands()
    await house.worker(log, {"test": hands})
    names = [f"d-{n * 7919:08x}" for n in range(12)]
    for name in names:
        await log.create(name, "test", [BEGUN])
    runs = {run.id: run for run in [await hands.held.get() for _ in names]}
    victim = names[5]
    for n in range(600):
        name = dice.choice(names)
        words = SECRET if name == victim else "harmless words that stay"
        await runs[name].emit(Draft(f"e{n}", "towow.told", {"text": words * dice.choice([1, 3, 30, 150])}))
    await log.erase(victim)
    assert SECRET not in await everything(log.store)
    assert "harmless words that stay" in await everything(log.store)


async def test_what_a_crash_left_of_an_erased_text_is_gone_after_the_next_start(house: House) -> None:
    log = await house.log("one")
    run = await owned(house, log)
    await tell_all(run)
    await log.erase(RUN, at_once=False)
    await house.stack.aclose()
    store = await house.store("one")
    assert SECRET not in await everything(store)


async def test_a_reader_of_an_old_state_delays_the_cleaning_and_it_is_not_forgotten(house: House) -> None:
    log = await house.log()
    store = log.store
    if store.writer is None:
        pytest.skip("PostgreSQL cleans by itself")
    await tell_all(await owned(house, log))
    await store.writer.raw(lambda raw: raw.execute("PRAGMA busy_timeout=0"))
    seen, let_go = threading.Event(), threading.Event()

    def look(connection: sa.Connection) -> None:
        connection.exec_driver_sql("SELECT count(*) FROM event")
        seen.set()
        let_go.wait()

    reader = asyncio.create_task(store.read(look))
    try:
        await asyncio.to_thread(seen.wait)
        assert await log.erase(RUN) is True
        assert SECRET in files(store)
    finally:
        let_go.set()
        await reader
    assert await store.scrub() is True
    assert SECRET not in files(store)


async def counted(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that the files are rewritten from now on."""
    times: list[int] = []

    def pay(raw: sqlite3.Connection) -> bool:
        times.append(1)
        return paid(raw)

    paid = scrub.pay
    monkeypatch.setattr(scrub, "pay", pay)
    if log.store.writer is None:
        pytest.skip("PostgreSQL cleans by itself")
    return times


@pytest.mark.requirement("NEG-OPS-11")
async def test_many_erasures_at_once_rewrite_the_files_once_or_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await house.log()
    times = await counted(log, monkeypatch)
    names = [f"d-{number:08x}" for number in range(30)]
    for name in names:
        await log.create(name, "test", [TOLD], meta={"text": SECRET})
    assert all(await asyncio.gather(*(log.erase(name) for name in names)))
    assert SECRET not in files(log.store)
    assert 1 <= len(times) < 6


@pytest.mark.requirement("NEG-OPS-11")
async def test_in_a_large_store_the_files_are_cleaned_behind_the_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.storage.scrubbing.LARGE", 0)
    log = await house.log()
    times = await counted(log, monkeypatch)
    await log.create(RUN, "test", [TOLD], meta={"text": SECRET})
    assert await log.erase(RUN)
    assert times == [], "nobody waits for it"
    assert (await log.load(RUN))[0].payload == {}, "but it is erased"
    while SECRET in files(log.store):  # noqa: ASYNC110 - nobody is told when it is done
        await asyncio.sleep(0.01)
    assert times == [1]


async def test_what_a_stop_left_to_be_cleaned_is_cleaned_at_the_next_start(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.storage.scrubbing.LARGE", 0)
    log = await house.log("one")
    await counted(log, monkeypatch)
    await log.create(RUN, "test", [TOLD], meta={"text": SECRET})
    await log.erase(RUN)
    await house.stack.aclose()
    monkeypatch.undo()
    store = await house.store("one")
    assert SECRET not in await everything(store)


async def test_a_run_that_stays_locked_is_refused_after_a_while(shared: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "_TRIES", 3)
    log = await shared.log()
    await log.create(RUN, "test", [BEGUN])
    async with log.store.engine.begin() as other:
        await other.execute(sa.select(schema.run.c.id).with_for_update())
        with pytest.raises(StorageError, match="cannot be erased now"):
            await log.erase(RUN)
    assert await log.erase(RUN) is True
