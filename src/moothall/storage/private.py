"""Files and directories that belong to the node's user alone: nobody else reads them or puts others in their place.

A data directory may be older than the node and open to others; so each file is closed to them by itself, and a link
in its place is refused rather than followed. A secret that others could read is not closed to them but refused:
somebody may have it already.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moothall.errors import StorageError

_MODE = 0o600
_OTHERS = 0o077
_HINT = "run the node as the user who owns it, or choose another directory with --data"


def directory(path: Path) -> None:
    """Make `path` (0700) when it is missing.

    Raises:
        StorageError: it cannot be made or looked at, is no directory, or belongs to somebody else.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = path.stat().st_uid
    except OSError as error:
        raise StorageError(f"cannot use the data directory {path}", why=str(error)) from error
    if owner != os.geteuid():
        raise StorageError(
            f"the data directory {path} belongs to somebody else", why=f"user {owner} owns it", hint=_HINT
        )


def opened(path: Path, flags: int) -> int:
    """Open a file of ours (0600), never through a link, and return its descriptor; nothing in it is changed.

    Raises:
        FileNotFoundError: there is none, and `flags` do not create it.
        StorageError: it cannot be opened, is no plain file, or belongs to somebody else.
    """
    descriptor, _ = _open(path, flags)
    try:
        os.fchmod(descriptor, _MODE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def secret(path: Path, most: int, hint: str) -> bytes:
    """Read the first `most` bytes of a file that nobody else could read; its mode is left as it is.

    So one that others could read is refused each time, until somebody has done what `hint` says.

    Raises:
        FileNotFoundError: there is none.
        StorageError: as for `opened`, or others could read it.
    """
    descriptor, found = _open(path, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        if found.st_mode & _OTHERS:
            raise _refused(path, "others could read it", hint)
        return file.read(most)


def write(path: Path, content: bytes) -> None:
    """Put a file (0600) in place of what is there: who reads sees the one or the other, also after a power cut.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    staged = path.with_name(f".{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(staged, flags, _MODE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
        settle(path.parent)
    finally:
        staged.unlink(missing_ok=True)


def settle(folder: Path) -> None:
    """Make the names in a folder last.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else is within this for the same folder, of whatever process.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def seal(path: Path, *, create: bool = False) -> None:
    """Close a file to others by its name; with `create`, make an empty one when there is none.

    One that exists is not opened: closing a descriptor would drop the locks SQLite holds on it in this process.

    Raises:
        StorageError: as for `opened`.
    """
    try:
        if create:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE))
            return
    except FileExistsError:
        pass
    except OSError as error:
        raise _refused(path, str(error)) from error
    try:
        found = path.lstat()
        _check(path, found)
        if found.st_mode & _OTHERS:
            path.chmod(_MODE)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refused(path, str(error)) from error


def _open(path: Path, flags: int) -> tuple[int, os.stat_result]:
    """A descriptor of a file of ours, and what the file was before anything was done to it."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, _MODE)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(path, str(error)) from error
    try:
        found = os.fstat(descriptor)
        _check(path, found)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, found


def _check(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _refused(path, "it is a link or no plain file", "put the file itself there, or nothing")
    if found.st_uid != os.geteuid():
        raise _refused(path, f"user {found.st_uid} owns it", _HINT)


def _refused(path: Path, why: str, hint: str = "") -> StorageError:
    return StorageError(f"cannot use the file {path}", why=why, hint=hint)
