"""How many calls a caller may make of a capability in a day: counted in the store (row POL-14).

A day is one of UTC. Its count outlives restarts, is one for all processes that share the database, and is kept for a
week after the day, so that a clock that is set back finds what was used up; that week has to pass while the process
runs, or before it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.clock import Clock
from moothall.errors import RateLimited, StorageError, Told
from moothall.storage.authority import quota
from moothall.storage.store import Store

DAY: Final = 86_400
KEPT: Final = 7 * DAY
"""Seconds for which a count is kept after its day."""

_BATCH: Final = 200
"""Old counts that go at a time; more than one call can have added, so that they never grow."""

_EVERY: Final = 60.0
_TAKE: Final = sa.text("""
INSERT INTO quota (caller, capability, since, used, expires) VALUES (:caller, :capability, :since, 1, :expires)
ON CONFLICT (caller, capability, since) DO UPDATE SET used = quota.used + 1 WHERE quota.used < :most RETURNING used
""")
_ROW: Final = quota.c


class Quotas:
    """The counts of a store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._swept = clock.monotonic()
        self._began = clock.now().timestamp() - self._swept

    async def take(self, caller: str, capability: str, limit: int) -> int:
        """Count a call before it is made; how many are left in this day.

        Raises:
            RateLimited: `limit` calls were counted already; ``details.retry_after`` are the seconds until the day ends.
            StorageError: it cannot be counted.
        """
        now = int(self._clock.now().timestamp())
        since = now - now % DAY
        row = {"caller": caller, "capability": capability, "since": since, "expires": since + DAY + KEPT, "most": limit}
        used: int | None = None
        if limit > 0:
            used = await self._store.write(lambda connection: connection.execute(_TAKE, row).scalar())
        if used is None:
            raise _used_up(limit, since + DAY - now)
        await self._sweep(now)
        return limit - used

    async def _sweep(self, now: int) -> None:
        """Delete some old counts, once a minute and in a transaction of their own, which holds nobody up."""
        monotonic = self._clock.monotonic()
        if monotonic - self._swept < _EVERY:
            return
        self._swept = monotonic
        # a clock that is far ahead for a while counts other days, but makes nothing old: that much time has not passed
        now = min(now, int(self._began + monotonic))
        with suppress(StorageError):  # the call is counted, and the log has the words of the database
            if await self._store.write(lambda connection: _delete_old(connection, now)) == _BATCH:
                self._swept -= _EVERY  # there may be more: with the next call


def _delete_old(connection: Connection, now: int) -> int:
    primary = (_ROW.caller, _ROW.capability, _ROW.since)
    old = sa.select(*primary).where(_ROW.expires <= now).order_by(_ROW.expires).limit(_BATCH)
    old = old.with_for_update(skip_locked=True)  # two processes never wait for each other's rows in turn
    return connection.execute(quota.delete().where(sa.tuple_(*primary).in_(old))).rowcount


def _used_up(limit: int, seconds: int) -> RateLimited:
    told = Told("calls.quota", {"most": limit, "seconds": seconds})
    message = f"{limit} calls a day are used up; the next may come in {seconds} s"
    return RateLimited(message, told=told, details={"retry_after": seconds})
