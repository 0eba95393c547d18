"""Writing tasks: whatever was put down while one transaction ran goes into the next, in its order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.errors import LeaseLost, MoothallError, StorageError
from moothall.storage.store import Store

_BATCH: Final = 500

Done = Callable[[MoothallError | None], None]
"""Is told how the writing ended."""


@dataclass(frozen=True, slots=True)
class Change:
    """One statement with its values; with ``fenced`` it is refused where it finds nothing to change."""

    statement: sa.Executable
    values: Mapping[str, Any]
    fenced: bool = False


class Writer:
    """The queue of changes; a task of the event loop runs only while there are some."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: deque[tuple[Sequence[Change], Done]] = deque()
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
        try:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH))]
                await self._commit(batch)
        finally:
            self._working = None

    async def _commit(self, batch: Sequence[tuple[Sequence[Change], Done]]) -> None:
        try:
            kept = await self._store.write(lambda connection: [_apply(connection, changes) for changes, _ in batch])
        except StorageError as error:
            for _, done in batch:
                done(error)
            return
        for (_, done), went_in in zip(batch, kept, strict=True):
            done(None if went_in else LeaseLost("the task is not this node's any more"))


def _apply(connection: Connection, changes: Sequence[Change]) -> bool:
    """Make the changes; where the first is fenced off, none of the others."""
    for change in changes:
        if connection.execute(change.statement, change.values).rowcount == 0 and change.fenced:
            return False
    return True
