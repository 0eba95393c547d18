"""The hot write on SQLite: one transaction of prepared statements in the writing thread."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from moothall.clock import rfc3339
from moothall.events.append import Append, Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moothall.storage.sqlite import WriterThread

_EVENT = "INSERT INTO event (run, seq, key, type, ts, payload) VALUES (?, ?, ?, ?, ?, ?)"
_OUTBOX = "INSERT INTO outbox (run, key, target, payload, next_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_CLOSE = "UPDATE run SET status = 'closed', closed_at = ?, wake_at = NULL, lease_until = NULL WHERE id = ?"
_OWNERS = "SELECT id, epoch FROM run WHERE status = 'open' AND id IN (SELECT value FROM json_each(?))"
_BIRTH = """
INSERT INTO run (id, kind, parent, meta, created_at, subject, owner, epoch, lease_until)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?9)
WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = ?3 AND erased_at IS NOT NULL) ON CONFLICT (id) DO NOTHING
"""


class SqliteSink:
    """Commits batches through the writing thread."""

    def __init__(self, writer: WriterThread) -> None:
        """Write through `writer`."""
        self._writer = writer

    async def commit(self, batch: Sequence[Append]) -> list[bool]:
        """Write the batch; see `Sink.commit`."""
        try:
            return await self._writer.raw(lambda connection: _transaction(connection, batch))
        except sqlite3.IntegrityError as error:
            raise Rejected(str(error)) from error

    async def close(self) -> None:
        """Nothing to give back: the thread belongs to the store."""


def _transaction(connection: sqlite3.Connection, batch: Sequence[Append]) -> list[bool]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        written = _write(connection, batch)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return written


def _write(connection: sqlite3.Connection, batch: Sequence[Append]) -> list[bool]:
    lanes = {append.lane.run for append in batch if append.birth is None}
    owners = dict(connection.execute(_OWNERS, (json.dumps(list(lanes)),)).fetchall()) if lanes else {}
    written = [
        _born(connection, append) if append.birth else owners.get(append.lane.run) == append.lane.epoch
        for append in batch
    ]
    kept = [append for append, good in zip(batch, written, strict=True) if good]
    connection.executemany(_EVENT, [row for append in kept for row in append.rows])
    if entries := [(*entry[:4], rfc3339(entry[4])) for append in kept for entry in append.outbox]:
        connection.executemany(_OUTBOX, entries)
    if closed := [(rfc3339(append.closes), append.lane.run) for append in kept if append.closes]:
        connection.executemany(_CLOSE, closed)
    return written


def _born(connection: sqlite3.Connection, append: Append) -> bool:
    birth = append.birth
    if birth is None:
        return False
    lease = None if birth.lease_seconds is None else f"+{birth.lease_seconds:.3f} seconds"
    about = (append.lane.run, birth.kind, birth.parent, birth.meta, rfc3339(birth.created_at), birth.subject)
    return connection.execute(_BIRTH, (*about, birth.owner, append.lane.epoch, lease)).rowcount == 1
