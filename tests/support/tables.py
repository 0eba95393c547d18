"""The tables of a new SQLite database at once, as the migrations make them one after the other: tests open thousands."""

from __future__ import annotations

from functools import cache
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.storage import migrate
from moothall.storage.schema import HEAD

_ANY: Final = "SELECT 1 FROM sqlite_master LIMIT 1"
_TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'"
_STATEMENTS: Final = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
_by_migrations = migrate.upgrade


@cache
def statements() -> tuple[str, ...]:
    """What makes all that the migrations leave in an empty database."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        _by_migrations(connection)
        for table in connection.exec_driver_sql(_TABLES).scalars().all():
            assert connection.exec_driver_sql(f'SELECT 1 FROM "{table}"').first() is None, table  # noqa: S608 - our names
        made = tuple(connection.exec_driver_sql(_STATEMENTS).scalars())
    engine.dispose()
    return made


def upgrade(connection: Connection, schema: str | None = None) -> None:
    """As `migrate.upgrade`; only an empty SQLite database is not led through all the years."""
    if connection.dialect.name != "sqlite" or connection.exec_driver_sql(_ANY).first() is not None:
        _by_migrations(connection, schema)
        return
    for statement in statements():
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("INSERT INTO alembic_version (version_num) VALUES (?)", (HEAD,))
