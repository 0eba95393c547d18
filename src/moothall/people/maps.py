"""Maps that stand in the store, to be read: one entry at a time or page by page, never as a whole (row UID-04)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.people import rows
from moothall.people.agents import UserAgent
from moothall.people.profile import UserProfile
from moothall.people.store import PeopleStore
from moothall.storage.authority import person, person_agent

V = TypeVar("V")

PAGE: Final = 200

_PERSONS: Final = sa.select(person.c.id).where(person.c.id > sa.bindparam("after")).order_by(person.c.id).limit(PAGE)
_DIDS: Final = (
    sa.select(person_agent.c.did)
    .where(person_agent.c.did > sa.bindparam("after"))
    .order_by(person_agent.c.did)
    .limit(PAGE)
)
_WITH_AGENTS: Final = (
    sa.select(person_agent.c.person)
    .distinct()
    .where(person_agent.c.person > sa.bindparam("after"))
    .order_by(person_agent.c.person)
    .limit(PAGE)
)


class StoredMap(Generic[V]):
    """A map from texts: ``await map.get(key)``, ``await map.keys(after)``, ``async for key, value in map``."""

    def __init__(self, store: PeopleStore, keys: sa.Select[str], value: Callable[[Connection, str], V | None]) -> None:
        self._store, self._keys, self._value = store, keys, value

    async def get(self, key: str) -> V | None:
        """The value of a key; None where it has none.

        Raises:
            StorageError: the store cannot say.
        """
        return await self._store.read(lambda connection: self._value(connection, key))

    async def keys(self, after: str = "") -> list[str]:
        """The next `PAGE` keys in the order of the store, from the first that follows `after`.

        Raises:
            StorageError: the store cannot say.
        """
        return await self._store.read(lambda c: list(c.execute(self._keys, {"after": after}).scalars()))

    async def __aiter__(self) -> AsyncIterator[tuple[str, V]]:
        """Every entry; what changes meanwhile may or may not be among them."""
        keys = await self.keys()
        while keys:
            for key in keys:
                if (value := await self.get(key)) is not None:
                    yield key, value
            keys = await self.keys(keys[-1])


def agents_by_user(store: PeopleStore) -> StoredMap[list[UserAgent]]:
    """The agents of each person that has any."""
    return StoredMap(store, _WITH_AGENTS, lambda connection, name: rows.agents_of(connection, name) or None)


def users_by_agent(store: PeopleStore) -> StoredMap[str]:
    """Whose each agent is."""
    return StoredMap(store, _DIDS, _user_of)


def profiles(store: PeopleStore) -> StoredMap[UserProfile]:
    """The profile of each person."""
    return StoredMap(store, _PERSONS, rows.profile_of)


def _user_of(connection: Connection, did: str) -> str | None:
    agent = rows.agent_of(connection, did)
    return None if agent is None else agent.user_id
