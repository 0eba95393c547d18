"""Live streams: one ring of encoded frames per run, each reader a cursor over it.

A reader behind the ring is served from the table, so a slow one holds nothing up and loses nothing. Runs that nobody
follows cost nothing. What another process commits is pulled from the table when its hint arrives, once per run.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import TYPE_CHECKING

from moothall.errors import DemandNotFound
from moothall.events import reading
from moothall.events.encode import frame
from moothall.events.model import is_public

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence

    from sqlalchemy.engine import Connection

    from moothall.events.append import Row
    from moothall.storage.store import Store

RING = 4_096
_PAGE = 500
Entry = tuple[int, "Row", bytes]
_seq = itemgetter(0)


class Topic:
    """What the followers of one run share.

    Attributes:
        base: the ring holds every public event with a seq from here ...
        next: ... up to this one, exclusive; both None until the first event or pull.
        closed: the run is closed and everything is in the ring or behind it; only `add` may set it.
        erased: there is nothing to follow any more.
    """

    __slots__ = ("base", "changed", "closed", "erased", "followers", "next", "pulling", "ring")

    def __init__(self) -> None:
        """Begin empty."""
        self.base: int | None = None
        self.next: int | None = None
        self.ring: list[Entry] = []
        self.closed = self.erased = False
        self.changed = asyncio.Event()
        self.followers = 0
        self.pulling = asyncio.Lock()

    def add(self, rows: Sequence[Row], *, closed: bool) -> bool:
        """Take rows in; those known already are skipped. False when they do not join on: rows between are missing."""
        first = rows[0][1] if rows else self.next
        if self.next is None:
            self.base = self.next = first
        if rows and first is not None and self.next is not None:
            if first > self.next:
                return False
            self.ring += [(row[1], row, frame(row)) for row in rows if row[1] >= self.next and is_public(row[3])]
            self.next = max(self.next, rows[-1][1] + 1)
        if len(self.ring) > RING:
            del self.ring[: len(self.ring) - RING // 2]
            self.base = self.ring[0][0]
        self.closed = self.closed or closed
        self._tell()
        return True

    def erase(self) -> None:
        """Drop what is in the ring and send the followers away."""
        self.ring.clear()
        self.erased = True
        self._tell()

    def _tell(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def begin(self, head: int) -> None:
        """Leave everything before `head` to the table, if nothing is in yet; all of it must be committed."""
        if self.next is None:
            self.base = self.next = head

    def since(self, at: int) -> list[Entry]:
        """Return the entries with a seq of at least `at`."""
        return self.ring[bisect_left(self.ring, at, key=_seq) :]


class Hub:
    """The topics of this process."""

    def __init__(self, store: Store) -> None:
        """Read history from `store`."""
        self._store = store
        self._topics: dict[str, Topic] = {}

    def publish(self, run: str, rows: Sequence[Row], *, closed: bool) -> None:
        """Show committed rows to the followers of their run. Call it after the commit, in the order of seq."""
        topic = self._topics.get(run)
        if topic is not None and not topic.add(rows, closed=closed):
            # Another process wrote in between. The followers find all of it in the table.
            topic.ring.clear()
            topic.base = topic.next = None
            topic.add(rows, closed=closed)

    def erase(self, runs: Iterable[str]) -> None:
        """End the streams of runs that were erased."""
        for run in runs:
            if (topic := self._topics.get(run)) is not None:
                topic.erase()

    async def pull(self, runs: Iterable[str]) -> None:
        """Read what other processes committed to those of the runs that are followed here."""
        for run in runs:
            if (topic := self._topics.get(run)) is not None:
                async with topic.pulling:
                    await self._pull(run, topic)

    async def sweep(self) -> None:
        """Pull every followed run: a lost hint costs latency, nothing else."""
        await self.pull(list(self._topics))

    async def _pull(self, run: str, topic: Topic) -> None:
        while not (topic.closed or topic.erased):
            after = -1 if topic.next is None else topic.next - 1
            record = await self._store.read(lambda connection: reading.get_run(connection, run))
            rows = await self._rows(run, after, public=False)
            if rows is None:
                topic.erase()
                return
            closed = record is not None and record.status == "closed" and len(rows) < _PAGE
            if rows or closed:
                topic.add(rows, closed=closed)
            if len(rows) < _PAGE:
                return

    async def _rows(self, run: str, after: int, *, public: bool) -> list[Row] | None:
        """A page of rows, None when the run is erased."""

        def page(connection: Connection) -> list[Row] | None:
            rows = reading.events(connection, run, after=after, public=public, limit=_PAGE)
            # Asked for afterwards: rows that were read before it was erased are whole, and blank ones are not sent.
            return None if reading.is_erased(connection, run) else rows

        return await self._store.read(page)

    @asynccontextmanager
    async def _subscribed(self, run: str) -> AsyncIterator[Topic]:
        topic = self._topics.setdefault(run, Topic())
        topic.followers += 1
        try:
            yield topic
        finally:
            topic.followers -= 1
            if topic.followers == 0 and self._topics.get(run) is topic:
                del self._topics[run]

    async def follow(self, run: str, after: int, heartbeat: float | None) -> AsyncGenerator[list[Entry]]:
        """Yield what comes after `after` in chunks: history, then live; an empty chunk is a heartbeat.

        An `after` that the run has not reached names no event of it, so everything is sent (row NEG-API-12).

        Raises:
            DemandNotFound: there is no such run.
        """
        async with self._subscribed(run) as topic:
            at = await self._start(run, topic, after)
            while not topic.erased:
                changed, base = topic.changed, topic.base
                if base is None or at < base:
                    rows = await self._rows(run, at - 1, public=True)
                    if rows is None:
                        topic.erase()
                        return
                    chunk, more = _before(base, rows)
                    at = chunk[-1][0] + 1 if chunk else at
                    at = at if more or base is None else base
                else:
                    # The table may have been ahead of the ring: the cursor never goes back.
                    chunk, more, at = topic.since(at), False, max(at, topic.next or 0)
                if chunk:
                    yield chunk
                if more or topic.changed is not changed or (topic.base is not None and at < (topic.next or 0)):
                    continue
                if topic.closed:
                    return
                if not await _within(changed, heartbeat):
                    yield []

    async def _start(self, run: str, topic: Topic, after: int) -> int:
        record = await self._store.read(lambda connection: reading.get_run(connection, run))
        if record is None or record.erased_at is not None:
            raise DemandNotFound(f"there is no run {run}")
        head = (await self._store.read(lambda connection: reading.heads(connection, [run]))).get(run, 0)
        topic.begin(head)  # the table has all before it, and nobody need carry that into the ring
        if record.status == "closed":
            # The followers share the topic: it closes with its last rows, or the older ones would never see them.
            async with topic.pulling:
                await self._pull(run, topic)
        return after + 1 if 0 <= after < head else 0


def _before(base: int | None, rows: Sequence[Row]) -> tuple[list[Entry], bool]:
    """Return the entries of a page of the table up to the ring, and whether more of them wait there.

    Everything before `base` was committed before `base` was known, so a page that is not full leaves no hole.
    """
    chunk = [(row[1], row, frame(row)) for row in rows if base is None or row[1] < base]
    return chunk, len(chunk) == _PAGE


async def _within(changed: asyncio.Event, seconds: float | None) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return False
    return True
