"""The audit trail of a store that is only read, whether its node runs or not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Connection

from moothall.audit import reading
from moothall.audit.anchor import Anchor, Signers
from moothall.audit.links import link_of
from moothall.audit.verification import Finding, verify
from moothall.errors import StorageError, Told
from moothall.storage import url
from moothall.storage.failure import DATABASE_ERRORS, failed
from moothall.storage.reading import Reader, begin_snapshot, reader

T = TypeVar("T")


class Archive:
    """Reads a store; it shows one moment of it to each piece of work."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do what `work` does with a connection that sees one moment.

        Raises:
            StorageError: the database cannot be read, or has no such tables.
        """

        def inside(connection: Connection) -> T:
            begin_snapshot(connection)
            return work(connection.execution_options(postgresql_readonly=True))

        try:
            return await self._reader.read(inside)
        except DATABASE_ERRORS as error:
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
    found = reader(target)
    try:
        yield Archive(found)
    finally:
        await found.close()
