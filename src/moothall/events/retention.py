"""Erases what ended long ago, a run at a time, so that nobody waits for it. See row NEG-OPS-12."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from moothall.errors import StorageError
from moothall.events import erasure
from moothall.telemetry import logger

if TYPE_CHECKING:
    from datetime import datetime

    from moothall.events.log import EventLog

_log = logger("events.retention")
_EVERY = 3_600.0
_BATCH = 50
_FOR_EVER = 36_500.0
_BETWEEN_SCRUBS = timedelta(days=1)


class Retention:
    """Sweeps every hour. Several nodes on one database share the work; what one erased, the others do not find.

    Runs go with those below them, and only when all of them have ended. Their rows stay, blank: an id is not given
    twice, and whoever asks for it learns the same as on the first day. SQLite's files are cleaned of traces at most
    once a day, since writers wait for that; where a cleaning failed, every hour until one is done.
    """

    def __init__(self, log: EventLog, days: float) -> None:
        """Erase top-level runs `days` after their end; 0 erases nothing, and only cleans up after other erasures."""
        self._log = log
        self._age = timedelta(days=min(days, _FOR_EVER))
        self._scrubbed: datetime | None = None
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to sweep, now for the first time."""
        self._loop = asyncio.create_task(self._work(), name="moothall-retention")

    async def stop(self) -> None:
        """Stop; a sweep under way ends after the run it is at."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def sweep(self, now: datetime) -> int:
        """Erase every run that ended longer ago than the age; return how many.

        Raises:
            StorageError: the database failed; the runs erased so far stay erased, the others wait for the next sweep.
        """
        count = 0
        if self._age:
            while due := await self._due(now - self._age):
                for run in due:
                    count += await self._log.erase(run, at_once=False)
        store = self._log.store
        if store.scrub_failed or self._scrubbed is None or now - self._scrubbed >= _BETWEEN_SCRUBS:
            # What could not be done, here or after an erasure, is tried again at the next sweep.
            self._scrubbed = now if await store.scrub() else None
        return count

    async def _due(self, before: datetime) -> list[str]:
        return await self._log.store.read(lambda connection: erasure.ended(connection, before, _BATCH))

    async def _work(self) -> None:
        while True:
            try:
                if count := await self.sweep(self._log.clock.now()):
                    _log.info("%d runs that ended more than %s ago were erased", count, self._age)
            except StorageError as error:
                _log.warning("cannot erase what ended long ago: %s", error)
            except Exception:  # noqa: BLE001 - whatever it was, what is old must not be kept for ever in silence
                _log.exception("erasing what ended long ago failed; it is tried again within the hour")
            await asyncio.sleep(_EVERY)
