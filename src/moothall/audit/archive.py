"""The audit trail of a store that is only read, whether its node runs or not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from moothall.audit import reading
from moothall.audit.anchor import Anchor, Signers
from moothall.audit.links import link_of
from moothall.audit.verification import Finding, verify
from moothall.errors import StorageError, Told
from moothall.storage import postgres, sqlite, url
from moothall.storage.failure import failed

T = TypeVar("T")


class Archive:
    """Reads a store; it shows one moment of it to each piece of work."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do what `work` does with a connection that sees one moment.

        Raises:
            StorageError: the database cannot be read, or has no such tables.
        """
        lite = self._engine.dialect.name == "sqlite"
        try:
            async with self._engine.connect() as connection:
                if lite:
                    await connection.exec_driver_sql("BEGIN")
                else:
                    await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                return await connection.run_sync(work)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise failed(error) from error

    async def verify(self, signers: Signers, others: Iterable[Anchor] = ()) -> list[Finding]:
        """Follow every chain, by the statements in the store and those `others`.

        Raises:
            StorageError: as `read`.
        """
        return await self.read(lambda connection: verified(connection, signers, others))


def verified(connection: Connection, signers: Signers, others: Iterable[Anchor]) -> list[Finding]:
    """What is found of all chains of a database."""
    names = reading.nodes(connection)
    said = [anchor for node in names for anchor in reading.anchors(connection, node)]
    links = (link_of(row) for node in names for row in reading.rows(connection, node))
    return verify(links, [*said, *others], signers)


@asynccontextmanager
async def archive(data: Path, database_url: str) -> AsyncIterator[Archive]:
    """Open the store of a node to read it.

    Raises:
        StorageError: there is none.
        SettingsError: the URL names no database that we know.
    """
    target = url.parse(database_url, data)
    if target.path is not None and not target.path.is_file():
        told = Told("audit.no_store", {"path": target.path})
        raise StorageError(f"there is no store at {target.path}", told=told)
    engine = sqlite.reading_engine(target.url) if target.path is not None else postgres.pool(target)
    try:
        yield Archive(engine)
    finally:
        await engine.dispose()
