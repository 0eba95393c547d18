"""What was found elsewhere, durable in the tables `source` and `listing`; one writer for each change.

Every transaction here counts the revision ``listing`` first: whoever else wants to write waits, and the numbers of
changes come in the order in which they were committed. A listing that is gone stays as a row that says so for a while,
so that other processes hear of it and its pin is not forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from moothall.directory.finding import rows
from moothall.directory.finding.judging import BY_OWNER, GONE, STALE
from moothall.directory.finding.limits import MOST_PLACES
from moothall.directory.finding.rows import Change, Source
from moothall.directory.finding.settling import Place, Settled, settle
from moothall.directory.listing import Listing, Standing
from moothall.errors import Conflict, Overloaded, ServiceNotFoundError, Told
from moothall.storage.finding import listing, source
from moothall.storage.revisions import bump

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from moothall.directory.finding.reading import Reading
    from moothall.storage.store import Store

REVISION: Final = "listing"
KEPT_DAYS: Final = 90
"""Days for which what is gone is remembered."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What went with a place."""

    places: int
    listings: int


class FindingStore:
    """Places and listings of one node. Storage failures raise `StorageError`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, url: str, now: datetime) -> Source:
        """Remember a place that somebody named by hand; one that a link led to becomes such.

        Raises:
            Overloaded: as many as may be are remembered.
        """

        def work(connection: Connection) -> Source:
            bump(connection, REVISION)
            known = rows.sources(connection, source.c.url == url)
            if known and not known[0].parent:
                return known[0]
            if known:
                connection.execute(sa.update(source).where(source.c.url == url).values(parent="", next_at=now))
            else:
                total = connection.scalar(sa.select(sa.func.count()).select_from(source)) or 0
                if total >= MOST_PLACES:
                    raise Overloaded("too many places", told=Told("finding.places", {"most": MOST_PLACES}))
                connection.execute(sa.insert(source).values(url=url, kind="", next_at=now, created_at=now))
            return rows.sources(connection, source.c.url == url)[0]

        return await self._store.write(work)

    async def place(self, url: str) -> Source | None:
        """A place, if it is remembered."""
        found = await self._store.read(lambda connection: rows.sources(connection, source.c.url == url))
        return found[0] if found else None

    async def children(self, url: str) -> list[Source]:
        """The places that one led to."""
        return await self._store.read(lambda connection: rows.sources(connection, source.c.parent == url))

    async def places(self, *, roots: bool = False) -> list[Source]:
        """All places, or those that were added by hand."""
        conditions = [source.c.parent == ""] if roots else []
        return await self._store.read(lambda connection: rows.sources(connection, *conditions))

    async def due(self, now: datetime, most: int) -> list[Source]:
        """Places added by hand whose time has come."""
        ready = sa.or_(source.c.next_at.is_(None), source.c.next_at <= now)
        return await self._store.read(
            lambda connection: rows.sources(connection, source.c.parent == "", ready, most=most)
        )

    async def claim(self, url: str, now: datetime, until: datetime) -> bool:
        """Take a place whose time has come, so that no other process reads it too until then."""
        ready = sa.or_(source.c.next_at.is_(None), source.c.next_at <= now)
        taking = sa.update(source).where(source.c.url == url, ready).values(next_at=until)
        return await self._store.write(lambda connection: connection.execute(taking).rowcount > 0)

    async def settle(self, place: Place, reading: Reading | None) -> Settled:
        """Keep what a reading says; None: nothing has changed there."""

        def work(connection: Connection) -> Settled:
            return settle(connection, place, reading, bump(connection, REVISION))

        return await self._store.write(work)

    async def failed(self, place: Place, why: str, *, gone: bool) -> int:
        """Keep why a place could not be read, and when it is tried again; where it is ``gone``, so is what it lists.

        Returns:
            How many listings that took away.
        """

        def work(connection: Connection) -> int:
            seq = bump(connection, REVISION)
            values = {"why": why, "checked_at": place.now, "next_at": place.next_at}
            known = sa.update(source).where(source.c.url == place.url).values(**values, failures=source.c.failures + 1)
            if not connection.execute(known).rowcount:
                row = {"url": place.url, "kind": "", "parent": place.parent, "failures": 1, "created_at": place.now}
                connection.execute(sa.insert(source).values(**row, **values))
            return _expire(connection, seq, GONE, listing.c.source == place.url) if gone else 0

        return await self._store.write(work)

    async def remove(self, url: str) -> Removed:
        """Forget a place and all that it led to; what they listed is gone.

        Raises:
            ServiceNotFoundError: there is no such place.
        """

        def work(connection: Connection) -> Removed:
            seq = bump(connection, REVISION)
            if not rows.sources(connection, source.c.url == url):
                raise ServiceNotFoundError("no such place", told=Told("finding.no_source"))
            urls = [url, *_below(connection, [url])]
            gone = _drop(connection, seq, urls)
            return Removed(len(urls), gone)

        return await self._store.write(work)

    async def drop(self, urls: Sequence[str]) -> int:
        """Forget places that nothing leads to any more; how many listings went with them."""
        if not urls:
            return 0

        def work(connection: Connection) -> int:
            seq = bump(connection, REVISION)
            return _drop(connection, seq, [*urls, *_below(connection, urls)])

        return await self._store.write(work)

    async def sweep(self, now: datetime) -> int:
        """Let go of listings whose places have not answered for too long; how many."""
        stale = (listing.c.expires_at <= now, rows.may_expire())
        some = sa.select(listing.c.target).where(*stale).limit(1)
        if await self._store.read(lambda connection: connection.execute(some).first()) is None:
            return 0
        long_ago = sa.delete(listing).where(
            listing.c.state == "expired", listing.c.expires_at <= now - timedelta(days=KEPT_DAYS)
        )

        def work(connection: Connection) -> int:
            connection.execute(long_ago)
            return _expire(connection, bump(connection, REVISION), STALE, *stale)

        return await self._store.write(work)

    async def listings(
        self, *, standing: Standing | None = None, under: str = "", after: str = "", most: int = 100
    ) -> list[Listing]:
        """Listings in order of target, of some standing, of one place, after a target."""
        conditions = [listing.c.target > after] if after else []
        if standing:
            conditions.append(listing.c.state == standing)
        if under:
            conditions.append(listing.c.source == under)
        return await self._store.read(lambda connection: rows.listings(connection, *conditions, most=most))

    async def get(self, target: str) -> Listing | None:
        """A listing, whatever its standing."""
        found = await self._store.read(lambda connection: rows.listings(connection, listing.c.target == target))
        return found[0] if found else None

    async def usable(self, target: str) -> bool:
        """Whether a target was found, and may be used as it is described."""
        query = sa.select(listing.c.state).where(listing.c.target == target)
        return await self._store.glance(lambda connection: connection.scalar(query)) == "listed"

    async def stopped(self, after: int) -> tuple[int, Mapping[str, str]]:
        """What may not be called whoever names it, as far as that was changed after a change; see `stops.Stopped`."""
        return await self._store.read(lambda connection: rows.stopped_since(connection, after))

    async def since(self, after: Change, most: int) -> list[tuple[Change, Listing]]:
        """What was changed after a change, in order, each with its own."""
        return await self._store.read(lambda connection: rows.changed_since(connection, after, most))

    async def approve(self, target: str, digest: str, trust: int | None) -> Listing:
        """Let the description that is known now be used.

        Args:
            target: what is approved.
            digest: only if this is the description that was looked at; empty: whatever it is.
            trust: from now on; None: as before.

        Raises:
            ServiceNotFoundError: there is no such listing.
            Conflict: it was changed since, or cannot be used whatever anybody says.
        """

        def work(connection: Connection) -> None:
            seq, known = bump(connection, REVISION), _one(connection, target)
            if digest and digest != known.provenance.digest:
                raise Conflict("another description", told=Told("finding.changed_since"))
            if known.standing == "expired" or (known.standing == "refused" and known.why != BY_OWNER):
                raise Conflict("it cannot be approved", told=Told("finding.not_approvable"))
            values = {"pinned": known.provenance.digest, "state": "listed", "why": "", "seq": seq}
            trusted = {} if trust is None else {"trust": trust}
            connection.execute(sa.update(listing).where(listing.c.target == target).values(**values, **trusted))

        await self._store.write(work)
        return await self._found(target)

    async def refuse(self, target: str) -> Listing:
        """Let it never be used, however it is described, until it is approved; not even where it was gone meanwhile.

        Raises:
            ServiceNotFoundError: there is no such listing.
        """

        def work(connection: Connection) -> None:
            seq = bump(connection, REVISION)
            _one(connection, target)
            values = {"pinned": "", "state": "refused", "why": BY_OWNER, "seq": seq}
            connection.execute(sa.update(listing).where(listing.c.target == target).values(**values))

        await self._store.write(work)
        return await self._found(target)

    async def _found(self, target: str) -> Listing:
        return await self._store.read(lambda connection: _one(connection, target))


def _one(connection: Connection, target: str) -> Listing:
    found = rows.listings(connection, listing.c.target == target)
    if not found:
        raise ServiceNotFoundError("no such listing", told=Told("finding.no_listing"))
    return found[0]


def _expire(connection: Connection, seq: int, why: str, *conditions: sa.ColumnElement[bool]) -> int:
    going = sa.update(listing).where(rows.may_expire(), *conditions)
    return connection.execute(going.values(state="expired", why=why, seq=seq)).rowcount


def _below(connection: Connection, urls: Iterable[str]) -> list[str]:
    """The places that some led to, and those they led to, and so on."""
    found: dict[str, None] = {}
    level = list(urls)
    while level:
        query = sa.select(source.c.url).where(source.c.parent.in_(level[:500]))
        level = level[500:] + [url for url in connection.scalars(query) if url not in found]
        found.update(dict.fromkeys(level))
    return list(found)


def _drop(connection: Connection, seq: int, urls: Sequence[str]) -> int:
    gone = 0
    for start in range(0, len(urls), 500):
        some = urls[start : start + 500]
        gone += _expire(connection, seq, GONE, listing.c.source.in_(some))
        connection.execute(sa.delete(source).where(source.c.url.in_(some)))
    connection.execute(sa.update(source).values(etag=""))  # another may lead there, too: it has to be asked in full
    return gone
