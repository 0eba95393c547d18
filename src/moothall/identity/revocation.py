"""Access tokens that count no more: one by its id, those of a DID, or all there are (row WIRE-TOKEN-04).

What is revoked here counts from the next request on. What another process of the node revokes, on PostgreSQL, counts
after `BEHIND` seconds at the latest, since a process reads the table anew before it believes a token after that time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import sqlalchemy as sa

from moothall.storage.schema import revocation
from moothall.storage.store import Store

BEHIND: Final = 2.0
"""Seconds that this process may not know what another one revoked."""

_Kind = Literal["jti", "did", "epoch"]
_EVERYBODY: Final = ""
_WRITE: Final = sa.text("""
INSERT INTO revocation (kind, value, since, expires) VALUES (:kind, :value, :since, :expires)
ON CONFLICT (kind, value) DO UPDATE SET since = excluded.since, expires = excluded.expires
""")
_PRUNE: Final = sa.delete(revocation).where(revocation.c.expires < sa.bindparam("now"))
_ALIVE: Final = sa.select(revocation.c.kind, revocation.c.value, revocation.c.since).where(
    revocation.c.expires >= sa.bindparam("now")
)


@dataclass(frozen=True, slots=True)
class _View:
    tokens: frozenset[str] = frozenset()
    dids: dict[str, int] = field(default_factory=dict)
    everybody: int = -1


class Revocations:
    """What was revoked and could still be shown, in memory; the table ``revocation`` is where it lasts."""

    def __init__(self, store: Store, now: Callable[[], float], monotonic: Callable[[], float], life: int) -> None:
        """Use `open`. `now` tells the time in Unix seconds; tokens live `life` seconds."""
        self._store, self._now, self._monotonic, self._life = store, now, monotonic, life
        self._view = _View()
        self._read_at = monotonic()
        self._lock = asyncio.Lock()

    @classmethod
    async def open(
        cls, store: Store, now: Callable[[], float], monotonic: Callable[[], float], life: int
    ) -> Revocations:
        """The revocations of a node, read.

        Raises:
            StorageError: the table cannot be read.
        """
        opened = cls(store, now, monotonic, life)
        await opened._read()
        return opened

    async def revoke_token(self, jti: str) -> None:
        """Let one token count no more.

        Raises:
            StorageError: it could not be written down; it counts still.
        """
        await self._write("jti", jti)

    async def revoke_did(self, did: str) -> None:
        """Let none of a DID's tokens that were issued until now count any more.

        Raises:
            StorageError: as `revoke_token`.
        """
        await self._write("did", did)

    async def revoke_all(self) -> None:
        """Let no token that was issued until now count any more.

        Raises:
            StorageError: as `revoke_token`.
        """
        await self._write("epoch", _EVERYBODY)

    def revoked(self, jti: str, did: str, issued_at: int) -> bool:
        """Whether a token counts no more, as far as this process knows."""
        return jti in self._view.tokens or issued_at <= self.last(did)

    def last(self, did: str) -> int:
        """When the tokens of a DID were last revoked, Unix seconds; those issued in this second are dead, too."""
        return max(self._view.everybody, self._view.dids.get(did, -1))

    async def catch_up(self) -> None:
        """Read the table if another process can have written to it and it is time.

        Raises:
            StorageError: the table cannot be read: whether a token counts is not known.
        """
        if self._store.writer is not None or self._monotonic() - self._read_at < BEHIND:
            return  # nobody else writes to SQLite: the store holds its directory's lock
        async with self._lock:
            if self._monotonic() - self._read_at >= BEHIND:
                await self._read()

    async def _write(self, kind: _Kind, value: str) -> None:
        now = int(self._now())
        row = {"kind": kind, "value": value, "since": now, "expires": now + 2 * self._life}

        def work(connection: sa.Connection) -> None:
            connection.execute(_WRITE, row)
            connection.execute(_PRUNE, {"now": now})

        async with self._lock:
            await self._store.write(work)
            await self._read()

    async def _read(self) -> None:
        begun = self._monotonic()
        rows = await self._store.read(self._alive)
        dids = {row.value: row.since for row in rows if row.kind == "did"}
        tokens = frozenset(row.value for row in rows if row.kind == "jti")
        self._view = _View(tokens, dids, max((row.since for row in rows if row.kind == "epoch"), default=-1))
        self._read_at = begun

    def _alive(self, connection: sa.Connection) -> list[Any]:
        return list(connection.execute(_ALIVE, {"now": int(self._now())}))
