"""Who may drive a run: claim, renew, lie down, give back. SQLAlchemy Core, the same on both databases.

A lease is measured by the database's clock, never by a worker's. Whether a parked run is due is measured by the
worker's own clock, since its driver judges the same deadline by that clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from moothall.events import reading
from moothall.storage import schema

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from moothall.events.model import RunRecord

_RUN = schema.run.c


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is ours now; `failures` counts the unexpected ends of its driver in a row without progress."""

    record: RunRecord
    failures: int


def _database_clock(connection: Connection, seconds: float = 0.0) -> sa.ColumnElement[Any]:
    if connection.dialect.name == "postgresql":
        return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    return sa.func.strftime("%Y-%m-%dT%H:%M:%fZ", "now", f"{seconds:+.3f} seconds", type_=schema.Instant())


def claim(  # noqa: PLR0913 - the worker gives all of them by name
    connection: Connection,
    *,
    owner: str,
    kinds: Collection[str],
    now: datetime,
    lease: float,
    limit: int,
    children: bool = False,
    without: Collection[str] = (),
) -> tuple[list[Claim], datetime | None]:
    """Take up to `limit` open runs that nobody holds and that are due, those waiting longest first.

    With `children`, only runs that have a parent; never those named in `without`. Also tell when the next parked run is
    due.
    """
    free = sa.or_(_RUN.lease_until.is_(None), _RUN.lease_until < _database_clock(connection))
    due = sa.or_(_RUN.wake_at.is_(None), _RUN.wake_at <= now)
    wanted = [_RUN.status == "open", _RUN.kind.in_(kinds), due, free]
    if without:
        wanted.append(_RUN.id.not_in(without))
    if children:
        wanted.append(_RUN.parent.is_not(None))
    chosen = (
        sa.select(_RUN.id)
        .where(*wanted)
        .order_by(_RUN.wake_at.asc().nulls_first(), _RUN.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        sa.update(schema.run)
        .where(_RUN.id.in_(chosen))
        .values(owner=owner, epoch=_RUN.epoch + 1, wake_at=None, lease_until=_database_clock(connection, lease))
        .returning(*reading.RECORD, _RUN.failures)
    )
    claims = [Claim(reading.record(row), row["failures"]) for row in connection.execute(statement).mappings()]
    later = sa.select(sa.func.min(_RUN.wake_at)).where(_RUN.status == "open", _RUN.kind.in_(kinds), _RUN.wake_at > now)
    return claims, connection.execute(later).scalar_one()


def _mine(owner: str, runs: Collection[str]) -> sa.Select[Any]:
    """Lock rows in the order of their ids, so that two statements over many runs never wait for each other."""
    return (
        sa.select(_RUN.id)
        .where(_RUN.id.in_(runs), _RUN.owner == owner)
        .order_by(_RUN.id)
        .with_for_update(key_share=True)
    )


def renew(connection: Connection, *, owner: str, epochs: dict[str, int], lease: float) -> dict[str, int]:
    """Extend the leases we still hold; return for each of those runs the number of its postings.

    A run that lay down meanwhile stays without a lease: nobody drives it, and whoever wakes it must find it free.
    """
    statement = (
        sa.update(schema.run)
        .where(_RUN.id.in_(_mine(owner, epochs)), _RUN.status == "open", _RUN.lease_until.is_not(None))
        .values(lease_until=_database_clock(connection, lease))
        .returning(_RUN.id, _RUN.epoch, _RUN.inbox_n)
    )
    return {row.id: row.inbox_n for row in connection.execute(statement) if epochs[row.id] == row.epoch}


def free(connection: Connection, *, owner: str) -> None:
    """Give up every lease of this node; `wake_at` stays, so whoever comes next goes on when the runs are due.

    At its end a worker frees its own; at its start, those of a dead process: the directory lock proves that it is.
    """
    held = sa.select(_RUN.id).where(_RUN.owner == owner, _RUN.status == "open", _RUN.lease_until.is_not(None))
    ordered = held.order_by(_RUN.id).with_for_update(key_share=True)
    connection.execute(sa.update(schema.run).where(_RUN.id.in_(ordered)).values(lease_until=None))


def lie_down(connection: Connection, *, run: str, epoch: int, until: datetime, postings: int) -> bool:
    """Park a run until `until`, unless a posting came that its driver has not seen (then False)."""
    statement = (
        sa.update(schema.run)
        .where(_RUN.id == run, _RUN.epoch == epoch, _RUN.status == "open", _RUN.inbox_n == postings)
        .values(wake_at=until, lease_until=None, failures=0)
    )
    return connection.execute(statement).rowcount == 1


def retry_later(connection: Connection, *, run: str, epoch: int, until: datetime, failures: int) -> None:
    """Keep how often the driver failed in a row without progress, and let the run rest until `until`."""
    statement = (
        sa.update(schema.run)
        .where(_RUN.id == run, _RUN.epoch == epoch, _RUN.status == "open")
        .values(wake_at=until, lease_until=None, failures=failures)
    )
    connection.execute(statement)
