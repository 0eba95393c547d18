"""Units and what teams agree on, through this node: the capabilities ``teams.*``.

Each asks the principal who it is: owners of a unit or of one around it, members where they only read, the operator.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.spec import Action
from moothall.people.capabilities import ANYBODY
from moothall.people.collaborations import Agreement
from moothall.people.facts import UnitKind
from moothall.people.house import People
from moothall.people.team_authorization import TeamAuthorizationConfig
from moothall.people.team_rules import LONGEST, TeamRules
from moothall.people.teams import MOST_AT_ONCE, Team
from moothall.people.texts import Text
from moothall.people.units import MEMBER, Membership, Unit

Parties = Annotated[list[str], Field(max_length=MOST_AT_ONCE)]
Name = Annotated[Text, Field(max_length=200)]


class UnitAndMembers(BaseModel):
    """A unit, and the next of its members."""

    model_config = ConfigDict(frozen=True)

    unit: Unit
    members: list[Membership]


class TeamCapabilities:
    """The capabilities ``teams.*`` of a node."""

    def __init__(self, people: People) -> None:
        self._people = people

    @capability(name="teams.create", access=ANYBODY, action="manage")
    async def create(
        self,
        ctx: CallContext,
        team: Text,
        members: Parties,
        parent: Text = "",
        name: Name = "",
        owners: Parties | None = None,
        rules: TeamRules | None = None,
    ) -> TeamAuthorizationConfig:
        """Set a team up, with its members and rules."""
        ctx.firsthand()
        return await self._people.team_authorization.setup_team_authorization(
            team, members, parent=parent, name=name, owners=owners or (), rules=rules, by=ctx.principal
        )

    @capability(name="teams.create_unit", access=ANYBODY, action="manage")
    async def create_unit(
        self, ctx: CallContext, unit: Text, kind: UnitKind, parent: Text = "", name: Name = ""
    ) -> Unit:
        """Make an organisation, a department, or a team without members."""
        ctx.firsthand()
        return await self._people.structure.create(unit, kind, parent=parent, name=name, by=ctx.principal)

    @capability(name="teams.show", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def show(self, ctx: CallContext, unit: Text, after: Text = "") -> UnitAndMembers:
        """A unit and its members, a thousand at a time, after the member `after`."""
        found, members = await self._people.structure.show(unit, after=after, by=ctx.principal)
        return UnitAndMembers(unit=found, members=members)

    @capability(name="teams.add", access=ANYBODY, action="manage", idempotent=True)
    async def add(self, ctx: CallContext, unit: Text, member: Text, role: Text = MEMBER) -> Membership:
        """Take somebody into a unit, or give a member a role; who comes from outside is invited."""
        ctx.firsthand()
        return await self._people.structure.add(unit, member, role, by=ctx.principal)

    @capability(name="teams.join", access=ANYBODY, action="manage", idempotent=True)
    async def join(self, ctx: CallContext, unit: Text) -> Membership:
        """Become a member of a unit that invited the caller."""
        ctx.firsthand()
        return await self._people.structure.join(unit, by=ctx.principal)

    @capability(name="teams.remove", access=ANYBODY, action="manage", destructive=True, idempotent=True)
    async def remove(self, ctx: CallContext, unit: Text, member: Text, role: Text = "") -> bool:
        """Take a member out of a unit, or one role from it; members may leave."""
        ctx.firsthand()
        return await self._people.structure.drop(unit, member, role, by=ctx.principal)

    @capability(name="teams.move", access=ANYBODY, action="manage", idempotent=True)
    async def move(self, ctx: CallContext, unit: Text, parent: Text) -> Unit:
        """Put a unit with all that it contains into another one."""
        ctx.firsthand()
        return await self._people.structure.move(unit, parent, by=ctx.principal)

    @capability(name="teams.dissolve", access=ANYBODY, action="manage", destructive=True)
    async def dissolve(self, ctx: CallContext, unit: Text) -> bool:
        """End a unit that contains no others, with its memberships and agreements."""
        ctx.firsthand()
        return await self._people.structure.remove(unit, by=ctx.principal)

    @capability(name="teams.rules", access=ANYBODY, action="manage", idempotent=True)
    async def rules(self, ctx: CallContext, team: Text, rules: TeamRules) -> Team:
        """Give a team other rules; they bound what it has agreed on, too."""
        ctx.firsthand()
        return await self._people.teams.set_rules(team, rules, by=ctx.principal)

    @capability(name="teams.propose", access=ANYBODY, action="manage")
    async def propose(
        self,
        ctx: CallContext,
        host: Text,
        guest: Text,
        actions: list[Action],
        capabilities: Annotated[list[str], Field(max_length=1000)] | None = None,
        project: Name = "",
        seconds: Annotated[int, Field(gt=0, le=LONGEST)] | None = None,
    ) -> Agreement:
        """Propose that a team's members may act at another team's agents; it counts once both teams have agreed."""
        ctx.firsthand()
        return await self._people.collaborations.propose(
            host, guest, actions, capabilities=capabilities or (), project=project, seconds=seconds, by=ctx.principal
        )

    @capability(name="teams.agree", access=ANYBODY, action="manage", idempotent=True)
    async def agree(self, ctx: CallContext, agreement: Text) -> Agreement:
        """Agree to a proposal, for the team that has not yet."""
        ctx.firsthand()
        return await self._people.collaborations.agree(agreement, by=ctx.principal)

    @capability(name="teams.withdraw", access=ANYBODY, action="manage", destructive=True)
    async def withdraw(self, ctx: CallContext, agreement: Text) -> bool:
        """Take an agreement or proposal back, for one of its teams."""
        ctx.firsthand()
        return await self._people.collaborations.withdraw(agreement, by=ctx.principal)

    @capability(name="teams.agreements", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def agreements(self, ctx: CallContext, team: Text) -> list[Agreement]:
        """What a team agreed on and was asked for, for its members."""
        return await self._people.collaborations.of(team, by=ctx.principal)
