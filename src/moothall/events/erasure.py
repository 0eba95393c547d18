"""Erasing runs: what was said is gone, the places in the log stay.

An erased run keeps its row and its events with seq, type and time; payloads are empty, and so is whatever could repeat
words of a person or tell who took part: keys become ``erased.<seq>``, postings, deliveries, A2A tasks that name it and
the answers of calls that were kept for their repetition are deleted. The run is closed under a new epoch, so that a
worker anywhere loses it like a lease and writes nothing any more.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import sqlalchemy as sa

from moothall.errors import StorageError
from moothall.events import reading
from moothall.events.mentions import marks
from moothall.storage import schema, scrub

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from moothall.storage.store import Store

_BLANK = "{}"
_RUN = schema.run.c
_PAUSE = 0.01
_TRIES = 1_000


async def erase(store: Store, run: str, now: datetime) -> list[str]:
    """Blank a run and every run below it in one transaction; return their ids, none when there is nothing to erase.

    Raises:
        StorageError: the database failed, or others kept the runs busy for ten seconds.
    """
    for _ in range(_TRIES):
        erased = await store.write(lambda connection: _erase(connection, run, now))
        if erased is not None:
            return erased
        await asyncio.sleep(_PAUSE)
    raise StorageError(f"run {run} cannot be erased now", why="others keep it locked", hint="try again shortly")


def ended(connection: Connection, before: datetime, limit: int) -> list[str]:
    """Return runs closed before a time that belong to no other and have none under way below, the oldest first."""
    below = schema.run.alias()
    under_way = sa.exists().where(below.c.parent == _RUN.id, below.c.status == "open")
    query = (
        sa.select(_RUN.id)
        .where(_RUN.status == "closed", _RUN.erased_at.is_(None), _RUN.closed_at < before, reading.TOP_LEVEL)
        .where(~under_way)
        .order_by(_RUN.closed_at)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def _erase(connection: Connection, run: str, now: datetime) -> list[str] | None:
    """Do it; None when a row is busy or a child was born meanwhile: nothing was changed then, try again.

    Locks are taken without waiting, so this never stands in anybody's way while it holds some. A child is born only
    under a lock of its parent's row (`PostgresSink`): once all rows are held, no more can come.
    """
    members = _members(connection, run)
    held = sa.select(_RUN.id).where(_RUN.id.in_(members)).with_for_update(skip_locked=True)
    if set(connection.execute(held).scalars()) != members or _members(connection, run) != members:
        return None
    if members:
        _blank(connection, members, now)
        scrub.owe(connection)
    return sorted(members)


def _members(connection: Connection, run: str) -> set[str]:
    tree = sa.select(_RUN.id).where(_RUN.id == run, _RUN.erased_at.is_(None)).cte("tree", recursive=True)
    below = schema.run.alias()
    tree = tree.union_all(sa.select(below.c.id).where(below.c.parent == tree.c.id))
    return set(connection.execute(sa.select(tree.c.id)).scalars())


def _blank(connection: Connection, members: set[str], now: datetime) -> None:
    event = schema.event
    connection.execute(
        sa.update(event)
        .where(event.c.run.in_(members))
        .values(payload=_BLANK, key=sa.literal("erased.") + sa.cast(event.c.seq, sa.Text))
    )
    for table in (schema.inbox, schema.outbox):
        connection.execute(sa.delete(table).where(table.c.run.in_(members)))
    kept = schema.idempotency.c.reply
    about = sa.or_(*(sa.and_(*map(kept.contains, marks(member))) for member in members))
    connection.execute(sa.update(schema.idempotency).where(about).values(reply=None))
    _forget_tasks(connection, members)
    connection.execute(
        sa.update(schema.run)
        .where(_RUN.id.in_(members))
        .values(
            status="closed",
            closed_at=sa.func.coalesce(_RUN.closed_at, sa.literal(now, schema.Instant)),
            erased_at=now,
            meta=_BLANK,
            subject=None,
            owner=None,
            epoch=_RUN.epoch + 1,
            lease_until=None,
            wake_at=None,
        )
    )


def _forget_tasks(connection: Connection, members: set[str]) -> None:
    """Delete the A2A tasks that name a run: what was asked and answered there is about it."""
    task, part = schema.a2a_task.c, schema.a2a_part.c

    def names(column: sa.Column[str]) -> sa.ColumnElement[bool]:
        return sa.or_(*(column.contains(member, autoescape=True) for member in members))

    parts = sa.select(part.task).where(names(part.part))
    named = sa.or_(names(task.body), names(task.message), task.id.in_(parts))
    connection.execute(sa.delete(schema.a2a_task).where(named))
