"""The outbox: what was written together with its event is sent at least once, with one idempotency key."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from moothall.canonical import dumps, loads
from moothall.errors import DemandNotFound, StorageError
from moothall.events import inbox
from moothall.events.delivery import Backoff
from moothall.events.model import UNDELIVERABLE, OutboxRow
from moothall.storage import schema
from moothall.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from moothall.events.log import EventLog

_log = logger("events.outbox")
_ROW = schema.outbox.c
_DEFAULT = Backoff()
_BLANK = "{}"


class Outbox:
    """Delivers what runs want sent. One per event log; several processes on one database share the work."""

    def __init__(
        self,
        log: EventLog,
        deliver: Callable[[OutboxRow], Awaitable[None]],
        *,
        backoff: Backoff = _DEFAULT,
        sweep_seconds: float = 2.0,
        lease_seconds: float = 60.0,
        concurrency: int = 16,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Send through `deliver`, which raises when the receiver did not take it.

        An exception may carry ``retry_after``, the seconds that the receiver asked for. A row is not tried elsewhere
        for `lease_seconds`, so `deliver` should give up earlier. After the last attempt an open run finds an event
        ``<key>.undeliverable``.
        """
        self._log, self._deliver, self._backoff = log, deliver, backoff
        self._sweep, self._lease, self._concurrency, self._chance = sweep_seconds, lease_seconds, concurrency, chance
        self._sending: dict[asyncio.Task[None], OutboxRow] = {}
        self._news = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._alarm: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Deliver whatever is due, from now on."""
        self._log.notify_outbox(self._news.set)
        self._loop = asyncio.create_task(self._work(), name="moothall-outbox")

    async def stop(self) -> None:
        """Stop; what was under way is due again at once."""
        self._log.notify_outbox(None)
        under_way = [(row.run, row.key) for row in self._sending.values()]
        tasks = [*self._sending, *(task for task in (self._loop, self._alarm) if task is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if under_way:
            now = self._log.clock.now()
            await self._log.store.write(lambda connection: _free(connection, under_way, now))

    async def _work(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._send_due()
            except StorageError as error:
                _log.warning("cannot look for deliveries: %s", error)
            try:
                async with asyncio.timeout(self._sweep):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _send_due(self) -> None:
        if (room := self._concurrency - len(self._sending)) <= 0:
            return
        now = self._log.clock.now()
        rows, following = await self._log.store.write(
            lambda connection: _due(connection, now, now + timedelta(seconds=self._lease), room)
        )
        for row in rows:
            task = asyncio.create_task(self._send(row), name=f"delivery {row.idempotency_key}")
            self._sending[task] = row
            task.add_done_callback(self._sent)
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None if following is None else asyncio.create_task(self._ring(following))

    async def _ring(self, when: datetime) -> None:
        await self._log.clock.sleep_until(when)
        self._news.set()

    def _sent(self, task: asyncio.Task[None]) -> None:
        del self._sending[task]
        self._news.set()

    async def _send(self, row: OutboxRow) -> None:
        error: Exception | None = None
        try:
            await self._deliver(row)
        except Exception as failure:  # noqa: BLE001 - any failure of a receiver is logged and tried again
            _log.warning("delivery %s failed (attempt %d): %r", row.idempotency_key, row.attempts, failure)
            error = failure
        now, store = self._log.clock.now(), self._log.store
        try:
            if error is None:
                await store.write(lambda connection: _finish(connection, row, now))
                return
            wait = self._backoff.wait(row.attempts, self._chance(), getattr(error, "retry_after", None))
            if wait is not None:
                again = now + timedelta(seconds=wait)
                await store.write(lambda connection: _postpone(connection, row, again))
            elif await store.write(lambda connection: _give_up(connection, row, now, repr(error))):
                self._log.work([row.run])
        except StorageError as failure:
            _log.warning("delivery %s will be repeated: %s", row.idempotency_key, failure)


def _due(
    connection: Connection, now: datetime, leased: datetime, limit: int
) -> tuple[list[OutboxRow], datetime | None]:
    chosen = (
        sa.select(_ROW.run, _ROW.key)
        .where(_ROW.done_at.is_(None), _ROW.next_at <= now)
        .order_by(_ROW.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        sa.update(schema.outbox)
        .where(sa.tuple_(_ROW.run, _ROW.key).in_(chosen))
        .values(attempts=_ROW.attempts + 1, next_at=leased)
        .returning(_ROW.run, _ROW.key, _ROW.target, _ROW.payload, _ROW.attempts)
    )
    rows = [OutboxRow(r.run, r.key, r.target, loads(r.payload), r.attempts) for r in connection.execute(statement)]
    later = sa.select(sa.func.min(_ROW.next_at)).where(_ROW.done_at.is_(None), _ROW.next_at > now)
    return rows, connection.execute(later).scalar_one()


def _change(row: OutboxRow) -> sa.Update:
    return sa.update(schema.outbox).where(_ROW.run == row.run, _ROW.key == row.key)


def _finish(connection: Connection, row: OutboxRow, now: datetime) -> None:
    """Nothing more is to be done with a row: it stays, so that its key is not used again, without what it said."""
    connection.execute(_change(row).values(done_at=now, payload=_BLANK))


def _postpone(connection: Connection, row: OutboxRow, again: datetime) -> None:
    connection.execute(_change(row).values(next_at=again))


def _give_up(connection: Connection, row: OutboxRow, now: datetime, error: str) -> bool:
    """Mark the row as done with, and tell its run in the same transaction; False when the run is closed.

    The run is locked first, as everywhere.
    """
    about = dumps({"key": row.key, "target": row.target, "attempts": row.attempts, "error": error}).decode()
    try:
        told = inbox.post(connection, row.run, f"{row.key}.{UNDELIVERABLE}", UNDELIVERABLE, "outbox", about, now)
    except DemandNotFound:
        told = False
    _finish(connection, row, now)
    return told


def _free(connection: Connection, keys: Collection[tuple[str, str]], now: datetime) -> None:
    rows = sa.update(schema.outbox).where(sa.tuple_(_ROW.run, _ROW.key).in_(list(keys)), _ROW.done_at.is_(None))
    connection.execute(rows.values(attempts=_ROW.attempts - 1, next_at=now))
