"""What is told of groups, and to whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from moothall.groups import rows
from moothall.groups.membership import Groups
from moothall.groups.model import Group, GroupPolicy, Member, NoAccess
from moothall.identity.principal import Principal
from moothall.storage.grouped import agent_group, group_member

MOST_LISTED = 200


class GroupView(BaseModel):
    """A group, as those see it who are in it, were invited, or rule it; ``state``: what the reader is in it."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    title: str
    owner: str
    status: str
    revision: int
    created_at: datetime
    state: str = ""
    policy: GroupPolicy | None = None
    members: list[Member] | None = None
    handlers: list[str] | None = None

    @classmethod
    def of(cls, group: Group, state: str, **more: Any) -> GroupView:  # noqa: ANN401 - fields of it
        """A group, told."""
        return cls(
            id=group.id,
            kind=group.kind,
            title=group.title,
            owner=group.owner,
            status=group.status,
            revision=group.revision,
            created_at=group.created_at,
            state=state,
            **more,
        )


async def show(groups: Groups, group_id: str, by: Principal, handlers: Iterable[tuple[str, str]]) -> GroupView:
    """One group; who is only invited is not told who is in it.

    Args:
        groups: all of them.
        group_id: which.
        by: who asks.
        handlers: DIDs with handlers that would hear its events; of those who are not in it nothing is told.

    Raises:
        PermissionDeniedError: the caller is not in it and does not rule it, or there is no such group.
    """
    me = groups.identity(by)

    def found(connection: Connection) -> GroupView:
        group = rows.find(connection, group_id)
        mine = rows.member_of(connection, group_id, me) if group is not None else None
        if group is None or not (mine or rows.rules(group, by)):
            raise NoAccess
        state = _state(group, mine, by)
        if state == "invited":
            return GroupView.of(group, state)
        members = rows.members(connection, group_id)
        active = {member.member for member in members if member.state == "active"}
        heard = [handler for did, handler in handlers if did in active]
        return GroupView.of(group, state, policy=group.policy, members=members, handlers=heard)

    return await groups.store.read(found)


async def listed(groups: Groups, by: Principal, *, after: str = "", limit: int = 50) -> list[GroupView]:
    """The groups that somebody is in, was invited to, or rules, by their ids; the operator sees all."""
    me = groups.identity(by)

    def found(connection: Connection) -> list[GroupView]:
        table, member = agent_group.c, group_member.c
        mine = {row.group_id: rows.made_member(row) for row in connection.execute(_of(me))}
        query = sa.select(agent_group).where(table.id > after)
        if not by.operator:
            inside = sa.select(member.group_id).where(member.member == me)
            query = query.where(sa.or_(table.owner == by.id, table.id.in_(inside)))
        chosen = connection.execute(query.order_by(table.id).limit(min(limit, MOST_LISTED)))
        made = [rows.made_group(row) for row in chosen]
        return [GroupView.of(group, _state(group, mine.get(group.id), by)) for group in made]

    return await groups.store.read(found)


def _of(did: str) -> sa.Select[Any]:
    return sa.select(group_member).where(group_member.c.member == did)


def _state(group: Group, mine: Member | None, by: Principal) -> str:
    if by.verified and by.id == group.owner:
        return "owner"
    if mine is not None:
        return mine.state
    return "operator" if by.operator else ""
