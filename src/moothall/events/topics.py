"""Long-lived logs that any process may append to: what a group says, what lies in a mailbox.

A topic is a run without a worker. Nobody owns it: whoever appends locks its row for the length of one transaction, so
places are dense and follow the order of the commits, on both databases and from several processes. A key stands for one
event for ever; who repeats an append after a crash learns what is in the log.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from moothall.clock import rfc3339
from moothall.errors import Conflict, DemandNotFound, MoothallError, StorageError
from moothall.events import reading
from moothall.events.encode import decode, encode, settle, valid_key
from moothall.events.placing import NEVER, Wanted, born, placed, unknown
from moothall.storage import schema, scrub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from sqlalchemy.engine import Connection

    from moothall.events.append import Row
    from moothall.events.log import EventLog
    from moothall.events.model import Draft, Event, JsonObject

_BATCH: Final = 500
"""Events that are committed together at most."""

_SKEW: Final = timedelta(seconds=60)
_RUN, _EVENT = schema.run.c, schema.event.c


@dataclass(slots=True, eq=False)
class _Wanted(Wanted):
    """Drafts of one append; the future gives the rows that stand in the log for them, in the order of the drafts."""

    future: asyncio.Future[list[Row]]


@dataclass(frozen=True, slots=True)
class Appended:
    """What was appended in a transaction of somebody else: the event of each draft, and the rows that are new."""

    topic: str
    events: tuple[Event, ...]
    fresh: Sequence[Row]


class Topics:
    """The topics of one event log. Any number of these may share a log; what one appends, the others see."""

    def __init__(self, log: EventLog) -> None:
        """Append to `log`."""
        self._log = log
        self._waiting: list[_Wanted] = []
        self._work: asyncio.Task[None] | None = None

    async def open(self, topic: str, kind: str, *, subject: str = "", meta: JsonObject | None = None) -> bool:
        """See that a topic exists; False when it did before.

        Args:
            topic: its id; ends with eight hexadecimal digits, which the ids of its events carry.
            kind: what it is; no kind of run that a worker drives.
            subject: whose it is; `EventLog.runs` lists by it.
            meta: about it, JSON.

        Raises:
            Conflict: the id is taken by something of another kind.
            ChannelNotFound: it was closed or erased; its id is not given twice.
            InvalidInput, PayloadTooLarge: as for `EventLog.create`.
            StorageError: the database failed.
        """
        row = self._row(topic, kind, subject, meta)
        found = await self._log.store.glance(lambda connection: reading.get_run(connection, topic))
        made = found is None and await self._log.store.write(lambda connection: born(connection, row))
        found = None if made else found or await self._log.get(topic)
        if found is not None and found.status == "closed":
            raise unknown(topic)
        if found is not None and found.kind != kind:
            raise Conflict(f"{topic} is no {kind}")
        return made

    async def append(self, topic: str, *drafts: Draft) -> tuple[Event, ...]:
        """Commit events at the end of a topic, all or none, and tell who follows it anywhere.

        Appends that come while a commit is under way share the next one. A cancelled append may be written still.

        Returns:
            The event of each draft. Where the key was there before, that is the event of then, provided that it has the
            same type and the same payload but for the field ``at``.

        Raises:
            Conflict: a key stands for something else; nothing was written.
            ChannelNotFound: no such topic, or it is closed.
            InvalidInput: a key cannot be one or comes twice, or a payload is not JSON.
            PayloadTooLarge: a payload exceeds 256 KiB.
            StorageError: the database failed.
        """
        if not drafts:
            return ()
        rows = settle(topic, 0, rfc3339(self._log.clock.now()), drafts)
        wanted = _Wanted(topic, rows, asyncio.get_running_loop().create_future())
        self._waiting.append(wanted)
        if self._work is None:
            self._work = asyncio.create_task(self._drain(), name="moothall-topics")
        return tuple(decode(row) for row in await wanted.future)

    def append_within(
        self, connection: Connection, topic: str, kind: str, *drafts: Draft, subject: str = ""
    ) -> Appended:
        """Append in a transaction of somebody else, to a topic that it makes where there is none; see `shown`.

        So an event is there exactly when the change is that it tells of, whenever the process ends.

        Raises:
            ChannelNotFound: the topic was closed or erased.
            Conflict, InvalidInput, PayloadTooLarge: as `append`.
        """
        rows = settle(topic, 0, rfc3339(self._log.clock.now()), drafts)
        born(connection, self._row(topic, kind, subject, None))
        (done,) = placed(connection, [Wanted(topic, rows)])
        if done.error is not None:
            raise done.error
        return Appended(topic, tuple(decode(row) for row in done.rows), done.fresh)

    def shown(self, appended: Appended) -> None:
        """Tell who follows the topic anywhere of what was appended so; after the commit."""
        if appended.fresh:
            self._log.show({appended.topic: appended.fresh})

    async def exists(self, topic: str) -> bool:
        """Whether a topic was opened, and neither closed nor erased since."""
        found = await self._log.store.glance(lambda connection: reading.get_run(connection, topic))
        return found is not None and found.status == "open"

    async def load(self, topic: str, *, after: int = -1, limit: int | None = None) -> list[Event]:
        """Return the events after a seq, in order; none for a topic that does not exist."""
        return await self._log.load(topic, after=after, limit=limit)

    async def since(self, topic: str, when: datetime) -> int:
        """Return the first seq whose event is not older than a time, less what clocks of processes differ."""
        ts = rfc3339(when - _SKEW)
        return await self._log.store.glance(lambda connection: _since(connection, topic, ts))

    async def head(self, topic: str) -> int:
        """Return the seq that the next event of a topic will have; 0 for one that does not exist."""
        return (await self._log.store.glance(lambda connection: reading.heads(connection, [topic]))).get(topic, 0)

    async def follow(self, topic: str, *, after: int = -1) -> AsyncGenerator[Event]:
        """Yield the public events after a seq: history, then what is appended anywhere; ends when it is closed.

        Raises:
            ChannelNotFound: no such topic.
        """
        try:
            async with aclosing(self._log.follow(topic, after=after)) as events:
                async for event in events:
                    yield event
        except DemandNotFound as error:
            raise unknown(topic) from error

    async def forget(self, topic: str, places: Iterable[int]) -> int:
        """Forget the events with these seqs, but never the last one; return how many they were.

        Places stay as they are. A key that was forgotten can be used again.

        Raises:
            StorageError: the database failed.
        """
        wanted = sorted(places)
        if not wanted:
            return 0
        return await self._log.store.write(lambda connection: _forgotten(connection, topic, wanted))

    def _row(self, topic: str, kind: str, subject: str, meta: JsonObject | None) -> JsonObject:
        return {
            "id": valid_key(topic),
            "kind": kind,
            "subject": subject or None,
            "meta": encode(meta or {}),
            "wake_at": NEVER,
            "created_at": self._log.clock.now(),
        }

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch: list[_Wanted] = []
                size = 0
                while self._waiting and (not batch or size + len(self._waiting[0].drafts) <= _BATCH):
                    size += len(self._waiting[0].drafts)
                    batch.append(self._waiting.pop(0))
                await self._commit(batch)
        finally:
            self._work = None
            for wanted in self._waiting:  # this was cancelled: the loop ends
                _fail(wanted, StorageError("the event log is closed"))
            self._waiting.clear()

    async def _commit(self, batch: Sequence[_Wanted]) -> None:
        try:
            done = await self._log.store.write(lambda connection: placed(connection, batch))
        except MoothallError as error:
            for wanted in batch:
                _fail(wanted, error)
            return
        except BaseException:
            for wanted in batch:
                _fail(wanted, StorageError("the event log is closed"))
            raise
        fresh: dict[str, list[Row]] = {}
        for wanted, one in zip(batch, done, strict=True):
            if one.error is not None:
                _fail(wanted, one.error)
                continue
            if one.fresh:
                fresh.setdefault(wanted.topic, []).extend(one.fresh)
            if not wanted.future.done():
                wanted.future.set_result(one.rows)
        self._log.show(fresh)


def _since(connection: Connection, topic: str, ts: str) -> int:
    """Halve the places until one is left; a place that was forgotten is as old as the next one."""
    low, high = 0, reading.heads(connection, [topic]).get(topic, 0)
    while low < high:
        middle = (low + high) // 2
        found = sa.select(_EVENT.seq, _EVENT.ts).where(_EVENT.run == topic, _EVENT.seq >= middle)
        place, at = connection.execute(found.order_by(_EVENT.seq).limit(1)).one()
        if at < ts:
            low = place + 1
        else:
            high = middle
    return low


def _forgotten(connection: Connection, topic: str, places: Sequence[int]) -> int:
    connection.execute(sa.select(_RUN.id).where(_RUN.id == topic).with_for_update(key_share=True))
    last, count = reading.heads(connection, [topic]).get(topic, 0) - 1, 0
    for at in range(0, len(places), _BATCH):
        these = places[at : at + _BATCH]
        gone = sa.delete(schema.event).where(_EVENT.run == topic, _EVENT.seq.in_(these), _EVENT.seq != last)
        count += connection.execute(gone).rowcount
    if count:
        scrub.owe(connection)
    return count


def _fail(wanted: _Wanted, error: MoothallError) -> None:
    if not wanted.future.done():
        wanted.future.set_exception(error)
