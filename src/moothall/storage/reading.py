"""Reading a database, whichever it is, as the work of one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from moothall.storage import postgres, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection

    from moothall.storage.url import Target

T = TypeVar("T")


class Reader(Protocol):
    """Connections that only read; `ReaderThreads` and `PoolReader` fill it."""

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which sees only what was committed; it raises what the driver raises."""
        ...

    async def close(self) -> None:
        """Finish what is under way, and let go of every connection."""
        ...


def reader(target: Target) -> Reader:
    """Whoever reads that database, and does nothing else."""
    return sqlite.ReaderThreads(target.path) if target.path is not None else postgres.PoolReader(postgres.pool(target))


def begin_snapshot(connection: Connection) -> None:
    """Let all that is read on this connection be of one moment; before anything else is read on it.

    On SQLite it is already.
    """
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ")
