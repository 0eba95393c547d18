"""The tables of agreed protocols and tested code: how their rows are read and written, on a connection of the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from moothall.codegen.module import Kind
from moothall.storage.agreed import agreement, protocol, routine
from moothall.storage.prepared import Prepared

MOST_FOUND: Final = 100
"""Routines that a search gives."""

PAGE: Final = 500
"""Agreements that are read at once."""

_r: Final = routine.c
_a: Final = agreement.c

_ROUTINE: Final = Prepared(lambda _: sa.select(routine).where(_r.hash == sa.bindparam("hash")))
_PROTOCOL: Final = Prepared(lambda _: sa.select(protocol).where(protocol.c.digest == sa.bindparam("digest")))
_KEY: Final = (_a.need, _a.peer, _a.role, _a.agent)
_AGREEMENT: Final = Prepared(
    lambda _: sa.select(agreement).where(*(column == sa.bindparam(column.name) for column in _KEY))
)
_OF_PROTOCOL: Final = Prepared(
    lambda _: (
        sa.select(routine)
        .where(_r.protocol == sa.bindparam("protocol"), _r.kind.in_((sa.bindparam("one"), sa.bindparam("other"))))
        .order_by(_r.tested_at.is_(None), _r.created_at.desc(), _r.hash)
        .limit(MOST_FOUND)
    )
)


def routine_row(connection: Connection, key: str) -> Any:  # noqa: ANN401 - a row
    """The routine of this hash, or None."""
    return next(iter(_ROUTINE.rows(connection, hash=key)), None)


def routines_of(connection: Connection, digest: str, kind: Kind | None) -> Sequence[Any]:
    """The halves of a protocol, or those of one kind: those tested here first, the newest of them first."""
    one, other = (kind, kind) if kind else ("requester", "provider")
    return _OF_PROTOCOL.rows(connection, protocol=digest, one=one, other=other)


def put_routine(connection: Connection, values: dict[str, Any]) -> Any:  # noqa: ANN401 - a row
    """Write a routine; one of the same hash gets the same content anew, and stays tested and as old as it is."""
    insert = _insert(connection, routine).values(values)
    fresh: dict[str, Any] = {name: insert.excluded[name] for name in ("protocol", "kind", "name", "bundle", "token")}
    fresh["tested_at"] = sa.func.coalesce(_r.tested_at, insert.excluded.tested_at)
    connection.execute(insert.on_conflict_do_update(index_elements=[_r.hash], set_=fresh))
    return routine_row(connection, values["hash"])


def mark_tested(connection: Connection, key: str, at: datetime) -> bool:
    """Note that a routine passed the gate here; False: there is none of this hash."""
    return connection.execute(sa.update(routine).where(_r.hash == key).values(tested_at=at)).rowcount > 0


def protocol_row(connection: Connection, digest: str) -> Any:  # noqa: ANN401 - a row
    """The protocol of this digest, or None."""
    return next(iter(_PROTOCOL.rows(connection, digest=digest)), None)


def put_protocol(connection: Connection, values: dict[str, Any]) -> None:
    """Write a document; under the same digest the same again, with what is now derived from it."""
    insert = _insert(connection, protocol).values(values)
    fresh = {name: insert.excluded[name] for name in ("document", "artifact")}
    connection.execute(insert.on_conflict_do_update(index_elements=[protocol.c.digest], set_=fresh))


def agreement_row(connection: Connection, key: dict[str, str]) -> Any:  # noqa: ANN401 - a row
    """What answers a need with a peer, or None."""
    return next(iter(_AGREEMENT.rows(connection, **key)), None)


def agreement_page(connection: Connection, wanted: dict[str, str], after: tuple[str, ...] | None) -> Sequence[Any]:
    """Agreements whose columns say this, in the order of their keys, from the first one ``after`` a key."""
    found = sa.select(agreement).where(*(_a[name] == value for name, value in wanted.items()))
    if after is not None:
        found = found.where(sa.tuple_(*_KEY) > sa.tuple_(*map(sa.literal, after)))
    return connection.execute(found.order_by(*_KEY).limit(PAGE)).all()


def put_agreement(connection: Connection, values: dict[str, Any]) -> None:
    """Write down what answers a need with a peer from now on."""
    insert = _insert(connection, agreement).values(values)
    fresh = {name: insert.excluded[name] for name in ("protocol", "transcript", "created_at")}
    connection.execute(insert.on_conflict_do_update(index_elements=list(_KEY), set_=fresh))


def drop_agreement(connection: Connection, key: dict[str, str]) -> bool:
    """Forget an agreement; False: there is none."""
    this = sa.delete(agreement).where(*(_a[name] == value for name, value in key.items()))
    return connection.execute(this).rowcount > 0


def _insert(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
