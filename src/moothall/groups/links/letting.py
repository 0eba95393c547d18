"""Whom links of type ``call`` let into which groups: for decisions, beside membership itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.engine import Connection

from moothall.groups.links import rows


def let_in(connection: Connection, groups: frozenset[str], now: datetime) -> frozenset[str]:
    """Ids of the groups whose members' handlers members of these may call: one link away, and in its direction.

    Whoever is let in is no member: links of that other group lead it nowhere, and it reads and sends nothing there.
    """
    if not groups:
        return frozenset()
    found: set[str] = set()
    for link in rows.active_of(connection, groups, now, "call"):
        for own in groups.intersection(link.groups):
            if link.carries(own, link.other(own)):
                found.add(link.other(own))
    return frozenset(found) - groups


def at(now: Callable[[], datetime]) -> Callable[[Connection, frozenset[str]], frozenset[str]]:
    """The same by a clock, as `GroupStore.let_in` takes it."""
    return lambda connection, groups: let_in(connection, groups, now())
