"""The trail: in order, once, and written before whoever waits goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.audit.trail import Terms
from moothall.errors import StorageError, Unavailable
from moothall.storage.store import Store
from tests.audit.chains import START, found, kept, record, store, trail
from tests.support.clock import ManualClock

AWAY = sa.text("ALTER TABLE audit_record RENAME TO away")
BACK = sa.text("ALTER TABLE away RENAME TO audit_record")


def numbers(rows: list[Any]) -> list[int]:
    return [json.loads(row.body)["details"]["n"] for row in rows if row.kind != "system"]


async def sound(of: Store) -> bool:
    return all(finding.fault is None for finding in await found(of))


@pytest.mark.requirement("POL-08")
async def test_records_are_written_in_order_and_the_chain_goes_on_after_a_restart(
    database_url: str, tmp_path: Path
) -> None:
    async with store(tmp_path / "node", database_url) as opened, trail(opened) as audit:
        for number in range(5):
            audit.put(record(number))
        await audit.settle(record(5))
        assert numbers(await kept(opened)) == [0, 1, 2, 3, 4, 5]
        audit.put(record(6))
    async with store(tmp_path / "node", database_url) as opened:
        async with trail(opened) as audit:
            audit.put(record(7))
        rows = await kept(opened)
        assert numbers(rows) == list(range(8))
        assert [row.seq for row in rows] == list(range(1, 9))
        (finding,) = await found(opened)
        assert (finding.fault, finding.last, finding.anchored) == (None, 8, 8)


async def test_the_time_of_a_record_is_when_it_was_handed_in(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with store(tmp_path) as opened:
        async with trail(opened, clock) as audit:
            audit.put(record(1))
            await clock.advance(1.5)
            await audit.settle(record(2))
        assert [row.at - START for row in await kept(opened)] == [timedelta(0), timedelta(seconds=1.5)]


async def test_many_who_wait_share_transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with store(tmp_path) as opened, trail(opened) as audit:
        assert opened.writer is not None
        commits = 0
        usual = opened.writer.raw

        async def raw(work: Callable[[Any], Any]) -> Any:
            nonlocal commits
            commits += 1
            return await usual(work)

        monkeypatch.setattr(opened.writer, "raw", raw)
        await asyncio.gather(*(audit.settle(record(number)) for number in range(500)))
        assert commits == 1
        assert numbers(await kept(opened)) == list(range(500))


async def test_more_than_a_batch_stays_in_order(database_url: str, tmp_path: Path) -> None:
    async with store(tmp_path, database_url) as opened, trail(opened) as audit:
        for number in range(2_500):
            audit.put(record(number))
        await audit.flush()
        assert numbers(await kept(opened)) == list(range(2_500))
        assert await sound(opened)


@pytest.mark.requirement("POL-08")
async def test_while_the_store_is_down_records_wait_and_whoever_must_be_recorded_is_refused_at_once(
    database_url: str, tmp_path: Path
) -> None:
    clock = ManualClock(START)
    async with store(tmp_path, database_url) as opened:
        async with trail(opened, clock, signer=None) as audit:
            await audit.settle(record(0))
            await opened.write(lambda connection: connection.execute(AWAY))
            audit.put(record(1))
            with pytest.raises(StorageError):
                await audit.settle(record(-1))
            assert audit.failing
            with pytest.raises(StorageError):
                await audit.settle(record(-2))
            audit.put(record(2))
            await clock.sleeping()
            await clock.advance(0.1)
            await clock.sleeping()
            assert audit.failing
            await opened.write(lambda connection: connection.execute(BACK))
            await clock.advance(5)
            await until(lambda: not audit.failing)
            await audit.settle(record(3))
        assert numbers(await kept(opened)) == [0, 1, 2, 3]
        assert await sound(opened)


async def test_what_waits_for_the_store_is_bounded(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with store(tmp_path) as opened:
        async with trail(opened, clock, signer=None, terms=Terms(most=3)) as audit:
            await opened.write(lambda connection: connection.execute(AWAY))
            for number in range(3):
                audit.check()
                audit.put(record(number))
            with pytest.raises(Unavailable):
                audit.check()
            with pytest.raises(Unavailable):
                audit.put(record(-1))
            with pytest.raises(StorageError):
                await audit.settle(record(-2))
            await clock.sleeping()
            with pytest.raises(Unavailable):
                audit.put(record(-3))
            await opened.write(lambda connection: connection.execute(BACK))
            await clock.advance(5)
            await until(lambda: not audit.failing)
            audit.put(record(3))
        assert numbers(await kept(opened)) == [0, 1, 2, 3]


@pytest.mark.parametrize("landed", [True, False])
async def test_a_commit_that_may_have_landed_is_not_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    clock = ManualClock(START)
    async with store(tmp_path) as opened, trail(opened, clock, signer=None) as audit:
        assert opened.writer is not None
        usual = opened.writer.raw

        async def broken(work: Callable[[Any], Any]) -> Any:
            if landed:
                await usual(work)
            raise OSError("the connection broke")

        monkeypatch.setattr(opened.writer, "raw", broken)
        audit.put(record(0))
        with pytest.raises(StorageError):
            await audit.settle(record(1))
        monkeypatch.setattr(opened.writer, "raw", usual)
        audit.put(record(2))
        await clock.sleeping()
        await clock.advance(5)
        await until(lambda: not audit.failing)
        await audit.flush()
        assert numbers(await kept(opened)) == ([0, 1, 2] if landed else [0, 2])
        assert await sound(opened)


async def test_another_process_that_writes_to_the_same_chain_breaks_nothing(postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    async with store(tmp_path / "node", postgres_url) as first:
        (tmp_path / "copy" / "node_id").write_text(first.node)
        async with store(tmp_path / "copy", postgres_url) as second:
            assert second.node == first.node
            clock = ManualClock(START)
            async with (
                trail(first, clock, None, folder=tmp_path / "node") as one,
                trail(second, clock, None, folder=tmp_path / "copy") as two,
            ):
                await one.settle(record(0))
                two.put(record(1))
                with pytest.raises(StorageError):
                    await two.flush()
                await clock.sleeping()
                await clock.advance(5)
                await until(lambda: not two.failing)
                await two.flush()
            rows = await kept(first)
            assert numbers(rows) == [0, 1]
            assert [row.kind for row in rows] == ["call", "system", "call"]
            assert '"action":"foreign"' in rows[1].body
            assert await sound(first)


async def test_two_nodes_on_one_database_have_chains_of_their_own(postgres_url: str, tmp_path: Path) -> None:
    async with store(tmp_path / "one", postgres_url) as first, store(tmp_path / "two", postgres_url) as second:
        async with trail(first) as one, trail(second) as two:
            for number in range(50):
                one.put(record(number))
                two.put(record(100 + number))
                if number % 10 == 0:
                    await asyncio.gather(one.flush(), two.flush())
        assert numbers(await kept(first)) == list(range(50))
        assert numbers(await kept(second)) == list(range(100, 150))
        findings = await found(first)
        assert sorted(finding.node for finding in findings) == sorted((first.node, second.node))
        assert [(each.last, each.anchored, each.fault) for each in findings] == [(50, 50, None)] * 2


async def test_a_trail_that_was_closed_takes_nothing_more(tmp_path: Path) -> None:
    async with store(tmp_path) as opened:
        async with trail(opened) as audit:
            audit.put(record(0))
        with pytest.raises(Unavailable):
            audit.put(record(1))
        with pytest.raises(StorageError):
            await audit.settle(record(1))
        await audit.aclose()
        assert numbers(await kept(opened)) == [0]


async def test_a_stop_while_the_store_is_down_ends_and_says_what_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with store(tmp_path) as opened:
        async with trail(opened, signer=None) as audit:
            await opened.write(lambda connection: connection.execute(AWAY))
            for number in range(1_200):
                audit.put(record(number))
        assert "1200 records of its audit trail are not written" in caplog.text
        await opened.write(lambda connection: connection.execute(BACK))
        assert await kept(opened) == []


async def test_who_stops_waiting_changes_nothing(tmp_path: Path) -> None:
    async with store(tmp_path) as opened, trail(opened) as audit:
        waiting = asyncio.create_task(audit.settle(record(0)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await audit.settle(record(1))
        assert numbers(await kept(opened)) == [0, 1]


async def test_a_store_that_cannot_be_read_opens_no_trail(tmp_path: Path) -> None:
    async with store(tmp_path) as opened:
        await opened.write(lambda connection: connection.execute(AWAY))
        with pytest.raises(StorageError):
            async with trail(opened):
                pass


async def until(condition: Callable[[], bool]) -> None:
    """Give the loop turns until something is so; the test's own limit of time is the end of it."""
    while not condition():  # noqa: ASYNC110 - nobody announces it
        await asyncio.sleep(0)
