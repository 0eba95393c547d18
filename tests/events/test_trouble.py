"""A store that cannot be written: who asks is told, nothing is half there, and all goes on when it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import sqlalchemy as sa

from moothall.errors import StorageError
from moothall.events.model import Draft
from moothall.storage import schema
from moothall.storage.store import Store
from tests.events.house import BEGUN, RUN, House, owned

_REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$
"""
_TABLES = ("event", "run", "inbox", "alembic_version")
Trouble = Callable[[Store], AbstractAsyncContextManager[None]]


async def _pragma(store: Store, statement: str) -> None:
    assert store.writer is not None
    await store.writer.raw(lambda raw: raw.execute(statement).fetchall())


@asynccontextmanager
async def read_only(store: Store) -> AsyncIterator[None]:
    """The database refuses every write."""
    if store.writer is not None:
        await _pragma(store, "PRAGMA query_only=ON")
        yield
        await _pragma(store, "PRAGMA query_only=OFF")
        return
    await store.write(lambda connection: connection.execute(sa.text(_REFUSE)))
    for table in _TABLES:
        trigger = f"CREATE TRIGGER no BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION refuse()"
        await store.write(lambda connection, trigger=trigger: connection.execute(sa.text(trigger)))  # type: ignore[misc]
    yield
    for table in _TABLES:
        again = f"DROP TRIGGER no ON {table}"
        await store.write(lambda connection, again=again: connection.execute(sa.text(again)))  # type: ignore[misc]


async def test_a_store_that_refuses_writes_says_so_until_it_takes_them_again(house: House) -> None:
    log = await house.log()
    assert await log.writable() is True
    async with read_only(log.store):
        with pytest.raises(StorageError):
            await log.create(RUN, "test", [BEGUN])
        assert await log.writable() is False
        assert await log.get(RUN) is None
    assert await log.writable() is True
    assert await log.create(RUN, "test", [BEGUN]) is True
    assert await log.writable() is True


async def test_a_posting_that_cannot_be_kept_is_not_acknowledged(house: House) -> None:
    log = await house.log()
    await log.create(RUN, "test", [BEGUN])
    async with read_only(log.store):
        with pytest.raises(StorageError):
            await log.post(RUN, "p1", "note", "somebody", {})
        assert await log.writable() is False
    assert await log.post(RUN, "p1", "note", "somebody", {}) is True


async def test_a_full_disk_stops_a_run_and_its_events_have_no_hole_when_there_is_room_again(house: House) -> None:
    log = await house.log()
    if log.store.writer is None:
        pytest.skip("PostgreSQL's disk cannot be filled from here")
    run = await owned(house, log)
    pages = await log.store.read(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    await _pragma(log.store, f"PRAGMA max_page_count={pages}")
    written = 1

    async def fill() -> None:
        nonlocal written
        for n in range(1_000):
            await run.emit(Draft(f"e{n}", "towow.told", {"text": "x" * 9_000}))
            written += 1

    with pytest.raises(StorageError):
        await fill()
    await _pragma(log.store, "PRAGMA max_page_count=1073741823")
    assert await log.writable() is True
    assert [event.seq for event in await log.load(RUN)] == list(range(written))


async def test_erasing_on_a_full_disk_is_whole_or_not_at_all(house: House) -> None:
    log = await house.log()
    await log.create(RUN, "test", [BEGUN], subject="ann")
    async with read_only(log.store):
        with pytest.raises(StorageError):
            await log.erase(RUN)
    record = await log.get(RUN)
    assert record is not None
    assert (record.erased_at, record.subject, record.status) == (None, "ann", "open")
    rows = await log.store.read(lambda connection: connection.execute(sa.select(schema.event.c.payload)).all())
    assert [row.payload for row in rows] == ['{"n":0}']
