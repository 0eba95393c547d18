"""How negotiations ended, counted in the store: the same for every process of a node and across restarts.

Counted are demands of people. Sub-negotiations are parts of one, replays are none (row NEG-DATA-11), and what was
erased is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from moothall.events.types import TERMINAL_EVENT_TYPES
from moothall.negotiation.demand.driver import KIND
from moothall.storage import schema

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from moothall.storage.store import Store

_FINALIZED = "towow.proposal.finalized"
_PARTIAL = '"consensus":"partial"'
"""How the payload of such an event begins its key; inside a person's text each quote would be escaped."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Negotiations that ended, by how."""

    full: int = 0
    partial: int = 0
    failed: int = 0

    @property
    def terminal(self) -> int:
        """All of them."""
        return self.full + self.partial + self.failed

    @property
    def success_rate(self) -> float:
        """Those with a plan ÷ all (row NEG-OPS-06); 1.0 as long as there is none."""
        return (self.full + self.partial) / self.terminal if self.terminal else 1.0


@dataclass(frozen=True, slots=True)
class Totals:
    """Demands there are, by status."""

    open: int = 0
    closed: int = 0


async def ended_since(store: Store, since: datetime | None) -> Ended:
    """The negotiations that ended at ``since`` or later; of all time for None.

    Raises:
        StorageError: the store cannot be read.
    """
    return await store.read(lambda connection: _ended(connection, since))


async def totals(store: Store) -> Totals:
    """The demands of the store.

    Raises:
        StorageError: the store cannot be read.
    """
    run = schema.run.c
    query = sa.select(run.status, sa.func.count()).where(*_demands()).group_by(run.status)
    return Totals(**dict(await store.read(lambda connection: [(row[0], row[1]) for row in connection.execute(query)])))


def _demands() -> tuple[sa.ColumnElement[bool], ...]:
    run = schema.run.c
    # Not `parent IS NULL`: SQLite would take the index of parents, which finds every demand there ever was.
    return run.kind == KIND, sa.func.coalesce(run.parent, "") == "", run.erased_at.is_(None)


def _ended(connection: Connection, since: datetime | None) -> Ended:
    run, event = schema.run.c, schema.event.c
    partial = sa.case((event.payload.contains(_PARTIAL, autoescape=True), 1), else_=0)
    query = (
        sa.select(event.type, partial, sa.func.count())
        .join_from(schema.run, schema.event, sa.and_(event.run == run.id, event.key == "terminal"))
        .where(*_demands(), run.status == "closed", event.type.in_(sorted(TERMINAL_EVENT_TYPES)))
        .group_by(event.type, partial)
    )
    if since is not None:
        query = query.where(run.closed_at >= since)
    counts = {"full": 0, "partial": 0, "failed": 0}
    for kind, is_partial, count in connection.execute(query):
        counts["failed" if kind != _FINALIZED else "partial" if is_partial else "full"] += count
    return Ended(**counts)
