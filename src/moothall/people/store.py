"""People and units in the store: facts for decisions, and the one way to change anything.

A change is one transaction, which also counts it (``storage.revisions``): after a crash it was made as a whole or not
at all, and whoever asks after it was answered is told the new state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

from sqlalchemy.engine import Connection

from moothall.audit.committed import put_committed
from moothall.audit.record import AuditRecord, NoRecorder, Recorder
from moothall.clock import Clock
from moothall.identity.principal import Principal
from moothall.people import agreements, slices
from moothall.people.facts import Collaboration, PartyFacts
from moothall.people.rights import NotAllowed
from moothall.storage.changes import Changes
from moothall.storage.reading import begin_snapshot
from moothall.storage.revisions import Revisions, bump
from moothall.storage.store import Store

T = TypeVar("T")

REVISION: Final = "people"

OnChange = Callable[[frozenset[str] | None, int], None]
"""Is told of whom a committed change may speak (ids of parties; None: anybody), and the revision that it made."""


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """What a transaction did.

    Attributes:
        result: what it found or made.
        touched: parties whose facts may differ now; None: anybody's.
        record: for the audit; None: nothing was changed, and what was written is taken back.
    """

    result: T
    touched: frozenset[str] | None = frozenset()
    record: AuditRecord | None = None


class _Unchanged(Exception, Generic[T]):
    """Rolls a transaction back that changed nothing."""

    def __init__(self, result: T) -> None:
        super().__init__()
        self.result = result


class PeopleStore:
    """Reads and changes what a node knows of people; one for each process."""

    def __init__(self, store: Store, revisions: Revisions, clock: Clock, recorder: Recorder | None = None) -> None:
        self._store, self._revisions, self.clock = store, revisions, clock
        self._recorder = recorder or NoRecorder()
        self._listeners: list[OnChange] = []
        self._changes = Changes()

    def on_change(self, callback: OnChange) -> None:
        """Call this after each commit of this process, before the change is answered."""
        self._listeners.append(callback)

    async def facts(self, ids: Iterable[str]) -> Mapping[str, PartyFacts]:
        """What is known of these parties, all of one moment.

        Raises:
            StorageError: the store cannot say.
        """
        wanted = tuple(ids)
        return await self.read(lambda connection: slices.facts(connection, wanted))

    async def collaborations(self, teams: Collection[str]) -> tuple[Collaboration, ...]:
        """What members of these teams may do at other teams: agreed by both, not over, and as the host's rules are now.

        Raises:
            StorageError: the store cannot say.
        """
        return await self.read(lambda connection: self.collaborations_in(connection, teams)) if teams else ()

    def collaborations_in(self, connection: Connection, teams: Collection[str]) -> tuple[Collaboration, ...]:
        """The same, within a reading of more."""
        return agreements.of_guests(connection, tuple(teams), int(self.clock.now().timestamp())) if teams else ()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one state of the store.

        Raises:
            StorageError: it cannot be read.
        """
        try:
            return await self._store.read(partial(_of_one_moment, work))
        except NotAllowed as error:
            raise error.told() from error

    async def glance(self, work: Callable[[Connection], T]) -> T:
        """The same for a few look-ups by key; see `Store.glance`."""
        return await self._store.glance(partial(_of_one_moment, work))

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
        def inside(connection: Connection) -> tuple[int, Change[T]]:
            number = bump(connection, REVISION)  # first: on PostgreSQL this row makes changes wait for each other
            change = work(connection)
            if change.record is None:
                raise _Unchanged(change.result)
            return number, change

        self._recorder.check()
        try:
            number, change = await self._store.write(inside)
        except _Unchanged as unchanged:
            result: T = unchanged.result
            return result
        except NotAllowed as error:
            raise error.told() from error
        self._revisions.wrote(REVISION, number)
        for listener in self._listeners:
            listener(change.touched, number)
        if change.record is not None:
            put_committed(self._recorder, change.record)
        return change.result


def _of_one_moment(work: Callable[[Connection], T], connection: Connection) -> T:
    begin_snapshot(connection)
    return work(connection)


def recorded(by: Principal, action: str, resource: str, **details: object) -> AuditRecord:
    """The audit record of a change: who did what, to whom or what."""
    return AuditRecord(kind="people", action=action, actor=by.id, resource=resource, effect="allow", details=details)
