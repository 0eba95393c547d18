"""Reading runs, events and postings. SQLAlchemy Core, the same on both databases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from moothall.canonical import loads
from moothall.events.model import PUBLIC, Posting, RunRecord
from moothall.storage import schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from moothall.events.append import Row

RECORD = (
    schema.run.c.id,
    schema.run.c.kind,
    schema.run.c.status,
    schema.run.c.owner,
    schema.run.c.epoch,
    schema.run.c.wake_at,
    schema.run.c.created_at,
    schema.run.c.closed_at,
    schema.run.c.parent,
    schema.run.c.meta,
    schema.run.c.subject,
    schema.run.c.erased_at,
)
TOP_LEVEL = sa.func.coalesce(schema.run.c.parent, "") == ""
"""Runs that belong to no other. Plain ``IS NULL`` would make SQLite sort all of them by way of the index on parents."""

_PUBLIC = sa.or_(
    *(
        sa.and_(schema.event.c.type >= prefix, schema.event.c.type < prefix[:-1] + chr(ord(prefix[-1]) + 1))
        for prefix in PUBLIC
    )
)


def record(row: sa.RowMapping) -> RunRecord:
    """Build a record from a row that has the columns of `RECORD`, among others perhaps."""
    return RunRecord(
        id=row["id"],
        kind=row["kind"],
        status=row["status"],
        owner=row["owner"],
        epoch=row["epoch"],
        wake_at=row["wake_at"],
        created_at=row["created_at"],
        closed_at=row["closed_at"],
        parent=row["parent"],
        meta=loads(row["meta"]),
        subject=row["subject"],
        erased_at=row["erased_at"],
    )


def get_run(connection: Connection, run: str) -> RunRecord | None:
    """Return one run."""
    row = connection.execute(sa.select(*RECORD).where(schema.run.c.id == run)).mappings().one_or_none()
    return None if row is None else record(row)


def is_erased(connection: Connection, run: str) -> bool:
    """Whether a run was erased."""
    runs = schema.run.c
    return connection.execute(sa.select(runs.erased_at).where(runs.id == run)).scalar_one_or_none() is not None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs to list; see `EventLog.runs`."""

    kind: str | None = None
    status: str | None = None
    parent: str | None = None
    subject: str | None = None
    top_level: bool = False
    erased: bool = False


def list_runs(
    connection: Connection, wanted: Selection, *, limit: int, before: tuple[datetime, str] | None
) -> list[RunRecord]:
    """Return the newest runs first, those that come after `before` in that order."""
    table = schema.run.c
    query = sa.select(*RECORD).order_by(table.created_at.desc(), table.id.desc()).limit(limit)
    for column in (table.kind, table.status, table.parent, table.subject):
        if (value := getattr(wanted, column.name)) is not None:
            query = query.where(column == value)
    if wanted.top_level:
        query = query.where(TOP_LEVEL)
    if not wanted.erased:
        query = query.where(table.erased_at.is_(None))
    if before is not None:
        when, run = before
        query = query.where(sa.tuple_(table.created_at, table.id) < sa.tuple_(sa.literal(when, schema.Instant), run))
    return [record(row) for row in connection.execute(query).mappings()]


def count_open(connection: Connection, kind: str, subject: str | None, most: int, under: str = "") -> int:
    """How many runs of a kind are open that belong to no other, of one subject or of all; ``most`` stands for more."""
    return connection.execute(open_ones(kind, subject, most, under)).scalar_one()


def open_ones(kind: str, subject: str | None, most: int, under: str = "") -> sa.Select[int]:
    """The question of `count_open`; it reads one index, whose size is the number of open runs."""
    runs = schema.run.c
    found = sa.select(runs.kind).where(schema.OPEN_TOP_LEVEL, runs.kind == kind)
    if subject is not None:
        found = found.where(runs.subject == subject)
    if under:
        found = found.where(runs.subject.startswith(under, autoescape=True))
    return sa.select(sa.func.count()).select_from(found.limit(most).subquery())


def events(connection: Connection, run: str, *, after: int, public: bool, limit: int | None) -> list[Row]:
    """Return the stored rows of a run with a seq greater than `after`, in order."""
    table = schema.event.c
    query = sa.select(*table).where(table.run == run, table.seq > after).order_by(table.seq).limit(limit)
    if public:
        query = query.where(_PUBLIC)
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in connection.execute(query)]


def typed(connection: Connection, runs: Sequence[str], types: Sequence[str]) -> list[Row]:
    """Return the stored rows of these types in these runs, by run and in order."""
    table = schema.event.c
    wanted = (table.run.in_(runs), table.type.in_(types))
    query = sa.select(*table).where(*wanted).order_by(table.run, table.seq)
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in connection.execute(query)]


def heads(connection: Connection, runs: Sequence[str]) -> dict[str, int]:
    """Return the next seq of each run that has events."""
    table, run = schema.event.c, schema.run.c
    last = sa.select(sa.func.max(table.seq)).where(table.run == run.id).scalar_subquery()  # one step down an index
    found = connection.execute(sa.select(run.id, last).where(run.id.in_(runs)))
    return {row[0]: row[1] + 1 for row in found if row[1] is not None}


def postings(connection: Connection, run: str, *, after: int) -> tuple[int, list[Posting]]:
    """Return how many postings the run has had, and those after the first `after` of them."""
    count = connection.execute(sa.select(schema.run.c.inbox_n).where(schema.run.c.id == run)).scalar_one_or_none() or 0
    if count <= after:
        return count, []
    table = schema.inbox.c
    query = (
        sa.select(table.key, table.kind, table.sender, table.payload, table.received_at)
        .where(table.run == run, table.n > after, table.n <= count)
        .order_by(table.n)
    )
    return count, [
        Posting(row.key, row.kind, row.sender, loads(row.payload), row.received_at) for row in connection.execute(query)
    ]
