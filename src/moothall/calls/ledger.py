"""Which keyed calls there were and what they answered: the table ``idempotency``, for 24 hours."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from math import ceil
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from moothall.clock import Clock
from moothall.errors import RateLimited, StorageError, Told
from moothall.storage.schema import idempotency
from moothall.storage.store import Store

KEPT: Final = 24 * 3600
"""Seconds for which a key is remembered."""
ROWS: Final = 10_000
"""Keys that are remembered for one caller."""
SIZE: Final = 16 * 1024 * 1024
"""Characters of the answers that are kept for one caller."""
_BATCH: Final = 200
"""Rows that one claim deletes: it adds one, so what has expired grows less with every claim until nothing is left."""
_EVERY: Final = 60.0
_CALLERS: Final = 1000
_TRIES: Final = 3

_mine = idempotency.c


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies a keyed call, and for how many seconds it is remembered."""

    caller: str
    capability: str
    key: str
    kept: int = field(default=KEPT, compare=False)


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one: the digest of its arguments; the start of a node that works on it; its answer, if any."""

    digest: str
    holder: str
    reply: str | None


@dataclass(slots=True)
class _Held:
    """What is kept for one caller: rows, characters, when the first of it expires; and when that was counted."""

    rows: int
    size: int
    first: int
    counted: float


class Ledger:
    """The table, as one start of a node uses it.

    What a claim holds and no answer ended stays: whether the work was done is then unknown to all who come later. What
    a caller has in it is counted once a minute and carried on in between: where several processes share the table, a
    caller may get that much more than the bound.
    """

    def __init__(self, store: Store, clock: Clock, *, rows: int = ROWS, size: int = SIZE) -> None:
        self._store = store
        self._clock = clock
        self._most_rows, self._most = rows, size
        self._holder = f"{store.node}:{secrets.token_hex(8)}"
        self._cleaned = -_EVERY
        self._held: OrderedDict[str, _Held] = OrderedDict()

    async def claim(self, key: Key, digest: str, *, bounded: bool = True) -> Record | None:
        """Take a key for this start; None when it was free, else what is known of it.

        Raises:
            RateLimited: the key is new, and as much is kept for its caller as may be (if that is `bounded`).
            StorageError: the database failed.
        """
        now, monotonic = int(self._clock.now().timestamp()), self._clock.monotonic()
        clean, held = monotonic - self._cleaned >= _EVERY, self._counted(key.caller, monotonic)

        def work(connection: Connection) -> tuple[Record | bool, _Held | None, bool]:
            left = clean and _delete_expired(connection, now)
            connection.execute(idempotency.delete().where(_is(key), _mine.expires <= now))
            known = held or (_count(connection, key.caller, now, monotonic) if bounded else None)
            full = bounded and known is not None and self._is_full(known)
            return self._claim(connection, key, digest, now, full=full), known, left

        found, known, left = await self._store.write(work)
        if clean and not left:
            self._cleaned = monotonic
        if known is not None:
            known.rows += found is True
            self._remember(key.caller, known)
            if found is False:
                raise _full(known.first - now)
        return found if isinstance(found, Record) else None

    async def take_over(self, key: Key, record: Record) -> bool:
        """Take a claim over that another start left without an answer; False when somebody was faster."""

        def work(connection: Connection) -> bool:
            free = sa.and_(_is(key), _mine.holder == record.holder, _mine.reply.is_(None))
            values = {"holder": self._holder, "expires": self._expires(key)}
            return connection.execute(idempotency.update().where(free).values(values)).rowcount == 1

        return await self._store.write(work)

    async def settle(self, key: Key, reply: str) -> None:
        """Write the answer down.

        Raises:
            StorageError: the database failed.
        """
        values = {"reply": reply, "expires": self._expires(key)}
        statement = idempotency.update().where(_is(key), _mine.holder == self._holder).values(values)
        await self._store.write(lambda connection: connection.execute(statement))
        if (held := self._held.get(key.caller)) is not None:
            held.size += len(reply)

    async def release(self, key: Key) -> None:
        """Forget a claim whose work did nothing."""
        statement = idempotency.delete().where(_is(key), _mine.holder == self._holder, _mine.reply.is_(None))
        freed = await self._store.write(lambda connection: connection.execute(statement).rowcount)
        if (held := self._held.get(key.caller)) is not None:
            held.rows -= freed

    def _claim(self, connection: Connection, key: Key, digest: str, now: int, *, full: bool) -> Record | bool:
        """What is known of the key; True where it was free and is taken now, False where there is no room for it."""
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        row = {
            "caller": key.caller,
            "capability": key.capability,
            "key": key.key,
            "digest": digest,
            "holder": self._holder,
            "expires": now + key.kept,
        }
        statement = insert(idempotency).values(row).on_conflict_do_nothing()
        known = sa.select(_mine.digest, _mine.holder, _mine.reply).where(_is(key))
        for _ in range(_TRIES):
            if not full and connection.execute(statement).rowcount == 1:
                return True
            found = connection.execute(known).one_or_none()
            if found is not None:
                return Record(*found)
            if full:
                return False
        raise StorageError("the key cannot be claimed now", why="others claim and release it all the time")

    def _counted(self, caller: str, monotonic: float) -> _Held | None:
        held = self._held.get(caller)
        return held if held is not None and monotonic - held.counted < _EVERY else None

    def _remember(self, caller: str, held: _Held) -> None:
        self._held[caller] = held
        self._held.move_to_end(caller)
        if len(self._held) > _CALLERS:
            self._held.popitem(last=False)

    def _is_full(self, held: _Held) -> bool:
        return held.rows >= self._most_rows or held.size >= self._most

    def _expires(self, key: Key) -> int:
        return int(self._clock.now().timestamp()) + key.kept


def _is(key: Key) -> sa.ColumnElement[bool]:
    return sa.and_(_mine.caller == key.caller, _mine.capability == key.capability, _mine.key == key.key)


def _count(connection: Connection, caller: str, now: int, monotonic: float) -> _Held:
    size = sa.func.coalesce(sa.func.sum(sa.func.length(_mine.reply)), 0)
    query = sa.select(sa.func.count(), size, sa.func.coalesce(sa.func.min(_mine.expires), now + KEPT))
    rows, characters, first = connection.execute(query.where(_mine.caller == caller, _mine.expires > now)).one()
    return _Held(rows, int(characters), first, monotonic)


def _delete_expired(connection: Connection, now: int) -> bool:
    """Delete some of what has expired, never so much that others wait for it; whether there may be more."""
    primary = sa.tuple_(_mine.caller, _mine.capability, _mine.key)
    old = sa.select(_mine.caller, _mine.capability, _mine.key).where(_mine.expires <= now)
    statement = idempotency.delete().where(primary.in_(old.order_by(_mine.expires).limit(_BATCH)))
    return connection.execute(statement).rowcount == _BATCH


def _full(seconds: float) -> RateLimited:
    wait = max(1, ceil(seconds))
    told = Told("calls.keys_held", {"seconds": wait})
    return RateLimited(
        "as many keyed calls are kept for this caller as may be", told=told, details={"retry_after": wait}
    )
