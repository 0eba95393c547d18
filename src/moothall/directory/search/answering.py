"""Answers out of the index: what a caller may see of what was ranked, and why it stands where it does. Blocks."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from moothall.directory.search.asking import understand
from moothall.directory.search.documents import from_document
from moothall.directory.search.filtering import Sieve
from moothall.directory.search.ranking import Near, Ranking, rank
from moothall.directory.search.shelf import FAULTS, Now, Shelf
from moothall.directory.search.tables import Tables
from moothall.directory.searching import Breakdown, Found, Hit
from moothall.errors import StorageError

if TYPE_CHECKING:
    from moothall.clock import Clock
    from moothall.directory.listing import Listing
    from moothall.directory.places import Gazetteer
    from moothall.directory.search.columns import Positions, State
    from moothall.directory.searching import Filters, Visible

_DEPTH: Final = 500
"""Texts that are looked at first."""

_DEEPER: Final = 16
_COUNTED: Final = 100
"""Hits after those that are shown, of which it is asked whether the caller may see them, to count them."""

_KEPT: Final = 20_000
"""Listings that are kept ready to be shown."""

ARMS: Final = frozenset({"concept", "text"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a caller may see of a ranking: places in it, best first; `total`: as far as that was counted."""

    places: list[int]
    listings: list[Listing]
    total: int
    enough: bool


class Reader:
    """Reads one shelf, from several threads."""

    def __init__(self, shelf: Shelf, gazetteer: Gazetteer, clock: Clock) -> None:
        """`clock` says what has expired."""
        self._shelf = shelf
        self._gazetteer = gazetteer
        self._clock = clock
        self._local = threading.local()
        self._opened: list[Tables] = []
        self._ready = _Ready()

    def answer(
        self,
        query: str,
        filters: Filters,
        visible: Visible,
        limit: int,
        arms: frozenset[str] = ARMS,
        vector: Sequence[float] | None = None,
    ) -> Found:
        """The best hits; `vector` is that of the query, where there are vectors.

        Raises:
            InvalidInput: a filter makes no sense.
            StorageError: the index cannot be read.
        """
        now = self._shelf.now
        sieve = Sieve(filters, now.vocabulary, self._gazetteer, int(self._clock.now().timestamp()))
        asked = understand(query, now.vocabulary, self._gazetteer)
        near = None if vector is None or asked.empty else _near(now, vector)
        depth = _DEPTH
        try:
            while True:
                ranking = rank(asked, now, sieve, depth, near, arms)
                seen = self._seen(ranking, now.state, visible, limit)
                if seen.enough or ranking.whole:
                    return _found(ranking, seen, now.state, asked.concepts)
                depth *= _DEEPER
        except FAULTS as error:
            raise StorageError("the search index cannot be read", why=str(error)) from error

    def close(self) -> None:
        """Close what the threads opened, once none of them runs any more."""
        while self._opened:
            self._opened.pop().close()

    def listing(self, target: str) -> Listing | None:
        """What a target names."""
        try:
            document = self._tables().document(target)
            return from_document(document) if document else None
        except FAULTS as error:
            raise StorageError("the search index cannot be read", why=str(error)) from error

    def digests(self) -> Mapping[str, str]:
        """All that is listed."""
        try:
            return self._tables().digests()
        except FAULTS as error:
            raise StorageError("the search index cannot be read", why=str(error)) from error

    def _seen(self, ranking: Ranking, state: State, visible: Visible, limit: int) -> _Seen:
        """Go through a ranking until there is enough; what is public needs no asking."""
        public = state.rows["public"][ranking.rows].astype(np.bool_)
        places: list[int] = []
        listings: list[Listing] = []
        at = 0
        step = limit
        while at < len(ranking.rows) and len(places) < limit:
            for place, listing in self._at(ranking, state, np.arange(at, min(at + step, len(ranking.rows)))):
                if len(places) < limit and (public[place] or visible(listing)):
                    places.append(place)
                    listings.append(listing)
            last = places[-1] + 1 if len(places) == limit else at + step
            at, step = last, min(_COUNTED, step * 2)
        closed = at + np.flatnonzero(~public[at:])[:_COUNTED]
        more = sum(1 for _, listing in self._at(ranking, state, closed) if visible(listing))
        return _Seen(places, listings, len(places) + int(public[at:].sum()) + more, len(places) >= limit)

    def _at(self, ranking: Ranking, state: State, places: Positions) -> Iterator[tuple[int, Listing]]:
        """The listings at some places of a ranking, but for those that are gone."""
        ids: list[int] = state.ids[ranking.rows[places]].tolist()
        documents = self._documents(ids)
        for place, number in zip(places.tolist(), ids, strict=True):
            if (document := documents.get(number)) is not None:
                yield place, from_document(document)

    def _documents(self, ids: Sequence[int]) -> dict[int, str]:
        found = self._ready.some(ids)
        if missing := [number for number in ids if number not in found]:
            read = self._tables().documents(missing)
            for left in self._shelf.leaving:
                read.update((number, left[number]) for number in missing if number in left and number not in read)
            self._ready.keep(read)
            found.update(read)
        return found

    def _tables(self) -> Tables:
        tables: Tables | None = getattr(self._local, "tables", None)
        if tables is None:
            tables = self._local.tables = Tables(self._shelf.path, reading=True)
            self._opened.append(tables)
        return tables


def _near(now: Now, vector: Sequence[float]) -> Near:
    ids, values = now.vectors.near(vector)
    rows = now.state.of(ids)
    return Near(rows[rows >= 0], values[rows >= 0])


class _Ready:
    """Documents that were read lately, by the ids of their listings, which never change what they mean.

    They are kept as text: of thousands of objects that come and go the garbage collector takes notice, and then stops
    everything to look at all there are.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[int, str] = OrderedDict()
        self._lock = threading.Lock()

    def some(self, ids: Sequence[int]) -> dict[int, str]:
        """Those of the ids that are ready."""
        with self._lock:
            found = {number: self._kept[number] for number in ids if number in self._kept}
            for number in found:
                self._kept.move_to_end(number)
            return found

    def keep(self, documents: Mapping[int, str]) -> None:
        """Keep these, and forget what was not needed for long."""
        with self._lock:
            self._kept.update(documents)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


def _found(ranking: Ranking, seen: _Seen, state: State, concepts: tuple[str, ...]) -> Found:
    trust = state.rows["trust"][ranking.rows]
    hits = []
    for place, listing in zip(seen.places, seen.listings, strict=True):
        parts = Breakdown(
            concept=round(float(ranking.concept[place]), 4),
            text=round(float(ranking.text[place]), 4),
            dense=round(float(ranking.dense[place]), 4),
            trust=float(trust[place]) / 10,
        )
        hits.append(Hit(listing, round(float(ranking.score[place]), 4), parts))
    return Found(tuple(hits), seen.total, concepts, state.version)
