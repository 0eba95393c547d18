"""Groups and members as rows: what is read and written inside of transactions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from moothall.canonical import dumps, loads
from moothall.errors import Conflict, InvalidInput, Told
from moothall.groups.model import MOST_JOINED, MOST_MEMBERS, MOST_OWNED, Group, GroupPolicy, Member, NoAccess
from moothall.identity.principal import Principal
from moothall.people.rows import insert_new
from moothall.storage.grouped import agent_group, group_member
from moothall.telemetry import logger

_AT_ONCE: Final = 500
_CLOSED: Final = GroupPolicy(messages="deny")
_log = logger("groups")


def find(connection: Connection, group_id: str) -> Group | None:
    """A group."""
    row = connection.execute(sa.select(agent_group).where(agent_group.c.id == group_id)).one_or_none()
    return None if row is None else made_group(row)


def ruled(connection: Connection, group_id: str, by: Principal, revision: int | None = None) -> Group:
    """A group that `by` rules: its owner, or the operator of this node.

    Raises:
        NoAccess: it does not, or there is no such group.
        Conflict: the group is not what it was when it was read.
    """
    group = find(connection, group_id)
    if group is None or not rules(group, by):
        raise NoAccess
    if revision is not None and revision != group.revision:
        raise Conflict("the group was changed meanwhile", told=Told("groups.changed"))
    return group


def rules(group: Group, by: Principal) -> bool:
    """Whether somebody rules a group."""
    return by.operator or (by.verified and by.id == group.owner)


def member_of(connection: Connection, group_id: str, did: str) -> Member | None:
    """One member, invited or active."""
    query = sa.select(group_member).where(group_member.c.group_id == group_id, group_member.c.member == did)
    row = connection.execute(query).one_or_none()
    return None if row is None else made_member(row)


def members(
    connection: Connection, group_id: str, *, after: str = "", limit: int = MOST_MEMBERS, active: bool = False
) -> list[Member]:
    """Members by their DIDs."""
    table = group_member.c
    query = sa.select(group_member).where(table.group_id == group_id, table.member > after)
    if active:
        query = query.where(table.state == "active")
    return [made_member(row) for row in connection.execute(query.order_by(table.member).limit(limit))]


def some(connection: Connection, group_id: str, dids: Iterable[str]) -> Mapping[str, Member]:
    """Those of these who are active members."""
    table = group_member.c
    query = sa.select(group_member).where(
        table.group_id == group_id, table.member.in_(list(dids)), table.state == "active"
    )
    return {row.member: made_member(row) for row in connection.execute(query)}


def groups_of(connection: Connection, did: str) -> frozenset[str]:
    """Ids of the groups that somebody is an active member of."""
    query = sa.select(group_member.c.group_id).where(group_member.c.member == did, group_member.c.state == "active")
    return frozenset(connection.execute(query).scalars())


def groups_of_each(connection: Connection, dids: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """The same for several, a query for `_AT_ONCE` of them; of who is in none it says nothing."""
    table, found, wanted = group_member.c, dict[str, set[str]](), sorted(set(dids))
    for place in range(0, len(wanted), _AT_ONCE):
        these = table.member.in_(wanted[place : place + _AT_ONCE])
        query = sa.select(table.member, table.group_id).where(these, table.state == "active")
        for row in connection.execute(query):
            found.setdefault(row.member, set()).add(row.group_id)
    return {did: frozenset(groups) for did, groups in found.items()}


def seats_of_each(connection: Connection, dids: Iterable[str]) -> Mapping[str, list[tuple[Group, Member]]]:
    """The groups that each of these is an active member of, and as what; each group is read once."""
    table, wanted = group_member.c, sorted(set(dids))
    found: list[Any] = []
    for place in range(0, len(wanted), _AT_ONCE):
        these = table.member.in_(wanted[place : place + _AT_ONCE])
        found += connection.execute(sa.select(group_member).where(these, table.state == "active"))
    groups, ids = dict[str, Group](), sorted({row.group_id for row in found})
    for place in range(0, len(ids), _AT_ONCE):
        query = sa.select(agent_group).where(agent_group.c.id.in_(ids[place : place + _AT_ONCE]))
        groups |= {row.id: made_group(row) for row in connection.execute(query)}
    seats: dict[str, list[tuple[Group, Member]]] = {}
    for row in found:
        if (group := groups.get(row.group_id)) is not None and group.active:
            seats.setdefault(row.member, []).append((group, made_member(row)))
    return seats


def touched(connection: Connection, group_id: str) -> frozenset[str]:
    """Whose facts a change of the whole group changes: all its members."""
    query = sa.select(group_member.c.member).where(group_member.c.group_id == group_id)
    return frozenset(connection.execute(query).scalars())


def insert(connection: Connection, group: Group) -> bool:
    """Insert a group; False where one of that id is there."""
    values = group.model_dump(exclude={"policy", "secondary"})
    values |= {"policy": group.policy.model_dump_json(), "secondary": dumps(group.secondary).decode()}
    return insert_new(connection, agent_group, **values)


def edit(connection: Connection, group: Group, now: datetime, **values: object) -> Group:
    """Write other values over a group that was read in this transaction; it has the next revision then.

    Raises:
        Conflict: somebody else has written in between.
    """
    after = group.model_copy(update={**values, "revision": group.revision + 1, "updated_at": now})
    written = after.model_dump(include={*values, "revision", "updated_at"} - {"policy", "secondary"})
    if "policy" in values:
        written["policy"] = after.policy.model_dump_json()
    if "secondary" in values:
        written["secondary"] = dumps(after.secondary).decode()
    wanted = sa.update(agent_group).where(agent_group.c.id == group.id, agent_group.c.revision == group.revision)
    if connection.execute(wanted.values(**written)).rowcount != 1:
        raise Conflict("the group was changed meanwhile", told=Told("groups.changed"))
    return after


def enter(connection: Connection, group_id: str, member: Member) -> None:
    """Insert a member, or write it over the row that it has."""
    values = {"role": member.role, "state": member.state, "joined_at": member.joined_at}
    if insert_new(connection, group_member, group_id=group_id, member=member.member, **values):
        return
    table = group_member.c
    where = sa.and_(table.group_id == group_id, table.member == member.member)
    connection.execute(sa.update(group_member).where(where).values(**values))


def take_out(connection: Connection, group_id: str, did: str = "") -> None:
    """Delete a member, or all."""
    where = [group_member.c.group_id == group_id, *([group_member.c.member == did] if did else [])]
    connection.execute(sa.delete(group_member).where(*where))


def check_room(connection: Connection, group_id: str, more: int = 1) -> None:
    """There is room for more members.

    Raises:
        Conflict: there is not.
    """
    count = sa.select(sa.func.count()).select_from(group_member).where(group_member.c.group_id == group_id)
    if connection.execute(count).scalar_one() + more > MOST_MEMBERS:
        raise Conflict("the group has too many members", told=Told("groups.members_most", {"most": MOST_MEMBERS}))


def check_places(connection: Connection, dids: Iterable[str]) -> None:
    """Nobody of these is in more than `MOST_JOINED` groups.

    Raises:
        Conflict: somebody is.
    """
    table = group_member.c
    query = (
        sa.select(table.member)
        .where(table.member.in_(list(dids)), table.state == "active")
        .group_by(table.member)
        .having(sa.func.count() > MOST_JOINED)
        .limit(1)
    )
    if connection.execute(query).first() is not None:
        raise Conflict("a member is in too many groups", told=Told("groups.joined_most", {"most": MOST_JOINED}))


def check_owned(connection: Connection, owner: str) -> None:
    """An owner has no more than `MOST_OWNED` groups.

    Raises:
        Conflict: it has more.
    """
    table = agent_group.c
    count = sa.select(sa.func.count()).select_from(agent_group).where(table.owner == owner, table.status == "active")
    if connection.execute(count).scalar_one() > MOST_OWNED:
        raise Conflict("the owner has too many groups", told=Told("groups.owned_most", {"most": MOST_OWNED}))


def check_some(dids: Iterable[str]) -> None:
    """Refuse more than `MOST_MEMBERS` at once. Raises InvalidInput."""
    if len(list(dids)) > MOST_MEMBERS:
        raise InvalidInput("too many members", told=Told("groups.members_most", {"most": MOST_MEMBERS}))


def made_group(row: Any) -> Group:  # noqa: ANN401 - a row of the table
    """A row of `agent_group`; where its policy says nothing that has a meaning, nobody may send to anybody."""
    try:
        policy = GroupPolicy.model_validate_json(row.policy)
    except ValidationError:
        _log.error("in the group %s nobody may say anything: its row in the store is broken", row.id)
        policy = _CLOSED
    return Group(
        id=row.id,
        kind=row.kind,
        title=row.title,
        owner=row.owner,
        status=row.status,
        policy=policy,
        secondary=loads(row.secondary),
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def made_member(row: Any) -> Member:  # noqa: ANN401 - a row of the table
    """A row of `group_member`."""
    return Member(member=row.member, role=row.role, state=row.state, joined_at=row.joined_at)
