"""Nodes that share a database tell each other that they live, and end the tasks of those that do not any more.

A node that was silent for a while finds that its tasks were ended; what it writes of them then is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.errors import StorageError
from moothall.protocols.a2a.store import TaskStore
from moothall.protocols.a2a.tasks import Whose
from moothall.storage.schema import a2a_holder, a2a_task
from moothall.storage.store import Store
from moothall.telemetry import logger

_log = logger("a2a")
_EVERY: Final = 15.0
_SILENT: Final = timedelta(seconds=60)
"""After which a node counts as gone, by the clock of the database."""

_row = a2a_holder.c


class Holding:
    """The sign of life of one node; where the database is its own, none is needed."""

    def __init__(self, store: Store, tasks: TaskStore, ended: Callable[[Sequence[tuple[str, Whose]]], None]) -> None:
        """``ended`` is called with those of the tasks that were ended here whose clients want to be told."""
        self._ended = ended
        self._store = store
        self._tasks = tasks
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Give the first sign.

        Raises:
            StorageError: the database failed.
        """
        if self._tasks.shared:
            await self.beat()
            self._beating = asyncio.create_task(self._go_on(), name="moothall-a2a-holding")

    async def beat(self) -> None:
        """Give a sign, and end the tasks of silent nodes.

        Raises:
            StorageError: the database failed.
        """
        mine = sa.update(a2a_holder).where(_row.node == self._store.node).values(beat=sa.func.now())
        new = sa.insert(a2a_holder).values(node=self._store.node, beat=sa.func.now())

        def work(connection: Connection) -> None:
            if connection.execute(mine).rowcount == 0:
                connection.execute(new)

        await self._store.write(work)
        alive = sa.select(_row.node).where(_row.beat > sa.func.now() - _SILENT)
        self._ended(await self._tasks.end_held(a2a_task.c.holder != "", a2a_task.c.holder.not_in(alive)))

    async def aclose(self) -> None:
        """Give no more signs; this node works on nothing."""
        if self._beating is None:
            return
        self._beating.cancel()
        await asyncio.wait([self._beating])
        gone = sa.delete(a2a_holder).where(_row.node == self._store.node)
        try:
            await self._store.write(lambda connection: connection.execute(gone))
        except StorageError:
            _log.warning("the others will hear a minute later that this node has stopped")

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await self.beat()
            except StorageError:
                _log.warning("other nodes cannot be told now that this one lives")
