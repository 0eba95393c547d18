"""Writing tasks: whatever was put down while one transaction ran goes into the next, in its order.

Every unary call writes one row. On SQLite the statements go to the driver as they are, since composing one takes longer
than running it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection

from moothall.errors import LeaseLost, MoothallError, StorageError
from moothall.storage.failure import failed
from moothall.storage.store import Store
from moothall.telemetry import logger

_BATCH: Final = 500
_UNREACHABLE: Final = (OSError, sqlite3.OperationalError, sa.exc.OperationalError, sa.exc.InterfaceError)
"""Failures of the database, not of what is written: to try one by one would only take longer."""

_log = logger("a2a")
_DIALECT: Final = sqlite.dialect(paramstyle="named")

Done = Callable[[MoothallError | None], None]
"""Is told how the writing ended."""


class Statement:
    """A statement whose values have names, for SQLAlchemy and as SQLite's own text."""

    def __init__(self, clause: sa.Insert | sa.Update | sa.Delete, columns: Sequence[str] | None = None) -> None:
        """``columns`` are those that an insertion fills."""
        self.clause = clause
        self.sql = str(clause.compile(dialect=_DIALECT, column_keys=columns))


@dataclass(slots=True)
class Change:  # not frozen: one is made for every task
    """One statement with its values; with ``fenced`` it is refused where it finds nothing to change."""

    statement: Statement
    values: Mapping[str, Any]
    fenced: bool = False


Work = tuple[Sequence[Change], Done]


class Writer:
    """The queue of changes; a task of the event loop runs only while there are some."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: deque[Work] = deque()
        self._working: asyncio.Task[None] | None = None

    def put(self, changes: Sequence[Change], done: Done) -> None:
        """Write changes together; ``done`` is called when they are in the database, or could not be."""
        self._queue.append((changes, done))
        if self._working is None:
            self._working = asyncio.create_task(self._work(), name="moothall-a2a-writer")

    async def write(self, *changes: Change) -> None:
        """Write changes together, and wait.

        Raises:
            StorageError: the database failed.
            LeaseLost: a fenced change found nothing.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(error: MoothallError | None) -> None:
            if written.done():
                return
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

        self.put(changes, done)
        await written

    async def drained(self) -> None:
        """Wait until everything that was put down is written."""
        while self._working is not None:
            await asyncio.shield(self._working)

    async def _work(self) -> None:
        batch: list[Work] = []
        try:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH))]
                await self._commit(batch)
                batch = []
        finally:
            self._working = None
            for _, done in batch:  # the loop itself ends
                _tell(done, StorageError("the node stopped before it was written"))

    async def _commit(self, batch: Sequence[Work]) -> None:
        """Write a batch; one at a time where its fault may lie in what one of them writes."""
        try:
            kept = await self._written([changes for changes, _ in batch])
        except StorageError as error:
            if len(batch) > 1 and not isinstance(error.__cause__, _UNREACHABLE):
                for each in batch:
                    await self._commit([each])
                return
            for _, done in batch:
                _tell(done, error)
            return
        for (_, done), went_in in zip(batch, kept, strict=True):
            _tell(done, None if went_in else LeaseLost("the task is not this node's any more"))

    async def _written(self, batch: Sequence[Sequence[Change]]) -> list[bool]:
        """Write them in one transaction.

        Raises:
            StorageError: nothing was written, whatever the reason.
        """
        try:
            if self._store.writer is None:
                return await self._store.write(lambda connection: [_apply(connection, changes) for changes in batch])
            return await self._store.writer.raw(partial(_apply_raw, batch=batch))
        except StorageError:
            raise
        except Exception as error:  # a driver refuses values in many ways, and all who wait here must hear of it
            raise failed(error) from error


def _tell(done: Done, error: MoothallError | None) -> None:
    try:
        done(error)
    except Exception:  # noqa: BLE001 - it is logged; the others must hear of theirs
        _log.exception("what follows the writing of a task failed")


def _apply(connection: Connection, changes: Sequence[Change]) -> bool:
    """Make the changes, none that comes after one that is fenced off."""
    for change in changes:
        if connection.execute(change.statement.clause, change.values).rowcount == 0 and change.fenced:
            return False
    return True


def _apply_raw(connection: sqlite3.Connection, batch: Sequence[Sequence[Change]]) -> list[bool]:
    """The same for a batch, on the bare connection; a single change is a transaction of its own."""
    if len(batch) == 1 and len(batch[0]) == 1:
        return [_run(connection, batch[0])]
    connection.execute("BEGIN IMMEDIATE")
    try:
        kept = [_run(connection, changes) for changes in batch]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return kept


def _run(connection: sqlite3.Connection, changes: Sequence[Change]) -> bool:
    for change in changes:
        if connection.execute(change.statement.sql, change.values).rowcount == 0 and change.fenced:
            return False
    return True
