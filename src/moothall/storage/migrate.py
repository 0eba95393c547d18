"""Bring the database to the tables this code needs, at start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from moothall.errors import StorageError
from moothall.storage.schema import HEAD

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SCRIPTS = Path(__file__).with_name("migrations")
_ADVISORY_KEY = 0x6D6F6F74


def revision(connection: Connection) -> str | None:
    """Return the revision the database is at, None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def known(name: str) -> bool:
    """Whether a database at this revision can be brought to ours."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as in `upgrade`

    return name in {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}


def upgrade(connection: Connection, schema: str | None = None) -> None:
    """Run what is missing, inside the caller's transaction.

    Nodes that start together on one PostgreSQL schema wait for each other; the later ones find nothing to do.
    Alembic is imported only when there is work, since its import costs more than a normal start.

    Raises:
        StorageError: the database was written by a newer moothall.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_KEY)))
        if schema is not None:
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
    if revision(connection) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        raise StorageError(
            "the database does not fit this version of moothall",
            why=str(error),
            hint="it was probably written by a newer version: upgrade moothall, or use another data directory",
        ) from error
