"""Answers that were given, kept for equal questions of the same caller until anything that is listed changes.

`CacheManager` is the name that spec B §2.1 has for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moothall.directory.searching import Filters, Found

if TYPE_CHECKING:
    from moothall.clock import Clock
    from moothall.directory.searching import Search, Visible

_MOST: Final = 1_000
"""Answers that are kept."""

_SECONDS: Final = 60.0
"""After which an answer is not given again: time passes for filters, too, and what was listed expires."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the questions so far."""

    hits: int = 0
    misses: int = 0
    forgotten: int = 0


@dataclass(frozen=True, slots=True)
class _Key:
    partition: str
    query: str
    filters: Filters
    limit: int


@dataclass(frozen=True, slots=True)
class _Kept:
    found: Found
    since: float


class CacheManager:
    """Stands before a search, on one event loop.

    A caller gets only what was answered to it: each partition has its own answers, and whether it may see a hit is
    asked again before the hit is given again.

    Attributes:
        counts: hits, misses, and answers that were forgotten for lack of room.
    """

    def __init__(self, search: Search, clock: Clock, *, most: int = _MOST, seconds: float = _SECONDS) -> None:
        """Keep at most `most` answers, each for `seconds`."""
        self._search = search
        self._clock = clock
        self._most, self._seconds = most, seconds
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self.counts = Counts()

    def __len__(self) -> int:
        """How many answers are kept."""
        return len(self._kept)

    async def search(self, query: str, filters: Filters, visible: Visible, *, partition: str, limit: int = 20) -> Found:
        """As `Search.search`.

        Where who asks, through which door or with which rights is another, `partition` has to be another.

        Raises:
            InvalidInput: the query or a filter makes no sense.
            StorageError: the index cannot be read.
        """
        key = _Key(partition, " ".join(query.split()), filters, limit)
        kept = self._kept.get(key)
        if kept is not None and self._still(kept) and _seen(kept.found, visible):
            self._kept.move_to_end(key)
            self._count(hits=1)
            return kept.found
        self._count(misses=1)
        found = await self._search.search(query, filters, visible, limit=limit)
        self._kept[key] = _Kept(found, self._clock.monotonic())
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
            self._count(forgotten=1)
        return found

    def clear(self) -> None:
        """Forget every answer."""
        self._kept.clear()

    def _still(self, kept: _Kept) -> bool:
        fresh = self._clock.monotonic() - kept.since < self._seconds
        return fresh and kept.found.version == self._search.version

    def _count(self, hits: int = 0, misses: int = 0, forgotten: int = 0) -> None:
        now = self.counts
        self.counts = Counts(now.hits + hits, now.misses + misses, now.forgotten + forgotten)


def _seen(found: Found, visible: Callable[..., bool]) -> bool:
    return all(hit.listing.public or visible(hit.listing) for hit in found.hits)
