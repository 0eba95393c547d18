"""``moot backup`` and ``moot restore``: the SQLite store of a node as one file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from moothall.cli.invocation import Invocation, standard
from moothall.cli.wording import Option, Worded
from moothall.errors import StorageError, UsageError
from moothall.settings import Settings
from moothall.storage import url
from moothall.storage.backup import Snapshot, UnfitError
from moothall.storage.backup import backup as take
from moothall.storage.backup import restore as put_back
from moothall.storage.lock import DirectoryLock

_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command("backup", cls=Worded, help="backup.about")
@_FILE
@click.option("--force", is_flag=True, cls=Option, help="option.force_backup")
@standard
def backup(call: Invocation, file: Path, force: bool) -> int:  # noqa: FBT001 - click's way
    """Copy the store into a file."""
    store = _store(call, call.settings(), "backup.postgres_try")
    if not store.is_file():
        raise UsageError(call.text("backup.absent", path=store), hint=call.text("desk.absent_try"))
    _refuse_same(call, file, store)
    if not file.absolute().parent.is_dir():
        raise UsageError(call.text("backup.no_folder", path=file.absolute().parent))
    if file.is_dir() or (file.exists() and not force):
        raise UsageError(call.text("backup.exists", path=file), hint=call.text("backup.exists_try"))
    with _explained(call):
        return _told(call, take(store, file), "backup.done")


@click.command("restore", cls=Worded, help="restore.about")
@_FILE
@click.option("--force", is_flag=True, cls=Option, help="option.force_restore")
@standard
def restore(call: Invocation, file: Path, force: bool) -> int:  # noqa: FBT001 - click's way
    """Put a backup in the place of the store."""
    settings = call.settings()
    store = _store(call, settings, "restore.postgres_try")
    if not file.is_file():
        raise UsageError(call.text("restore.no_file", path=file))
    _refuse_same(call, file, store)
    lock = DirectoryLock(settings.data)
    try:
        if store.exists() and not force:
            raise UsageError(call.text("restore.exists", path=store), hint=call.text("restore.exists_try"))
        with _explained(call):
            return _told(call, put_back(file, store, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"), "restore.done")
    finally:
        lock.release()


def _store(call: Invocation, settings: Settings, instead: str) -> Path:
    """The file of the store.

    Raises:
        UsageError: it is on PostgreSQL, which has its own tools.
    """
    target = url.parse(settings.database_url, settings.data)
    if target.path is None:
        raise UsageError(call.text("backup.postgres"), hint=call.text(instead))
    return target.path


def _refuse_same(call: Invocation, file: Path, store: Path) -> None:
    if file.exists() and store.exists() and file.samefile(store):
        raise UsageError(call.text("backup.same", path=file))


@contextmanager
def _explained(call: Invocation) -> Iterator[None]:
    """Say in the person's language what is wrong with a file."""
    try:
        yield
    except UnfitError as error:
        texts = {"path": error.path, "found": error.found}
        told = StorageError(call.text(f"unfit.{error.reason}", **texts), hint=call.text(f"unfit.{error.reason}_try"))
        raise told from error


def _told(call: Invocation, made: Snapshot, key: str) -> int:
    row = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(made).items()}
    call.result(json.dumps(row, ensure_ascii=False) if call.as_json else call.text(key, **row))
    if made.replaced is not None and not call.as_json:
        call.progress(call.text("restore.replaced", path=made.replaced))
    return 0
