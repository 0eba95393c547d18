"""Which keyed calls there were and what they answered: the table ``idempotency``, for 24 hours."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from moothall.clock import Clock
from moothall.storage.schema import idempotency
from moothall.storage.store import Store

KEPT: Final = 24 * 3600
"""Seconds for which a key is remembered."""
_BATCH: Final = 200
_EVERY: Final = 60.0

_mine = idempotency.c


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies a keyed call."""

    caller: str
    capability: str
    key: str


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one: the digest of its arguments; the start of a node that works on it; its answer, if any."""

    digest: str
    holder: str
    reply: str | None


class Ledger:
    """The table, as one start of a node uses it.

    What a claim holds and no answer ended stays: whether the work was done is then unknown to all who come later.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._holder = f"{store.node}:{secrets.token_hex(8)}"
        self._cleaned = -_EVERY

    async def claim(self, key: Key, digest: str) -> Record | None:
        """Take a key for this start; None when it was free, else what is known of it.

        Raises:
            StorageError: the database failed.
        """
        now = int(self._clock.now().timestamp())
        clean = self._clock.monotonic() - self._cleaned >= _EVERY
        if clean:
            self._cleaned = self._clock.monotonic()
        return await self._store.write(lambda connection: self._claim(connection, key, digest, now, clean=clean))

    async def take_over(self, key: Key, record: Record) -> bool:
        """Take a claim over that another start left without an answer; False when somebody was faster."""

        def work(connection: Connection) -> bool:
            free = sa.and_(_is(key), _mine.holder == record.holder, _mine.reply.is_(None))
            values = {"holder": self._holder, "expires": self._expires()}
            return connection.execute(idempotency.update().where(free).values(values)).rowcount == 1

        return await self._store.write(work)

    async def settle(self, key: Key, reply: str) -> None:
        """Write the answer down.

        Raises:
            StorageError: the database failed.
        """
        values = {"reply": reply, "expires": self._expires()}
        statement = idempotency.update().where(_is(key), _mine.holder == self._holder).values(values)
        await self._store.write(lambda connection: connection.execute(statement))

    async def release(self, key: Key) -> None:
        """Forget a claim whose work did nothing."""
        statement = idempotency.delete().where(_is(key), _mine.holder == self._holder, _mine.reply.is_(None))
        await self._store.write(lambda connection: connection.execute(statement))

    def _claim(self, connection: Connection, key: Key, digest: str, now: int, *, clean: bool) -> Record | None:
        connection.execute(idempotency.delete().where(_is(key), _mine.expires <= now))
        if clean:
            _delete_expired(connection, now)
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        row = {
            "caller": key.caller,
            "capability": key.capability,
            "key": key.key,
            "digest": digest,
            "holder": self._holder,
            "expires": now + KEPT,
        }
        statement = insert(idempotency).values(row).on_conflict_do_nothing()
        if connection.execute(statement).rowcount == 1:
            return None
        found = connection.execute(sa.select(_mine.digest, _mine.holder, _mine.reply).where(_is(key))).one()
        return Record(*found)

    def _expires(self) -> int:
        return int(self._clock.now().timestamp()) + KEPT


def _is(key: Key) -> sa.ColumnElement[bool]:
    return sa.and_(_mine.caller == key.caller, _mine.capability == key.capability, _mine.key == key.key)


def _delete_expired(connection: Connection, now: int) -> None:
    """Delete some of what has expired: never so much that others wait for it."""
    primary = sa.tuple_(_mine.caller, _mine.capability, _mine.key)
    old = sa.select(_mine.caller, _mine.capability, _mine.key).where(_mine.expires <= now)
    connection.execute(idempotency.delete().where(primary.in_(old.order_by(_mine.expires).limit(_BATCH))))
