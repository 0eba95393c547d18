"""The numbers of changes: what was committed is known to every decision that begins afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moothall.errors import StorageError
from moothall.storage.revisions import Revisions, bump
from moothall.storage.store import Store


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "first", database_url)
    yield store
    await store.close()


async def count(store: Store, name: str) -> int:
    return await store.write(lambda connection: bump(connection, name))


async def test_each_change_has_the_next_number(store: Store) -> None:
    assert [await count(store, "people"), await count(store, "people"), await count(store, "grants")] == [1, 2, 1]
    assert await Revisions(store).current() == {"people": 2, "grants": 1}


async def test_what_this_process_wrote_is_known_at_once(store: Store) -> None:
    revisions = Revisions(store)
    await revisions.current()
    revisions.wrote("people", await count(store, "people"))
    assert await revisions.current() == {"people": 1}
    assert revisions.known == ({"people": 1} if store.writer is not None else None)


async def test_a_late_note_of_an_earlier_change_takes_nothing_back(store: Store) -> None:
    revisions = Revisions(store)
    await revisions.current()
    first, second = await count(store, "people"), await count(store, "people")
    revisions.wrote("people", second)
    revisions.wrote("people", first)
    assert await revisions.current() == {"people": 2}


async def test_every_reader_hears_of_what_was_committed_before_it_asked(store: Store) -> None:
    revisions = Revisions(store)

    async def change_and_look(number: int) -> bool:
        mine = await count(store, f"n{number % 3}")
        revisions.wrote(f"n{number % 3}", mine)
        return (await revisions.current())[f"n{number % 3}"] >= mine

    assert all(await asyncio.gather(*map(change_and_look, range(60))))


async def test_two_processes_on_one_database_hear_of_each_other(
    database_url: str, store: Store, tmp_path: Path
) -> None:
    if store.writer is not None:
        pytest.skip("one process has SQLite")
    other = await Store.open(tmp_path / "second", database_url)
    mine, theirs = Revisions(store), Revisions(other)
    for number in range(1, 4):
        await count(store if number % 2 else other, "people")
        assert (await mine.current(), await theirs.current()) == ({"people": number}, {"people": number})
    await other.close()


async def test_numbers_that_cannot_be_read_are_an_error_and_no_old_ones(store: Store) -> None:
    revisions = Revisions(store)
    await store.write(lambda connection: connection.exec_driver_sql("ALTER TABLE revision RENAME TO away"))
    try:
        with pytest.raises(StorageError):
            await revisions.current()
    finally:
        await store.write(lambda connection: connection.exec_driver_sql("ALTER TABLE away RENAME TO revision"))
    assert await revisions.current() == {}
