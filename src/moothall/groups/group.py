"""A group as an object: what it is at the moment that it was read, and what can be done in it (row GRP-03)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moothall.errors import Told, UsageError
from moothall.groups.channel import InternalCommunicationChannel
from moothall.groups.coordinator import GroupCoordinator
from moothall.groups.model import GroupPolicy
from moothall.identity.principal import OWNER, Principal

if TYPE_CHECKING:
    from moothall.groups.room import GroupRoom


class AgentGroup:
    """A group of agents (spec B §8.1).

    An `AgentGroupManager` gives those that a node keeps; `members` and `policy` are as they were when it was read, or
    changed by this object. Who acts through it is who it was read for.

    Attributes:
        group_id, owner, group_type: as they are kept.
        members: the DIDs of the active members.
        roles: of the members, in the group.
        policy: what holds inside.
        created_at: UTC.
        status: ``active`` or ``dissolved``.
        revision: of the group as it was read; a change of another state is refused.
        internal_channel: what is said in it.
        coordinator: of its tasks and messages.
    """

    def __init__(  # noqa: PLR0913 - those of the specification, and by name what a node knows of it
        self,
        group_id: str,
        owner: str,
        members: Iterable[str],
        group_type: str,
        *,
        policy: GroupPolicy | None = None,
        roles: Mapping[str, str] | None = None,
        created_at: datetime | None = None,
        status: str = "active",
        revision: int = 0,
        room: GroupRoom | None = None,
        by: Principal = OWNER,
    ) -> None:
        self.group_id, self.owner, self.group_type = group_id, owner, group_type
        self.members = list(dict.fromkeys(members))
        self.roles = dict(roles or {})
        self.policy = policy or GroupPolicy()
        self.created_at = created_at or datetime.now(UTC)
        self.status = status
        self.revision = revision
        self._room, self._by = room, by
        self.internal_channel = (
            room.talk.channel(group_id) if room is not None else InternalCommunicationChannel(group_id)
        )
        self.coordinator = room.coordinator(self, by) if room is not None else GroupCoordinator(self)

    async def add_member(self, member: str, role: str = "") -> None:
        """Take an agent in, or invite it. Raises as `Groups.add`."""
        await self._kept().call(self._by, "groups.add", group=self.group_id, member=member, role=role)
        await self.refresh()

    async def remove_member(self, member: str) -> None:
        """Take a member out. Raises as `Groups.remove`."""
        await self._kept().call(self._by, "groups.remove", group=self.group_id, member=member)
        await self.refresh()

    async def set_policy(self, policy: GroupPolicy) -> None:
        """Change what holds inside, for who rules it; of the state that this object shows.

        Raises:
            PermissionDeniedError: the caller does not rule it.
            Conflict: the group was changed meanwhile.
        """
        room = self._kept()
        await room.groups.change(self.group_id, policy=policy, revision=self.revision, by=self._by)
        await self.refresh()

    async def refresh(self) -> None:
        """Read it again."""
        fresh = await self._kept().open(self.group_id, self._by)
        self.owner, self.members, self.roles = fresh.owner, fresh.members, fresh.roles
        self.policy, self.status, self.revision = fresh.policy, fresh.status, fresh.revision

    def _kept(self) -> GroupRoom:
        if self._room is None:
            raise UsageError("this group is kept by no node", told=Told("groups.no_channel"))
        return self._room
