"""SQLite: one thread that writes, a few that read, each with connections of their own.

One writing connection means that nothing inside the process ever waits for SQLite's lock, and reading on other
connections means that nobody sees a transaction that is still open. A piece of work costs one change of threads,
however many statements it has; a few look-ups by key take less time than that, and are done where they are asked for.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool, StaticPool

from moothall.errors import StorageError
from moothall.storage import private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

Synchronous = Literal["NORMAL", "FULL"]
T = TypeVar("T")
_READERS = 4
_FEW_STEPS = 20_000
"""Instructions of SQLite's machine that a statement of a look may take: about a millisecond."""

_JOURNAL_LIMIT = 64 * 1024 * 1024


def protect(path: Path) -> None:
    """Make the database file readable for its owner only, before SQLite opens it; journals get its mode from SQLite.

    Raises:
        StorageError: it cannot be made, is a link, or belongs to somebody else.
    """
    private.seal(path, create=True)
    for suffix in ("-wal", "-shm"):
        private.seal(path.with_name(path.name + suffix))


def _opened(path: Path, synchronous: Synchronous, *, read_only: bool, patience: float = 5) -> sqlite3.Connection:
    """A connection that begins no transaction by itself and waits for others so many seconds, in any thread."""
    raw = sqlite3.connect(path, isolation_level=None, timeout=patience, check_same_thread=False)
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "foreign_keys=ON",
        f"journal_size_limit={_JOURNAL_LIMIT}",
        "temp_store=MEMORY",
        "secure_delete=ON",
        f"query_only={'ON' if read_only else 'OFF'}",
    ):
        raw.execute(f"PRAGMA {pragma}")
    return raw


def driver(connection: Connection) -> sqlite3.Connection:
    """What SQLAlchemy's connection to SQLite stands on."""
    raw: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
    return raw


class _Reading:
    """One piece of work, while it has a connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raw: sqlite3.Connection | None = None

    @contextmanager
    def on(self, raw: sqlite3.Connection) -> Iterator[None]:
        with self._lock:
            self._raw = raw
        try:
            yield
        finally:
            with self._lock:
                self._raw = None

    def interrupt(self) -> None:
        with self._lock:  # else the connection might be somebody else's by now
            if self._raw is not None:
                self._raw.interrupt()


class ReaderThreads:
    """Reads a database in a few threads; their connections refuse to write.

    A piece of work sees one state of the database, the one that was committed when it first looked.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`; threads and connections are made as they are needed."""
        self._executor = ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="moothall-reader")
        creator = partial(_opened, path, "NORMAL", read_only=True)
        self._engine = sa.create_engine(
            "sqlite://", creator=creator, poolclass=QueuePool, pool_size=_READERS, max_overflow=0
        )
        self._closed = False

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a thread; when nobody waits for it any more, the statement that runs is interrupted.

        Raises:
            StorageError: this was closed.
        """
        if self._closed:
            raise StorageError("the store is closed")
        reading = _Reading()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._inside, work, reading)
        except asyncio.CancelledError:
            reading.interrupt()
            raise

    def _inside(self, work: Callable[[Connection], T], reading: _Reading) -> T:
        with self._engine.connect() as connection:  # it is rolled back before the next piece of work has it
            raw = driver(connection)
            with reading.on(raw):
                raw.execute("BEGIN")
                return work(connection)

    async def close(self) -> None:
        """Finish what is under way; then the threads end."""
        self._closed = True
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._executor.shutdown()
        self._engine.dispose()


class Glass:
    """One connection that reads where it is asked, and waits for nobody."""

    def __init__(self, path: Path) -> None:
        """Open `path` at the first look."""
        creator = partial(_opened, path, "NORMAL", read_only=True, patience=0)
        self._engine = sa.create_engine("sqlite://", creator=creator, poolclass=StaticPool)
        self._connection: Connection | None = None

    def look(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which sees one state.

        It raises what the driver raises, also where somebody is in the way, or where there are many rows to go through.
        """
        if self._connection is None:
            self._connection = self._engine.connect()
            driver(self._connection).set_progress_handler(lambda: 1, _FEW_STEPS)
        raw = driver(self._connection)
        raw.execute("BEGIN")
        try:
            return work(self._connection)
        finally:
            self._connection.rollback()
            raw.rollback()  # what did not pass SQLAlchemy

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._engine.dispose()


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
            self._raw = _opened(self._path, self._synchronous, read_only=False)
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
