"""The table of delegations: how its rows are read and written. Each function runs on a connection of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.grants.model import MOST_LINKS, Grant
from moothall.storage.authority import delegation
from moothall.storage.prepared import Prepared

MOST_GIVEN: Final = 1_000
"""Delegations of one delegator that have not ended."""
MOST_HELD: Final = 200
"""Delegations to one delegate that count."""
MOST_FROM_HERE: Final = 100
"""Those that the operator may make in addition: strangers who lend somebody a lot keep nobody from that."""
MOST_BETWEEN: Final = 50
"""Those among them of one delegator."""
ENDED_KEPT: Final = 1_000
"""Delegations of one delegator that have ended and can be looked at still."""

FORMAT: Final = "jws"
_d: Final = delegation.c


@dataclass(frozen=True, slots=True)
class Row:
    """A row: a token as it was received, and columns that repeat its claims for look-ups."""

    id: str
    parent: str | None
    delegator: str
    delegate: str
    format: str
    token: str
    expires: int
    created_at: datetime
    revoked_at: datetime | None

    def agrees(self, grant: Grant) -> bool:
        """Whether the columns say what the token says; they can be changed by whoever writes to the database."""
        said = (grant.id, grant.parent, grant.delegator, grant.delegate, grant.expires, FORMAT)
        return said == (self.id, self.parent or "", self.delegator, self.delegate, self.expires, self.format)


def _upward(seed: sa.Select[str]) -> sa.Select[tuple[object, ...]]:
    """Some delegations and all that they stand on.

    One statement, so that what it finds was there at one moment; tampered rows may stand on each other in a circle.
    """
    first = sa.select(_d.id, _d.parent, sa.literal(1).label("n")).where(_d.id.in_(seed.scalar_subquery()))
    up = first.cte("up", recursive=True)
    up = up.union(
        sa.select(_d.id, _d.parent, (up.c.n + 1).label("n")).join(up, _d.id == up.c.parent).where(up.c.n < MOST_LINKS)
    )
    return sa.select(delegation).where(_d.id.in_(sa.select(up.c.id)))


_HELD: Final = (
    sa.select(_d.id)
    .where(_d.delegate == sa.bindparam("holder"), _d.expires > sa.bindparam("now"), _d.revoked_at.is_(None))
    .order_by(_d.created_at.desc(), _d.id)
    .limit(MOST_HELD + MOST_FROM_HERE)
)
_ENDING_AT: Final = Prepared(lambda _: _upward(_HELD))
_ANY_HELD: Final = Prepared(lambda _: sa.select(_d.id).where(_d.delegate == sa.bindparam("holder")).limit(1))
_WITH_PARENTS: Final = Prepared(lambda ids: _upward(sa.select(_d.id).where(_d.id.in_(ids))))


def ending_at(connection: Connection, holder: str, now: float) -> list[Row]:
    """The delegations to a holder that have not ended, the newest of them, and all that they stand on."""
    if not _ANY_HELD.rows(connection, holder=holder):
        return []  # nearly everybody: it is found in a third of the time
    return _made(_ENDING_AT.rows(connection, holder=holder, now=int(now)))


def with_parents(connection: Connection, ids: Sequence[str]) -> list[Row]:
    """These delegations and all that they stand on."""
    return _made(_WITH_PARENTS.rows(connection, ids))


def holders_below(connection: Connection, grant_id: str) -> frozenset[str]:
    """Whoever holds a delegation, or one that stands on it."""
    first = sa.select(_d.id, _d.delegate, sa.literal(1).label("n")).where(_d.id == grant_id)
    down = first.cte("down", recursive=True)
    down = down.union(
        sa.select(_d.id, _d.delegate, (down.c.n + 1).label("n"))
        .join(down, _d.parent == down.c.id)
        .where(down.c.n < MOST_LINKS)
    )
    return frozenset(connection.execute(sa.select(down.c.delegate).distinct()).scalars())


def page(
    connection: Connection, parties: sa.ColumnElement[bool], after: tuple[datetime, str] | None, limit: int
) -> list[Row]:
    """Delegations, the newest first."""
    found = sa.select(delegation).where(parties).order_by(_d.created_at.desc(), _d.id.desc()).limit(limit)
    if after is not None:
        at, last = after
        found = found.where(sa.or_(_d.created_at < at, sa.and_(_d.created_at == at, _d.id < last)))
    return _made(connection.execute(found))


def insert(connection: Connection, grant: Grant, token: str, at: datetime) -> None:
    """Keep a delegation, and forget the oldest ended ones of its delegator beyond `ENDED_KEPT`."""
    row = Row(grant.id, grant.parent or None, grant.delegator, grant.delegate, FORMAT, token, grant.expires, at, None)
    connection.execute(sa.insert(delegation).values({name: getattr(row, name) for name in Row.__slots__}))
    ended = sa.select(_d.id).where(_d.delegator == grant.delegator, _d.expires <= int(at.timestamp()))
    old = ended.order_by(_d.expires.desc()).offset(ENDED_KEPT).limit(ENDED_KEPT)
    connection.execute(sa.delete(delegation).where(_d.id.in_(old.scalar_subquery())))


def full(connection: Connection, grant: Grant, now: float, *, by_operator: bool = False) -> int:
    """The limit that one more delegation would pass; 0: none."""
    live = sa.select(sa.func.count()).select_from(delegation).where(_d.expires > int(now))
    held = live.where(_d.delegate == grant.delegate, _d.revoked_at.is_(None))
    limits = (
        (MOST_GIVEN, live.where(_d.delegator == grant.delegator)),
        (MOST_HELD + (MOST_FROM_HERE if by_operator else 0), held),
        (MOST_BETWEEN, held.where(_d.delegator == grant.delegator)),
    )
    return next((most for most, count in limits if connection.execute(count).scalar_one() >= most), 0)


def revoke(connection: Connection, grant_id: str, at: datetime) -> bool:
    """Take a delegation back; False: it was before, or there is none."""
    this = sa.update(delegation).where(_d.id == grant_id, _d.revoked_at.is_(None))
    return connection.execute(this.values(revoked_at=at)).rowcount > 0


def live(connection: Connection, ids: Collection[str]) -> bool:
    """Whether one of these has not been taken back."""
    found = sa.select(_d.id).where(_d.id.in_(list(ids)), _d.revoked_at.is_(None)).limit(1)
    return connection.execute(found).first() is not None


def _made(rows: Iterable[Any]) -> list[Row]:
    return [Row(**row._asdict()) for row in rows]


def standing_on(rows: Sequence[Row], end: str) -> tuple[Row, ...]:
    """The rows of one chain, from its root to the one with this id, as far as they are there."""
    by_id = {row.id: row for row in rows}
    found: list[Row] = []
    at: str | None = end
    while at and (row := by_id.get(at)) is not None and len(found) <= MOST_LINKS:
        found.append(row)
        at = row.parent
    return tuple(reversed(found))
