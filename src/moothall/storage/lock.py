"""One process per data directory: an operating-system lock, and the directory's stable node id."""

from __future__ import annotations

import fcntl
import os
import secrets
from typing import TYPE_CHECKING

from moothall.errors import StoreLocked
from moothall.storage import private

if TYPE_CHECKING:
    from pathlib import Path


class DirectoryLock:
    """Exclusive hold of ``<data>/lock``; the kernel drops it when the process dies, however it dies.

    Whoever holds it knows that no other process of this node is alive, so runs the node left open may be taken back
    at once instead of after their lease.

    Raises:
        StoreLocked: another process holds the directory.
        StorageError: the directory cannot be written or belongs to somebody else, or its lock is a link.
    """

    def __init__(self, data: Path) -> None:
        """Take the lock, creating the directory (0700) when it is missing."""
        private.directory(data)
        self._fd = private.opened(data / "lock", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            raise StoreLocked(
                f"the data directory {data} is in use",
                why=f"process {holder or 'unknown'} holds it",
                hint="stop that process, or choose another directory with --data",
            ) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the directory back; calling it twice does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def node_id(data: Path) -> str:
    """Return the stable id of the node that lives in `data`, made on first use and kept in ``<data>/node_id``.

    Call it while holding the directory's lock.

    Raises:
        StorageError: the file cannot be used; see `private.opened`.
    """
    path = data / "node_id"
    if known := _content(path):
        return known
    fresh = f"node-{secrets.token_hex(8)}"
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with os.fdopen(private.opened(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w", encoding="ascii") as file:
        file.write(f"{fresh}\n")
    partial.replace(path)
    return fresh


def _content(path: Path) -> str:
    try:
        descriptor = private.opened(path, os.O_RDONLY)
    except FileNotFoundError:
        return ""
    with os.fdopen(descriptor, encoding="ascii") as file:
        return file.read().strip()
