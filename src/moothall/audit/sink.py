"""Where rows go in: one transaction for each batch, on either database.

Rows are made where they are written: on SQLite in its writing thread, else in a thread of their own, so that nobody
waits for their hashes. Whoever does not know whether its last batch went in says so, and is told instead of writing it
twice.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from moothall.audit.record import AuditRecord
from moothall.audit.row import FIRST, SALT, Head, Row, rows
from moothall.canonical import dumps
from moothall.clock import rfc3339
from moothall.errors import StorageError
from moothall.storage.store import Store
from moothall.telemetry import logger

Batch = Sequence[tuple[AuditRecord, datetime]]

_log = logger("audit")
_PATIENCE: Final = 20.0
"""Seconds after which a database on the network counts as down."""

# One statement: between two of them the thread would wait for its turn among those who run Python.
_INSERT_SQLITE: Final = """
INSERT INTO audit_record (node, seq, at, kind, actor, body, hash)
SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?2)
"""
_INSERT_POSTGRES: Final = """
INSERT INTO audit_record (node, seq, at, kind, actor, body, hash)
SELECT $1, * FROM unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[])
"""
_HEAD: Final = "SELECT seq, hash FROM audit_record WHERE node = {0} ORDER BY seq DESC LIMIT 1"
_THERE: Final = "SELECT hash FROM audit_record WHERE node = {0} AND seq = {1}"
_HEAD_SQLITE, _THERE_SQLITE = _HEAD.format("?1"), _THERE.format("?1", "?2")
_HEAD_POSTGRES, _THERE_POSTGRES = _HEAD.format("$1"), _THERE.format("$1", "$2")


class Sink:
    """Appends to the chain of one node.

    Attributes:
        head: the end of the chain, as this process left it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.head = FIRST
        self._opened = self._known = False
        self._doubtful: Row | None = None

    async def append(self, batch: Batch) -> None:
        """Write records, in order and once, however often it is tried.

        After a failure the next batch must be the same one, or what is left of it.

        Raises:
            StorageError, and the errors of drivers: nothing is known of whether they were written.
        """
        head = self.head if self._known else None
        self._known = False
        if self._store.writer is not None:
            self.head = await self._store.writer.raw(lambda connection: self._on_sqlite(connection, batch, head))
        else:
            async with asyncio.timeout(_PATIENCE):
                self.head = await self._on_postgres(batch, head)
        self._opened = self._known = True
        self._doubtful = None

    def _noted(self, batch: Batch, found: Head) -> Batch:
        """Put on record that the chain does not end where this process left it: somebody else had a hand in it."""
        if not self._opened or not batch or found == self.head:
            return batch
        _log.error("the audit trail ends at %d, but this node had written up to %d", found.seq, self.head.seq)
        details = {"left": {"seq": self.head.seq, "hash": self.head.hash}, "found": {"seq": found.seq}}
        node, when = self._store.node, batch[0][1]
        note = AuditRecord(kind="system", action="foreign", actor=node, resource="audit", details=details)
        return [(note, when), *batch]

    def _made(self, batch: Batch, head: Head) -> list[Row]:
        made = rows(self._store.node, batch, head, os.urandom(SALT * len(batch)))
        if made:
            self._doubtful = made[-1]
        return made

    def _on_sqlite(self, connection: sqlite3.Connection, batch: Batch, head: Head | None) -> Head:
        node, execute = self._store.node, connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            if head is None:
                head = Head(*(execute(_HEAD_SQLITE, (node,)).fetchone() or FIRST))
                last = self._doubtful
                if last and execute(_THERE_SQLITE, (node, last.seq)).fetchone() == (last.hash,):
                    batch = ()
                else:
                    batch = self._noted(batch, head)
            made = self._made(batch, head)
            packed = dumps([(row.seq, rfc3339(row.at), row.kind, row.actor, row.body, row.hash) for row in made])
            execute(_INSERT_SQLITE, (node, packed.decode()))
            execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                execute("ROLLBACK")
            raise
        return Head(made[-1].seq, made[-1].hash) if made else head

    async def _on_postgres(self, batch: Batch, head: Head | None) -> Head:
        node = self._store.node
        async with self._store.engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            if raw is None:
                raise StorageError("the connection to the database is gone")
            if head is None:
                head = Head(*(await raw.fetchrow(_HEAD_POSTGRES, node) or FIRST))
                last = self._doubtful
                if last and await raw.fetchval(_THERE_POSTGRES, node, last.seq) == last.hash:
                    return head
                batch = self._noted(batch, head)
            made = await asyncio.to_thread(self._made, batch, head)
            if not made:
                return head
            columns = zip(*((row.seq, row.at, row.kind, row.actor, row.body, row.hash) for row in made), strict=True)
            await raw.execute(_INSERT_POSTGRES, node, *map(list, columns))
        return Head(made[-1].seq, made[-1].hash)
