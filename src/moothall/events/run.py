"""A run in the hands of its driver: replay by key, durable steps, postings, rest.

A driver is an ordinary coroutine over the log. After a crash it starts from the top with a fresh `Run`; whatever was
recorded returns at once, so only what is missing is done. Keys say what a step means, never when it happened; hence
concurrent steps may finish in any order, before and after a crash.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from moothall.canonical import loads
from moothall.clock import rfc3339
from moothall.errors import Conflict
from moothall.events import blanking, leases
from moothall.events.append import Append
from moothall.events.encode import decode, encode, settle, valid_key
from moothall.events.mailbox import Mailbox
from moothall.events.model import Draft

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from moothall.clock import Clock
    from moothall.errors import MoothallError
    from moothall.events.append import Lane, Row
    from moothall.events.model import Event, JsonObject, JsonValue, OutboxDraft, Posting, RunRecord
    from moothall.events.writer import Writer
    from moothall.storage.store import Store


class Parked(Exception):
    """The run rests; drivers let this pass. With `again`, news came at the last moment: drive it once more.

    `aside` is when it is due, where other processes are to have it first then.
    """

    def __init__(self, *, again: bool, aside: datetime | None = None) -> None:
        """Say whether to drive the run again at once."""
        super().__init__("again" if again else "parked")
        self.again = again
        self.aside = aside


class Run:
    """One run, owned under one epoch.

    When an append fails (the lease is lost, the database is gone) every later use raises the same error: a driver
    never continues on a value that is not in the log.
    """

    def __init__(
        self, record: RunRecord, lane: Lane, rows: Sequence[Row], *, writer: Writer, store: Store, clock: Clock
    ) -> None:
        """Made by the worker from the log."""
        self.id, self.record, self.clock = record.id, record, clock
        self._lane, self._writer, self._store = lane, writer, store
        # Rows are decoded when somebody looks: most are not read in the life of the run that wrote them.
        self._rows, self._found = list(rows), len(rows)
        self._history: list[Event] = []
        self._done = {row[2]: row[1] for row in rows}
        self._pending: dict[str, Append] = {}
        self._flight: dict[str, asyncio.Future[None] | None] = {}
        self._closing = record.status == "closed"
        self._mailbox = Mailbox(self, store)

    @property
    def broken(self) -> MoothallError | None:
        """Why this object is of no use any more, if so."""
        return self._lane.broken

    @property
    def closing(self) -> bool:
        """Whether the end of the run was appended."""
        return self._closing

    @property
    def progressed(self) -> bool:
        """Whether anything was committed since this object was made."""
        return len(self._rows) > self._found

    @property
    def history(self) -> Sequence[Event]:
        """Every committed event, in order."""
        self._check()
        self._history += map(decode, self._rows[len(self._history) :])
        return self._history

    def recorded(self, key: str) -> Event | None:
        """Return the committed event with this key."""
        self._check()
        place = self._done.get(key)
        return None if place is None else decode(self._rows[place])

    async def emit(self, *drafts: Draft, outbox: Sequence[OutboxDraft] = (), close: bool = False) -> None:
        """Commit, in one transaction, those events whose key is not recorded yet.

        Args:
            drafts: the events; those whose key is recorded (a replay) are left out.
            outbox: what to send, written only together with at least one new event.
            close: end the run in the same transaction; nothing can be appended afterwards.

        Raises:
            LeaseLost: another owner took the run over; drop everything.
            StorageError: the database failed; nothing is known to be written.
            InvalidInput: a payload is not JSON, or a key cannot be one.
            PayloadTooLarge: a payload exceeds the limit.
            Conflict: the run is closed.
        """
        self._check()
        fresh = [draft for draft in drafts if draft.key not in self._done and draft.key not in self._pending]
        if close and not fresh and not self._closing:
            fresh = [Draft("run.closed", "run.closed", {})]
        if fresh:
            await self._append(fresh, outbox, close=close)
        for draft in drafts:
            if draft.key in self._pending:
                await self._settled(draft.key)

    async def step(
        self,
        key: str,
        fn: Callable[[], Awaitable[JsonValue]],
        *,
        type: str = "step",  # noqa: A002 - the name of the column
        also: Callable[[JsonValue], Sequence[Draft]] | None = None,
    ) -> JsonValue:
        """Return the value recorded under `key`, or run `fn` once and record what it returns.

        The step's event has the payload ``{"value": value}`` and is committed together with the events `also` makes
        of the value. What is returned went through JSON, so it is the same now and after a crash. A crash between
        the end of `fn` and the commit runs `fn` again: give outside calls the idempotency key ``<run>/<key>``.

        Raises:
            What `fn` raises, and what `emit` raises.
        """
        while True:
            self._check()
            if (place := self._done.get(key)) is not None:
                return loads(self._rows[place][5])["value"]
            if key not in self._flight:
                break
            await asyncio.wait([self._landing(key)])
        self._flight[key] = None
        try:
            value = await fn()
            drafts = [Draft(key, type, {"value": value})]
            if also is not None:
                drafts += [draft for draft in also(value) if draft.key not in self._done]
            rows = await self._append(drafts, (), close=False)
        finally:
            if (mark := self._flight.pop(key)) is not None:
                mark.set_result(None)
        return loads(rows[0][5])["value"]

    def _landing(self, key: str) -> asyncio.Future[None]:
        mark = self._flight[key]
        if mark is None:
            mark = self._flight[key] = asyncio.get_running_loop().create_future()
        return mark

    async def blank(self, key: str, payload: JsonObject) -> None:
        """Put less in the place of an internal event's payload that is not needed any more: what was said is dropped.

        Only for what no replay reads: this object still has what the event said.

        Raises:
            StorageError: the database failed.
            InvalidInput, PayloadTooLarge: as for `emit`.
        """
        self._check()
        text, epoch = encode(payload), self._lane.epoch
        await self._store.write(lambda connection: blanking.blank(connection, self.id, epoch, key, text))

    async def receive(self, until: datetime | None) -> Posting | None:
        """Return the next posting that is not consumed, or None at the deadline.

        A posting is consumed by an event with the key ``in.<posting key>``. Each is handed out once per life of the
        driver; after a crash those without their event come again. Postings received after `until` are kept for a
        later call. Order: time of arrival, then key.
        """
        self._check()
        posting = await self._mailbox.receive(until)
        self._check()
        return posting

    async def spot(self, kind: str) -> Posting:
        """Return a posting of this kind as soon as one lies in the inbox; it stays there for `receive`.

        For what must be noticed while the driver is busy with something else, such as a cancellation.
        """
        self._check()
        return await self._mailbox.spot(kind)

    async def park(self, until: datetime, *, aside: bool = False) -> NoReturn:
        """Leave memory until `until` or the next posting, whichever comes first.

        With `aside`, this process cannot go on, and another one perhaps can: it gets the time for that when the run is
        due, before this one looks at it again.

        Raises:
            Parked: always; let it pass.
        """
        self._check()
        await self._mailbox.read()
        if self._mailbox.unread:
            raise Parked(again=True)
        seen = self._mailbox.seen
        down = await self._store.write(
            lambda connection: leases.lie_down(
                connection, run=self.id, epoch=self._lane.epoch, until=until, postings=seen
            )
        )
        self._lane.broken = Conflict(f"run {self.id} was parked")
        raise Parked(again=not down, aside=until if aside else None)

    def rouse(self, postings: int | None = None) -> None:
        """Look into the inbox again: a hint came, or the table counts `postings`."""
        if postings is None or postings > self._mailbox.seen:
            self._mailbox.rouse()

    def _check(self) -> None:
        if self._lane.broken is not None:
            raise self._lane.broken

    async def _append(self, drafts: Sequence[Draft], outbox: Sequence[OutboxDraft], *, close: bool) -> Sequence[Row]:
        lane = self._lane
        if lane.broken is not None:
            raise lane.broken
        if self._closing:
            raise Conflict(f"run {self.id} is closed")
        now = self.clock.now()
        rows = settle(self.id, lane.next, rfc3339(now), drafts)
        append = Append(
            lane,
            rows,
            asyncio.get_running_loop().create_future(),
            outbox=[(self.id, valid_key(row.key), row.target, encode(row.payload), now) for row in outbox],
            closes=now if close else None,
            committed=partial(self._committed, rows),
        )
        self._writer.submit(append)
        lane.next += len(rows)
        self._closing = close
        for draft in drafts:
            self._pending[draft.key] = append
        try:
            await append.future
        except asyncio.CancelledError:
            # The rows stay queued: whoever else waits for one of these keys needs a future that still gets its outcome.
            append.future = asyncio.get_running_loop().create_future()
            append.future.add_done_callback(_seen)
            raise
        return rows

    def _committed(self, rows: Sequence[Row]) -> None:
        self._rows += rows
        for row in rows:
            self._done[row[2]] = row[1]
            self._pending.pop(row[2], None)

    async def _settled(self, key: str) -> None:
        while (append := self._pending.get(key)) is not None:
            self._check()
            await asyncio.wait([append.future])
            await asyncio.sleep(0)
        self._check()


def _seen(future: asyncio.Future[bool]) -> None:
    if not future.cancelled():
        future.exception()
