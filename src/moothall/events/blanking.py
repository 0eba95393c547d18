"""Dropping what an event said once nobody needs it; the event keeps its place, its type and its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from moothall.storage import schema

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_EVENT, _RUN = schema.event.c, schema.run.c


def blank(connection: Connection, run: str, epoch: int, key: str, payload: str) -> None:
    """Put another payload into an event of a run that is held under this epoch; of any other nothing changes."""
    held = sa.select(_RUN.id).where(_RUN.id == run, _RUN.epoch == epoch, _RUN.status == "open")
    if connection.execute(held.with_for_update(key_share=True)).first() is not None:
        named = sa.update(schema.event).where(_EVENT.run == run, _EVENT.key == key)
        connection.execute(named.values(payload=payload))
