"""Agents elsewhere that were allowed to take part, with where each is asked; durable in the table `participant`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from moothall.clock import Clock
from moothall.errors import AgentNotFound, Told
from moothall.negotiation.demand.remote.places import Place
from moothall.storage.finding import participant

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, RowMapping

    from moothall.storage.store import Store


@dataclass(frozen=True, slots=True)
class Bound:
    """An agent elsewhere: its id here, its place, the digest of its profile as it was allowed, and by whom."""

    agent_id: str
    place: Place
    digest: str
    added_by: str
    updated_at: datetime


class Places:
    """Reads and changes where agents elsewhere are asked."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, agent_id: str) -> Bound | None:
        """Where an agent is asked; None where it may not take part.

        Raises:
            StorageError: the store cannot say.
        """
        found = await self._store.read(lambda connection: _select(connection, participant.c.agent_id == agent_id))
        return found[0] if found else None

    async def get(self, agent_id: str) -> Bound:
        """The same.

        Raises:
            AgentNotFound: it may not take part.
            StorageError: the store cannot say.
        """
        if (found := await self.find(agent_id)) is None:
            told = Told("why.no_agent", {"agent_id": agent_id})
            raise AgentNotFound(f"there is no agent {agent_id}", told=told, details={"agent_id": agent_id})
        return found

    async def all(self) -> Sequence[Bound]:
        """Every agent elsewhere, in order of id.

        Raises:
            StorageError: the store cannot say.
        """
        return await self._store.read(_select)

    def put(self, connection: Connection, place: Place, digest: str, added_by: str) -> None:
        """Within a transaction: let an agent take part, or say anew where it is asked."""
        now = self._clock.now()
        values: dict[str, Any] = {
            "target": place.target,
            "offer": place.offer,
            "review": place.review,
            "profile": place.profile,
            "digest": digest,
            "added_by": added_by,
            "updated_at": now,
        }
        same = participant.c.agent_id == place.agent_id
        if not connection.execute(sa.update(participant).where(same).values(**values)).rowcount:
            connection.execute(sa.insert(participant).values(**values, agent_id=place.agent_id, created_at=now))

    def drop(self, connection: Connection, agent_id: str) -> None:
        """Within a transaction: let it take part no more."""
        connection.execute(sa.delete(participant).where(participant.c.agent_id == agent_id))


def _select(connection: Connection, *conditions: sa.ColumnElement[bool]) -> list[Bound]:
    rows = connection.execute(sa.select(participant).where(*conditions).order_by(participant.c.agent_id)).mappings()
    return [_bound(row) for row in rows]


def _bound(row: RowMapping) -> Bound:
    place = Place(row["target"], row["offer"], row["review"], row["profile"])
    return Bound(row["agent_id"], place, row["digest"], row["added_by"], row["updated_at"])
