"""From a driver's exception to our error: what the database said goes to the node's log, not to a caller."""

from __future__ import annotations

import sqlite3
from typing import Final

import sqlalchemy as sa

from moothall.errors import StorageError
from moothall.telemetry import logger

DATABASE_ERRORS: Final = (sa.exc.SQLAlchemyError, sqlite3.Error, OSError)
"""What is raised where a database fails; errors of ours may be among it by their second base."""

_DATA_EXCEPTION: Final = "22"
"""The class of SQLSTATEs that tell of values."""

_log = logger("storage")


def failed(error: Exception) -> StorageError:
    """Return the error to raise from `error`, which is logged; an error of ours stays what it is."""
    if isinstance(error, StorageError):
        return error
    cause = getattr(error, "orig", None) or error
    _log.warning("the database failed: %s: %s", type(cause).__name__, cause)
    if isinstance(cause, OSError):
        return StorageError("the database cannot be reached", hint="see that it runs and that its address is right")
    return StorageError("the database did not do its work", why="the log of the node has its words")


def by_its_values(error: Exception) -> bool:
    """Whether a statement failed since no database could take its values: a text with U+0000, a number too large.

    Such an error says nothing of the database: it is as well as before.
    """
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return isinstance(error, sa.exc.DataError) or state.startswith(_DATA_EXCEPTION)
