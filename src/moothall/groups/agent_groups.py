"""The manager of groups under the names of the specification (spec B §8.1; rows GRP-01, GRP-02, GRP-04)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.calls.hub import get_current_sdk
from moothall.errors import Told, UsageError
from moothall.groups import rows
from moothall.groups.group import AgentGroup
from moothall.groups.links.register import Links
from moothall.groups.links.relations import InterGroupRelations
from moothall.groups.model import Group, GroupPolicy, Member, no_access
from moothall.groups.room import GroupRoom
from moothall.identity.principal import OWNER, Principal
from moothall.people.parties import person_named, user
from moothall.people.rights import is_person
from moothall.storage.grouped import agent_group

_PAGE = 200


class UserGroups:
    """The groups of each user: ``await user_groups.get(user_id)`` gives them by their ids."""

    def __init__(self, room: GroupRoom, by: Principal) -> None:
        self._room, self._by = room, by

    async def get(self, user_id: str) -> dict[str, AgentGroup]:
        """The active groups that a user owns, by their ids.

        Raises:
            PermissionDeniedError: who asks is neither that user nor the operator.
        """
        if not (self._by.operator or is_person(self._by, user_id)):
            raise no_access()

        def found(connection: Connection) -> list[tuple[Group, list[Member]]]:
            table = agent_group.c
            query = sa.select(agent_group).where(table.owner == user(user_id), table.status == "active")
            groups = [rows.made_group(row) for row in connection.execute(query.order_by(table.id))]
            return [(group, rows.members(connection, group.id, active=True)) for group in groups]

        known = await self._room.groups.store.read(found)
        return {group.id: self._room.shown(group, members, self._by) for group, members in known}

    async def __aiter__(self) -> AsyncIterator[tuple[str, dict[str, AgentGroup]]]:
        """Every user with a group, for the operator."""
        if not self._by.operator:
            raise no_access()
        table, after = agent_group.c, ""
        while True:
            query = sa.select(table.owner).distinct().where(table.owner > after, table.owner.like("user:%"))
            page = query.order_by(table.owner).limit(_PAGE)
            owners = await self._room.groups.store.read(partial(_texts, page))
            for owner in owners:
                if groups := await self.get(person_named(owner)):
                    yield person_named(owner), groups
            if not owners:
                return
            after = owners[-1]


class GroupPolicies:
    """The policy of each group, by its id, for its members and who rules it."""

    def __init__(self, room: GroupRoom, by: Principal) -> None:
        self._room, self._by = room, by

    async def get(self, group_id: str) -> GroupPolicy:
        """The policy of a group.

        Raises:
            PermissionDeniedError: who asks has no access to it, or there is none.
        """
        return (await self._room.open(group_id, self._by)).policy

    async def set(self, group_id: str, policy: GroupPolicy, *, revision: int | None = None) -> GroupPolicy:
        """Write it anew, for who rules the group. Raises as `Groups.change`."""
        return (await self._room.groups.change(group_id, policy=policy, revision=revision, by=self._by)).policy


class AgentGroupManager:
    """The groups of a node, for one who acts: the node's own process, unless ``by`` says another.

    Args:
        sdk: the node; the one that is current (`using`) unless given.
        by: who acts.

    Attributes:
        user_groups: the groups of each user, by their ids.
        group_policies: what holds in each group.
        inter_group_relations: which groups have links with which.
    """

    def __init__(self, sdk: object | None = None, *, by: Principal = OWNER) -> None:
        self.room = room_of(sdk if sdk is not None else get_current_sdk())
        self._by = by
        self.user_groups = UserGroups(self.room, by)
        self.group_policies = GroupPolicies(self.room, by)
        self.inter_group_relations = InterGroupRelations(Links(self.room.groups.store), by)

    async def create_user_agent_group(
        self, user_id: str, agents: Iterable[str], policy: GroupPolicy | None = None
    ) -> AgentGroup:
        """Make the group of a user's agents, ``user_{user_id}_agents``; made again with the same, nothing changes.

        Raises:
            PermissionDeniedError: an agent is not that user's, or who acts is neither the user nor the operator.
            Conflict: the group is there, with other agents.
        """
        dids = list(agents)
        inside = policy or self.create_personal_group_policy(user_id, dids)
        made = await self.room.groups.create_personal(user_id, dids, inside, by=self._by)
        return self.room.shown(made, await self.room.groups.store.members(made.id), self._by)

    def create_personal_group_policy(self, user_id: str, agents: Iterable[str]) -> GroupPolicy:
        """What holds among the agents of one user: all may write to each other, and nobody comes in by itself."""
        del user_id, agents  # the same for everybody, until its user says otherwise
        return GroupPolicy(join="invitation", messages="allow")

    async def create_group(self, group_id: str = "", members: Iterable[str] = (), **options: Any) -> AgentGroup:  # noqa: ANN401 - those of `Groups.create`
        """Make another group, for whoever acts. Raises as `Groups.create`."""
        made = await self.room.groups.create(group_id, members, **options, by=self._by)
        return self.room.shown(made, await self.room.groups.store.members(made.id), self._by)

    async def get_group(self, group_id: str) -> AgentGroup:
        """A group, for its members and who rules it. Raises PermissionDeniedError."""
        return await self.room.open(group_id, self._by)


def room_of(sdk: object) -> GroupRoom:
    """The room of groups of a started node.

    Raises:
        UsageError: it is none.
    """
    room = getattr(getattr(getattr(sdk, "host", None), "grouping", None), "room", None)
    if not isinstance(room, GroupRoom):
        raise UsageError("groups need a started node", told=Told("groups.no_node"))
    return room


def _texts(query: sa.Select[Any], connection: Connection) -> list[str]:
    return list(connection.execute(query).scalars())
