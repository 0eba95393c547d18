"""SQLite: one thread that writes, a small pool of connections that read.

One writing connection means that nothing inside the process ever waits for SQLite's lock, and reading on other
connections means that nobody sees a transaction that is still open.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

from moothall.storage import private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

Synchronous = Literal["NORMAL", "FULL"]
T = TypeVar("T")
_READERS = 4
_JOURNAL_LIMIT = 64 * 1024 * 1024


def protect(path: Path) -> None:
    """Make the database file readable for its owner only, before SQLite opens it; journals get its mode from SQLite.

    Raises:
        StorageError: it cannot be made, is a link, or belongs to somebody else.
    """
    private.seal(path, create=True)
    for suffix in ("-wal", "-shm"):
        private.seal(path.with_name(path.name + suffix))


def _pragmas(connection: Any, synchronous: Synchronous, *, read_only: bool) -> None:  # noqa: ANN401 - two drivers
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "busy_timeout=5000",
        "foreign_keys=ON",
        f"journal_size_limit={_JOURNAL_LIMIT}",
        "temp_store=MEMORY",
        "secure_delete=ON",
        f"query_only={'ON' if read_only else 'OFF'}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def reading_engine(url: sa.URL) -> AsyncEngine:
    """Return the pool that reads; its connections refuse to write."""
    engine = create_async_engine(url, pool_size=_READERS, max_overflow=0)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's adapter has no public type
        _pragmas(connection, "NORMAL", read_only=True)

    return engine


class WriterThread:
    """The only connection that writes, in a thread of its own."""

    def __init__(self, path: Path, synchronous: Synchronous) -> None:
        """Open `path`; the thread starts with the first piece of work."""
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="moothall-writer")
        self._raw: sqlite3.Connection | None = None
        self._path, self._synchronous = path, synchronous
        self._engine = sa.create_engine("sqlite://", creator=self._connect, poolclass=StaticPool)

        @sa.event.listens_for(self._engine, "begin")
        def immediately(connection: Connection) -> None:
            # A deferred transaction that turns into a writer can fail at once, whatever the busy timeout says.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _connect(self) -> sqlite3.Connection:
        if self._raw is None:
            raw = sqlite3.connect(self._path, isolation_level=None, timeout=5, check_same_thread=False)
            _pragmas(raw, self._synchronous, read_only=False)
            self._raw = raw
        return self._raw

    async def raw(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on the bare connection, outside any transaction; `work` begins and ends its own."""
        return await self._run(lambda: work(self._connect()))

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction."""

        def inside() -> T:
            with self._engine.begin() as connection:
                return work(connection)

        return await self._run(inside)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def close(self) -> None:
        """Finish what is queued, fold the write-ahead log into the file, close."""
        await self._run(self._shut)
        self._executor.shutdown()

    def _shut(self) -> None:
        self._engine.dispose()
        if self._raw is not None:
            self._raw.close()
            self._raw = None
