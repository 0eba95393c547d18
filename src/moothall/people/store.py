"""People and units in the store: facts for decisions, and the one way to change anything (`audit.changing`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from sqlalchemy.engine import Connection

from moothall.audit.changing import Facts
from moothall.people import agreements, slices
from moothall.people.facts import Collaboration, PartyFacts

REVISION: Final = "people"


class PeopleStore(Facts):
    """Reads and changes what a node knows of people; one for each process."""

    revision_name = REVISION

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
