"""Schemas of PostgreSQL that tests take turns with: to make 37 tables takes longer than most tests."""

from __future__ import annotations

import secrets
from typing import Final

import asyncpg

from moothall.storage.schema import HEAD
from tests.support import tables

_LARGEST: Final = 4 * 1024 * 1024
_WAITS: Final = "SET lock_timeout = '2s'"
_SIZE: Final = """
SELECT coalesce(sum(pg_relation_size(oid)), 0) FROM pg_class
WHERE relnamespace = {0}::regnamespace AND relkind IN ('r', 'i')
"""
_VERSION: Final = "SELECT version_num FROM {0}.alembic_version"
_EMPTY: Final = """
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = '{0}' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM {0}.%I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = '{0}' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE {0}.%I RESTART', name);
    END LOOP;
END $$
"""

_free: list[str] = []


async def taken(connection: asyncpg.Connection[asyncpg.Record], *, new: bool) -> str:
    """The name of an empty schema: a `new` one, or perhaps one with all tables and nothing in them."""
    if _free and not new:
        return _free.pop()
    schema = f"test_{secrets.token_hex(6)}"
    await connection.execute(f"CREATE SCHEMA {schema}")
    return schema


async def given_back(connection: asyncpg.Connection[asyncpg.Record], schema: str) -> None:
    """Empty a schema for another test, or drop one that is not as it was."""
    await connection.execute(_WAITS)
    named = f"'{schema}'"
    if (
        await connection.fetchval(tables.SHAPE.format(named)) in tables.shapes
        and await connection.fetchval(_VERSION.format(schema)) == HEAD
        and await connection.fetchval(_SIZE.format(named)) <= _LARGEST
    ):
        await connection.execute(_EMPTY.format(schema))
        _free.append(schema)
    else:
        await dropped(connection, schema)


async def dropped(connection: asyncpg.Connection[asyncpg.Record], schema: str) -> None:
    """Drop a schema with all that is in it."""
    await connection.execute(f"DROP SCHEMA {schema} CASCADE")


def left() -> list[str]:
    """The schemas that are still there, which the session has to drop."""
    return _free
