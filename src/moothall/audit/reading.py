"""Rows and statements as they lie in the database, whatever somebody may have made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.audit.anchor import Anchor, read
from moothall.audit.row import Row
from moothall.clock import parse_rfc3339
from moothall.errors import InvalidInput
from moothall.storage.authority import audit_anchor, audit_record

_PAGE: Final = 2_000
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_RECORD: Final = audit_record.c
_ANCHOR: Final = audit_anchor.c


def nodes(connection: Connection) -> list[str]:
    """Whose chains there are, by name."""
    found: set[str] = set()
    for column in (_RECORD.node, _ANCHOR.node):
        last = connection.execute(sa.select(sa.func.min(column))).scalar()
        while last is not None:
            found.add(str(last))
            last = connection.execute(sa.select(sa.func.min(column)).where(column > last)).scalar()
    return sorted(found)


def rows(connection: Connection, node: str, after: int = 0, until: int | None = None) -> Iterator[Row]:
    """The rows of a chain in the order of their numbers: those above `after`, up to `until`."""
    page = sa.select(*columns(connection)).where(_RECORD.node == node).order_by(_RECORD.seq).limit(_PAGE)
    if until is not None:
        page = page.where(_RECORD.seq <= until)
    found = connection.execute(page.where(_RECORD.seq > after)).all()
    while found:
        for each in found:
            yield row_of(each)
        found = connection.execute(page.where(_RECORD.seq > found[-1].seq)).all() if len(found) == _PAGE else []


def columns(connection: Connection) -> tuple[Any, ...]:
    """What `row_of` needs; SQLite's times as the text that they are, which may be none of a time."""
    lite = connection.dialect.name == "sqlite"
    at = sa.type_coerce(_RECORD.at, sa.Text).label("at") if lite else _RECORD.at
    return _RECORD.node, _RECORD.seq, at, _RECORD.kind, _RECORD.actor, _RECORD.body, _RECORD.hash


def row_of(found: Any) -> Row:  # noqa: ANN401 - a row of the database
    """The row, where its values are of the types that they should be; else with values that cannot be right."""
    seq = found.seq if isinstance(found.seq, int) else -1
    texts = (each if isinstance(each, str) else "" for each in (found.kind, found.actor, found.body, found.hash))
    return Row(str(found.node), seq, _time(found.at), *texts)


def anchors(connection: Connection, node: str) -> list[Anchor]:
    """The statements about a chain, by number; one that is kept in a wrong place, or is none, proves nothing."""
    found = connection.execute(sa.select(_ANCHOR.seq, _ANCHOR.token).where(_ANCHOR.node == node)).all()
    return sorted((_anchor(node, each.seq, each.token) for each in found), key=lambda anchor: anchor.seq)


def _anchor(node: str, seq: object, token: object) -> Anchor:
    place = seq if isinstance(seq, int) else 0
    text = token if isinstance(token, str) else ""
    try:
        return replace(read(text), node=node, seq=place)
    except InvalidInput:
        return Anchor(node=node, seq=place, hash="", time=_NEVER, count=place, token=text)


def _time(found: object) -> datetime:
    try:
        return found if isinstance(found, datetime) else parse_rfc3339(str(found))
    except ValueError:
        return _NEVER
