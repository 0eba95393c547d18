"""The event log: what the rest of the house sees of storage, writer, inbox and streams."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from moothall.clock import SystemClock, rfc3339
from moothall.errors import DemandNotFound, StorageError
from moothall.events import erasure, inbox, reading
from moothall.events.append import Append, Birth, Lane, Row, Sink
from moothall.events.encode import decode, encode, settle, valid_key
from moothall.events.hints import PostgresHints
from moothall.events.model import Draft, Event, JsonObject, RunRecord
from moothall.events.postgres import PostgresSink
from moothall.events.sqlite import SqliteSink
from moothall.events.stream import Hub
from moothall.events.writer import Writer
from moothall.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Mapping, Sequence
    from datetime import datetime

    from moothall.clock import Clock
    from moothall.storage.store import Store

_log = logger("events")
_END = b": end\n\n"
_HEARTBEAT = b": heartbeat\n\n"


class Host(Protocol):
    """The worker of this process, as the log sees it."""

    @property
    def lease_seconds(self) -> float:
        """How long a claim lasts."""
        ...

    def takes(self, kind: str, *, child: bool = False) -> bool:
        """Whether a new run of this kind can be driven here at once."""
        ...

    def born(self, record: RunRecord, lane: Lane, rows: Sequence[Row]) -> None:
        """Drive a run that was created here under the lane's epoch."""
        ...

    def nudge(self, run: str) -> None:
        """A run may have work."""
        ...

    def drop(self, runs: Sequence[str]) -> None:
        """These runs are nobody's any more: stop driving them."""
        ...


class EventLog:
    """Append-only events of many runs; the state, the stream and the audit trail at once.

    Attributes:
        store, clock, writer: for the worker and the outbox.
    """

    def __init__(self, store: Store, *, clock: Clock | None = None, sweep_seconds: float = 2.0) -> None:
        """Keep events in `store`; look every `sweep_seconds` for what a lost hint missed."""
        self.store, self.clock = store, clock or SystemClock()
        self._hub = Hub(store)
        self._sweep_seconds = sweep_seconds
        sink: Sink = PostgresSink(store.engine) if store.writer is None else SqliteSink(store.writer)
        self.writer = Writer(sink, self._publish)
        self._hints = None if store.writer else PostgresHints(store.target, self._heard, self._missed)
        self._host: Host | None = None
        self._outbox: Callable[[], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to write, and to hear from other processes."""
        if self._hints is not None:
            await self._hints.start()
            self._spawn(self._sweep())
        self.writer.start()

    async def close(self) -> None:
        """Commit what is queued and stop; stop the worker before, close the store after."""
        await self.writer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._hints is not None:
            await self._hints.close()

    def attach(self, host: Host | None) -> None:
        """Let new runs and news go straight to the worker of this process; None takes it away again."""
        self._host = host

    def notify_outbox(self, news: Callable[[], None] | None) -> None:
        """Call `news` after each commit that has something to deliver."""
        self._outbox = news

    async def create(
        self,
        run: str,
        kind: str,
        drafts: Sequence[Draft],
        *,
        parent: str | None = None,
        meta: JsonObject | None = None,
        subject: str | None = None,
    ) -> bool:
        """Create a run together with its first events; a worker with a driver for `kind` starts on it at once.

        Args:
            run: its id.
            kind: which driver it is for.
            drafts: its first events.
            parent: the run that this one belongs to, and is erased with.
            meta: what the driver finds in the record, JSON.
            subject: whose run it is; `runs` lists by it.

        Returns:
            False when the run existed before: nothing was written.

        Raises:
            DemandNotFound: the parent was erased; nothing was written.
            Overloaded: too many events wait for the disk; try again shortly.
            InvalidInput, PayloadTooLarge, StorageError: as for `Run.emit`.
        """
        now = _milliseconds(self.clock.now())
        record = RunRecord(run, kind, "open", None, 0, None, now, None, parent, meta or {}, subject)
        born = await self._born(record, drafts)
        if not born and parent is not None and await self.store.read(lambda found: reading.is_erased(found, parent)):
            raise DemandNotFound(f"there is no run {parent} any more")
        return born

    async def _born(self, record: RunRecord, drafts: Sequence[Draft]) -> bool:
        """Write a run that nobody owns yet, as this node's own where a worker of it takes it."""
        kind, parent, now = record.kind, record.parent, record.created_at
        host = self._host if self._host is not None and self._host.takes(kind, child=parent is not None) else None
        owner = self.store.node if host else None
        rows = settle(valid_key(record.id), 0, rfc3339(now), drafts)
        lane = Lane(record.id, epoch=1 if host else 0, next=len(rows))
        lease = host.lease_seconds if host else None
        birth = Birth(kind, now, parent, encode(record.meta), owner, lease, record.subject)
        record = replace(record, owner=owner, epoch=lane.epoch)
        append = Append(
            lane,
            rows,
            asyncio.get_running_loop().create_future(),
            birth=birth,
            committed=partial(host.born, record, lane, rows) if host else partial(self.work, [record.id]),
        )
        self.writer.submit(append)
        return await append.future

    async def get(self, run: str) -> RunRecord | None:
        """Return one run, None when there is none."""
        return await self.store.read(lambda connection: reading.get_run(connection, run))

    async def runs(  # noqa: PLR0913 - every one narrows the list, and callers name the one or two they need
        self,
        *,
        kind: str | None = None,
        status: str | None = None,
        parent: str | None = None,
        subject: str | None = None,
        top_level: bool = False,
        erased: bool = False,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
    ) -> list[RunRecord]:
        """Return runs, the newest first.

        Args:
            kind: only runs of this kind.
            status: only runs that are so.
            parent: only runs that belong to this one.
            subject: only this subject's runs.
            top_level: only runs that belong to no other.
            erased: those that were erased, too.
            limit: how many at most.
            before: `created_at` and `id` of the last run of the page before; times have milliseconds, so a cursor may
                hold them as RFC 3339 text.
        """
        wanted = reading.Selection(kind, status, parent, subject, top_level, erased)
        return await self.store.read(
            lambda connection: reading.list_runs(connection, wanted, limit=limit, before=before)
        )

    async def count_open(self, kind: str, *, subject: str | None = None, under: str = "", most: int) -> int:
        """How many runs of a kind are open, running or waiting, that belong to no other; counts to ``most``.

        Of one subject where one is given, or of all whose ids begin with ``under``.
        """
        return await self.store.read(lambda connection: reading.count_open(connection, kind, subject, most, under))

    async def erase(self, run: str, *, at_once: bool = True) -> bool:
        """Erase what was said in a run and in those below it; an open one ends, its streams too.

        Events stay with seq, type and time, without payload and with a number for a key; meta, subject, postings and
        deliveries are gone. Whoever drives the run anywhere loses it. What remains in backups made before is not
        reached.

        Args:
            run: its id.
            at_once: also overwrite the traces that SQLite leaves in its files, in a store that is not large before this
                returns (`Store.scrub_in_time`).

        Returns:
            False when there is no such run, or it was erased before.

        Raises:
            StorageError: the database failed; nothing was erased, unless the connection broke during the commit.
        """
        gone = await erasure.erase(self.store, run, _milliseconds(self.clock.now()))
        if gone:
            self._hub.erase(gone)
            if self._host is not None:
                self._host.drop(gone)
            if self._hints is not None:
                self._hints.tell(events=gone)
            if at_once:
                await self.store.scrub_in_time()
        return bool(gone)

    async def writable(self) -> bool:
        """Whether events can be stored now; costs nothing as long as the last writes went well.

        After a failure (the disk is full, the database read-only or away) a small write finds out whether it is over.
        """
        if self.writer.failing or self.store.failing:
            return await self.store.probe()
        return True

    async def load(self, run: str, *, after: int = -1, public: bool = False, limit: int | None = None) -> list[Event]:
        """Return committed events with a seq greater than `after`, in order; none for an unknown run."""
        rows = await self.store.read(
            lambda connection: reading.events(connection, run, after=after, public=public, limit=limit)
        )
        return [decode(row) for row in rows]

    async def select(self, runs: Sequence[str], types: Collection[str]) -> list[Event]:
        """Return the committed events of these types in these runs, by run and in order; one query."""
        if not runs:
            return []
        rows = await self.store.read(lambda connection: reading.typed(connection, runs, sorted(types)))
        return [decode(row) for row in rows]

    async def post(self, run: str, posting_key: str, kind: str, sender: str, payload: JsonObject) -> bool:
        """Put something that arrived from outside into the run's inbox and wake the run.

        Check the sender before: a stranger's posting must not occupy the key. It is committed when this returns.

        Returns:
            False when that key was posted before; nothing changed then.

        Raises:
            DemandNotFound: no such run, or it is closed.
            InvalidInput, PayloadTooLarge, StorageError: as for `Run.emit`.
        """
        text, key, now = encode(payload), valid_key(posting_key), self.clock.now()
        fresh = await self.store.write(lambda connection: inbox.post(connection, run, key, kind, sender, text, now))
        if fresh:
            self.work([run])
        return fresh

    async def follow(self, run: str, *, after: int = -1) -> AsyncGenerator[Event]:
        """Yield the public events after `after`: history, then live; ends when the run is closed.

        Never a hole, never a double. An `after` that names no event of the run gives everything.

        Raises:
            DemandNotFound: no such run.
        """
        async with aclosing(self._hub.follow(run, after, None)) as chunks:
            async for chunk in chunks:
                for _, row, _ in chunk:
                    yield decode(row)

    async def frames(self, run: str, *, after: int = -1, heartbeat: float | None = None) -> AsyncGenerator[bytes]:
        """Yield the same as server-sent events, several joined when they are there.

        Args:
            run: the run to follow.
            after: the last seq the client has; see `follow`.
            heartbeat: seconds without an event after which a comment is sent; None for never.

        Raises:
            DemandNotFound: no such run.
        """
        async with aclosing(self._hub.follow(run, after, heartbeat)) as chunks:
            async for chunk in chunks:
                yield b"".join([entry[2] for entry in chunk]) or _HEARTBEAT
        yield _END

    def show(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Show rows that were committed without the writer, each run's in order, to who follows them anywhere."""
        for run, added in rows.items():
            self._hub.publish(run, added, closed=False)
        if self._hints is not None and rows:
            self._hints.tell(events=rows)

    def work(self, runs: Sequence[str]) -> None:
        """Say that runs may have work, here and to other processes."""
        for run in runs:
            if self._host is not None:
                self._host.nudge(run)
        if self._hints is not None:
            self._hints.tell(work=runs)

    def _publish(self, batch: Sequence[Append]) -> None:
        for append in batch:
            self._hub.publish(append.lane.run, append.rows, closed=append.closes is not None)
        if self._outbox is not None and any(append.outbox for append in batch):
            self._outbox()
        if self._hints is not None:
            self._hints.tell(events=[append.lane.run for append in batch])

    def _heard(self, events: list[str], work: list[str]) -> None:
        if events:
            self._spawn(self._hub.pull(events))
        for run in work:
            if self._host is not None:
                self._host.nudge(run)

    def _missed(self) -> None:
        self._spawn(self._hub.sweep())
        if self._host is not None:
            self._host.nudge("")

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_seconds)
            await _logged(self._hub.sweep())


def _milliseconds(when: datetime) -> datetime:
    """Cut a time to what SQLite and RFC 3339 keep, so that a cursor made of it names the same place everywhere."""
    return when.replace(microsecond=when.microsecond // 1_000 * 1_000)


async def _logged(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except StorageError as error:
        _log.warning("cannot look for news: %s", error)
