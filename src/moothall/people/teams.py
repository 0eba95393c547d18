"""Teams: units with rules of their own for their members, other teams and joint projects (spec B §7.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.errors import InvalidInput, Told
from moothall.identity.principal import OWNER, Principal
from moothall.people import stored, unit_rows
from moothall.people.parties import checked_id, checked_party
from moothall.people.rights import check_api
from moothall.people.store import PeopleStore
from moothall.people.structure import OrganizationStructure
from moothall.people.team_rules import TeamRules
from moothall.people.units import MEMBER, TEAM, Membership, Unit
from moothall.people.units import OWNER as RULES
from moothall.storage.authority import unit

MOST_AT_ONCE: Final = 1_000
"""Members that a team begins with."""


class Team(BaseModel):
    """A team with its rules, and the first thousand of its members."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str = ""
    parent: str = ""
    rules: TeamRules = TeamRules()
    members: tuple[Membership, ...] = ()


class TeamRegistry:
    """The teams. Who acts is `by`; the node's own process unless given."""

    def __init__(self, store: PeopleStore, structure: OrganizationStructure) -> None:
        self._store, self._structure = store, structure

    async def create_team(
        self,
        team_id: str,
        members: Iterable[str],
        *,
        parent: str = "",
        name: str = "",
        owners: Iterable[str] = (),
        rules: TeamRules | None = None,
        by: Principal = OWNER,
    ) -> Team:
        """Make a team of these members (DIDs, ``user:NAME``) and owners, all of it or nothing.

        Who makes it owns it, too; members from outside of the units around are invited (`OrganizationStructure.add`).

        Raises:
            PermissionDeniedError: `by` does not rule the parent, or, where there is none, is not the operator.
            Conflict: the id is in use.
            InvalidInput: a name has no such form, or they are more than a thousand.
        """
        made = Unit(id=checked_id(team_id), kind=TEAM, parent=parent, name=name)
        roles = [(checked_party(party), MEMBER) for party in members] + [(checked_party(o), RULES) for o in owners]
        if len(roles) > MOST_AT_ONCE:
            raise InvalidInput("too many members at once", told=Told("people.members_most", {"most": MOST_AT_ONCE}))
        given = rules or TeamRules()

        def create(connection: Connection) -> Change[Team]:
            self._structure.insert(connection, made, by, given.model_dump_json())
            for party, role in roles:
                self._structure.take_in(connection, made.id, party, role, by)
            record = recorded(by, "create_team", made.id, parent=parent, members=len(roles))
            return Change(_shown(connection, made, given), unit_rows.touched(connection, made.id), record)

        return await self._store.change(create)

    async def get_team(self, team_id: str, *, by: Principal = OWNER) -> Team:
        """A team, for its members and for who rules it.

        Raises:
            PermissionDeniedError: `by` is neither.
            ServiceNotFoundError: there is no such team.
        """
        known, members = await self._structure.show(team_id, by=by)
        rules = await self._store.read(lambda connection: rules_of(connection, team_id))
        return Team(id=known.id, name=known.name, parent=known.parent, rules=rules, members=tuple(members))

    async def add_member(self, team_id: str, member: str, *, by: Principal = OWNER) -> Membership:
        """Take a member in; as `OrganizationStructure.add`."""
        return await self._structure.add(team_id, member, by=by)

    async def remove_member(self, team_id: str, member: str, *, by: Principal = OWNER) -> bool:
        """Take a member out, from the next call on; as `OrganizationStructure.drop`."""
        return await self._structure.drop(team_id, member, by=by)

    async def dissolve(self, team_id: str, *, by: Principal = OWNER) -> bool:
        """End a team, from the next call on; as `OrganizationStructure.remove`."""
        return await self._structure.remove(team_id, by=by)

    async def set_rules(self, team_id: str, rules: TeamRules, *, by: Principal = OWNER) -> Team:
        """Let the team have these rules, from the next call on; they bound what it has agreed on, too.

        Raises:
            PermissionDeniedError: `by` does not rule it.
            ServiceNotFoundError: there is no such team.
            Conflict: it stands in the operator's file, which says its rules.
        """

        def change(connection: Connection) -> Change[Team]:
            known = unit_rows.find(connection, team_id, by)
            unit_rows.check_owner(connection, team_id, by)
            if known.kind != TEAM:
                raise InvalidInput("it is no team", told=Told("people.no_team", {"unit": team_id}))
            team = _shown(connection, known, rules)
            if rules_of(connection, team_id) == rules:
                return Change(team)
            check_api(known.origin)
            connection.execute(sa.update(unit).where(unit.c.id == team_id).values(config=rules.model_dump_json()))
            return Change(team, None, recorded(by, "set_team_rules", team_id, rules=rules.model_dump(mode="json")))

        return await self._store.change(change)


def rules_of(connection: Connection, team_id: str) -> TeamRules:
    """The rules of a team; the usual ones where it has none of its own."""
    config = connection.execute(sa.select(unit.c.config).where(unit.c.id == team_id)).scalar_one_or_none()
    return TeamRules() if config is None else stored.team_rules(team_id, config)


def _shown(connection: Connection, known: Unit, rules: TeamRules) -> Team:
    members = tuple(unit_rows.members(connection, known.id))
    return Team(id=known.id, name=known.name, parent=known.parent, rules=rules, members=members)
