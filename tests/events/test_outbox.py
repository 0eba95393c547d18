from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from moothall.clock import Clock, SystemClock
from moothall.events.delivery import Backoff
from moothall.events.log import EventLog
from moothall.events.model import Draft, OutboxDraft, OutboxRow
from moothall.events.outbox import Outbox
from moothall.events.run import Run
from moothall.storage import schema
from tests.events.house import BEGUN, RUN, House, Scripted, closed, owned
from tests.support.clock import ManualClock

LETTER = OutboxDraft("hook", "https://receiver.example/hook", {"n": 1})


class Refused(Exception):
    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__("not now")
        self.retry_after = retry_after


@dataclass(slots=True)
class Receiver:
    """Refuses with the given errors, one after another, then takes everything."""

    refusals: list[Exception] = field(default_factory=list)
    rows: list[OutboxRow] = field(default_factory=list)
    got: asyncio.Queue[OutboxRow] = field(default_factory=asyncio.Queue)
    clock: Clock = field(default_factory=SystemClock)
    times: list[datetime] = field(default_factory=list)

    async def deliver(self, row: OutboxRow) -> None:
        self.rows.append(row)
        self.times.append(self.clock.now())
        await self.got.put(row)
        if self.refusals:
            raise self.refusals.pop(0)


async def outbox(house: House, log: EventLog, receiver: Receiver, *, attempts: int = 4) -> Outbox:
    backoff = Backoff(attempts=attempts, first=10.0, most=1000.0)
    box = Outbox(log, receiver.deliver, backoff=backoff, sweep_seconds=60.0, lease_seconds=1e6, chance=lambda: 0.0)
    await box.start()
    house.stack.push_async_callback(box.stop)
    return box


async def unsent(log: EventLog) -> Sequence[str]:
    rows = sa.select(schema.outbox.c.key).where(schema.outbox.c.done_at.is_(None))
    return await log.store.read(lambda connection: connection.execute(rows).scalars().all())


async def test_what_was_written_with_its_event_is_sent_once(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    receiver = Receiver()
    box = await outbox(house, log, receiver)
    await run.emit(Draft("a", "a", {}), outbox=[LETTER])
    row = await receiver.got.get()
    assert row == OutboxRow(RUN, "hook", LETTER.target, {"n": 1}, attempts=1)
    assert row.idempotency_key == f"{RUN}/hook"
    await run.emit(Draft("a", "a", {}), outbox=[LETTER])
    await run.emit(Draft("b", "b", {}), outbox=[LETTER])
    await box.stop()
    assert len(receiver.rows) == 1


async def test_what_a_letter_said_is_not_kept_once_it_was_sent(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    receiver = Receiver()
    await outbox(house, log, receiver)
    await run.emit(Draft("a", "a", {}), outbox=[LETTER])
    await receiver.got.get()
    while await unsent(log):  # noqa: ASYNC110 - only the table knows
        await asyncio.sleep(0)
    kept = sa.select(schema.outbox.c.key, schema.outbox.c.payload)
    assert await log.store.read(lambda connection: connection.execute(kept).all()) == [("hook", "{}")]


async def test_a_letter_is_sent_even_when_its_run_has_ended_meanwhile(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(Draft("a", "a", {}), outbox=[LETTER], close=True)
    receiver = Receiver()
    await outbox(house, log, receiver)
    assert (await receiver.got.get()).key == "hook"


async def test_a_refused_letter_is_tried_again_later_with_the_same_key(house: House) -> None:
    clock = ManualClock()
    log = await house.log(clock=clock)
    run = await owned(house, log)
    receiver = Receiver([Refused(), Refused(retry_after=100)])
    await outbox(house, log, receiver)
    receiver.clock = clock
    await run.emit(Draft("a", "a", {}), outbox=[LETTER])
    await receiver.got.get()
    for _ in range(2):
        while receiver.got.empty():
            await clock.sleeping()
            await clock.advance(1)
        await receiver.got.get()
    assert [row.attempts for row in receiver.rows] == [1, 2, 3]
    assert len({row.idempotency_key for row in receiver.rows}) == 1
    first, second, third = receiver.times
    assert second - first >= timedelta(seconds=5)
    assert third - second >= timedelta(seconds=100)


async def test_after_the_last_attempt_the_run_is_told(house: House) -> None:
    log = await house.log()

    async def hopeful(run: Run) -> None:
        await run.emit(Draft("a", "a", {}), outbox=[LETTER])
        if run.recorded("hook.undeliverable") is None:
            assert await run.receive(None) is not None
        await run.emit(Draft("end", "towow.end", {}), close=True)

    await house.worker(log, {"test": Scripted(hopeful)})
    receiver = Receiver([Refused()])
    await outbox(house, log, receiver, attempts=1)
    await log.create(RUN, "test", [BEGUN])
    await receiver.got.get()
    while await unsent(log):  # noqa: ASYNC110 - only the table knows
        await asyncio.sleep(0)
    await log.post(RUN, "go", "x", "s", {})
    events = await closed(log)
    told = next(event for event in events if event.key == "hook.undeliverable")
    assert told.payload == {"key": "hook", "target": LETTER.target, "attempts": 1, "error": "Refused('not now')"}
    assert [event.key for event in events] == ["begun", "a", "hook.undeliverable", "end"]


async def test_giving_up_a_letter_of_an_ended_run_tells_nobody(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(Draft("a", "a", {}), outbox=[LETTER], close=True)
    receiver = Receiver([Refused()])
    await outbox(house, log, receiver, attempts=1)
    await receiver.got.get()
    while await unsent(log):  # noqa: ASYNC110 - only the table knows
        await asyncio.sleep(0)
    assert [event.key for event in await log.load(RUN)] == ["begun", "a"]


async def test_what_was_under_way_when_the_node_stopped_is_sent_by_the_next(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    under_way = asyncio.Event()

    class Slow(Receiver):
        async def deliver(self, row: OutboxRow) -> None:
            under_way.set()
            await asyncio.Event().wait()

    box = await outbox(house, log, Slow())
    await run.emit(Draft("a", "a", {}), outbox=[LETTER])
    await under_way.wait()
    await box.stop()
    receiver = Receiver()
    await outbox(house, log, receiver)
    assert (await receiver.got.get()).attempts == 1


async def test_several_processes_share_the_letters(shared: House) -> None:
    logs = [await shared.log(), await shared.log()]
    run = await owned(shared, logs[0])
    letters = [OutboxDraft(f"hook{i}", "t", {}) for i in range(30)]
    await run.emit(Draft("a", "a", {}), outbox=letters)
    receiver = Receiver()
    for log in logs:
        await outbox(shared, log, receiver)
    got = [await receiver.got.get() for _ in range(30)]
    assert sorted(row.key for row in got) == sorted(letter.key for letter in letters)
    assert receiver.got.empty()


@pytest.mark.parametrize(
    ("attempt", "chance", "asked", "wait"),
    [
        (1, 0.0, None, 0.5),
        (1, 1.0, None, 1.0),
        (3, 0.0, None, 2.0),
        (2, 0.5, 8.0, 8.0),
        (7, 0.0, None, 5.0),
        (7, 1.0, 99.0, 10.0),
        (8, 0.0, None, None),
        (9, 0.0, 1.0, None),
    ],
)
def test_waiting_grows_is_spread_and_ends(attempt: int, chance: float, asked: float | None, wait: float | None) -> None:
    assert Backoff(attempts=8, first=1.0, most=10.0).wait(attempt, chance, asked) == wait
