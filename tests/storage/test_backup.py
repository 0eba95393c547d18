from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from moothall.errors import StorageError
from moothall.events.model import Draft
from moothall.storage import backup, schema
from moothall.storage.store import Store
from tests.events.house import BEGUN, RUN, Hands, House, Scripted, closed, owned

ELSEWHERE = """
import sys
from pathlib import Path
from moothall.storage.backup import backup
backup(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def _sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def _scribble(path: Path) -> None:
    """Damage a page in the middle."""
    data = bytearray(path.read_bytes())
    data[2 * 4096 : 3 * 4096] = b"\xff" * 4096
    path.write_bytes(data)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house on SQLite, the only kind that is copied here."""
    async with AsyncExitStack() as stack:
        yield House("", tmp_path, stack)


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    """A store that nobody has open, with a run in it."""
    async with AsyncExitStack() as stack:
        house = House("", tmp_path, stack)
        log = await house.log("node")
        await house.worker(log, {"test": Scripted(lambda run: run.emit(close=True))})
        await log.create(RUN, "test", [BEGUN])
        await closed(log)
    return tmp_path / "node" / "moothall.db"


async def test_a_copy_made_while_a_node_writes_is_a_moment_of_its_store(house: House, tmp_path: Path) -> None:
    """Every event of the copy is one of the run, in order and without a hole, up to a moment during the copying."""
    log = await house.log("node")
    run = await owned(house, log)
    written, stop = 0, asyncio.Event()

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            await run.emit(Draft(f"e{written}", "towow.told", {"n": written, "text": "x" * 500}))
            written += 1

    writing = asyncio.create_task(write())
    command = [sys.executable, "-c", ELSEWHERE, str(tmp_path / "node" / "moothall.db"), str(tmp_path / "copy")]
    await asyncio.to_thread(subprocess.run, command, check=True)
    stop.set()
    await writing
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        seqs = [row[0] for row in copy.execute("SELECT seq FROM event ORDER BY seq")]
        assert copy.execute("SELECT owner, status FROM run").fetchone() == (log.store.node, "open")
    assert seqs == list(range(len(seqs)))
    assert 1 <= len(seqs) <= written + 1


async def test_an_open_run_of_a_copy_belongs_to_nobody_and_the_next_node_takes_it_at_once(
    house: House, tmp_path: Path
) -> None:
    log = await house.log("node")
    hands = Hands()
    await house.worker(log, {"test": hands}, lease_seconds=3_600)
    await log.create(RUN, "test", [BEGUN])
    await (await hands.held.get()).emit(Draft("before", "towow.told", {}))
    made = backup.backup(tmp_path / "node" / "moothall.db", tmp_path / "copy")
    assert (made.runs, made.events, made.revision) == (1, 2, schema.HEAD)
    (tmp_path / "other").mkdir()
    put = backup.restore(tmp_path / "copy", tmp_path / "other" / "moothall.db", "stamp")
    assert put.replaced is None
    there = await house.log("other")
    again = Scripted(lambda run: run.emit(Draft("after", "towow.told", {}), close=True))
    await house.worker(there, {"test": again})
    assert [event.key for event in await closed(there)] == ["begun", "before", "after"]


def test_a_copy_is_one_file_that_only_its_owner_can_read_and_leaves_the_store_as_it_was(
    store: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in store.parent.iterdir()}
    backup.backup(store, tmp_path / "copy")
    assert {path.name for path in tmp_path.iterdir()} == {"node", "copy"}
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert {path: path.read_bytes() for path in store.parent.iterdir()} == before


async def test_a_store_that_was_there_is_kept_with_what_its_journal_holds(store: Path, tmp_path: Path) -> None:
    backup.backup(store, tmp_path / "copy")
    with closing(sqlite3.connect(store, isolation_level=None)) as crashed:
        crashed.execute("PRAGMA wal_autocheckpoint=0")
        crashed.execute("UPDATE run SET kind = 'only in the journal'")
        put = backup.restore(tmp_path / "copy", store, "stamp")
    assert put.replaced == store.with_name("moothall.db.stamp")
    with closing(sqlite3.connect(put.replaced)) as old, closing(sqlite3.connect(store)) as new:
        assert old.execute("SELECT kind FROM run").fetchone() == ("only in the journal",)
        assert new.execute("SELECT kind FROM run").fetchone() == ("test",)


async def test_a_copy_holds_no_trace_of_what_was_erased_and_not_cleaned_up_yet(house: House, tmp_path: Path) -> None:
    log = await house.log("node")
    run = await owned(house, log)
    for n in range(200):
        await run.emit(Draft(f"e{n}", "towow.told", {"text": "a-lost-letter " * (n % 40)}))
    await log.erase(RUN, at_once=False)
    backup.backup(tmp_path / "node" / "moothall.db", tmp_path / "copy")
    assert b"a-lost-letter" not in (tmp_path / "copy").read_bytes()


def test_a_store_of_the_first_release_is_restored_and_brought_up_to_date_at_the_next_start(tmp_path: Path) -> None:
    old = tmp_path / "old"
    with closing(sqlite3.connect(old)) as connection:
        for table in ("run", "event", "inbox", "outbox", "agent"):
            connection.execute(f"CREATE TABLE {table} (id text, owner text, lease_until text, status text)")
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        connection.commit()
    assert backup.restore(old, tmp_path / "moothall.db", "stamp").revision == "0001"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(b"no database at all, but some text" * 40), "no_store"),
        (lambda path: path.write_bytes(b""), "no_store"),
        (lambda path: path.write_bytes(path.read_bytes()[:9_000]), "damaged"),
        (_scribble, "damaged"),
        (lambda path: _sql(path, "DROP TABLE event"), "no_store"),
        (lambda path: _sql(path, "UPDATE alembic_version SET version_num = '9999'"), "unknown_revision"),
        (lambda path: _sql(path, "DELETE FROM alembic_version"), "unknown_revision"),
    ],
)
def test_what_is_no_sound_store_is_neither_copied_nor_restored(
    store: Path, tmp_path: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    copy = tmp_path / "copy"
    backup.backup(store, copy)
    spoil(copy)
    before = store.read_bytes()
    with pytest.raises(backup.UnfitError) as caught:
        backup.restore(copy, store, "stamp")
    assert caught.value.reason == reason
    with pytest.raises(backup.UnfitError):
        backup.backup(copy, tmp_path / "second")
    assert store.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} - {"copy-wal", "copy-shm"} == {"node", "copy"}


def test_a_copy_that_cannot_be_written_says_why_and_leaves_nothing(store: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be copied"):
        backup.backup(store, tmp_path / "nowhere" / "copy")
    with pytest.raises(StorageError, match="cannot be copied"):
        backup.backup(tmp_path / "missing.db", tmp_path / "copy")
    assert {path.name for path in tmp_path.iterdir()} == {"node"}


async def test_a_restored_store_opens_with_its_journal_in_use_again(store: Path, tmp_path: Path) -> None:
    backup.backup(store, tmp_path / "copy")
    backup.restore(tmp_path / "copy", store, "stamp")
    opened = await Store.open(store.parent)
    mode = await opened.read(lambda connection: connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
    await opened.close()
    assert mode == "wal"
