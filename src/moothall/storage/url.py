"""Which database a URL means. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from moothall.errors import SettingsError

Dialect = Literal["sqlite", "postgresql"]
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_HINT = "use sqlite:///FILE or postgresql://USER@HOST/DATABASE?schema=NAME"


@dataclass(frozen=True, slots=True)
class Target:
    """A database to open: its SQLAlchemy URL with the driver, and what was folded into it."""

    dialect: Dialect
    url: sa.URL
    path: Path | None = None
    schema: str | None = None


def parse(text: str, data: Path) -> Target:
    """Read a database URL; an empty one means ``<data>/moothall.db``.

    Raises:
        SettingsError: no such database kind, an in-memory SQLite, or a schema that is no plain lower-case name.
    """
    if not text:
        return _sqlite(data / "moothall.db")
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError as error:
        raise SettingsError("the database URL cannot be read", why=str(error), hint=_HINT) from error
    kind = url.get_backend_name()
    if kind == "sqlite":
        if url.database in {None, "", ":memory:"}:
            raise SettingsError("an in-memory SQLite database keeps nothing", hint=_HINT)
        return _sqlite(Path(str(url.database)))
    if kind in {"postgresql", "postgres"}:
        return _postgres(url)
    raise SettingsError(f"no support for {kind} databases", hint=_HINT)


def _sqlite(path: Path) -> Target:
    return Target("sqlite", sa.URL.create("sqlite+pysqlite", database=str(path)), path=path)


def _postgres(url: sa.URL) -> Target:
    schema = url.query.get("schema")
    if schema is not None and not (isinstance(schema, str) and _SCHEMA.fullmatch(schema)):
        raise SettingsError("a schema is a plain lower-case name", why=f"schema={schema!r}", hint=_HINT)
    return Target(
        "postgresql", url.difference_update_query(["schema"]).set(drivername="postgresql+asyncpg"), schema=schema
    )
