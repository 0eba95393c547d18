"""Signing where the chain stands, and keeping what was signed: in the database, and in a file outside it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from moothall.audit.anchor import Anchor, read, sign
from moothall.audit.anchor_file import append, last
from moothall.audit.pruning import prune
from moothall.audit.record import AuditRecord
from moothall.audit.row import FIRST, Head
from moothall.errors import InvalidInput, StorageError
from moothall.identity.keys import Signer
from moothall.storage.authority import audit_anchor, audit_record
from moothall.storage.failure import failed
from moothall.storage.store import Store
from moothall.telemetry import logger

_log = logger("audit")
_SYNCHRONOUS: Final = "PRAGMA synchronous"
_FULL: Final = 2
_INSERT: Final = "INSERT INTO audit_anchor (node, seq, token) VALUES (?, ?, ?) ON CONFLICT (node, seq) DO NOTHING"
_CHAIN: Final = audit_record.c
_KEPT: Final = audit_anchor.c


class Anchoring:
    """Signs the end of one node's chain.

    Attributes:
        seq: of the newest row that was signed, as the file says.
    """

    def __init__(
        self, store: Store, now: Callable[[], datetime], signer: Signer | None, path: Path, *, every: int
    ) -> None:
        """Sign with `signer`, if there is one, `every` so many rows, and whenever it is due; append to `path`."""
        self._store, self._now, self._signer, self._path = store, now, signer, path
        self._every = self._next = every
        self.seq = 0

    async def begin(self, head: Head) -> tuple[AuditRecord, ...]:
        """Find out what was signed; give a record of it where the chain does not have what the file says that it had.

        Raises:
            StorageError: the database or the file cannot be read.
        """
        node, said = self._store.node, await self._last()
        if said is None or said.node != node:
            return ()
        found = sa.select(_CHAIN.hash).where(_CHAIN.node == node, _CHAIN.seq == said.seq)
        there = await self._store.read(lambda connection: connection.execute(found).scalar())
        if there == said.hash or (there is None and said.seq <= head.seq):  # pruned since
            self.seq, self._next = said.seq, said.seq + self._every
            return ()
        _log.error("the audit trail ends at %d, but %d was signed: records are missing", head.seq, said.seq)
        details = {"signed": {"seq": said.seq, "hash": said.hash}, "found": {"seq": head.seq, "hash": head.hash}}
        note = AuditRecord(kind="system", action="shortened", actor=node, resource="audit", details=details)
        return (note,)

    async def _last(self) -> Anchor | None:
        token = await asyncio.to_thread(last, self._path)
        try:
            return read(token) if token else None
        except InvalidInput:
            _log.warning("the last line of %s is no signed statement", self._path)
            return None

    def wanted(self, head: Head, *, due: bool) -> bool:
        """Whether to sign now."""
        return self._signer is not None and head.seq > self.seq and (due or head.seq >= self._next)

    async def sign(self, head: Head) -> None:
        """Sign this end of the chain; a failure is logged, and the next statement covers these rows, too."""
        self._next = head.seq + self._every
        if self._signer is None or head == FIRST:
            return
        said = Anchor(node=self._store.node, seq=head.seq, hash=head.hash, time=self._now(), count=head.seq)
        try:
            await self.keep(said.seq, sign(said, self._signer))
        except (StorageError, OSError, InvalidInput) as error:
            _log.warning("the end of the audit trail was not signed: %s", error)
            return
        self.seq = head.seq

    async def prune(self, before: datetime) -> int:
        """Take away some of the oldest rows, all older than `before`; how many, 0 when none are left that can go.

        Raises:
            StorageError, OSError: it failed, or the statement where the chain begins now is not in the file.
        """
        signer, node, now = self._signer, self._store.node, self._now()
        if signer is None:
            return 0
        done = await self._store.write(lambda connection: prune(connection, node, before, now, signer))
        if done is None:
            return 0
        start, gone = done
        await asyncio.to_thread(append, self._path, start.token)
        return gone

    async def keep(self, seq: int, token: str) -> None:
        """Keep a statement in both places; the rows before it are on the disk first, even through a power cut.

        Raises:
            StorageError, OSError: it is not in both.
        """
        row = (self._store.node, seq, token)
        if self._store.writer is not None:
            try:
                await self._store.writer.raw(lambda connection: _durably(connection, row))
            except sqlite3.Error as error:
                raise failed(error) from error
        else:
            names = dict(zip(("node", "seq", "token"), row, strict=True))
            insert = sa.text(_INSERT.replace("?, ?, ?", ":node, :seq, :token"))
            await self._store.write(lambda connection: connection.execute(insert, names))
        await asyncio.to_thread(append, self._path, token)


def _durably(connection: sqlite3.Connection, row: tuple[str, int, str]) -> None:
    """Commit so that everything committed before is on the disk as well, whatever the store does otherwise."""
    (usual,) = connection.execute(_SYNCHRONOUS).fetchone()
    connection.execute(f"{_SYNCHRONOUS}={_FULL}")
    try:
        connection.execute(_INSERT, row)
    finally:
        connection.execute(f"{_SYNCHRONOUS}={usual}")
