"""People and their agents as rows: what several rooms of people read and write in their transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from moothall.people.agents import UserAgent
from moothall.people.parties import person_named, user
from moothall.people.profile import UserProfile
from moothall.storage.authority import person, person_agent

MOST_TOUCHED: Final = 1_000
"""Parties that a change names; of more it says: anybody."""

_OLDEST_FIRST: Final = (person_agent.c.created_at, person_agent.c.did)


def insert_new(connection: Connection, table: sa.Table, **values: object) -> bool:
    """Insert a row; False where one of that key is there, which stays as it is."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return connection.execute(dialect.insert(table).values(**values).on_conflict_do_nothing()).rowcount == 1


def ensure_person(connection: Connection, name: str, at: datetime) -> None:
    """Have a row for a person."""
    insert_new(connection, person, id=name, created_at=at)


def agent_of(connection: Connection, did: str) -> UserAgent | None:
    """One agent."""
    row = connection.execute(sa.select(person_agent).where(person_agent.c.did == did)).one_or_none()
    return None if row is None else made_agent(row)


def add_agent(connection: Connection, agent: UserAgent) -> bool:
    """Insert an agent; False where its DID is somebody's already."""
    values = agent.model_dump()
    return insert_new(connection, person_agent, person=values.pop("user_id"), **values)


def agents_of(connection: Connection, name: str) -> list[UserAgent]:
    """The agents of a person, the oldest first."""
    query = sa.select(person_agent).where(person_agent.c.person == name).order_by(*_OLDEST_FIRST)
    return [made_agent(row) for row in connection.execute(query)]


def profile_of(connection: Connection, name: str) -> UserProfile | None:
    """The profile of a person."""
    row = connection.execute(sa.select(person).where(person.c.id == name)).one_or_none()
    return None if row is None else made_profile(row)


def write_profile(connection: Connection, profile: UserProfile) -> None:
    """Write a profile over the row of its person."""
    values = profile.model_dump(exclude={"user_id", "preferences", "trust_level", "verification_status", "created_at"})
    connection.execute(
        sa.update(person)
        .where(person.c.id == profile.user_id)
        .values(
            preferences=json.dumps(profile.preferences, ensure_ascii=False),
            trust=profile.trust_level,
            verification=profile.verification_status,
            **values,
        )
    )


def parties_of(connection: Connection, members: Iterable[str]) -> frozenset[str] | None:
    """These parties, and the agents of those among them that are people; None where they are too many to name."""
    given = frozenset(members)
    if len(given) > MOST_TOUCHED:
        return None
    names = [name for name in map(person_named, given) if name]
    query = sa.select(person_agent.c.did).where(person_agent.c.person.in_(names)).limit(MOST_TOUCHED + 1)
    agents = frozenset(connection.execute(query).scalars()) if names else frozenset()
    return None if len(agents) > MOST_TOUCHED else given | agents


def touched_by(connection: Connection, name: str) -> frozenset[str] | None:
    """A person and its agents."""
    return parties_of(connection, [user(name)])


def made_agent(row: Any) -> UserAgent:  # noqa: ANN401 - a row of the table
    """A row of `person_agent`."""
    return UserAgent(
        did=row.did,
        user_id=row.person,
        role=row.role,
        environment=row.environment,
        clearance=row.clearance,
        status=row.status,
        origin=row.origin,
        created_at=row.created_at,
    )


def made_profile(row: Any) -> UserProfile:  # noqa: ANN401 - a row of the table
    """A row of `person`."""
    return UserProfile(
        user_id=row.id,
        display_name=row.display_name,
        email=row.email,
        phone=row.phone,
        preferences=json.loads(row.preferences),
        trust_level=row.trust,
        verification_status=row.verification,
        created_at=row.created_at,
    )
