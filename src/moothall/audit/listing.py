"""Records for people to read: newest first, a page at a time, and never more work than a page is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.audit.links import content
from moothall.audit.reading import columns, row_of
from moothall.audit.row import NO_NUL, Row
from moothall.clock import parse_rfc3339, rfc3339
from moothall.errors import InvalidInput, Told
from moothall.storage.authority import audit_record

MOST: Final = 500
"""Records of a page."""

_LOOKED_AT: Final = 20_000
"""Rows that are looked at for one page; a page may have fewer than it could, and still not be the last."""

_CHUNK: Final = 1_000
_NUMBERS: Final = 2**63
_HIDDEN: Final = frozenset({"salt"})
_RECORD: Final = audit_record.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which records: of a time, an actor, a kind; of `whose` actions or rights, None: everybody's; after a `cursor`."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    kind: str = ""
    whose: frozenset[str] | None = None
    cursor: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Records, newest first, and where the next page begins; empty: there is none."""

    records: list[dict[str, Any]] = field(default_factory=list)
    cursor: str = ""


class _Place(NamedTuple):
    at: datetime
    node: str
    seq: int


def page(connection: Connection, wanted: Wanted) -> Page:
    """One page.

    Raises:
        InvalidInput: the cursor is none.
    """
    place = _place(wanted.cursor) if wanted.cursor else None
    order = (_RECORD.at, _RECORD.node, _RECORD.seq)
    newest = sa.select(*columns(connection)).where(*_conditions(wanted)).order_by(*(each.desc() for each in order))
    records: list[dict[str, Any]] = []
    for _ in range(_LOOKED_AT // _CHUNK):
        chunk = (
            newest if place is None else newest.where(sa.tuple_(*order) < sa.tuple_(*map(sa.literal, place, _TYPES)))
        )
        found = connection.execute(chunk.limit(_CHUNK)).all()
        for row in map(row_of, found):
            place = _Place(row.at, row.node, row.seq)
            if (shown := _shown(row, wanted.whose)) is not None:
                records.append(shown)
                if len(records) == wanted.limit:
                    return Page(records, _cursor(place))
        if len(found) < _CHUNK or place is None:
            return Page(records)
    return Page(records, _cursor(place) if place else "")


_TYPES: Final = (_RECORD.at.type, _RECORD.node.type, _RECORD.seq.type)


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found = []
    if wanted.since is not None:
        found.append(_RECORD.at >= wanted.since)
    if wanted.until is not None:
        found.append(_RECORD.at < wanted.until)
    if wanted.actor:
        found.append(_RECORD.actor == wanted.actor.replace("\0", NO_NUL))
    if wanted.kind:
        found.append(_RECORD.kind == wanted.kind)
    return found


def _shown(row: Row, whose: frozenset[str] | None) -> dict[str, Any] | None:
    """What is shown of a row; None: it concerns nobody of `whose`. A broken one shows where it is."""
    said: Mapping[str, Any] = content(row.body.encode("utf-8", "replace")) or {"kind": row.kind, "actor": row.actor}
    if whose is not None and whose.isdisjoint((row.actor, str(said.get("subject", "")))):
        return None
    kept = {name: value for name, value in said.items() if name not in _HIDDEN}
    return kept | {"node": row.node, "seq": row.seq, "time": rfc3339(row.at), "hash": row.hash}


def _cursor(place: _Place) -> str:
    return f"{rfc3339(place.at)}/{place.seq}/{place.node}"


def _place(cursor: str) -> _Place:
    try:
        at, seq, node = cursor.split("/", 2)
        place = _Place(parse_rfc3339(at), node, int(seq))
    except ValueError as error:
        raise _no_cursor() from error
    if "\0" in node or not 0 <= place.seq < _NUMBERS:  # neither stands in any row, nor could PostgreSQL look for it
        raise _no_cursor()
    return place


def _no_cursor() -> InvalidInput:
    return InvalidInput("not a cursor of this list", told=Told("audit.cursor"))
