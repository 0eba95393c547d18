from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from moothall.errors import Conflict, InvalidInput, LeaseLost, PayloadTooLarge
from moothall.events.encode import MAX_PAYLOAD
from moothall.events.model import Draft, Event, JsonObject
from moothall.events.run import Run
from tests.events.house import BEGUN, RUN, House, Scripted, closed, owned, steal


def shape(events: Sequence[Event]) -> list[tuple[int, str]]:
    return [(event.seq, event.key) for event in events]


async def test_what_was_created_and_emitted_is_read_back_in_order(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(Draft("a", "towow.a", {"text": "场地"}), Draft("b", "inner", {"list": [1, 2.5, None]}))
    events = await log.load(RUN)
    assert shape(events) == [(0, "begun"), (1, "a"), (2, "b")]
    assert [event.payload for event in events] == [{"n": 0}, {"text": "场地"}, {"list": [1, 2.5, None]}]
    assert [event.public for event in events] == [True, True, False]
    assert list(run.history) == events
    assert shape(await log.load(RUN, after=0, public=True)) == [(1, "a")]
    assert shape(await log.load(RUN, limit=1)) == [(0, "begun")]


async def test_a_run_is_created_once(house: House) -> None:
    log = await house.log()
    assert await log.create(RUN, "test", [BEGUN], parent="d-0000ffff", meta={"user": "u"}) is True
    assert await log.create(RUN, "test", [Draft("other", "other", {})]) is False
    record = await log.get(RUN)
    assert record is not None
    assert (record.status, record.parent, record.meta, record.kind) == ("open", "d-0000ffff", {"user": "u"}, "test")
    assert shape(await log.load(RUN)) == [(0, "begun")]
    assert await log.get("d-00000000") is None
    assert [found.id for found in await log.runs(parent="d-0000ffff")] == [RUN]
    assert await log.runs(status="closed") == []


async def test_less_stands_in_the_place_of_what_an_event_said_as_long_as_the_run_is_held(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(Draft("a", "inner", {"text": "场地"}), Draft("b", "inner", {}))
    await run.blank("a", {"text": ""})
    assert [event.payload for event in await log.load(RUN)] == [{"n": 0}, {"text": ""}, {}]
    assert run.recorded("a") == replace((await log.load(RUN))[1], payload={"text": "场地"})
    await steal(log, RUN)
    await run.blank("a", {"text": "by somebody who lost it"})
    assert (await log.load(RUN))[1].payload == {"text": ""}


async def test_a_step_runs_once_and_its_value_is_what_the_log_holds(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    calls = []

    async def fn() -> JsonObject:
        calls.append(1)
        return {"pair": (1, 2)}

    first = await run.step("s", fn, type="asked", also=lambda value: [Draft("told", "towow.told", value)])
    assert first == await run.step("s", fn) == {"pair": [1, 2]}
    assert len(calls) == 1
    events = await log.load(RUN, after=0)
    assert [(event.key, event.type, event.payload) for event in events] == [
        ("s", "asked", {"value": {"pair": [1, 2]}}),
        ("told", "towow.told", {"pair": [1, 2]}),
    ]


async def test_the_same_step_at_the_same_time_runs_once(house: House) -> None:
    run = await owned(house, await house.log())
    go, calls = asyncio.Event(), []

    async def fn() -> int:
        calls.append(1)
        await go.wait()
        return 7

    both = [asyncio.create_task(run.step("s", fn)) for _ in range(3)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*both) == [7, 7, 7]
    assert len(calls) == 1


async def test_a_step_whose_first_caller_was_cancelled_runs_for_the_next(house: House) -> None:
    run = await owned(house, await house.log())
    started = asyncio.Event()

    async def stuck() -> int:
        started.set()
        await asyncio.Event().wait()
        return 1

    async def quick() -> int:
        return 2

    first = asyncio.create_task(run.step("s", stuck))
    await started.wait()
    second = asyncio.create_task(run.step("s", quick))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 2


async def test_a_caller_cancelled_during_the_commit_leaves_a_recorded_step(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)

    async def value() -> int:
        return 5

    task = asyncio.create_task(run.emit(Draft("s", "s", {"value": 5})))
    await asyncio.sleep(0)
    other = asyncio.create_task(run.emit(Draft("s", "s", {"value": 6}), Draft("t", "t", {})))
    await asyncio.sleep(0)
    task.cancel()
    await other
    assert await run.step("s", value) == 5
    assert shape(await log.load(RUN)) == [(0, "begun"), (1, "s"), (2, "t")]


async def test_a_failing_step_records_nothing_and_may_be_tried_again(house: House) -> None:
    run = await owned(house, await house.log())

    async def bad() -> int:
        raise ValueError("no")

    async def good() -> int:
        return 1

    with pytest.raises(ValueError, match="no"):
        await run.step("s", bad)
    assert run.recorded("s") is None
    assert await run.step("s", good) == 1


async def test_emit_is_atomic_and_leaves_recorded_keys_alone(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(Draft("a", "a", {"n": 1}))
    await run.emit(Draft("a", "a", {"n": 2}), Draft("b", "b", {}))
    await run.emit(Draft("a", "a", {"n": 3}))
    with pytest.raises(InvalidInput):
        await run.emit(Draft("c", "c", {}), Draft("d", "d", {"bad": object()}))
    await run.emit(Draft("e", "e", {}))
    assert shape(await log.load(RUN)) == [(0, "begun"), (1, "a"), (2, "b"), (3, "e")]
    event = run.recorded("a")
    assert event is not None
    assert event.payload == {"n": 1}


@pytest.mark.parametrize("key", ["", "line\nbreak", "nul\x00", "\ud800"])
async def test_a_key_that_no_database_can_hold_is_refused(house: House, key: str) -> None:
    run = await owned(house, await house.log())
    with pytest.raises(InvalidInput):
        await run.emit(Draft(key, "x", {}))


async def test_bad_payloads_are_refused_before_they_reach_the_log(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    with pytest.raises(PayloadTooLarge):
        await run.emit(Draft("big", "x", {"text": "x" * MAX_PAYLOAD}))
    with pytest.raises(InvalidInput, match="same key"):
        await run.emit(Draft("k", "x", {}), Draft("k", "y", {}))
    with pytest.raises(InvalidInput):
        await log.create("d-00000002", "test", [Draft("k", "x", {}), Draft("k", "y", {})])
    assert len(await log.load(RUN)) == 1


async def test_the_last_events_and_the_end_are_one_transaction(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(Draft("end", "towow.end", {}), close=True)
    record = await log.get(RUN)
    assert record is not None
    assert (record.status, record.wake_at) == ("closed", None)
    assert record.closed_at is not None
    with pytest.raises(Conflict):
        await run.emit(Draft("after", "x", {}))
    await run.emit(Draft("end", "towow.end", {}), close=True)
    assert shape(await log.load(RUN)) == [(0, "begun"), (1, "end")]


async def test_a_run_can_end_after_its_last_event_was_recorded_before(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(Draft("end", "towow.end", {}))
    await run.emit(Draft("end", "towow.end", {}), close=True)
    record = await log.get(RUN)
    assert record is not None
    assert record.status == "closed"


def negotiation(seed: int, calls: list[str], *, stop_after: int, stopped: asyncio.Event | None = None) -> Scripted:
    """Two rounds with five participants who answer in random order; nobody answers after `stop_after` answers."""
    rng = random.Random(seed)

    async def drive(run: Run) -> None:
        async def answer(key: str) -> str:
            for _ in range(rng.randrange(4)):
                await asyncio.sleep(0)
            if len(calls) >= stop_after:
                if stopped is not None:
                    stopped.set()
                await asyncio.Event().wait()
            calls.append(key)
            return f"answer to {key}"

        for r in range(2):
            keys = [f"r{r}.{i}" for i in range(5)]
            await run.emit(*[Draft(f"asked.{key}", "asked", {}) for key in keys])
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(run.step(key, lambda key=key: answer(key))) for key in keys]
            await run.emit(Draft(f"r{r}.closed", "towow.closed", {"answers": [task.result() for task in tasks]}))
        await run.emit(close=True)

    return Scripted(drive)


@pytest.mark.parametrize("stop_after", [0, 1, 4, 5, 7, 9])
async def test_concurrent_steps_may_finish_in_any_order_before_and_after_a_crash(house: House, stop_after: int) -> None:
    log = await house.log()
    calls: list[str] = []
    stopped = asyncio.Event()
    first = await house.worker(log, {"test": negotiation(1, calls, stop_after=stop_after, stopped=stopped)})
    await log.create(RUN, "test", [BEGUN])
    await stopped.wait()
    await first.stop()
    await house.worker(log, {"test": negotiation(2, calls, stop_after=1000)})
    events = await closed(log)
    assert [event.seq for event in events] == list(range(len(events)))
    assert len({event.key for event in events}) == len(events) == 1 + 2 * 11 + 1
    for r in range(2):
        ending = next(event for event in events if event.key == f"r{r}.closed")
        assert ending.payload["answers"] == [f"answer to r{r}.{i}" for i in range(5)]


async def test_a_recorded_log_replays_without_calling_anybody(house: House) -> None:
    log = await house.log()
    calls: list[str] = []
    driver = negotiation(1, calls, stop_after=1000)
    await house.worker(log, {"test": driver})
    await log.create(RUN, "test", [BEGUN])
    golden = await closed(log)
    await log.create("d-0000beef", "other", [Draft(e.key, e.type, e.payload) for e in golden[:-1]])
    forbidden = negotiation(2, calls := [], stop_after=0)
    await house.worker(log, {"other": forbidden})
    again = await closed(log, "d-0000beef")
    assert calls == []
    assert [(e.seq, e.key, e.type, e.payload) for e in again] == [(e.seq, e.key, e.type, e.payload) for e in golden]


async def test_after_a_lost_lease_the_run_refuses_every_use(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await steal(log, RUN)
    with pytest.raises(LeaseLost):
        await run.emit(Draft("a", "a", {}))
    for use in (lambda: run.recorded("begun"), lambda: run.history):
        with pytest.raises(LeaseLost):
            use()
    with pytest.raises(LeaseLost):
        await run.receive(None)
    assert shape(await log.load(RUN)) == [(0, "begun")]
