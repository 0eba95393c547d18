"""Reading: only what was committed, of one moment, in a few threads that nobody who is slow or gone can hold up."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from moothall.errors import PermissionDeniedError, StorageError
from moothall.storage import schema
from moothall.storage.authority import person
from moothall.storage.prepared import FEW, Prepared
from moothall.storage.sqlite import driver
from moothall.storage.store import Store
from tests.support.clock import ManualClock

NAMES = Prepared(lambda ids: sa.select(person.c.id, person.c.trust, person.c.created_at).where(person.c.id.in_(ids)))
ABOVE = Prepared(lambda _: sa.select(person.c.id).where(person.c.trust > sa.bindparam("least")).order_by(person.c.id))
NOWHERE = Prepared(lambda _: sa.select(sa.column("secret_column")).select_from(sa.table("nowhere")))
NOW = ManualClock().now()


def count(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(person)).scalar_one()


def put(*names: str) -> Callable[[sa.Connection], object]:
    rows = [{"id": name, "trust": 1 + place, "created_at": NOW} for place, name in enumerate(names)]
    return lambda connection: connection.execute(sa.insert(person), rows)


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "node", database_url)
    yield store
    await store.close()


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "node")
    yield store
    await store.close()


class Held:
    """A reading that has begun, and ends when it is told to."""

    def __init__(self) -> None:
        self._begun, self._end = threading.Event(), threading.Event()
        self.counts: list[int] = []

    def work(self, connection: sa.Connection) -> None:
        self.counts.append(count(connection))
        self._begun.set()
        self._end.wait()
        self.counts.append(count(connection))

    async def begun(self) -> None:
        await asyncio.to_thread(self._begun.wait)

    def end(self) -> None:
        self._end.set()


async def test_a_reading_sees_one_moment_whatever_is_committed_meanwhile(lite: Store) -> None:
    held = Held()
    reading = asyncio.create_task(lite.read(held.work))
    await held.begun()
    await lite.write(put("anna"))
    assert await lite.read(count) == await lite.glance(count) == 1
    held.end()
    await reading
    assert held.counts == [0, 0]


async def test_a_slow_reading_holds_nobody_else_up(lite: Store) -> None:
    slow = [Held() for _ in range(3)]
    tasks = [asyncio.create_task(lite.read(each.work)) for each in slow]
    await asyncio.gather(*(each.begun() for each in slow))
    assert await lite.read(count) == 0
    assert await lite.glance(count) == 0
    for each in slow:
        each.end()
    await asyncio.gather(*tasks)


async def test_whoever_stops_waiting_leaves_no_transaction_behind(lite: Store) -> None:
    held = [Held() for _ in range(4)]  # all the threads that there are
    tasks = [asyncio.create_task(lite.read(each.work)) for each in held]
    await asyncio.gather(*(each.begun() for each in held))
    late = Held()
    waiting = asyncio.create_task(lite.read(late.work))
    await asyncio.sleep(0)
    for task in (*tasks, waiting):
        task.cancel()
    await asyncio.gather(*tasks, waiting, return_exceptions=True)
    await lite.write(put("anna"))
    for each in held:
        each.end()
    states = await asyncio.gather(*(lite.read(count) for _ in range(8)))
    assert states == [1] * 8
    assert late.counts == []  # what nobody waits for is not begun


async def test_a_statement_that_nobody_waits_for_is_interrupted(lite: Store) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    begun = [threading.Event() for _ in range(4)]

    def forever(event: threading.Event) -> Callable[[sa.Connection], None]:
        def work(connection: sa.Connection) -> None:
            driver(connection).set_progress_handler(event.set, 1000)
            connection.exec_driver_sql(endless)

        return work

    tasks = [asyncio.create_task(lite.read(forever(event))) for event in begun]
    await asyncio.gather(*(asyncio.to_thread(event.wait) for event in begun))
    for task in tasks:
        task.cancel()
    assert await lite.read(count) == 0


async def test_work_that_fails_leaves_no_transaction_behind(lite: Store) -> None:
    def refuse(connection: sa.Connection) -> None:
        count(connection)
        raise PermissionDeniedError("not yours")

    for way in (lite.read, lite.glance):
        for _ in range(5):
            with pytest.raises(PermissionDeniedError):
                await way(refuse)
    await lite.write(put("anna"))
    assert await lite.read(count) == await lite.glance(count) == 1


async def test_closing_waits_for_what_is_under_way_and_ends_the_threads(tmp_path: Path) -> None:
    before = set(threading.enumerate())  # a node that other tests share may be open in this process
    store = await Store.open(tmp_path / "node")
    await store.glance(count)
    held = Held()
    reading = asyncio.create_task(store.read(held.work))
    await held.begun()
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    held.end()
    await closing
    await reading
    assert held.counts == [0, 0]
    left = [each.name for each in threading.enumerate() if each not in before]
    assert [name for name in left if name.startswith("moothall-")] == []
    assert not (tmp_path / "node" / "moothall.db-wal").exists()  # so that no connection is open


async def test_a_closed_store_is_an_error_of_ours(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node")
    await store.close()
    for way in (store.read, store.glance):
        with pytest.raises(StorageError, match="closed"):
            await way(count)
    assert not (tmp_path / "node" / "moothall.db-wal").exists()


async def test_a_glance_cannot_write(store: Store) -> None:
    if store.writer is None:
        pytest.skip("PostgreSQL has no connections that only read")
    with pytest.raises(StorageError):
        await store.glance(lambda connection: connection.execute(sa.delete(schema.agent)))


async def test_a_glance_is_given_to_a_thread_where_somebody_is_in_the_way(lite: Store) -> None:
    where = list[str]()

    def look(connection: sa.Connection) -> int:
        where.append(threading.current_thread().name.rstrip("_0123456789"))
        if len(where) == 1:
            raise sqlite3.OperationalError("database is locked")
        return count(connection)

    assert await lite.glance(look) == 0
    assert where == [threading.current_thread().name, "moothall-reader"]


async def test_a_glance_that_goes_through_many_rows_is_given_to_a_thread(lite: Store) -> None:
    await lite.write(put(*(f"p{number}" for number in range(10_000))))
    here, seen = threading.current_thread(), list[threading.Thread]()

    def look(connection: sa.Connection) -> int:
        seen.append(threading.current_thread())
        return len(connection.execute(sa.select(person.c.id)).all())

    assert await lite.glance(look) == 10_000
    assert seen[0] is here
    assert seen[-1] is not here
    assert await lite.glance(count) == 10_000


@pytest.mark.parametrize("number", [0, 1, 2, FEW, FEW + 1, 40])
async def test_a_prepared_statement_finds_what_any_other_does(store: Store, number: int) -> None:
    await store.write(put(*(f"p{place}" for place in range(50))))
    ids = [f"p{place}" for place in range(number)]
    query = sa.select(person.c.id, person.c.trust, person.c.created_at).where(person.c.id.in_(ids))
    usual = await store.read(lambda connection: [tuple(row) for row in connection.execute(query)])
    for way in (store.read, store.glance):
        rows = await way(lambda connection: NAMES.rows(connection, ids))
        assert sorted(map(tuple, rows)) == sorted(usual)
        assert {(row.id, row.created_at) for row in rows} == {(id_, NOW) for id_ in ids}


async def test_a_prepared_statement_takes_other_values_by_their_names(store: Store) -> None:
    await store.write(put("a", "b", "c"))
    for least, found in ((0, ["a", "b", "c"]), (2, ["c"])):
        rows = await store.read(lambda connection, least=least: ABOVE.rows(connection, least=least))
        assert [row.id for row in rows] == found


async def test_what_a_prepared_statement_runs_into_is_an_error_of_ours(store: Store) -> None:
    for way in (store.read, store.glance):
        with pytest.raises(StorageError) as caught:
            await way(NOWHERE.rows)
        assert "nowhere" not in str(caught.value)


async def test_on_sqlite_a_prepared_statement_is_the_drivers(lite: Store) -> None:
    seen = list[str]()

    def look(connection: sa.Connection) -> None:
        driver(connection).set_trace_callback(seen.append)
        sa.event.listen(connection, "before_cursor_execute", lambda *_: seen.append("SQLAlchemy"))
        NAMES.rows(connection, ["a"])
        driver(connection).set_trace_callback(None)

    await lite.read(look)
    assert len(seen) == 1
    assert "IN ('a')" in seen[0]
