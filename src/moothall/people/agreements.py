"""What teams have agreed on, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.people import stored
from moothall.people.facts import Collaboration
from moothall.storage.authority import collaboration, unit
from moothall.storage.prepared import Prepared

_AGREED: Final = Prepared(
    lambda guests: (
        sa.select(collaboration, unit.c.config)
        .join(unit, unit.c.id == collaboration.c.host)
        .where(
            collaboration.c.guest.in_(guests),
            collaboration.c.host_agreed,
            collaboration.c.guest_agreed,
            sa.or_(collaboration.c.expires.is_(None), collaboration.c.expires > sa.bindparam("now")),
        )
        .order_by(collaboration.c.id)
    )
)


def of_guests(connection: Connection, guests: Sequence[str], now: int) -> tuple[Collaboration, ...]:
    """What these teams may do at others: agreed by both and not over at `now`, cut down to the hosts' rules."""
    return tuple(_narrowed(_AGREED.rows(connection, guests, now=now)))


def _narrowed(rows: Iterable[Any]) -> Iterator[Collaboration]:
    for row in rows:
        if (made := stored.agreed(row)) is not None:
            left = stored.team_rules(row.host, row.config).narrowed(made)
            if left is not None:
                yield left
