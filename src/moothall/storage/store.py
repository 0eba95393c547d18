"""The open database of one node: its lock, its node id, one way to read and one to write."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from moothall.errors import MoothallError, StorageError
from moothall.storage import migrate, postgres, scrub, sqlite, url
from moothall.storage.failure import DATABASE_ERRORS, by_its_values, failed
from moothall.storage.lock import DirectoryLock, node_id
from moothall.storage.schema import HEAD
from moothall.storage.scrubbing import Scrubbing
from moothall.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

    from moothall.storage.reading import Reader

T = TypeVar("T")
_log = logger("storage")
_SAME = sa.text("UPDATE alembic_version SET version_num = version_num")


class Store:
    """An open database.

    Attributes:
        node: stable id of the node that owns the data directory; the owner of its runs.
        target: which database this is.
        writer: SQLite's writing thread, None on PostgreSQL.
        failing: whether the last `write` failed, and not by what was to be written.
    """

    def __init__(self, target: url.Target, lock: DirectoryLock, node: str, synchronous: sqlite.Synchronous) -> None:
        """Use `open`."""
        self.target, self.node, self._lock = target, node, lock
        self.writer: sqlite.WriterThread | None = None
        self.failing = False
        self._engine: AsyncEngine | None = None
        self._reader: Reader
        self._glass: sqlite.Glass | None = None
        if target.path is not None:
            sqlite.protect(target.path)
            self._reader, self._glass = sqlite.ReaderThreads(target.path), sqlite.Glass(target.path)
            self.writer = sqlite.WriterThread(target.path, synchronous)
            self._scrubbing = Scrubbing(partial(self._scrub, self.writer), partial(_size, target.path))
        else:
            self._engine = postgres.pool(target)
            self._reader = postgres.PoolReader(self._engine)

    @classmethod
    async def open(cls, data: Path, database_url: str = "", *, synchronous: sqlite.Synchronous = "NORMAL") -> Store:
        """Open the database of the node in `data` and bring its tables up to date.

        Args:
            data: the node's directory; locked for this process until `close`.
            database_url: empty for ``<data>/moothall.db``, ``sqlite:///FILE``, or
                ``postgresql://USER@HOST/DATABASE?schema=NAME`` (the schema is made when missing).
            synchronous: SQLite only. FULL survives a power cut, NORMAL a crash of the process or machine software.

        Raises:
            StoreLocked: another process has this directory open.
            SettingsError: the URL names no database we know.
            StorageError: the database cannot be reached or is newer than this code, or the directory or one of its
                files is not this user's own.
        """
        target = url.parse(database_url, data)
        lock = DirectoryLock(data)
        try:
            store = cls(target, lock, node_id(data), synchronous)
        except BaseException:
            lock.release()
            raise
        try:
            await store._migrate()
        except BaseException:
            await store.close()
            raise
        return store

    @property
    def engine(self) -> AsyncEngine:
        """PostgreSQL's pool, where its driver is spoken to directly.

        Raises:
            LookupError: this is SQLite, which has its threads instead.
        """
        if self._engine is None:
            raise LookupError("SQLite has no pool")
        return self._engine

    async def _migrate(self) -> None:
        if self.writer is None and await self.read(migrate.revision) == HEAD:
            return
        await self.write(lambda connection: migrate.upgrade(connection, self.target.schema))
        if self.writer is not None and await self.writer.raw(scrub.owed):  # since a crash, or a stop before it was done
            await self.scrub_in_time()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a reading connection; it sees only what was committed, on SQLite all of one moment.

        Raises:
            StorageError: the database failed or cannot be reached.
        """
        try:
            return await self._reader.read(work)
        except MoothallError:
            raise  # some are OSErrors by their second base
        except DATABASE_ERRORS as error:
            raise failed(error) from error

    async def glance(self, work: Callable[[Connection], T]) -> T:
        """The same for a few look-ups by key; on SQLite it is done at once, since telling a thread takes longer.

        Nothing else happens meanwhile: `work` must not go through many rows.

        Raises:
            StorageError: as `read`.
        """
        if self._glass is not None:
            with suppress(*DATABASE_ERRORS):  # what a thread may wait for, or else tells
                return self._glass.look(work)
        return await self.read(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction of its own and return what it returns, after the commit.

        Raises:
            StorageError: the database failed or cannot be reached; nothing was written, unless the connection broke
                during the commit itself.
        """
        try:
            done = await self._transact(work)
        except MoothallError:
            raise  # what was to be written was refused; the database is well
        except DATABASE_ERRORS as error:
            self.failing = self.failing or not by_its_values(error)
            raise failed(error) from error
        self.failing = False
        return done

    async def _transact(self, work: Callable[[Connection], T]) -> T:
        if self.writer is not None:
            return await self.writer.transact(work)
        async with self.engine.begin() as connection:
            return await connection.run_sync(work)

    async def probe(self) -> bool:
        """Whether something can be written now: a row is, over itself."""
        try:
            await self.write(lambda connection: connection.execute(_SAME))
        except StorageError:
            return False
        return True

    async def scrub(self) -> bool:
        """Leave no trace of erased text in SQLite's files; nothing to do when nothing was erased, or on PostgreSQL.

        Writers wait meanwhile, a second for a hundred megabytes or so; all who ask at the same time share it. False
        when it could not be done now (the disk is full, a backup reads): the node's log says why, and it is owed still.
        """
        return self.writer is None or await self._scrubbing.at_once()

    async def scrub_in_time(self) -> None:
        """The same for somebody who is waited for: in a store from 128 MiB on it happens in the background."""
        if self.writer is not None:
            await self._scrubbing.in_time()

    @property
    def scrub_failed(self) -> bool:
        """Whether the last attempt to overwrite traces of erased text failed, whoever asked for it."""
        return self.writer is not None and self._scrubbing.failed

    async def _scrub(self, writer: sqlite.WriterThread) -> bool:
        try:
            done = await writer.raw(scrub.pay)
        except sqlite3.Error as error:
            _log.warning("traces of erased text stay in the database file for now: %s", error)
            return False
        if not done:
            _log.warning("traces of erased text stay in the write-ahead log for now: somebody reads an old state")
        return done

    async def close(self) -> None:
        """Close every connection and give the directory back."""
        try:
            if self.writer is not None:
                await self._scrubbing.stop()
            glass, self._glass = self._glass, None
            if glass is not None:
                glass.close()
            await self._reader.close()
            if self.writer is not None:
                await self.writer.close()
        finally:
            self._lock.release()


def _size(path: Path) -> int:
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
