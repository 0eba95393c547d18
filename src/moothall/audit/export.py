"""An export: JSON Lines that can be checked without the database.

The first line tells what it is, the next are the signed statements, then come the rows, one chain after the other, and
a last line with their number. Of a row that a filter leaves out there is the digest, so that the chain goes on past it.
A redacted record has its digest beside it, and what it says is not proved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.audit import reading
from moothall.audit.anchor import Anchor
from moothall.audit.redaction import Redaction
from moothall.audit.row import Row, digest_of
from moothall.audit.verification import Span
from moothall.canonical import dumps, loads
from moothall.clock import rfc3339
from moothall.storage.authority import audit_record

FORMAT: Final = 1
_RECORD: Final = audit_record.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which records: from `since` on, before `until`, of an actor, of a kind."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    kind: str = ""

    @property
    def partial(self) -> bool:
        """Whether it leaves anything out."""
        return self != Filter()

    def takes(self, row: Row) -> bool:
        """Whether a row is wanted."""
        return (
            (self.since is None or row.at >= self.since)
            and (self.until is None or row.at < self.until)
            and self.actor in {"", row.actor}
            and self.kind in {"", row.kind}
        )

    def told(self) -> dict[str, str]:
        """As JSON."""
        times = {name: rfc3339(when) for name in ("since", "until") if (when := getattr(self, name)) is not None}
        return times | {name: value for name in ("actor", "kind") if (value := getattr(self, name))}


def export(connection: Connection, wanted: Filter, redaction: Redaction | None, now: datetime) -> Iterator[bytes]:
    """The lines of an export, each with its end; the whole database should be seen as it is at one moment."""
    said = {node: reading.anchors(connection, node) for node in reading.nodes(connection)}
    spans = {node: _span(connection, node, anchors, wanted) for node, anchors in said.items()}
    told = wanted if redaction is None or not wanted.actor else replace(wanted, actor=redaction.name(wanted.actor))
    head = {"partial": wanted.partial, "redacted": redaction is not None, "filter": told.told()}
    head["spans"] = {node: list(span) for node, span in spans.items()}
    yield _line({"moothall_audit": FORMAT, "exported": rfc3339(now), **head})
    for node, (after, until) in spans.items():
        for anchor in said[node]:
            if after <= anchor.seq <= (until or anchor.seq):
                yield _line({"anchor": anchor.token})
    count = 0
    for node, (after, until) in spans.items():
        for row in reading.rows(connection, node, after, until):
            yield _line(_told(row, redaction, full=wanted.takes(row)))
            count += 1
    yield _line({"end": count})


def _span(connection: Connection, node: str, anchors: Sequence[Anchor], wanted: Filter) -> Span:
    """From the newest statement before the first row that is wanted to the oldest after the last one."""
    start = max((anchor.seq for anchor in anchors if anchor.start), default=0)
    after, until = start, None
    if wanted.since is not None or wanted.until is not None:
        first, last = _ends(connection, node, wanted)
        after = max((anchor.seq for anchor in anchors if anchor.seq < first), default=0)
        until = min((anchor.seq for anchor in anchors if anchor.seq >= last), default=None)
    return Span(after, until)


def _ends(connection: Connection, node: str, wanted: Filter) -> tuple[int, int]:
    """The first and the last number in a span of time; of an empty one, where it would be."""
    numbers = sa.select(sa.func.min(_RECORD.seq), sa.func.max(_RECORD.seq)).where(_RECORD.node == node)
    if wanted.since is not None:
        numbers = numbers.where(_RECORD.at >= wanted.since)
    if wanted.until is not None:
        numbers = numbers.where(_RECORD.at < wanted.until)
    first, last = connection.execute(numbers).one()
    return int(first or 0), int(last or 0)


def _told(row: Row, redaction: Redaction | None, *, full: bool) -> dict[str, Any]:
    place = {"node": row.node, "seq": row.seq, "hash": row.hash}
    digest = digest_of(row.body.encode("utf-8", "surrogatepass"))
    if not full:
        return place | {"digest": digest}
    try:
        record = loads(row.body)
    except ValueError:  # it is shown as it is, and found when the export is checked
        return place | {"record": row.body}
    if redaction is not None:
        return place | {"digest": digest, "record": redaction.record(record)}
    return place | {"record": record}


def _line(value: dict[str, Any]) -> bytes:
    return dumps(value) + b"\n"
