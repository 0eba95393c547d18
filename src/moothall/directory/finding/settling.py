"""One reading written down: its place, what it lists now, and what it lists no more; within a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from moothall.directory.finding import rows
from moothall.directory.finding.judging import GONE, TAKEN, Judgement, Known, belongs_elsewhere, judged
from moothall.directory.finding.limits import MOST_OF_ONE
from moothall.directory.finding.reading import Reading, Tag, digest_of
from moothall.directory.finding.taming import tamed
from moothall.directory.listing import Listing, Standing
from moothall.storage.finding import listing, source

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place that was read.

    Attributes:
        url: its address.
        parent: the place that led to it; empty: added by hand.
        tags: of the documents that were read.
        looked: whether the owner named it, and so looks at what it lists.
        now: the time.
        next_at: when it is read again; None: together with its parent.
        expires_at: when its listings are stale.
    """

    url: str
    parent: str = ""
    tags: Mapping[str, Tag] = field(default_factory=dict)
    looked: bool = False
    now: datetime
    next_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the listings of a place: their standings by target, and how many are gone."""

    standings: Mapping[str, tuple[Standing, str]] = field(default_factory=dict)
    gone: int = 0
    children: tuple[str, ...] = ()
    """Places that it led to until now."""


def settle(connection: Connection, place: Place, reading: Reading | None, seq: int) -> Settled:
    """Keep what a reading says; None: nothing has changed there."""
    _keep_place(connection, place, reading)
    fresh = {"seen_at": place.now, "expires_at": place.expires_at}
    if reading is None:
        of_it = (listing.c.source == place.url, listing.c.state != "expired")
        connection.execute(sa.update(listing).where(*of_it).values(**fresh))
        found = rows.listings(connection, *of_it)
        return Settled({each.target: (each.standing, each.why) for each in found}, 0, _children(connection, place.url))
    listed = {each.target: each for each in map(tamed, reading.listings[:MOST_OF_ONE])}
    known = rows.known_of(connection, list(listed))
    standings: dict[str, tuple[Standing, str]] = {}
    for target, each in listed.items():
        if belongs_elsewhere(place.url, known.get(target)):
            standings[target] = ("refused", TAKEN)
            continue
        verdict = _keep(connection, place, each, known.get(target), {**fresh, "seq": seq})
        standings[target] = verdict.state, verdict.why
    gone = _let_go(connection, place.url, listed, seq)
    if any(why == TAKEN for _, why in standings.values()):
        connection.execute(sa.update(source).where(source.c.url == place.url).values(why=TAKEN))
    return Settled(standings, gone, _children(connection, place.url))


def _keep_place(connection: Connection, place: Place, reading: Reading | None) -> None:
    values: dict[str, Any] = {"why": "", "failures": 0, "checked_at": place.now, "next_at": place.next_at}
    if reading is not None:
        main = place.tags.get(place.url, Tag())
        values |= {"kind": reading.kind, "etag": rows.tags_text(place.tags), "modified": main.modified}
    if not connection.execute(sa.update(source).where(source.c.url == place.url).values(**values)).rowcount:
        row = {"kind": "", **values, "url": place.url, "parent": place.parent, "created_at": place.now}
        connection.execute(sa.insert(source).values(**row))


def _keep(
    connection: Connection, place: Place, each: Listing, known: Known | None, values: Mapping[str, Any]
) -> Judgement:
    digest = digest_of(each)
    verdict = judged(each, digest, known, looked=place.looked)
    same = known is not None and (known.digest, known.state, known.why, known.pinned, known.source) == (
        digest,
        verdict.state,
        verdict.why,
        verdict.pinned,
        place.url,
    )
    row = {name: value for name, value in values.items() if name != "seq" or not same}
    if not same:
        row |= {
            "source": place.url,
            "document": rows.document(each),
            "digest": digest,
            "pinned": verdict.pinned,
            "state": verdict.state,
            "why": verdict.why,
        }
    if known is None:
        connection.execute(sa.insert(listing).values(**row, target=each.target, created_at=place.now))
    else:
        connection.execute(sa.update(listing).where(listing.c.target == each.target).values(**row))
    return verdict


def _let_go(connection: Connection, url: str, listed: Mapping[str, Listing], seq: int) -> int:
    """Mark what a place lists no more; each by its target, since there may be more than a statement takes."""
    query = sa.select(listing.c.target).where(listing.c.source == url, rows.may_expire())
    gone = [target for target in connection.scalars(query) if target not in listed]
    for target in gone:
        values = {"state": "expired", "why": GONE, "seq": seq}
        connection.execute(sa.update(listing).where(listing.c.target == target).values(**values))
    return len(gone)


def _children(connection: Connection, url: str) -> tuple[str, ...]:
    return tuple(connection.scalars(sa.select(source.c.url).where(source.c.parent == url)))
