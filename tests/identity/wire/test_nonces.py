"""A nonce counts once: among many at a time, after a restart, and at the same cost however many are alive."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from moothall.errors import Overloaded, StorageError, Unauthenticated
from moothall.identity import nonce_store
from moothall.identity.nonce_store import DurableNonces
from moothall.identity.nonces import KEPT, NonceStore
from moothall.storage import schema
from moothall.storage.store import Store
from tests.identity.wire.gate import Party, Registry, close_gate, open_gate, signed

pytestmark = pytest.mark.requirement("WIRE-NONCE-01")

KEY, NOW = "did:wba:a.example#key-1", 1_795_191_468


class Time:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def store(tmp_path: Path, database_url: str) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "data", database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def nonces(store: Store, time: Time) -> AsyncIterator[NonceStore]:
    durable = DurableNonces(store, time)
    yield durable
    await durable.close()


async def _rows(store: Store) -> int:
    return await store.read(
        lambda connection: connection.scalar(sa.select(sa.func.count()).select_from(schema.nonce)) or 0
    )


async def test_a_nonce_works_once_for_a_key(nonces: NonceStore) -> None:
    assert await nonces.use(KEY, "n" * 16, NOW + KEPT)
    assert not await nonces.use(KEY, "n" * 16, NOW + KEPT)
    assert await nonces.use(KEY, "m" * 16, NOW + KEPT)
    assert await nonces.use("did:wba:b.example#key-1", "n" * 16, NOW + KEPT)


async def test_a_nonce_that_is_signed_anew_is_refused_too(nonces: NonceStore, time: Time) -> None:
    assert await nonces.use(KEY, "n" * 16, NOW + KEPT)
    assert not await nonces.use(KEY, "n" * 16, NOW + KEPT + 1)
    time.now += KEPT + 1
    assert await nonces.use(KEY, "n" * 16, NOW + 2 * KEPT)


async def test_of_twenty_at_once_exactly_one_wins(nonces: NonceStore) -> None:
    outcomes = await asyncio.gather(*[nonces.use(KEY, "n" * 16, NOW + KEPT) for _ in range(20)])
    assert sorted(outcomes) == [False] * 19 + [True]


async def test_many_different_ones_at_once_all_win_and_then_none(nonces: NonceStore) -> None:
    names = [f"{number:016}" for number in range(2_500)]
    assert all(await asyncio.gather(*[nonces.use(KEY, name, NOW + KEPT) for name in names]))
    assert not any(await asyncio.gather(*[nonces.use(KEY, name, NOW + KEPT) for name in names]))


async def test_what_is_asked_at_one_time_shares_a_transaction(store: Store, time: Time) -> None:
    durable, transactions = DurableNonces(store, time), 0
    commit = durable._commit

    async def counted(batch: object) -> None:
        nonlocal transactions
        transactions += 1
        await commit(batch)  # type: ignore[arg-type]

    durable._commit = counted  # type: ignore[method-assign]
    await asyncio.gather(*[durable.use(KEY, f"{number:016}", NOW + KEPT) for number in range(64)])
    assert transactions == 1


async def test_two_processes_share_what_was_used(store: Store, time: Time) -> None:
    one, other = DurableNonces(store, time), DurableNonces(store, time)
    outcomes = await asyncio.gather(
        *[nonces.use(KEY, f"{number:016}", NOW + KEPT) for number in range(50) for nonces in (one, other)]
    )
    assert sum(outcomes) == 50
    await asyncio.gather(one.close(), other.close())


@pytest.mark.requirement("WIRE-SIG-05")
async def test_after_a_restart_an_old_nonce_is_refused(
    tmp_path: Path, database_url: str, registry: Registry, alice: Party
) -> None:
    first = await open_gate(tmp_path / "data", registry, database_url=database_url)
    once = signed(alice, first.now)
    await first.house.verifier.verify(once)
    await close_gate(first)
    second = await open_gate(tmp_path / "data", registry, database_url=database_url)
    with pytest.raises(Unauthenticated) as caught:
        await second.house.verifier.verify(once)
    assert caught.value.reason == "invalid_nonce"
    await close_gate(second)


async def test_expired_ones_leave_the_table_a_bounded_number_at_a_time(store: Store, time: Time) -> None:
    durable = DurableNonces(store, time)

    async def used(numbers: range) -> None:
        await asyncio.gather(*[durable.use(KEY, f"{number:016}", int(time.now) + KEPT) for number in numbers])

    await used(range(1_500))
    assert await _rows(store) == 1_500
    time.now += KEPT
    await used(range(1_500, 2_100))
    assert await _rows(store) == 2_100  # none has expired yet
    time.now += 1
    await used(range(2_100, 2_620))
    assert await _rows(store) == 2_620 - 1_024
    await used(range(2_620, 3_200))
    assert await _rows(store) == 3_200 - 1_500


async def test_too_many_that_wait_are_refused(store: Store, time: Time) -> None:
    durable = DurableNonces(store, time, most=2)
    outcomes = await asyncio.gather(
        *[durable.use(KEY, f"{number:016}", NOW + KEPT) for number in range(3)], return_exceptions=True
    )
    assert outcomes[:2] == [True, True]
    assert isinstance(outcomes[2], Overloaded)


async def test_a_database_that_fails_lets_nobody_in(store: Store, time: Time) -> None:
    durable = DurableNonces(store, time)
    await store.write(lambda connection: connection.execute(sa.text("ALTER TABLE nonce RENAME TO away")))
    outcomes = await asyncio.gather(
        *[durable.use(KEY, f"{number:016}", NOW + KEPT) for number in range(3)], return_exceptions=True
    )
    assert all(isinstance(outcome, StorageError) for outcome in outcomes)
    await store.write(lambda connection: connection.execute(sa.text("ALTER TABLE away RENAME TO nonce")))
    assert await durable.use(KEY, f"{1:016}", NOW + KEPT)


async def test_what_this_process_remembers_is_bounded_and_the_database_knows_the_rest(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.identity.nonce_store._REMEMBERED", 8)
    durable = DurableNonces(store, time, most=8)
    for number in range(20):
        assert await durable.use(KEY, f"{number:016}", NOW + KEPT)
    assert len(durable._remembered) == 8
    for number in range(20):
        assert not await durable.use(KEY, f"{number:016}", NOW + KEPT)


async def test_who_gives_up_waiting_has_used_the_nonce(store: Store, time: Time) -> None:
    durable = DurableNonces(store, time)
    asking = asyncio.create_task(durable.use(KEY, "n" * 16, NOW + KEPT))
    await asyncio.sleep(0)
    asking.cancel()
    await durable.close()
    assert not await durable.use(KEY, "n" * 16, NOW + KEPT)


def _steps(connection: sqlite3.Connection, rows: int) -> int:
    """Instructions of SQLite's machine for one check, with `rows` nonces alive."""
    connection.execute("DELETE FROM nonce")
    connection.executemany(
        "INSERT INTO nonce VALUES (?, ?)", ((number.to_bytes(16, "big"), NOW + KEPT) for number in range(rows))
    )
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(count, 1)
    connection.execute(nonce_store._INSERT_ALL_SQLITE, (b"x" * 16, f"[{NOW}]"))
    connection.set_progress_handler(None, 0)
    return steps


async def test_a_check_takes_as_many_steps_with_100_000_alive_as_with_none(tmp_path: Path) -> None:
    opened = await Store.open(tmp_path / "data")
    assert opened.writer is not None
    empty = await opened.writer.raw(lambda connection: _steps(connection, 0))
    full = await opened.writer.raw(lambda connection: _steps(connection, 100_000))
    plan = await opened.writer.raw(
        lambda connection: connection.execute(f"EXPLAIN QUERY PLAN {nonce_store._PRUNE_SQLITE}", (b"", 9)).fetchall()
    )
    await opened.close()
    assert full == empty
    assert "SEARCH nonce USING PRIMARY KEY (digest=?)" in str(plan)
    assert "SEARCH nonce USING PRIMARY KEY (digest<?)" in str(plan)
    assert "SCAN" not in str(plan)


async def test_on_postgresql_a_check_looks_at_one_place_of_the_key(tmp_path: Path, postgres_url: str) -> None:
    opened = await Store.open(tmp_path / "data", postgres_url)
    fill = "INSERT INTO nonce SELECT decode(md5(n::text), 'hex'), 1 FROM generate_series(1, 100000) AS n"
    await opened.write(lambda connection: connection.execute(sa.text(fill)))
    arbiter = "EXPLAIN INSERT INTO nonce VALUES ('\\x00', 1) ON CONFLICT DO NOTHING"
    plan = await opened.read(lambda connection: list(connection.execute(sa.text(arbiter)).scalars()))
    await opened.close()
    assert not any("Scan" in line for line in plan), plan
