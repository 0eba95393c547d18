"""Organisations, departments and teams, and who belongs to them (spec B §7.2, `OrganizationStructure`; row TEA-01)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.errors import Conflict, InvalidInput, Told
from moothall.identity.principal import OWNER, Principal
from moothall.people import rows, unit_rows
from moothall.people.facts import UnitKind
from moothall.people.parties import checked_id, checked_party
from moothall.people.rights import NotAllowed, check_api, check_one_of, check_operator
from moothall.people.store import PeopleStore
from moothall.people.units import INVITED, MEMBER, TEAM, Membership, Unit, check_forest, check_parent, check_role
from moothall.people.units import OWNER as RULES
from moothall.storage.authority import membership, unit


class OrganizationStructure:
    """The units. Who acts is `by`; the node's own process unless given.

    A unit is ruled by its owners, by those of the units around it, and by the node's operator.
    """

    def __init__(self, store: PeopleStore) -> None:
        self._store = store

    async def create(
        self, unit_id: str, kind: UnitKind, *, parent: str = "", name: str = "", by: Principal = OWNER
    ) -> Unit:
        """Make a unit; what nothing contains is made by the operator only. Who makes it owns it.

        Raises:
            PermissionDeniedError: `by` does not rule the parent.
            Conflict: the id is in use, or the units would contain each other too deep.
            InvalidInput: a unit of this kind has no such parent, or the id has no such form.
        """
        made = Unit(id=checked_id(unit_id), kind=kind, parent=parent, name=name)

        def create(connection: Connection) -> Change[Unit]:
            self.insert(connection, made, by)
            record = recorded(by, "create_unit", made.id, kind=kind, parent=parent)
            return Change(made, rows.parties_of(connection, [by.id]), record)

        return await self._store.change(create)

    def insert(self, connection: Connection, made: Unit, by: Principal, config: str = "{}") -> None:
        """Insert a unit, in a transaction of somebody else; raises as `create`, and NotAllowed."""
        _check_place(connection, made.kind, made.id, made.parent, by)
        values = made.model_dump() | {"parent": made.parent or None, "config": config}
        now = self._store.clock.now()
        if not rows.insert_new(connection, unit, created_at=now, **values):
            raise Conflict("a unit of that id is there", told=Told("people.unit_taken", {"unit": made.id}))
        if not by.operator:
            unit_rows.enter(connection, made.id, by.id, RULES, now)
            unit_rows.check_places(connection, by.id)

    async def move(self, unit_id: str, parent: str, *, by: Principal = OWNER) -> Unit:
        """Put a unit with all that it contains into another one.

        `by` has to rule the unit, and the uppermost one around the new parent, since its members come into all of them.
        Out of what it stands in altogether only the operator moves it: its members never joined anything else, and
        would offer to that what they offer to their own organisation.

        Raises:
            PermissionDeniedError, Conflict, InvalidInput: as `create`; Conflict, too: it stands in the file.
        """

        def move(connection: Connection) -> Change[Unit]:
            known = unit_rows.find(connection, unit_id, by)
            unit_rows.check_owner(connection, unit_id, by)
            check_api(known.origin)
            if known.parent == parent:
                return Change(known)
            _check_place(connection, known.kind, unit_id, parent, by)
            if parent and not by.operator:
                top = unit_rows.line(connection, parent)[-1:]
                check_one_of(by, unit_rows.owners(connection, top))
                if unit_rows.line(connection, unit_id)[-1:] != top:
                    raise NotAllowed
            connection.execute(sa.update(unit).where(unit.c.id == unit_id).values(parent=parent or None))
            moved = known.model_copy(update={"parent": parent})
            return Change(moved, None, recorded(by, "move_unit", unit_id, before=known.parent, parent=parent))

        return await self._store.change(move)

    async def remove(self, unit_id: str, *, by: Principal = OWNER) -> bool:
        """Dissolve a unit, from the next call on, with its memberships and what it agreed on.

        Raises:
            PermissionDeniedError: `by` does not rule it.
            ServiceNotFoundError: there is none.
            Conflict: it contains others, or stands in the operator's file.
        """

        def remove(connection: Connection) -> Change[bool]:
            known = unit_rows.find(connection, unit_id, by)
            unit_rows.check_owner(connection, unit_id, by)
            check_api(known.origin)
            if connection.execute(sa.select(unit.c.id).where(unit.c.parent == unit_id).limit(1)).first():
                raise Conflict("the unit contains others", told=Told("people.unit_full", {"unit": unit_id}))
            # of a team somebody else may be the guest: what those have together ends, too
            touched = None if known.kind == TEAM else unit_rows.touched(connection, unit_id)
            unit_rows.delete(connection, unit_id)
            return Change(result=True, touched=touched, record=recorded(by, "remove_unit", unit_id, kind=known.kind))

        return await self._store.change(remove)

    async def add(self, unit_id: str, member: str, role: str = MEMBER, *, by: Principal = OWNER) -> Membership:
        """Take somebody in, or give a member a role: ``owner``, and in organisations a duty such as ``hr``.

        Who belongs to no unit of the same organisation (of the uppermost unit) is brought in by the owners of that one
        only, and counts once it has joined; whom the operator takes in counts at once.

        Raises:
            PermissionDeniedError: `by` may not.
            ServiceNotFoundError: there is no such unit.
            InvalidInput: the unit gives no such role, or `member` is neither a DID nor ``user:NAME``.
        """
        party = checked_party(member)

        def add(connection: Connection) -> Change[Membership]:
            known = unit_rows.find(connection, unit_id, by)
            check_role(known.kind, role)
            made, new = self.take_in(connection, unit_id, party, role, by)
            if not new:
                return Change(made)
            record = recorded(by, "add_member", unit_id, member=party, role=role, joined=made.joined)
            return Change(made, rows.parties_of(connection, [party]), record)

        return await self._store.change(add)

    def take_in(
        self, connection: Connection, unit_id: str, party: str, role: str, by: Principal
    ) -> tuple[Membership, bool]:
        """The same in a transaction of somebody else, and whether anything was written."""
        top = unit_rows.line(connection, unit_id)[-1]
        unit_rows.check_owner(connection, unit_id, by)
        counts = by.operator or unit_rows.belongs_under(connection, top, party)
        if not counts:
            check_one_of(by, unit_rows.owners(connection, [top]))
            if role != MEMBER:
                raise Conflict("nobody has a role who is no member yet", told=Told("people.not_joined"))
        written = role if counts else INVITED
        new = unit_rows.enter(connection, unit_id, party, written, self._store.clock.now())
        if new and not by.operator:
            unit_rows.check_places(connection, party)
        return Membership(unit=unit_id, member=party, role=role, joined=counts), new

    async def join(self, unit_id: str, *, by: Principal) -> Membership:
        """Become a member of a unit that invited the caller.

        Raises:
            PermissionDeniedError: it did not.
        """

        def join(connection: Connection) -> Change[Membership]:
            joined = Membership(unit=unit_id, member=by.id, role=MEMBER)
            if unit_rows.belongs(connection, [unit_id], by.id) and by.verified:
                return Change(joined)
            invited = _where(unit_id, by.id) & (membership.c.role == INVITED)
            if not by.verified or not connection.execute(sa.delete(membership).where(invited)).rowcount:
                raise NotAllowed
            unit_rows.enter(connection, unit_id, by.id, MEMBER, self._store.clock.now())
            record = recorded(by, "join_unit", unit_id)
            return Change(joined, rows.parties_of(connection, [by.id]), record)

        return await self._store.change(join)

    async def drop(self, unit_id: str, member: str, role: str = "", *, by: Principal = OWNER) -> bool:
        """Take a role from a member, or the member out with all roles, from the next call on; members may leave.

        False where it was no member, or had no such role.

        Raises:
            PermissionDeniedError: `by` is neither the member, nor rules the unit.
            Conflict: the operator's file says so.
        """

        def drop(connection: Connection) -> Change[bool]:
            if not by.operator:
                check_one_of(by, {member} | unit_rows.owners(connection, unit_rows.line(connection, unit_id)))
            gone = _where(unit_id, member)
            if role:
                gone &= membership.c.role == role
            for origin in connection.execute(sa.select(membership.c.origin).where(gone)).scalars():
                check_api(origin)
            if not connection.execute(sa.delete(membership).where(gone)).rowcount:
                return Change(result=False)
            record = recorded(by, "remove_member", unit_id, member=member, role=role)
            return Change(result=True, touched=rows.parties_of(connection, [member]), record=record)

        return await self._store.change(drop)

    async def show(self, unit_id: str, *, after: str = "", by: Principal = OWNER) -> tuple[Unit, list[Membership]]:
        """A unit and the next of its members, for them and for who rules it.

        Raises:
            PermissionDeniedError: `by` is neither.
            ServiceNotFoundError: there is no such unit.
        """

        def look(connection: Connection) -> tuple[Unit, list[Membership]]:
            known = unit_rows.find(connection, unit_id, by)
            if not (by.verified and unit_rows.belongs(connection, [unit_id], by.id)):
                unit_rows.check_owner(connection, unit_id, by)
            return known, unit_rows.members(connection, unit_id, after)

        return await self._store.read(look)


def _check_place(connection: Connection, kind: UnitKind, unit_id: str, parent: str, by: Principal) -> None:
    if not parent:
        return check_operator(by)
    found = connection.execute(sa.select(unit.c.kind).where(unit.c.id == parent)).scalar_one_or_none()
    if found is None:
        check_operator(by)
        raise InvalidInput("no such parent", told=Told("people.no_unit"))
    unit_rows.check_owner(connection, parent, by)
    check_parent(kind, found)
    return check_forest(unit_id, unit_rows.line(connection, parent))


def _where(unit_id: str, member: str) -> sa.ColumnElement[bool]:
    return sa.and_(membership.c.unit == unit_id, membership.c.member == member)
