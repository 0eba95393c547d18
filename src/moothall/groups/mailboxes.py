"""What is said to one agent alone, kept until it reads it, within limits (row RTC-05).

A mailbox is a topic. How far its owner has read stands in it as an internal event; what its handlers answered counts as
read, too. What was read makes room for what comes, what nobody read goes after a while only; so that nobody can fill
the box of another, a sender has a share of what waits in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.canonical import loads
from moothall.clock import Clock, rfc3339
from moothall.errors import AgentNotFound, Overloaded, RateLimited, Told
from moothall.events.model import Draft, Event
from moothall.events.topics import Topics
from moothall.groups.channel import DIRECT, MAILBOX, answered, keys_of, message_key
from moothall.groups.model import mailbox_of
from moothall.storage import schema
from moothall.storage.store import Store

_READ: Final = "box.read"
_KNOWN: Final = 10_000
_EVENT: Final = schema.event.c
_AGAIN: Final = 60
"""Seconds after which a sender may look again whether its messages were read."""

_ROOM: Final = 8
"""A full box gives this part of what it holds away at once, of what was read."""


@dataclass(frozen=True, slots=True)
class MailboxLimits:
    """What one mailbox holds.

    Attributes:
        messages: in it at most.
        bytes: of them, with what handlers answered.
        days: until an old one goes.
        share: of both that the messages of one sender may have that wait to be read.
    """

    messages: int = 1_000
    bytes: int = 4 * 1024 * 1024
    days: float = 7.0
    share: float = 0.25

    def full(self, messages: int, size: int, part: float = 1.0) -> bool:
        """Whether so much is a part of it, or more."""
        return messages >= max(int(self.messages * part), 1) or size >= self.bytes * part


@dataclass(frozen=True, slots=True)
class _Held:
    messages: int
    bytes: int
    oldest: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a mailbox, without what it says."""

    seq: int
    key: str
    type: str
    ts: str
    size: int


class Mailboxes:
    """The mailboxes of one store.

    Args:
        store: where they are.
        topics: the same as topics.
        clock: dates what is said.
        own: whether a DID is an agent of this node, which has a mailbox before it ever came.
        limits: of each.
    """

    def __init__(
        self, store: Store, topics: Topics, clock: Clock, own: Callable[[str], bool], limits: MailboxLimits
    ) -> None:
        self._store, self._topics, self._clock, self._own, self._limits = store, topics, clock, own, limits
        self._open: dict[str, None] = {}

    async def open(self, did: str) -> str:
        """See that somebody has a mailbox; its topic."""
        box = mailbox_of(did)
        if box not in self._open:
            await self._topics.open(box, MAILBOX, subject=did)
            self._open[box] = None
            if len(self._open) > _KNOWN:
                del self._open[next(iter(self._open))]
        return box

    async def put(self, did: str, sender: str, name: str, payload: Mapping[str, Any]) -> Event:
        """Put a message into somebody's mailbox; of an id that this sender has used it is the message of then.

        Raises:
            AgentNotFound: nobody of this DID was ever here.
            RateLimited: the sender's share of the mailbox is full of what was not read.
            Overloaded: the mailbox is, of what others sent, too.
            Conflict: the id stands for another message of the sender.
            InvalidInput, PayloadTooLarge, StorageError: as `Topics.append`.
        """
        box = mailbox_of(did)
        if box not in self._open:
            if not self._own(did) and not await self._topics.exists(box):
                raise AgentNotFound("nobody of this DID was here", told=Told("realtime.nobody"))
            await self.open(did)
        key = message_key(sender, name)
        await self._make_room(box, sender, key)
        (event,) = await self._topics.append(box, Draft(key, DIRECT, dict(payload)))
        return event

    async def read(self, box: str, upto: int) -> None:
        """Note that all messages with a seq below `upto` were read."""
        await self._topics.append(box, Draft(f"read.{upto}", _READ, {"upto": upto}))

    async def _make_room(self, box: str, sender: str, key: str) -> None:
        limits = self._limits
        since = rfc3339(self._clock.now() - timedelta(days=limits.days))
        held = await self._store.read(lambda connection: _held(connection, box))
        if limits.full(held.messages, held.bytes) or held.oldest < since:
            held = await self._emptied(box, since)
        if not limits.full(held.messages, held.bytes, limits.share):
            return
        mine = await self._store.read(lambda connection: _waiting(connection, box, keys_of(sender)))
        taken = limits.full(mine.messages, mine.bytes, limits.share)
        crowded = taken or limits.full(held.messages, held.bytes)
        if crowded and not await self._store.read(lambda connection: _there(connection, box, key)):
            raise _share_taken() if taken else Overloaded("the mailbox is full", told=Told("realtime.mailbox_full"))

    async def _emptied(self, box: str, since: str) -> _Held:
        """Let go what is old, and where the box is full some of what was read; what it holds then."""
        rows, read = await self._store.read(lambda connection: (_rows(connection, box), _mark(connection, box)))
        await self._topics.forget(box, spare(rows, read, since, self._limits))
        return await self._store.read(lambda connection: _held(connection, box))


def _share_taken() -> RateLimited:
    """The sender's own doing, and no illness of the node: other nodes go on calling it."""
    told = Told("realtime.share_full", hint="realtime.share_full_hint")
    return RateLimited("the sender's share of the mailbox is full", told=told, details={"retry_after": _AGAIN})


def spare(rows: Iterable[_Row], read: int, since: str, limits: MailboxLimits) -> list[int]:
    """The places of a mailbox that can be given away: what is old, and where it is full the oldest of what was read.

    Args:
        rows: all that it holds, in order.
        read: the first seq that was not read.
        since: what is older goes.
        limits: of the mailbox.
    """
    rows = list(rows)
    messages = {answered(row.key): row for row in rows if row.type == DIRECT}
    answers: dict[str, list[_Row]] = {}
    for row in rows:
        if row.type not in {DIRECT, _READ}:
            answers.setdefault(answered(row.key), []).append(row)
    count, size = len(messages), sum(row.size for row in rows if row.type != _READ)
    wanted, gone = limits.full(count, size), [row.seq for row in rows if row.type == _READ][:-1]
    for name, row in messages.items():
        old, done = row.ts < since, row.seq < read or name in answers
        enough = not limits.full(count, size, 1 - 1 / _ROOM)
        if old or (wanted and done and not enough):
            lot = [row, *answers.pop(name, ())]
            count, size = count - 1, size - sum(each.size for each in lot)
            gone += [each.seq for each in lot]
    loose = [row.seq for name, found in answers.items() if name not in messages for row in found]
    return [*gone, *loose]


def _held(connection: Connection, box: str) -> _Held:
    size = sa.func.coalesce(sa.func.sum(sa.func.length(_EVENT.payload)), 0)
    messages = sa.func.coalesce(sa.func.sum(sa.case((_EVENT.type == DIRECT, 1), else_=0)), 0)
    oldest = sa.func.min(sa.case((_EVENT.type == DIRECT, _EVENT.ts)))
    found = sa.select(messages, size, oldest).where(_EVENT.run == box, _EVENT.type != _READ)
    row = connection.execute(found).one()
    return _Held(int(row[0]), int(row[1]), row[2] or "~")


def _mark(connection: Connection, box: str) -> int:
    """The first seq that was not read."""
    mark = sa.select(_EVENT.payload).where(_EVENT.run == box, _EVENT.type == _READ).order_by(_EVENT.seq.desc()).limit(1)
    text = connection.execute(mark).scalar_one_or_none()
    return int(loads(text)["upto"]) if text else 0


def _rows(connection: Connection, box: str) -> list[_Row]:
    size = sa.func.length(_EVENT.payload)
    found = sa.select(_EVENT.seq, _EVENT.key, _EVENT.type, _EVENT.ts, size).where(_EVENT.run == box)
    return [_Row(*row) for row in connection.execute(found.order_by(_EVENT.seq))]


def _waiting(connection: Connection, box: str, keys: tuple[str, str]) -> _Held:
    """What waits to be read of one sender, whose messages and the answers to them have keys with these beginnings."""
    told, said = (_within(connection, box, beginning) for beginning in keys)
    read, done = _mark(connection, box), {answered(key) for key, _, _ in said}
    waiting = [size for key, seq, size in told if seq >= read and answered(key) not in done]
    return _Held(len(waiting), sum(waiting), "")


def _within(connection: Connection, box: str, beginning: str) -> list[tuple[str, int, int]]:
    these = (_EVENT.run == box, _EVENT.key >= beginning, _EVENT.key < f"{beginning}g")  # hexadecimal digits follow
    found = sa.select(_EVENT.key, _EVENT.seq, sa.func.length(_EVENT.payload)).where(*these)
    return [(str(row[0]), int(row[1]), int(row[2])) for row in connection.execute(found)]


def _there(connection: Connection, box: str, key: str) -> bool:
    found = sa.select(_EVENT.seq).where(_EVENT.run == box, _EVENT.key == key)
    return connection.execute(found).first() is not None
