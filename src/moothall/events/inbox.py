"""The inbox: whatever arrives for a run is committed before it is acknowledged, once per key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from moothall.errors import DemandNotFound
from moothall.storage import schema

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection


def post(connection: Connection, run: str, key: str, kind: str, sender: str, payload: str, now: datetime) -> bool:
    """Put a posting into the run's inbox and make the run due.

    The run's row is locked first, so the numbers of its postings are dense and follow the order of their commits;
    parking compares the count, and a posting that comes while a run lies down is seen.

    Returns:
        False when the key was posted before; nothing changes then.

    Raises:
        DemandNotFound: there is no such run, or it is closed; the two look the same from outside.
    """
    runs, rows = schema.run.c, schema.inbox.c
    locked = sa.select(runs.inbox_n).where(runs.id == run, runs.status == "open").with_for_update(key_share=True)
    count = connection.execute(locked).scalar_one_or_none()
    if count is None:
        raise DemandNotFound(f"there is no open run {run}")
    if connection.execute(sa.select(rows.n).where(rows.run == run, rows.key == key)).first() is not None:
        return False
    connection.execute(
        sa.insert(schema.inbox).values(
            run=run, n=count + 1, key=key, kind=kind, sender=sender, payload=payload, received_at=now
        )
    )
    connection.execute(sa.update(schema.run).where(runs.id == run).values(inbox_n=count + 1, wake_at=None))
    return True
