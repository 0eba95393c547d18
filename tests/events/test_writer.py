from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from moothall.errors import LeaseLost, Overloaded, StorageError
from moothall.events.append import Append, Birth, Lane, Row
from moothall.events.log import EventLog
from moothall.events.model import Draft
from moothall.events.writer import Writer
from tests.events.house import BEGUN, LATER, House


def append(lane: Lane, *seqs: int, key: str = "") -> Append:
    rows: list[Row] = [(lane.run, seq, key or f"k{seq}", "t", "2026-01-22T10:05:00.000Z", "{}") for seq in seqs]
    return Append(lane, rows, asyncio.get_running_loop().create_future())


async def lanes(log: EventLog, count: int) -> list[Lane]:
    names = [f"d-{i:08x}" for i in range(count)]
    for name in names:
        await log.create(name, "test", [BEGUN])
    return [Lane(name, 0, next=1) for name in names]


async def outcomes(log: EventLog, appends: Sequence[Append]) -> list[object]:
    for one in appends:
        log.writer.submit(one)
    return await asyncio.gather(*[one.future for one in appends], return_exceptions=True)


async def test_appends_of_many_runs_share_a_commit(house: House) -> None:
    log = await house.log()
    many = await lanes(log, 20)
    before = log.writer.commits
    assert await outcomes(log, [append(lane, 1, 2) for lane in many]) == [True] * 20
    assert log.writer.commits == before + 1


async def test_one_bad_append_in_a_batch_fails_alone(house: House) -> None:
    log = await house.log()
    many = await lanes(log, 9)
    batch = [append(lane, 1) for lane in many]
    batch[4] = append(many[4], 1, key="begun")
    results = await outcomes(log, batch)
    assert isinstance(results.pop(4), LeaseLost)
    assert results == [True] * 8
    assert [len(await log.load(lane.run)) for lane in many] == [2] * 4 + [1] + [2] * 4


async def test_a_stale_epoch_writes_nothing_and_the_rest_of_the_batch_does(house: House) -> None:
    log = await house.log()
    many = await lanes(log, 3)
    ghost = Lane(many[1].run, 7, next=1)
    results = await outcomes(log, [append(many[0], 1), append(ghost, 1), append(many[1], 1), append(many[2], 1)])
    assert isinstance(results.pop(1), LeaseLost)
    assert results == [True] * 3
    assert [len(await log.load(lane.run)) for lane in many] == [2, 2, 2]


async def test_after_a_failed_append_nothing_of_that_lane_is_written_so_there_is_no_hole(house: House) -> None:
    log = await house.log()
    (lane,) = await lanes(log, 1)
    results = await outcomes(log, [append(lane, 1), append(lane, 2, key="k1"), append(lane, 3)])
    assert results[0] is True
    assert isinstance(results[1], LeaseLost)
    assert isinstance(results[2], LeaseLost)
    with pytest.raises(LeaseLost):
        log.writer.submit(append(lane, 4))
    assert [event.seq for event in await log.load(lane.run)] == [0, 1]


async def test_nothing_is_appended_to_a_closed_run(house: House) -> None:
    log = await house.log()
    (lane,) = await lanes(log, 1)
    ending = append(lane, 1)
    ending.closes = LATER
    assert await outcomes(log, [ending]) == [True]
    (result,) = await outcomes(log, [append(Lane(lane.run, 0), 2)])
    assert isinstance(result, LeaseLost)


async def test_a_batch_may_hold_births_that_exist_beside_new_ones(house: House) -> None:
    log = await house.log()
    await lanes(log, 2)
    births = []
    for i in range(4):
        one = append(Lane(f"d-{i:08x}", 0), 0)
        one.birth = Birth("test", LATER, None, "{}", None, None)
        births.append(one)
    assert await outcomes(log, births) == [False, False, True, True]
    assert [event.key for event in await log.load("d-00000000")] == ["begun"]


class Slow:
    """A disk that is stuck until the test lets it go."""

    def __init__(self) -> None:
        self.go, self.error = asyncio.Event(), StorageError("full")
        self.failing = False

    async def commit(self, batch: Sequence[Append]) -> list[bool]:
        await self.go.wait()
        if self.failing:
            raise self.error
        return [True] * len(batch)

    async def close(self) -> None:
        self.go.set()


async def test_a_full_queue_refuses_new_runs_first_and_keeps_what_it_took() -> None:
    disk, published = Slow(), []
    writer = Writer(disk, published.extend, limit=4)
    writer.start()
    lane = Lane("d-00000001", 1)
    taken = [append(lane, seq) for seq in range(5)]
    for one in taken:
        writer.submit(one)
    newcomer = append(Lane("d-00000002", 0), 0)
    newcomer.birth = Birth("test", LATER, None, "{}", None, None)
    with pytest.raises(Overloaded):
        writer.submit(newcomer)
    taken.append(append(lane, 5, 6, 7))
    writer.submit(taken[-1])
    with pytest.raises(Overloaded):
        writer.submit(append(lane, 8))
    disk.go.set()
    assert await asyncio.gather(*[one.future for one in taken]) == [True] * 6
    await writer.close()
    assert published == taken
    with pytest.raises(StorageError, match="closed"):
        writer.submit(append(lane, 9))


async def test_a_failed_disk_fails_the_batch_and_breaks_its_lanes() -> None:
    disk = Slow()
    disk.failing = True
    writer = Writer(disk, lambda _batch: None)
    writer.start()
    disk.go.set()
    lane = Lane("d-00000001", 1)
    one = append(lane, 0)
    writer.submit(one)
    with pytest.raises(StorageError, match="full"):
        await one.future
    assert lane.broken is disk.error
    await writer.close()


async def test_publication_follows_the_commit_in_the_order_of_seq(house: House) -> None:
    log = await house.log()
    (lane,) = await lanes(log, 1)
    stream = log.follow(lane.run)
    assert (await anext(stream)).seq == 0
    parts = [append(lane, seq) for seq in range(1, 30)]
    for part in parts:
        part.rows = [(row[0], row[1], row[2], "towow.x", row[4], row[5]) for row in part.rows]
    results = await outcomes(log, parts)
    assert results == [True] * 29
    assert [(await anext(stream)).seq for _ in range(29)] == list(range(1, 30))
    await stream.aclose()


async def test_closing_the_log_commits_what_is_queued(house: House) -> None:
    log = await house.log()
    creating = [asyncio.create_task(log.create(f"d-{i:08x}", "test", [Draft("a", "a", {})])) for i in range(5)]
    await asyncio.sleep(0)
    await log.writer.close()
    assert await asyncio.gather(*creating) == [True] * 5
