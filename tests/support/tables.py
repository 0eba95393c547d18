"""The tables of a new database at once, as the migrations make them one after the other: tests open thousands."""

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
_NONE_YET: Final = "SELECT count(*) = 0 FROM pg_tables WHERE schemaname = current_schema()"
_MAKES: Final = ("CREATE TABLE", "CREATE INDEX", "CREATE UNIQUE INDEX", "ALTER TABLE", "DROP TABLE", "DROP INDEX")
SHAPE: Final = """
SELECT md5(coalesce(string_agg(line, ';' ORDER BY line), '')) FROM (
    SELECT concat_ws(' ', c.relkind, c.relname, a.attname, a.atttypid, a.attnotnull) AS line
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = {0}::regnamespace AND c.relkind IN ('r', 'i', 'S', 'v')
    UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = {0}::regnamespace AND NOT t.tgisinternal
    UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = {0}::regnamespace
) AS lines
"""
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
    """As `migrate.upgrade`; only an empty database is not led through all the years."""
    if connection.dialect.name == "postgresql":
        _on_postgres(connection, schema)
        return
    if connection.exec_driver_sql(_ANY).first() is not None:
        _by_migrations(connection, schema)
        return
    for statement in statements():
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("INSERT INTO alembic_version (version_num) VALUES (?)", (HEAD,))


shapes: set[str] = set()
"""What a PostgreSQL schema with all tables looks like, once one is known."""
_written: list[str] = []
"""What the first migration of an empty PostgreSQL schema in this process wrote."""


def _on_postgres(connection: Connection, schema: str | None) -> None:
    """The first of this process is migrated, and what that wrote is written again for the others, in one go."""
    if not connection.exec_driver_sql(_NONE_YET).scalar_one():
        _by_migrations(connection, schema)
    elif not _written:
        _written.extend(_noted(connection, schema))
        shapes.add(connection.exec_driver_sql(SHAPE.format("current_schema()")).scalar_one())
    else:
        script = ";\n".join(_written)
        connection.connection.dbapi_connection.run_async(lambda raw: raw.execute(script))  # type: ignore[union-attr]


def _noted(connection: Connection, schema: str | None) -> list[str]:
    noted: list[str] = []

    def note(_c: object, _cursor: object, statement: str, _given: object, _context: object, _many: object) -> None:
        if (
            statement.lstrip().upper().startswith(_MAKES)
        ):  # everything else reads, or moves rows, of which there are none
            noted.append(statement)

    sa.event.listen(connection, "before_cursor_execute", note)
    try:
        _by_migrations(connection, schema)
    finally:
        sa.event.remove(connection, "before_cursor_execute", note)
    return [*noted, f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}')"]  # noqa: S608 - our own
