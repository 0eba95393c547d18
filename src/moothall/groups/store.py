"""Groups in the store: what decisions need of them, and the one way to change anything (`audit.changing`).

Changes of groups wait for each other: who acts on a group sees what the one before committed, its owner included
(row GRP-09).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy.engine import Connection

from moothall.audit.changing import Facts, of_one_moment
from moothall.audit.record import Recorder
from moothall.clock import Clock
from moothall.groups import rows
from moothall.groups.model import Group, Member
from moothall.storage.revisions import Revisions
from moothall.storage.store import Store

REVISION: Final = "groups"

LetIn = Callable[[Connection, frozenset[str]], frozenset[str]]
"""Gives the ids of the groups that links let members of these groups into."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A group with the active members that were asked for, all of one moment."""

    group: Group
    members: Mapping[str, Member]


class GroupStore(Facts):
    """Reads and changes the groups of a node; one for each process. Fills the port `policy.decision.Memberships`."""

    revision_name = REVISION

    def __init__(self, store: Store, revisions: Revisions, clock: Clock, recorder: Recorder | None = None) -> None:
        super().__init__(store, revisions, clock, recorder)
        self._let_in: LetIn | None = None

    def let_in(self, found: LetIn) -> None:
        """Count the groups that links let somebody into as well."""
        self._let_in = found

    async def groups(self, identity: str) -> frozenset[str]:
        """Ids of the groups of a DID, and of those whose links let it in.

        Raises:
            StorageError: the store cannot say.
        """

        def found(connection: Connection) -> frozenset[str]:
            own = rows.groups_of(connection, identity)
            return own | self._let_in(connection, own) if own and self._let_in is not None else own

        return await self._store.glance(partial(of_one_moment, found))

    async def own(self, identity: str) -> frozenset[str]:
        """Ids of the groups of a DID alone.

        Raises:
            StorageError: the store cannot say.
        """
        return await self._store.glance(lambda connection: rows.groups_of(connection, identity))

    async def own_of_each(self, identities: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """The same for several at once; nothing of who is in no group.

        Raises:
            StorageError: the store cannot say.
        """
        wanted = list(identities)
        return await self._store.glance(partial(of_one_moment, lambda found: rows.groups_of_each(found, wanted)))

    async def revision(self) -> int:
        """How many changes there were until now, by whichever process.

        Raises:
            StorageError: the store cannot say.
        """
        return (await self._revisions.current()).get(REVISION, 0)

    async def seats_of_each(self, identities: Iterable[str]) -> Mapping[str, Sequence[tuple[Group, Member]]]:
        """The groups of several with what they are there, all of one moment; nothing of who is in no group.

        Raises:
            StorageError: the store cannot say.
        """
        wanted = list(identities)
        return await self.read(lambda connection: rows.seats_of_each(connection, wanted)) if wanted else {}

    async def get(self, group_id: str) -> Group | None:
        """A group, whoever asks."""
        return await self._store.glance(lambda connection: rows.find(connection, group_id))

    async def seen(self, group_id: str, dids: Iterable[str]) -> Seen | None:
        """A group with those of these who are active members; None: there is none, or it was dissolved."""
        wanted = list(dids)

        def found(connection: Connection) -> Seen | None:
            group = rows.find(connection, group_id)
            if group is None or not group.active:
                return None
            return Seen(group, rows.some(connection, group_id, wanted))

        return await self._store.glance(partial(of_one_moment, found))

    async def members(self, group_id: str, *, active: bool = True) -> list[Member]:
        """The members of a group, by their DIDs."""
        return await self.read(lambda connection: rows.members(connection, group_id, active=active))
