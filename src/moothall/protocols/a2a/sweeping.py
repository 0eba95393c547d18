"""Forgetting tasks that have rested for long: in the background, when new ones come, some at a time."""

from __future__ import annotations

import asyncio
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.clock import Clock
from moothall.errors import StorageError
from moothall.protocols.a2a.tasks import milliseconds
from moothall.storage.schema import a2a_task
from moothall.storage.store import Store
from moothall.telemetry import logger

_log = logger("a2a")
_DAY: Final = 24 * 3600 * 1000
_EVERY: Final = 60.0
_BATCH: Final = 200
"""Tasks that one transaction deletes, so that nobody waits for it."""


class Sweeping:
    """Deletes what is older than so many days; with 0, nothing."""

    def __init__(self, store: Store, clock: Clock, days: float) -> None:
        self._store = store
        self._clock = clock
        self._days = days
        self._looked = -_EVERY
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Sweep, if that was not done in the last minute."""
        now = self._clock.monotonic()
        if self._days and now - self._looked >= _EVERY and self._task is None:
            self._looked = now
            self._task = asyncio.create_task(self._sweep(), name="moothall-a2a-sweep")

    async def aclose(self) -> None:
        """Wait for what is under way."""
        if self._task is not None:
            await self._task

    async def _sweep(self) -> None:
        before = milliseconds(self._clock.now()) - int(self._days * _DAY)
        row = a2a_task.c
        old = sa.select(row.id).where(row.updated < before, row.holder == "").order_by(row.updated).limit(_BATCH)

        def work(connection: Connection) -> int:
            return connection.execute(sa.delete(a2a_task).where(row.id.in_(old))).rowcount

        try:
            while await self._store.write(work) == _BATCH:
                pass
        except StorageError:
            _log.warning("old A2A tasks cannot be deleted now")
        finally:
            self._task = None
