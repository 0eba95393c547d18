"""Events get their places at the end of a topic, inside of a transaction; nobody is told here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from moothall.canonical import loads
from moothall.errors import ChannelNotFound, Conflict, MoothallError
from moothall.events import reading
from moothall.storage import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from moothall.events.append import Row
    from moothall.events.model import JsonObject

NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""When a worker would look at a topic."""

_RUN, _EVENT = schema.run.c, schema.event.c


@dataclass(slots=True, eq=False)
class Wanted:
    """Drafts that are to stand at the end of a topic, all or none of them."""

    topic: str
    drafts: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of them: the rows that stand for the drafts and those of them that are new, or an error."""

    rows: list[Row]
    fresh: list[Row]
    error: MoothallError | None = None


def born(connection: Connection, row: JsonObject) -> bool:
    """Insert the row of a topic; False where there is one of that id."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(schema.run)
    return connection.execute(insert.values(**row).on_conflict_do_nothing(index_elements=["id"])).rowcount == 1


def placed(connection: Connection, batch: Sequence[Wanted]) -> list[Placed]:
    """Give each draft its place. Topics are locked in the order of their ids: two batches never wait for each other."""
    topics = {wanted.topic for wanted in batch}
    open_ones = sa.and_(_RUN.id.in_(topics), _RUN.status == "open", _RUN.wake_at == NEVER)  # runs have owners
    locked = sa.select(_RUN.id).where(open_ones).order_by(_RUN.id)
    found = set(connection.execute(locked.with_for_update(key_share=True)).scalars())
    ends = reading.heads(connection, sorted(found))  # a question of its own: it must see what was committed until now
    known = _known(connection, [(row[0], row[2]) for wanted in batch for row in wanted.drafts])
    done = [
        _given(wanted, ends, known) if wanted.topic in found else Placed([], [], unknown(wanted.topic))
        for wanted in batch
    ]
    if rows := [row for one in done for row in one.fresh]:
        names = ("run", "seq", "key", "type", "ts", "payload")
        connection.execute(sa.insert(schema.event), [dict(zip(names, row, strict=True)) for row in rows])
    return done


def _given(wanted: Wanted, ends: dict[str, int], known: dict[tuple[str, str], Row]) -> Placed:
    rows, fresh, topic = [], [], wanted.topic
    place = ends.get(topic, 0)
    for _run, _seq, key, kind, ts, payload in wanted.drafts:
        row = known.get((topic, key))
        if row is None:
            row = (topic, place, key, kind, ts, payload)
            fresh.append(row)
            place += 1
        elif row[3] != kind or _said(row[5]) != _said(payload):
            return Placed([], [], Conflict(f"the key {key} stands for something else in {topic}"))
        rows.append(row)
    ends[topic] = place
    known.update({(topic, row[2]): row for row in fresh})
    return Placed(rows, fresh)


def _said(payload: str) -> JsonObject:
    said = loads(payload)
    return {name: value for name, value in said.items() if name != "at"} if isinstance(said, dict) else said


def _known(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    query = sa.select(*_EVENT).where(sa.tuple_(_EVENT.run, _EVENT.key).in_(keys))
    return {(row[0], row[2]): (row[0], row[1], row[2], row[3], row[4], row[5]) for row in connection.execute(query)}


def unknown(topic: str) -> ChannelNotFound:
    """What is raised where there is no such topic, or no more."""
    return ChannelNotFound(f"there is no open topic {topic}")
