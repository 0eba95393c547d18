"""What a store still holds, on each kind of database, to look for text that should be gone."""

from __future__ import annotations

import sqlalchemy as sa

from moothall.storage import authority
from moothall.storage.store import Store


async def everything(store: Store) -> str:
    """Every value of every row of every table, and on SQLite the raw bytes of every file of the database."""

    def rows(connection: sa.Connection) -> str:
        tables = authority.metadata.tables.values()
        return "\n".join(repr(tuple(row)) for table in tables for row in connection.execute(sa.select(table)))

    return await store.read(rows) + files(store)


def files(store: Store) -> str:
    """The raw bytes of the files of a SQLite database."""
    path = store.target.path
    if path is None:
        return ""
    found = [file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*"))]
    assert found, "a database without a file"
    return b"\n".join(found).decode(errors="replace")
