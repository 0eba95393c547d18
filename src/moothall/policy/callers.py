"""The first look at a caller: all that the store says of it.

Where people and delegations are in one store, it is one piece of work there: what is read is of one moment, and whoever
calls for the first time waits once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Final

from sqlalchemy.engine import Connection

from moothall.grants.model import Chain
from moothall.grants.rows import Row, ending_at
from moothall.grants.service import Grants
from moothall.people import slices
from moothall.people.facts import Collaboration, PartyFacts
from moothall.people.store import PeopleStore
from moothall.policy.ports import Caller, Delegations, People
from moothall.storage.prepared import FEW
from moothall.telemetry import logger

_Found = tuple[Sequence[Row], Mapping[str, PartyFacts], tuple[Collaboration, ...]]

_log: Final = logger("policy")


class OneStore:
    """Looks at callers in the one store that holds people and delegations."""

    def __init__(self, people: PeopleStore, grants: Grants) -> None:
        self._people, self._grants = people, grants
        self._apart = Apart(people, grants)

    async def look(self, identity: str) -> Caller:
        """See `moothall.policy.ports.Callers`."""
        try:
            now = self._grants.now()
            found = await self._people.glance(lambda connection: self._read(connection, identity, now, FEW))
            if found is None:
                found = await self._people.read(lambda connection: self._read(connection, identity, now))
        except ValueError:  # a row makes no sense: whose it is is found by asking for each
            found = None
        if found is None:
            return await self._apart.look(identity)
        held, facts, agreed = found
        return Caller(facts, await self._grants.chains_of(identity, held), agreed)

    def _read(self, connection: Connection, identity: str, now: float, most: float = inf) -> _Found | None:
        """What is said of somebody and those whose right it may use; None: of more than so many."""
        held = ending_at(connection, identity, now)
        parties = {party for row in held for party in (row.delegator, row.delegate)} - {identity}
        if len(parties) >= most:
            return None
        facts = slices.facts(connection, [identity, *sorted(parties)])
        return held, facts, self._people.collaborations_in(connection, facts[identity].teams)


class Apart:
    """Looks at callers in one place after the other; None is nowhere."""

    def __init__(self, people: People | None, delegations: Delegations | None) -> None:
        self._people, self._delegations = people, delegations

    async def look(self, identity: str) -> Caller:
        """See `moothall.policy.ports.Callers`."""
        chains = await self._delegations.chains_for(identity) if self._delegations is not None else ()
        facts = await self._facts(identity, chains)
        own = facts[identity]
        agreed = await self._people.collaborations(own.teams) if self._people is not None and own.teams else ()
        return Caller(facts, chains, agreed)

    async def _facts(self, identity: str, chains: Iterable[Chain]) -> Mapping[str, PartyFacts]:
        parties = {party for chain in chains for party in chain.parties} - {identity}
        return await facts_of(self._people, [identity, *sorted(parties)])


async def facts_of(people: People | None, ids: Sequence[str]) -> Mapping[str, PartyFacts]:
    """What is known of these; nothing of whom nobody knows. Whose rows make no sense is suspended.

    Raises:
        StorageError: the store cannot say.
    """
    found = await _readable(people, ids) if people is not None and ids else {}
    return {name: found.get(name) or PartyFacts(id=name) for name in ids}


async def _readable(people: People, ids: Sequence[str]) -> Mapping[str, PartyFacts]:
    """The facts of these; whose rows make no sense is found by halves, and nobody else is held up by them."""
    try:
        return await people.facts(ids)
    except ValueError:
        if len(ids) == 1:
            return {ids[0]: suspended(ids[0])}
    middle = len(ids) // 2
    return {**await _readable(people, ids[:middle]), **await _readable(people, ids[middle:])}


def suspended(identity: str) -> PartyFacts:
    """Somebody of whom the store holds what cannot be read: inside an ``except`` that tells the log why."""
    _log.exception("what is stored about %s cannot be read; until it can, it counts as suspended", identity)
    return PartyFacts(id=identity, status="suspended")
