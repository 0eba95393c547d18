"""The receiving end of a run's inbox: what came and was not handed to the driver yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from moothall.events import reading
from moothall.events.model import CONSUMED, UNDELIVERABLE, Draft, Posting

if TYPE_CHECKING:
    from datetime import datetime

    from moothall.events.run import Run
    from moothall.storage.store import Store


class Mailbox:
    """Postings of one run.

    Attributes:
        seen: how many postings the run had when the table was last read; parking compares it.
    """

    def __init__(self, run: Run, store: Store) -> None:
        """Belong to `run`; nothing is read before it is needed."""
        self._run, self._store = run, store
        self.seen = 0
        self._unread: list[Posting] = []
        self._reading = asyncio.Lock()
        self._news = asyncio.Event()

    @property
    def unread(self) -> bool:
        """Whether something waits that was not handed out."""
        return bool(self._unread)

    def rouse(self) -> None:
        """Wake whoever receives, so that it reads the table."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def receive(self, until: datetime | None) -> Posting | None:
        """See `Run.receive`."""
        while True:
            news, expired = self._news, until is not None and self._run.clock.now() >= until
            if (known := self._take(until)) is not None:
                return known
            await self.read()
            if (known := self._take(until)) is not None or expired:
                return known
            await self._wait(news, until)

    async def spot(self, kind: str) -> Posting:
        """See `Run.spot`."""
        while True:
            news = self._news
            await self.read()
            if (found := next((posting for posting in self._unread if posting.kind == kind), None)) is not None:
                return found
            await news.wait()

    def _take(self, until: datetime | None) -> Posting | None:
        for index, posting in enumerate(self._unread):
            if until is None or posting.received_at <= until:
                return self._unread.pop(index)
        return None

    async def read(self) -> None:
        """Fetch what came since the last time; failed deliveries become events, the rest waits for the driver."""
        async with self._reading:
            run, after = self._run, self.seen
            count, fresh = await self._store.read(lambda connection: reading.postings(connection, run.id, after=after))
            new = [posting for posting in fresh if run.recorded(_consumer(posting)) is None]
            if failed := [posting for posting in new if posting.kind == UNDELIVERABLE]:
                await run.emit(*[Draft(posting.key, UNDELIVERABLE, posting.payload) for posting in failed])
            self._unread += [posting for posting in new if posting.kind != UNDELIVERABLE]
            self._unread.sort(key=lambda posting: (posting.received_at, posting.key))
            self.seen = count

    async def _wait(self, news: asyncio.Event, until: datetime | None) -> None:
        if until is None:
            await news.wait()
            return
        either = {asyncio.create_task(news.wait()), asyncio.create_task(self._run.clock.sleep_until(until))}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in either:
                task.cancel()
            await asyncio.gather(*either, return_exceptions=True)


def _consumer(posting: Posting) -> str:
    return posting.key if posting.kind == UNDELIVERABLE else CONSUMED + posting.key
