"""SQLite: nothing that was erased stays in the files.

``secure_delete`` overwrites a deleted cell, but not the copies that SQLite leaves behind in the unused part of a page
when it moves cells between pages. Only VACUUM, which writes every page anew, and a truncated write-ahead log are free
of them. Both are owed from the transaction that erases, in the header of the database, so that a crash in between
forgets nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy.engine import Connection


def owe(connection: Connection) -> None:
    """Note, within the transaction at hand, that something was erased; PostgreSQL's own vacuum needs no note."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA user_version = 1")


def owed(raw: sqlite3.Connection) -> bool:
    """Whether something was erased since the files were cleaned."""
    return bool(raw.execute("PRAGMA user_version").fetchone()[0])


def pay(raw: sqlite3.Connection) -> bool:
    """Clean the files if it is owed; False when a reader held an old state too long, so that it is owed still.

    It takes about as long as reading and writing the whole file (a second for a hundred megabytes) and as much free
    space again; readers go on meanwhile, writers wait.
    """
    if not owed(raw):
        return True
    raw.execute("PRAGMA temp_store=FILE")  # a copy of a large store must not be held in memory
    try:
        raw.execute("VACUUM")
    finally:
        raw.execute("PRAGMA temp_store=MEMORY")
    busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if not busy:
        raw.execute("PRAGMA user_version = 0")
    return not busy
