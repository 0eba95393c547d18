"""What the approvals need to know of people: whose agents approvers are, and who belongs to a unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.approvals.plan import GROUP
from moothall.errors import InternalError, Told
from moothall.people.parties import person_named
from moothall.people.store import PeopleStore
from moothall.people.units import INVITED
from moothall.storage.authority import membership

MOST_MEMBERS: Final = 1_000
"""Members of a unit that can be approvers all together; a larger one needs a role that fewer have."""


class Parties(Protocol):
    """People and groups, as they are now."""

    async def persons(self, identities: Collection[str]) -> Mapping[str, str]:
        """Whose agents these are, and of ``user:NAME`` that NAME; who belongs to nobody is left out, or empty.

        Raises:
            StorageError: nobody can say.
        """
        ...

    async def members(self, group: str) -> frozenset[str]:
        """The ids of those who belong to ``unit:ID``, or have a role there: ``unit:ID#ROLE``.

        Raises:
            InternalError: they are more than can be approvers.
            StorageError: nobody can say.
        """
        ...

    async def belongs(self, identity: str, groups: Collection[str]) -> frozenset[str]:
        """To which of these groups somebody belongs.

        Raises:
            StorageError: nobody can say.
        """
        ...


class NoParties:
    """For nodes that know of nobody: users are persons, and no group has members."""

    async def persons(self, identities: Collection[str]) -> Mapping[str, str]:
        """The names of users."""
        return {one: person_named(one) for one in identities}

    async def members(self, group: str) -> frozenset[str]:  # noqa: ARG002 - the signature of the port
        """Nobody."""
        return frozenset()

    async def belongs(self, identity: str, groups: Collection[str]) -> frozenset[str]:
        """To those that have it as a member."""
        return frozenset([group for group in groups if identity in await self.members(group)])


class StoredParties:
    """People and units of the store."""

    def __init__(self, people: PeopleStore) -> None:
        self._people = people

    async def persons(self, identities: Collection[str]) -> Mapping[str, str]:
        """See `Parties.persons`."""
        facts = await self._people.facts(identities)
        return {one: known.person for one, known in facts.items()}

    async def members(self, group: str) -> frozenset[str]:
        """See `Parties.members`."""
        unit, _, role = group.removeprefix(GROUP).partition("#")
        columns = membership.c
        query = sa.select(columns.member).distinct().where(columns.unit == unit, columns.role != INVITED)
        if role:
            query = query.where(columns.role == role)

        def read(connection: Connection) -> frozenset[str]:
            return frozenset(connection.execute(query.limit(MOST_MEMBERS + 1)).scalars())

        found = await self._people.read(read)
        if len(found) > MOST_MEMBERS:
            told = Told("approvals.crowd", {"group": group, "most": MOST_MEMBERS})
            raise InternalError("too many could approve the call", told=told)
        return found

    async def belongs(self, identity: str, groups: Collection[str]) -> frozenset[str]:
        """See `Parties.belongs`."""
        if not groups:
            return frozenset()
        columns = membership.c
        query = sa.select(columns.unit, columns.role).where(columns.member == identity, columns.role != INVITED)
        found = await self._people.read(lambda connection: connection.execute(query).all())
        held = {name for unit, role in found for name in (f"{GROUP}{unit}", f"{GROUP}{unit}#{role}")}
        return frozenset(held.intersection(groups))
