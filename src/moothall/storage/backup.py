"""Copies of a SQLite store: taken while a node works on it, and put in place of a store that nobody has open."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from moothall.errors import StorageError
from moothall.storage import migrate, scrub

if TYPE_CHECKING:
    from collections.abc import Iterator

Reason = Literal["no_store", "damaged", "unknown_revision"]
_JOURNALS = ("-wal", "-shm")
_TABLES = {"alembic_version", "run", "event", "inbox", "outbox", "agent"}
"""Every version's stores have these."""

_COUNT = "SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM event)"
_FREE = "UPDATE run SET owner = NULL, lease_until = NULL WHERE status = 'open'"


class UnfitError(StorageError):
    """A file cannot serve as a store; `reason` says what is wrong with it."""

    def __init__(self, path: Path, reason: Reason, found: str) -> None:
        """Name the file and what was found in it."""
        super().__init__(f"{path} cannot serve as a store", why=found)
        self.path, self.reason, self.found = path, reason, found


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a copy holds; `replaced` is where the store that was there before lies now."""

    path: Path
    bytes: int
    revision: str
    runs: int
    events: int
    replaced: Path | None = None


def backup(store: Path, target: Path) -> Snapshot:
    """Copy a store, as it is at one moment, into one file that only its owner can read.

    Nodes that work on it are not disturbed. The file appears under its name when it is complete; one that was there
    before is replaced.

    Raises:
        UnfitError: what is at `store` is no store, or it is damaged.
        StorageError: the copy cannot be written.
    """
    # A connection that only reads would leave its journals behind when it is the last one to close.
    with _copied(store, target, "rw") as (partial, found):
        partial.replace(target)
    _settle(target.parent)
    return Snapshot(target, target.stat().st_size, *found)


def restore(source: Path, store: Path, stamp: str) -> Snapshot:
    """Put a copy of `source` in place of the store; hold the lock of the node's folder meanwhile.

    A store that is there is kept beside it, as ``<name>.<stamp>``. Open runs belong to nobody afterwards, so that the
    next node goes on with them at once.

    Raises:
        UnfitError: `source` is no store, is damaged, or was written by a version that this one does not know.
        StorageError: the copy cannot be written.
    """
    with _copied(source, store, "ro") as (partial, found):
        with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
            connection.execute(_FREE)
        aside = _set_aside(store, stamp)
        partial.replace(store)
    _settle(store.parent)
    return Snapshot(store, store.stat().st_size, *found, aside)


@contextmanager
def _copied(source: Path, target: Path, mode: Literal["ro", "rw"]) -> Iterator[tuple[Path, tuple[str, int, int]]]:
    """Make a checked copy beside `target`; it is removed if it was not given its name."""
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".partial")
        os.close(descriptor)
        partial = Path(name)
        try:
            _copy(source, partial, mode)
            yield partial, _examine(source, partial)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, sqlite3.OperationalError) as error:
        raise StorageError(f"{source} cannot be copied to {target}", why=str(error)) from error
    except sqlite3.DatabaseError as error:
        reason: Reason = "no_store" if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB else "damaged"
        raise UnfitError(source, reason, str(error)) from error


def _copy(source: Path, partial: Path, mode: Literal["ro", "rw"]) -> None:
    reader = sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode={mode}", uri=True, timeout=5)
    with closing(reader), closing(sqlite3.connect(partial, isolation_level=None)) as writer:
        reader.backup(writer)
        writer.execute("PRAGMA journal_mode=DELETE")  # one file, without journals beside it
        scrub.pay(writer)
    with partial.open("rb") as file:
        os.fsync(file.fileno())


def _examine(source: Path, copy: Path) -> tuple[str, int, int]:
    """Return revision, number of runs and number of events of a copy of a store."""
    with closing(sqlite3.connect(copy)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if missing := _TABLES - tables:
            raise UnfitError(source, "no_store", ", ".join(sorted(missing)))
        if (state := connection.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise UnfitError(source, "damaged", str(state))
        (revision,) = connection.execute("SELECT coalesce(max(version_num), '') FROM alembic_version").fetchone()
        if not migrate.known(revision):
            raise UnfitError(source, "unknown_revision", revision)
        runs, events = connection.execute(_COUNT).fetchone()
    return revision, runs, events


def _set_aside(store: Path, stamp: str) -> Path | None:
    if not store.exists():
        return None
    aside = store.with_name(f"{store.name}.{stamp}")
    for suffix in (*_JOURNALS, ""):  # what is not folded into the file yet goes with it
        file = store.with_name(store.name + suffix)
        if file.exists():
            file.rename(aside.with_name(aside.name + suffix))
    return aside


def _settle(folder: Path) -> None:
    """Make the new name last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
