"""``people.toml`` followed while the node runs: looked at once a second at most, when somebody asks.

A change counts when two looks have found the same.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from moothall.audit.record import AuditRecord, NoRecorder, Recorder
from moothall.errors import MoothallError, SettingsError
from moothall.people.control import OwnAgents
from moothall.people.file import NAME, PeopleFile, broken, read
from moothall.people.file_sync import sync
from moothall.people.plain_files import read_plain
from moothall.people.store import PeopleStore
from moothall.telemetry import logger
from moothall.watched import Mark, Watched, mark

_log = logger("people")


class PeopleFileWatch:
    """Keeps the store as the file says; a file that is gone or broken changes nothing, which is logged and recorded.

    Nodes that share a database share the file's content, too: each brings its own into the store.
    """

    def __init__(self, path: Path, store: PeopleStore, own: OwnAgents, recorder: Recorder | None = None) -> None:
        self._path, self._store, self._own = path, store, own
        self._recorder = recorder or NoRecorder()
        self._watched = Watched[Mark | None](partial(mark, path), store.clock.monotonic)
        self._task: asyncio.Task[None] | None = None
        self._unread = ""
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Bring the file into the store where there is one; before the node serves anybody.

        Raises:
            SettingsError: it cannot be used.
            StorageError: it cannot be written.
        """
        if self._path.exists():
            await self.reload()

    async def reload(self) -> bool:
        """Bring it into the store now; whether that changed anything.

        Raises:
            SettingsError, StorageError: as `open`; what it said before stands.
        """
        async with self._lock:
            self._watched.take()
            return await self._bring(await asyncio.to_thread(_read, self._path))

    def glance(self) -> None:
        """Look whether the file has changed, at most once a second, and bring it into the store in the background."""
        if (self._task is None or self._task.done()) and self._watched.look():
            self._task = asyncio.create_task(self._follow(), name="moothall-people-file")

    async def settled(self) -> None:
        """Wait for what the last glance began."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def aclose(self) -> None:
        """End; what is being written is written."""
        await self.settled()

    async def _follow(self) -> None:
        """Bring a change that has come to stay into the store; whatever fails is told, and what held before stands."""
        try:
            async with self._lock:
                state = self._watched.take()
                if state is None or not state.size:  # emptied is no word: agents of nobody act for the owner
                    self._tell("%s is gone or empty; what it said stands", "gone")
                    return
                file = await asyncio.to_thread(_read, self._path)
                self._unread = ""
                if self._watched.is_still() and await self._bring(file):  # else it is being written
                    _log.info("%s was read again", self._path.name)
        except SettingsError as error:
            self._tell_refused(error)
        except MoothallError as error:
            self._watched.put_back()  # the store failed, not the file
            self._tell("%s cannot be brought into the store; what it said before stands: %s", error.code, error)

    def _tell_refused(self, error: SettingsError) -> None:
        """A file that cannot be read for now is tried again with every look, and told once."""
        unread = str(error) if isinstance(error.__cause__, OSError) else ""
        if unread:
            self._watched.put_back()
        if not unread or unread != self._unread:
            self._tell("%s cannot be used; what it said before stands: %s", error.code, error)
        self._unread = unread

    async def _bring(self, file: PeopleFile) -> bool:
        return await sync(self._store, file, self._own)

    def _tell(self, words: str, reason: str, *more: object) -> None:
        _log.error(words, self._path.name, *more)
        record = AuditRecord(
            kind="people", action="read_file", actor="owner", resource=NAME, effect="deny", reason=reason
        )
        self._recorder.put(record)


def _read(path: Path) -> PeopleFile:
    try:
        return read(read_plain(path), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise broken(path.name, str(error)) from error
