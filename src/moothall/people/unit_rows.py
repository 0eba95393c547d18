"""Units and their members as rows: what several rooms of people read and write in their transactions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.errors import Conflict, ServiceNotFoundError, Told
from moothall.identity.principal import Principal
from moothall.people import rows
from moothall.people.parties import user
from moothall.people.rights import NotAllowed, check_one_of
from moothall.people.slices import ABOVE
from moothall.people.units import INVITED, OWNER, Membership, Unit, upwards
from moothall.storage.authority import collaboration, membership, unit

SHOWN: Final = 1_000
"""Members that are shown at once."""
MOST_PLACES: Final = 200
"""Roles in units that somebody is given by others than the operator: each of them costs in every decision about it."""


def find(connection: Connection, unit_id: str, by: Principal) -> Unit:
    """A unit.

    Raises:
        ServiceNotFoundError: there is none, and `by` is the operator.
        NotAllowed: there is none, and nobody else learns that.
    """
    row = connection.execute(sa.select(unit).where(unit.c.id == unit_id)).one_or_none()
    if row is None:
        if by.operator:
            raise ServiceNotFoundError("no such unit", told=Told("people.no_unit"))
        raise NotAllowed
    return made_unit(row)


def line(connection: Connection, unit_id: str) -> tuple[str, ...]:
    """A unit and all that contain it, upwards; none where it is no unit."""
    parents = {row.id: row.parent for row in ABOVE.rows(connection, [unit_id])}
    return tuple(at for at in upwards(parents, [unit_id]) if at in parents)


def owners(connection: Connection, units: Collection[str]) -> frozenset[str]:
    """Who rules any of these units."""
    query = sa.select(membership.c.member).where(membership.c.unit.in_(units), membership.c.role == OWNER)
    return frozenset(connection.execute(query).scalars())


def check_owner(connection: Connection, unit_id: str, by: Principal) -> None:
    """Only who rules the unit, or one that contains it, and the operator go on. Raises NotAllowed."""
    if not by.operator:
        check_one_of(by, owners(connection, line(connection, unit_id)))


def belongs(connection: Connection, units: Collection[str], member: str) -> bool:
    """Whether somebody is in one of these units, not only invited."""
    query = sa.select(membership.c.unit).where(
        membership.c.unit.in_(units), membership.c.member == member, membership.c.role != INVITED
    )
    return connection.execute(query.limit(1)).first() is not None


def belongs_under(connection: Connection, top: str, party: str) -> bool:
    """Whether somebody, or its person, is in this unit or any that it contains, not only invited."""
    agent = rows.agent_of(connection, party)
    parties = [party] if agent is None else [party, user(agent.user_id)]
    query = sa.select(membership.c.unit).where(membership.c.member.in_(parties), membership.c.role != INVITED)
    units = list(connection.execute(query).scalars())
    return bool(units) and any(row.id == top for row in ABOVE.rows(connection, units))


def members(connection: Connection, unit_id: str, after: str = "") -> list[Membership]:
    """The next members of a unit, after the member `after`."""
    query = (
        sa.select(membership)
        .where(membership.c.unit == unit_id, membership.c.member > after)
        .order_by(membership.c.member, membership.c.role)
        .limit(SHOWN)
    )
    return [made_membership(row) for row in connection.execute(query)]


def touched(connection: Connection, unit_id: str) -> frozenset[str] | None:
    """Whose facts a change of this unit's own rules may change: its members; None where there are too many to name."""
    query = sa.select(membership.c.member).distinct().where(membership.c.unit == unit_id).limit(rows.MOST_TOUCHED + 1)
    return rows.parties_of(connection, connection.execute(query).scalars())


def enter(connection: Connection, unit_id: str, member: str, role: str, at: datetime, origin: str = "api") -> bool:
    """Insert a membership; False where it is there."""
    values = {"unit": unit_id, "member": member, "role": role, "origin": origin, "created_at": at}
    return rows.insert_new(connection, membership, **values)


def check_places(connection: Connection, member: str) -> None:
    """Whoever was given a place by others has no more than `MOST_PLACES`.

    Raises:
        Conflict: it has more.
    """
    count = sa.select(sa.func.count()).select_from(membership).where(membership.c.member == member)
    if connection.execute(count).scalar_one() > MOST_PLACES:
        raise Conflict("the member is in too many units", told=Told("people.places_most", {"most": MOST_PLACES}))


def delete(connection: Connection, unit_id: str) -> None:
    """Take out a unit with its memberships and agreements."""
    either = sa.or_(collaboration.c.host == unit_id, collaboration.c.guest == unit_id)
    connection.execute(sa.delete(collaboration).where(either))
    connection.execute(sa.delete(membership).where(membership.c.unit == unit_id))
    connection.execute(sa.delete(unit).where(unit.c.id == unit_id))


def made_unit(row: Any) -> Unit:  # noqa: ANN401 - a row of the table
    """A row of `unit`."""
    return Unit(id=row.id, kind=row.kind, parent=row.parent or "", name=row.name, origin=row.origin)


def made_membership(row: Any) -> Membership:  # noqa: ANN401 - a row of the table
    """A row of `membership`."""
    joined = row.role != INVITED
    return Membership(unit=row.unit, member=row.member, role=row.role if joined else "member", joined=joined)
