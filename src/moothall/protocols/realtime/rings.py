"""The newest events of each topic that somebody reads here: encoded once, shared by all who read.

A reader is a cursor over the ring of its topic; one that is behind it reads from the table. So nothing waits in queues,
and a reader that takes nothing in costs no other one time or memory (row RTC-04).
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Final, Protocol

from moothall.canonical import dumps
from moothall.errors import ChannelNotFound, MoothallError, StorageError
from moothall.events.model import Event
from moothall.events.topics import Topics
from moothall.protocols.realtime.turns import Turns
from moothall.telemetry import logger

MOST_EVENTS: Final = 2_048
MOST_BYTES: Final = 8 * 1024 * 1024
"""What the ring of one topic holds at most; half of it goes when it is full."""

PAGE: Final = 200
_AGAIN_SECONDS: Final = 1.0
_seq = attrgetter("seq")
_log = logger("realtime")


class Reader(Protocol):
    """Whoever reads a ring."""

    def stir(self, topic: str, event: Event) -> None:
        """There is one event more; takes no time."""
        ...

    def ended(self, topic: str) -> None:
        """There will be no more."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is sent, in JSON; made once for all readers."""

    seq: int
    event: Event
    json: bytes


def told(event: Event) -> Told:
    """Encode an event."""
    shown = {
        "event_id": event.event_id,
        "event_type": event.type,
        "timestamp": event.ts,
        "topic": event.run,
        "seq": event.seq,
        "payload": event.payload,
    }
    return Told(event.seq, event, dumps(shown))


class Ring:
    """What the readers of one topic share: every public event with a seq from `base` on, up to `next`.

    `begun` is done when these two are known.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.base = self.next = 0
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.readers: set[Reader] = set()
        self._held: list[Told] = []
        self._bytes = 0

    def add(self, event: Event) -> None:
        """Take an event in and stir the readers."""
        entry = told(event)
        self._held.append(entry)
        self._bytes += len(entry.json)
        self.next = event.seq + 1
        if len(self._held) > MOST_EVENTS or self._bytes > MOST_BYTES:
            gone = self._held[: len(self._held) // 2 + 1]
            del self._held[: len(gone)]
            self._bytes -= sum(len(each.json) for each in gone)
            self.base = gone[-1].seq + 1
        for reader in self.readers:
            reader.stir(self.topic, event)

    def since(self, at: int, most: int) -> list[Told]:
        """Entries from a seq on, not more than `most`."""
        if self._held and self._held[-1].seq == at:  # who keeps up lacks the last one alone
            return self._held[-1:]
        begin = bisect_left(self._held, at, key=_seq)
        return self._held[begin : begin + most]


class Rings:
    """The rings of one process, as long as somebody reads them.

    Attributes:
        turns: in which their readers go on.
    """

    def __init__(self, topics: Topics) -> None:
        self.turns = Turns()
        self._topics = topics
        self._rings: dict[str, Ring] = {}
        self._tasks: dict[Ring, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._rings)

    async def read(self, topic: str, reader: Reader) -> Ring:
        """Let a reader in; it is stirred from now on.

        Raises:
            StorageError: it cannot be seen where the topic ends.
        """
        ring = self._rings.get(topic)
        if ring is None:
            ring = self._rings[topic] = Ring(topic)
            self._tasks[ring] = asyncio.create_task(self._fill(ring), name="moothall-ring")
            self._tasks[ring].add_done_callback(partial(self._forget, ring))
        ring.readers.add(reader)
        try:
            await asyncio.shield(ring.begun)
        except BaseException:
            self.leave(ring, reader)
            raise
        return ring

    def leave(self, ring: Ring, reader: Reader) -> None:
        """A reader has enough; the last one takes the ring with it."""
        ring.readers.discard(reader)
        if not ring.readers:
            self._drop(ring)

    async def aclose(self) -> None:
        """Fill no ring any more."""
        tasks = list(self._tasks.values())
        for ring in list(self._rings.values()):
            self._drop(ring)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def head(self, topic: str) -> int:
        """The seq that the next event of a topic will have, by the table."""
        return await self._topics.head(topic)

    async def since(self, topic: str, when: datetime) -> int:
        """The first seq of a topic that is not much older than a time."""
        return await self._topics.since(topic, when)

    async def page(self, topic: str, at: int) -> tuple[list[Event], bool]:
        """Events of a topic from a seq on, out of the table, and whether there are more."""
        found = await self._topics.load(topic, after=at - 1, limit=PAGE)
        return found, len(found) == PAGE

    def _forget(self, ring: Ring, _task: object) -> None:
        del self._tasks[ring]

    def _drop(self, ring: Ring) -> None:
        if self._rings.get(ring.topic) is ring:
            del self._rings[ring.topic]
            self._tasks[ring].cancel()

    async def _fill(self, ring: Ring) -> None:
        error: MoothallError = StorageError("the topic is read no more")
        try:
            ring.base = ring.next = await self._topics.head(ring.topic)
            ring.begun.set_result(None)
            await self._follow(ring)
        except MoothallError as failure:
            error = failure
        finally:
            if self._rings.get(ring.topic) is ring:
                del self._rings[ring.topic]
            if not ring.begun.done():
                ring.begun.set_exception(error)
                ring.begun.exception()  # perhaps nobody waits for it any more

    async def _follow(self, ring: Ring) -> None:
        """Follow the topic; where the database fails it is tried again, from where the ring ends."""
        while True:
            try:
                async with aclosing(self._topics.follow(ring.topic, after=ring.next - 1)) as events:
                    async for event in events:
                        ring.add(event)
                break
            except ChannelNotFound:
                break
            except MoothallError as error:
                _log.warning("a topic cannot be followed for now: %s", error)
                await asyncio.sleep(_AGAIN_SECONDS)
        for reader in list(ring.readers):
            reader.ended(ring.topic)
