"""Facts that decisions are made of, and the one way to change them: counted, told and put on record.

A change is one transaction, which also counts it (``storage.revisions``): after a crash it was made as a whole or not
at all, and whoever asks after it was answered is told the new state. On PostgreSQL that count makes all changes of one
kind wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Generic, TypeVar

from sqlalchemy.engine import Connection

from moothall.audit.committed import put_committed
from moothall.audit.record import AuditRecord, NoRecorder, Recorder
from moothall.clock import Clock
from moothall.errors import PermissionDeniedError
from moothall.identity.principal import Principal
from moothall.storage.changes import Changes
from moothall.storage.reading import begin_snapshot
from moothall.storage.revisions import Revisions, bump
from moothall.storage.store import Store

T = TypeVar("T")

OnChange = Callable[[frozenset[str] | None, int], None]
"""Is told of whom a committed change may speak (ids of parties; None: anybody), and the revision that it made."""


class Refused(Exception):
    """Raised inside a transaction; PermissionDeniedError is an OSError, which there means that the store failed."""

    def told(self) -> PermissionDeniedError:
        """The error for the caller."""
        return PermissionDeniedError("this is not allowed")


def _nothing() -> None:
    """Nothing more is to be done."""


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """What a transaction did.

    Attributes:
        result: what it found or made.
        touched: parties whose facts may differ now; None: anybody's.
        record: for the audit; None: nothing was changed, and what was written is taken back.
        committed: what is left to do once it is committed and told, before it is answered; takes no time.
    """

    result: T
    touched: frozenset[str] | None = frozenset()
    record: AuditRecord | None = None
    committed: Callable[[], None] = _nothing


class _Unchanged(Exception, Generic[T]):
    """Rolls a transaction back that changed nothing."""

    def __init__(self, result: T) -> None:
        super().__init__()
        self.result = result


class Facts:
    """Facts of one kind in a store; one object for each process. Derive from it, and say what `revision_name` is."""

    revision_name: ClassVar[str]

    def __init__(self, store: Store, revisions: Revisions, clock: Clock, recorder: Recorder | None = None) -> None:
        self._store, self._revisions, self.clock = store, revisions, clock
        self._recorder = recorder or NoRecorder()
        self._listeners: list[OnChange] = []
        self._changes = Changes()

    def on_change(self, callback: OnChange) -> None:
        """Call this after each commit of this process, before the change is answered."""
        self._listeners.append(callback)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one state of the store.

        Raises:
            PermissionDeniedError: `work` found that the caller may not.
            StorageError: it cannot be read.
        """
        try:
            return await self._store.read(partial(of_one_moment, work))
        except Refused as error:
            raise error.told() from error

    async def glance(self, work: Callable[[Connection], T]) -> T:
        """The same for a few look-ups by key; see `Store.glance`."""
        return await self._store.glance(partial(of_one_moment, work))

    async def change(self, work: Callable[[Connection], Change[T]]) -> T:
        """Run `work` in one transaction after all earlier ones; count what it changed, tell who listens, record it.

        Once begun it is ended, even if nobody waits for it any more: what was committed must be told.

        Raises:
            PermissionDeniedError: `work` found that the caller may not.
            StorageError: it cannot be written.
            Unavailable: it could not be put on record; nothing was changed.
        """
        return await self._changes.make(self._changed(work))

    async def aclose(self) -> None:
        """Let what is being written be told."""
        await self._changes.aclose()

    async def _changed(self, work: Callable[[Connection], Change[T]]) -> T:
        def inside(connection: Connection) -> tuple[int, Change[T], AuditRecord]:
            number = bump(connection, self.revision_name)  # first: this row makes changes wait for each other
            change = work(connection)
            if change.record is None:
                raise _Unchanged(change.result)
            return number, change, change.record

        self._recorder.check()
        try:
            number, change, record = await self._store.write(inside)
        except _Unchanged as unchanged:
            result: T = unchanged.result
            return result
        except Refused as error:
            raise error.told() from error
        self._revisions.wrote(self.revision_name, number)
        for listener in self._listeners:
            listener(change.touched, number)
        put_committed(self._recorder, record)
        change.committed()
        return change.result


def of_one_moment(work: Callable[[Connection], T], connection: Connection) -> T:
    """Run `work` where all that it reads is of one moment."""
    begin_snapshot(connection)
    return work(connection)


def recorded(by: Principal, action: str, resource: str, **details: object) -> AuditRecord:
    """The audit record of a change: who did what, to whom or what."""
    return AuditRecord(kind="people", action=action, actor=by.id, resource=resource, effect="allow", details=details)
