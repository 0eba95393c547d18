"""A file of people brought into the store: one transaction, after which its rows are just those of the file.

Rows that came by the API stay. What the file names anew must not be there by the API: whoever made it there would have
a part in what the operator means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.errors import SettingsError
from moothall.identity.principal import OWNER
from moothall.people import unit_rows
from moothall.people.control import OwnAgents
from moothall.people.facts import USUAL_TRUST
from moothall.people.file import NAME, PeopleFile, broken
from moothall.people.file_rows import ORIGIN, Difference, FileRows, difference, rows_of
from moothall.people.profiles import forget
from moothall.people.store import PeopleStore
from moothall.storage.authority import membership, person, person_agent, unit

_UNSAID: Final[Mapping[str, dict[str, Any]]] = {
    person.name: {"display_name": "", "email": "", "phone": "", "trust": USUAL_TRUST, "verification": "unverified"},
    unit.name: {"config": "{}"},
}
"""What a new row has where the file says nothing."""
_PERSON: Final = ("display_name", "email", "phone", "trust", "verification")
_AGENT: Final = ("person", "role", "environment", "clearance")
_UNIT: Final = ("kind", "parent", "name", "config")


async def sync(store: PeopleStore, file: PeopleFile, own: OwnAgents) -> bool:
    """Let the store say what the file says; whether that changed anything.

    Raises:
        SettingsError: something cannot be as the file says, and nothing was changed.
        StorageError: it cannot be written.
    """
    wanted = rows_of(file, own.did, own.is_own)

    def work(connection: Connection) -> Change[bool]:
        before = _present(connection)
        people, agents = difference(before.people, wanted.people), difference(before.agents, wanted.agents)
        units = difference(before.units, wanted.units)
        now = store.clock.now()
        _units(connection, units, now)
        _agents(connection, agents, now)  # before people: one that goes takes along what is its own by then
        _people(connection, people, now)
        members = difference(_memberships_of_file(connection), wanted.memberships)
        _memberships(connection, members, now)
        if not (people or agents or units or members):
            return Change(result=False)
        parts = {"people": people, "agents": agents, "units": units, "memberships": members}
        counts = {name: [len(part.new), len(part.changed), len(part.gone)] for name, part in parts.items()}
        return Change(result=True, touched=None, record=recorded(OWNER, "read_file", NAME, **counts))

    return await store.change(work)


def _present(connection: Connection) -> FileRows:
    def rows(table: sa.Table, key: str, columns: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        query = sa.select(table).where(table.c.origin == ORIGIN)
        return {getattr(row, key): {c: getattr(row, c) for c in columns} for row in connection.execute(query)}

    return FileRows(
        people=rows(person, "id", _PERSON),
        agents=rows(person_agent, "did", _AGENT),
        units=rows(unit, "id", _UNIT),
    )


def _memberships_of_file(connection: Connection) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    query = sa.select(membership).where(membership.c.origin == ORIGIN)
    return {(row.unit, row.member, row.role): {} for row in connection.execute(query)}


def _units(connection: Connection, units: Difference, now: datetime) -> None:
    """Units that go leave what the API put into them without a parent: it has fewer rights then, never more."""
    for gone in units.gone:
        connection.execute(sa.update(unit).where(unit.c.parent == gone).values(parent=None))
        unit_rows.delete(connection, gone)
    _write(connection, unit, "id", units, now)


def _people(connection: Connection, people: Difference, now: datetime) -> None:
    for gone in people.gone:
        forget(connection, gone)
    _write(connection, person, "id", people, now)


def _agents(connection: Connection, agents: Difference, now: datetime) -> None:
    for gone in agents.gone:
        mine = sa.and_(person_agent.c.did == gone, person_agent.c.origin == ORIGIN)
        connection.execute(sa.delete(person_agent).where(mine))
    _write(connection, person_agent, "did", agents, now)


def _memberships(connection: Connection, members: Difference, now: datetime) -> None:
    for unit_id, member, role in members.gone:
        connection.execute(sa.delete(membership).where(*_membership(unit_id, member, role)))
    for unit_id, member, role in members.new:
        if not unit_rows.enter(connection, unit_id, member, role, now, ORIGIN):
            taken = sa.update(membership).where(*_membership(unit_id, member, role))
            connection.execute(taken.values(origin=ORIGIN))


def _write(connection: Connection, table: sa.Table, key: str, rows: Difference, now: datetime) -> None:
    if rows.new:
        there = sa.select(table.c[key]).where(table.c[key].in_(sa.bindparam("keys", expanding=True)))
        for part in _parts(list(rows.new)):
            if taken := connection.execute(there, {"keys": part}).scalars().first():
                raise _taken(table.name, taken)
        unsaid = _UNSAID.get(table.name, {})
        plain = [{key: one, "origin": ORIGIN, "created_at": now, **unsaid, **row} for one, row in rows.new.items()]
        connection.execute(sa.insert(table), plain)
    for one, row in rows.changed.items():
        connection.execute(sa.update(table).where(table.c[key] == one).values(**row))


def _parts(keys: list[str], most: int = 500) -> Iterable[list[str]]:
    return (keys[start : start + most] for start in range(0, len(keys), most))


def _taken(what: str, key: str) -> SettingsError:
    return broken(NAME, f"{what} {key} is there already, made through the API: remove it there, or use another id")


def _membership(unit_id: str, member: str, role: str) -> tuple[sa.ColumnElement[bool], ...]:
    return membership.c.unit == unit_id, membership.c.member == member, membership.c.role == role
