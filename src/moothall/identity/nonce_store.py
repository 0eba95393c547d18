"""Used nonces in the node's database: they outlive a restart, and every process of the node shares them.

Group commit, as for events: whatever is asked while one transaction runs goes into the next one together, so that a
check costs a row and not a transaction.

A row is 16 bytes, four of the time and twelve of the nonce. The time comes first and follows from what was signed, so
rows are written where the last ones were, and a check costs the same however many are alive. Whoever signs anew with an
old nonce and another time harms nobody; this process refuses that, too, as far as it remembers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final

from moothall.errors import Overloaded, StorageError
from moothall.identity.nonces import fingerprint
from moothall.storage.failure import failed

if TYPE_CHECKING:
    import sqlite3

    from moothall.storage.sqlite import WriterThread
    from moothall.storage.store import Store

_BATCH: Final = 1_000
_REMEMBERED: Final = 100_000
_TIME: Final = 4
_PRUNED: Final = 1_024  # expired rows that go at a time
_EVERY: Final = 512  # new rows after which some go; fewer than go, so that the table does not grow for ever

# All rows in one statement: between two of them the thread would wait for its turn among those who verify.
_INSERT_ALL_SQLITE: Final = """
INSERT INTO nonce (digest, expires) SELECT substr(?1, key * 16 + 1, 16), value FROM json_each(?2) WHERE true
ON CONFLICT DO NOTHING
"""
_INSERT_SQLITE: Final = "INSERT INTO nonce (digest, expires) VALUES (?, ?) ON CONFLICT DO NOTHING"
_PRUNE_SQLITE: Final = (
    "DELETE FROM nonce WHERE digest IN (SELECT digest FROM nonce WHERE digest < ? ORDER BY 1 LIMIT ?)"
)
# In the order of the keys: two processes never wait for each other's rows in turn.
_INSERT_POSTGRES: Final = """
INSERT INTO nonce (digest, expires) SELECT * FROM unnest($1::bytea[], $2::bigint[]) AS u(digest, expires)
ORDER BY 1 ON CONFLICT DO NOTHING RETURNING digest
"""
_PRUNE_POSTGRES: Final = """
DELETE FROM nonce WHERE digest IN (
  SELECT digest FROM nonce WHERE digest < $1 ORDER BY digest LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""


class DurableNonces:
    """A `NonceStore` over the table ``nonce``."""

    def __init__(self, store: Store, now: Callable[[], float], *, most: int = 20_000) -> None:
        """Write to `store`; ask `now` for the time (Unix seconds); refuse when `most` checks wait for the disk."""
        self._store, self._now, self._most = store, now, most
        self._waiting: dict[bytes, tuple[int, asyncio.Future[bool]]] = {}
        self._remembered: dict[bytes, int] = {}  # what waits is among it
        self._task: asyncio.Task[None] | None = None
        self._since_pruning = 0

    async def use(self, key: str, nonce: str, expires: int) -> bool:
        """As `NonceStore.use`."""
        name = fingerprint(key, nonce)
        remembered = self._remembered.get(name)
        if remembered is not None and remembered >= self._now():
            return False
        if len(self._waiting) >= self._most:
            why = f"{len(self._waiting)} nonces wait for the disk"
            raise Overloaded("the node is behind with checking signatures", why=why, hint="try again shortly")
        outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[expires.to_bytes(_TIME, "big") + name] = (expires, outcome)
        self._remember(name, expires)
        if self._task is None:  # it begins in the next tick: whoever asks in this one joins the batch
            self._task = asyncio.create_task(self._work(), name="moothall-nonces")
        return await outcome

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._task is not None:
            await self._task

    def _remember(self, name: bytes, expires: int) -> None:
        self._remembered[name] = expires
        if len(self._remembered) > max(_REMEMBERED, self._most):
            del self._remembered[next(iter(self._remembered))]

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._commit(self._take())
        finally:
            self._task = None

    def _take(self) -> dict[bytes, tuple[int, asyncio.Future[bool]]]:
        if len(self._waiting) <= _BATCH:
            batch, self._waiting = self._waiting, {}
            return batch
        return {taken: self._waiting.pop(taken) for taken in list(islice(self._waiting, _BATCH))}

    async def _commit(self, batch: Mapping[bytes, tuple[int, asyncio.Future[bool]]]) -> None:
        rows = sorted((taken, expires) for taken, (expires, _) in batch.items())
        self._since_pruning += len(rows)
        prune = self._since_pruning >= _EVERY
        try:
            new = await self._insert(rows, int(self._now()).to_bytes(_TIME, "big") if prune else b"")
        except Exception as error:  # noqa: BLE001 - drivers' errors share no base, and who waits must be told
            failure = failed(error)
            failure.__cause__ = error
            for taken, (_, outcome) in batch.items():
                self._remembered.pop(taken[_TIME:], None)  # whether it was taken, the database says next time
                if not outcome.done():
                    outcome.set_exception(failure)
            return
        if prune:
            self._since_pruning = 0
        for taken, (_, outcome) in batch.items():
            if not outcome.done():
                outcome.set_result(taken in new)

    async def _insert(self, rows: list[tuple[bytes, int]], prune_before: bytes) -> set[bytes]:
        writer: WriterThread | None = self._store.writer
        if writer is not None:
            return await writer.raw(lambda connection: _on_sqlite(connection, rows, prune_before))
        async with self._store.engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            if raw is None:
                raise StorageError("the connection to the database is gone")
            found = await raw.fetch(_INSERT_POSTGRES, [row[0] for row in rows], [row[1] for row in rows])
            if prune_before:
                await raw.execute(_PRUNE_POSTGRES, prune_before, _PRUNED)
        return {bytes(row[0]) for row in found}


def _on_sqlite(connection: sqlite3.Connection, rows: list[tuple[bytes, int]], prune_before: bytes) -> set[bytes]:
    """Insert rows and tell which are new; that all are is what happens unless somebody sends requests again."""
    execute = connection.execute
    execute("BEGIN IMMEDIATE")
    try:
        digests = [row[0] for row in rows]
        packed = (b"".join(digests), str([row[1] for row in rows]))
        new = set(digests)
        if execute(_INSERT_ALL_SQLITE, packed).rowcount < len(rows):
            execute("ROLLBACK")
            execute("BEGIN IMMEDIATE")
            new = {row[0] for row in rows if execute(_INSERT_SQLITE, row).rowcount == 1}
        if prune_before:
            execute(_PRUNE_SQLITE, (prune_before, _PRUNED))
        execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            execute("ROLLBACK")
        raise
    return new
