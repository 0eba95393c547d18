"""The hot write on PostgreSQL: whole columns in one round trip, over the bare asyncpg connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg

from moothall.events.append import Append, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

# Rows of a lost epoch do not join. The key-share lock makes a claim (FOR UPDATE SKIP LOCKED) pass over a run that is
# being appended to, and makes an append that comes during a claim look at the new epoch: a lost owner writes nothing.
_EVENTS = """
WITH owned AS MATERIALIZED (
  SELECT r.id FROM unnest($7::text[], $8::int[]) AS lane(run, epoch)
  JOIN run r ON r.id = lane.run AND r.epoch = lane.epoch AND r.status = 'open' FOR KEY SHARE OF r
), kept AS (
  INSERT INTO event (run, seq, key, type, ts, payload)
  SELECT u.* FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS u(run, seq, key, type, ts, payload) JOIN owned ON owned.id = u.run
  RETURNING run
)
SELECT DISTINCT run FROM kept
"""
# Nothing is born below an erased run: erasing locks the parent's row, so one of the two sees the other.
_BIRTHS = """
WITH above AS MATERIALIZED (SELECT id, erased_at FROM run WHERE id = ANY($3::text[]) ORDER BY id FOR KEY SHARE)
INSERT INTO run (id, kind, parent, meta, created_at, subject, owner, epoch, lease_until)
SELECT id, kind, parent, meta, created_at, subject, owner, epoch, now() + make_interval(secs => lease)
FROM unnest(
  $1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::int[], $9::float8[]
) AS u(id, kind, parent, meta, created_at, subject, owner, epoch, lease)
WHERE NOT EXISTS (SELECT 1 FROM above WHERE above.id = u.parent AND above.erased_at IS NOT NULL) ORDER BY id
ON CONFLICT (id) DO NOTHING RETURNING id
"""
_OUTBOX = """
INSERT INTO outbox (run, key, target, payload, next_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
ON CONFLICT (run, key) DO NOTHING
"""
# Every statement that locks several runs takes them in the order of their ids: two of them never wait for each other.
_CLOSES = """
WITH mine AS MATERIALIZED (SELECT id FROM run WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE)
UPDATE run SET status = 'closed', closed_at = u.closed_at, wake_at = NULL, lease_until = NULL
FROM unnest($1::text[], $2::timestamptz[]) AS u(id, closed_at), mine
WHERE run.id = u.id AND mine.id = run.id
"""


class PostgresSink:
    """Commits batches over one connection that it keeps, replaced when it breaks."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Take the connection out of `engine`'s pool."""
        self._engine = engine
        self._held: AsyncConnection | None = None

    async def commit(self, batch: Sequence[Append]) -> list[bool]:
        """Write the batch; see `Sink.commit`."""
        try:
            raw = await self._connection()
            if any(append.birth or append.closes or append.outbox for append in batch):
                async with raw.transaction():
                    return await _everything(raw, batch)
            owned = await _events(raw, batch)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise Rejected(str(error)) from error
        except Rejected:
            raise
        except Exception:
            await self._drop()
            raise
        return [append.lane.run in owned for append in batch]

    async def _connection(self) -> Any:  # noqa: ANN401 - asyncpg's connection type is generated at run time
        if self._held is None:
            self._held = await self._engine.connect()
        return (await self._held.get_raw_connection()).driver_connection

    async def _drop(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            await held.invalidate()
            await held.close()

    async def close(self) -> None:
        """Give the connection back to the pool."""
        held, self._held = self._held, None
        if held is not None:
            await held.close()


async def _everything(raw: Any, batch: Sequence[Append]) -> list[bool]:  # noqa: ANN401
    births = [append for append in batch if append.birth]
    born = await _births(raw, births) if births else set()
    candidates = [append for append in batch if append.birth is None or append.lane.run in born]
    owned = await _events(raw, candidates) if candidates else set()
    written = [append.lane.run in (born if append.birth else owned) for append in batch]
    kept = [append for append, good in zip(batch, written, strict=True) if good]
    if entries := [entry for append in kept for entry in append.outbox]:
        await raw.execute(_OUTBOX, *_columns(entries))
    if closes := [(append.lane.run, append.closes) for append in kept if append.closes]:
        await raw.execute(_CLOSES, *_columns(closes))
    return written


async def _events(raw: Any, batch: Sequence[Append]) -> set[str]:  # noqa: ANN401
    rows = [row for append in batch for row in append.rows]
    if not rows:
        return set()
    lanes = {append.lane for append in batch}
    epochs = {lane.run: lane.epoch for lane in lanes}
    if len(epochs) < len(lanes):
        raise Rejected("two owners of one run in one batch")
    return {row[0] for row in await raw.fetch(_EVENTS, *_columns(rows), list(epochs), list(epochs.values()))}


async def _births(raw: Any, births: Sequence[Append]) -> set[str]:  # noqa: ANN401
    rows = [
        (
            append.lane.run,
            b.kind,
            b.parent,
            b.meta,
            b.created_at,
            b.subject,
            b.owner,
            append.lane.epoch,
            b.lease_seconds,
        )
        for append in births
        if (b := append.birth)
    ]
    return {row[0] for row in await raw.fetch(_BIRTHS, *_columns(rows))}


def _columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
