"""Links as rows: what is read and written inside of transactions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from moothall.groups.links.model import ConnectionType, InterGroupConnection, InterGroupPolicy
from moothall.storage.grouped import group_link
from moothall.telemetry import logger

MOST: Final = 1_000
"""Links that are listed at once."""

_OPEN: Final = ("proposed", "active")
_log = logger("groups")


def find(connection: Connection, link_id: str) -> InterGroupConnection | None:
    """A link."""
    row = connection.execute(sa.select(group_link).where(group_link.c.id == link_id)).one_or_none()
    return None if row is None else made(row)


def between(
    connection: Connection, one: str, other: str, kind: ConnectionType | None = None
) -> list[InterGroupConnection]:
    """The links of two groups that nobody has closed, the oldest first."""
    table = group_link.c
    where = [table.first == min(one, other), table.second == max(one, other), table.state.in_(_OPEN)]
    where += [table.kind == kind] if kind else []
    return _made(connection, sa.select(group_link).where(*where).order_by(table.created_at, table.id))


def active_of(
    connection: Connection, groups: Collection[str], now: datetime, kind: str = ""
) -> list[InterGroupConnection]:
    """The links of these groups that hold now."""
    table = group_link.c
    ends = sa.or_(table.first.in_(list(groups)), table.second.in_(list(groups)))
    where = [ends, table.state == "active", sa.or_(table.expires_at.is_(None), table.expires_at > now)]
    where += [table.kind == kind] if kind else []
    return _made(connection, sa.select(group_link).where(*where).order_by(table.id).limit(MOST))


def of_group(connection: Connection, group: str, *, after: str = "", limit: int = MOST) -> list[InterGroupConnection]:
    """All links of a group, those that are over as well, by their ids."""
    table = group_link.c
    ends = sa.or_(table.first == group, table.second == group)
    return _made(connection, sa.select(group_link).where(ends, table.id > after).order_by(table.id).limit(limit))


def open_of(connection: Connection, group: str) -> list[InterGroupConnection]:
    """All links of a group that nobody has closed, however many it had before."""
    table = group_link.c
    ends = sa.or_(table.first == group, table.second == group)
    return _made(connection, sa.select(group_link).where(ends, table.state.in_(_OPEN)).order_by(table.id))


def count_open(connection: Connection, group: str) -> int:
    """How many links of a group nobody has closed."""
    table = group_link.c
    ends = sa.or_(table.first == group, table.second == group)
    query = sa.select(sa.func.count()).select_from(group_link).where(ends, table.state.in_(_OPEN))
    return int(connection.execute(query).scalar_one())


def next_end(connection: Connection) -> datetime | None:
    """When the next link ends by itself."""
    query = sa.select(sa.func.min(group_link.c.expires_at)).where(group_link.c.state.in_(_OPEN))
    found: datetime | None = connection.execute(query).scalar_one_or_none()
    return found


def ended(connection: Connection, now: datetime) -> list[InterGroupConnection]:
    """Those whose time is up and which nobody has closed."""
    table = group_link.c
    return _made(connection, sa.select(group_link).where(table.state.in_(_OPEN), table.expires_at <= now).limit(MOST))


def insert(connection: Connection, link: InterGroupConnection) -> None:
    """Keep a new link."""
    connection.execute(sa.insert(group_link).values(**_values(link)))


def write(connection: Connection, link: InterGroupConnection) -> None:
    """Keep what became of a link."""
    values = _values(link)
    connection.execute(sa.update(group_link).where(group_link.c.id == values.pop("id")).values(**values))


def made(row: Any) -> InterGroupConnection:  # noqa: ANN401 - a row of the table
    """A row of `group_link`; over one that makes no sense nothing passes."""
    try:
        return InterGroupConnection(
            id=row.id,
            group1=row.first,
            group2=row.second,
            connection_type=row.kind,
            direction=row.direction,
            hops=row.hops,
            state=row.state,
            consent1=row.first_consent,
            consent2=row.second_consent,
            policy=InterGroupPolicy.model_validate_json(row.policy),
            established_at=row.created_at,
            expires_at=row.expires_at,
            closed_at=row.closed_at,
        )
    except ValidationError:
        _log.error("nothing passes over the link %s: its row in the store is broken", row.id)
        return InterGroupConnection(
            id=row.id,
            group1=row.first,
            group2=row.second,
            connection_type="message",
            state="closed",
            established_at=row.created_at,
        )


def _made(connection: Connection, query: sa.Select[Any]) -> list[InterGroupConnection]:
    rows: Sequence[Any] = connection.execute(query).all()
    return [made(row) for row in rows]


def _values(link: InterGroupConnection) -> dict[str, Any]:
    return {
        "id": link.id,
        "first": link.group1,
        "second": link.group2,
        "kind": link.connection_type,
        "direction": link.direction,
        "hops": link.hops,
        "state": link.state,
        "first_consent": link.consent1,
        "second_consent": link.consent2,
        "policy": link.policy.model_dump_json(),
        "expires_at": link.expires_at,
        "closed_at": link.closed_at,
        "created_at": link.established_at,
    }
