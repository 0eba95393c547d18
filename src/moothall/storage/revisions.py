"""Numbers that grow with every change of what decisions are made of, so that nobody decides by an old state.

On SQLite one process has the store, and what it counts in memory is the truth. On PostgreSQL others write, too: there a
number is read anew for every decision, one read for all decisions that begin while it is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.storage.authority import revision
from moothall.storage.store import Store

_BUMP: Final = sa.text("""
INSERT INTO revision (name, n) VALUES (:name, 1) ON CONFLICT (name) DO UPDATE SET n = revision.n + 1 RETURNING n
""")


def bump(connection: Connection, name: str) -> int:
    """Count a change, in the transaction that makes it; the new number."""
    return int(connection.execute(_BUMP, {"name": name}).scalar_one())


class Revisions:
    """The numbers as they are in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._alone = store.writer is not None
        self._numbers: Mapping[str, int] | None = None
        self._written: dict[str, int] = {}
        self._next: asyncio.Task[Mapping[str, int]] | None = None
        self._reading: asyncio.Task[Mapping[str, int]] | None = None

    @property
    def known(self) -> Mapping[str, int] | None:
        """The numbers where nobody else can have changed them; None: they have to be read."""
        return self._numbers if self._alone else None

    def wrote(self, name: str, number: int) -> None:
        """Take note of a change that this process committed, also while the numbers are being read."""
        self._written[name] = max(number, self._written.get(name, 0))
        if self._numbers is not None and self._numbers.get(name, 0) < number:
            self._numbers = {**self._numbers, name: number}

    async def current(self) -> Mapping[str, int]:
        """The numbers as they are now, or were read after this call began; a name that is missing never changed.

        Raises:
            StorageError: they cannot be read.
        """
        if (known := self.known) is not None:
            return known
        if self._next is None:
            self._next = asyncio.create_task(self._read(self._reading))
        return await asyncio.shield(self._next)

    async def _read(self, before: asyncio.Task[Mapping[str, int]] | None) -> Mapping[str, int]:
        """Read once, after the reading that is under way: who asks meanwhile needs a state younger than that."""
        if before is not None:
            await asyncio.wait([before])
        self._reading, self._next = self._next, None
        rows = await self._store.read(lambda connection: connection.execute(sa.select(revision)).all())
        numbers = {str(row.name): int(row.n) for row in rows}
        if self._alone:
            newest = {name: max(n, self._written.get(name, 0)) for name, n in numbers.items()}
            self._numbers = {**self._written, **newest}
            return self._numbers
        return numbers
