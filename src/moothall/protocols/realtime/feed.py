"""What one reader reads: several topics at once, each event once, in the order of its topic."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from moothall.events.model import Event
from moothall.protocols.realtime import positions
from moothall.protocols.realtime.groups import MEMBER, Sight
from moothall.protocols.realtime.rings import Ring, Rings, Told, told
from moothall.protocols.realtime.wanted import Wanted

MOST_TOGETHER: Final = 256
"""Events that are handed out at once."""


@dataclass(slots=True)  # one is made for each delivery, and a frozen one costs thrice as much
class Batch:
    """Events of one topic; the token after an event is `before`, the seq that follows it, and `after`."""

    topic: str
    entries: list[Told]
    before: bytes
    after: bytes

    def token(self, entry: Told) -> bytes:
        """Where to go on after one of the events."""
        return b"%b%d%b" % (self.before, entry.seq + 1, self.after)


class Wake:
    """An `asyncio.Event` for one waiter, at half the price."""

    def __init__(self) -> None:
        self._set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        """Let the waiter go on, or the next one."""
        self._set = True
        if (waiter := self._waiter) is not None and not waiter.done():
            waiter.set_result(None)

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for it now."""
        return self._waiter is not None and not self._waiter.done()

    def clear(self) -> None:
        """From now on there is something to wait for."""
        self._set = False

    async def wait(self) -> None:
        """Wait until it is set."""
        if self._set:
            return
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter


class Feed:
    """A reader of topics.

    Attributes:
        wake: set when there may be something to do; whoever waits for it clears it before it looks.
        gone: topics that ended while they were read.
        sights: what its reader may see of each topic; all, where nothing is said.
        at_once: hands out what there is while nobody is at work on it; False where whoever waits for `wake` has to.
    """

    def __init__(self, rings: Rings, wanted: Wanted) -> None:
        self.wake = Wake()
        self.wanted = wanted
        self._rings = rings
        self._open: dict[str, Ring] = {}
        self._positions: dict[str, int] = {}
        self._dirty: dict[str, None] = {}
        self._watches: tuple[str, ...] = ()
        self._moved: set[str] = set()
        self._around: tuple[str, bytes, bytes] | None = None
        self._due = False
        self.gone: set[str] = set()
        self.sights: Mapping[str, Sight] = {}
        self.at_once: Callable[[], bool] | None = None

    @property
    def topics(self) -> Mapping[str, int]:
        """The topics that it reads, and the next seq in each."""
        return self._positions

    @property
    def token(self) -> str:
        """Where to go on."""
        return positions.write(self._positions)

    async def enter(self, topic: str, at: int | None) -> None:
        """Read one topic more, from a seq on; None, or a seq that it has not reached: from now on."""
        ring = await self._rings.read(topic, self)
        self._around = None
        self._open[topic] = ring
        self._positions[topic] = ring.next if at is None else at
        if at is not None and at > ring.next:  # another process may be ahead of this one
            end = await self._rings.head(topic)
            if self._open.get(topic) is not ring:
                return
            self._positions[topic] = min(at, end)
        self._dirty[topic] = None

    def leave(self, topic: str) -> None:
        """Read a topic no more; nothing of it is handed out from now on."""
        if (ring := self._open.pop(topic, None)) is not None:
            del self._positions[topic]
            self._dirty.pop(topic, None)
            self._around = None
            self._rings.leave(ring, self)

    def close(self) -> None:
        """Read nothing any more."""
        self.at_once = None
        for topic in list(self._open):
            self.leave(topic)

    def stir(self, topic: str, event: Event) -> None:
        """See `Reader.stir`."""
        self._dirty[topic] = None
        if event.type in self._watches:
            self._moved.add(str(event.payload.get(MEMBER, "")))
        if not self._due:
            self._due = True
            self._rings.turns.add(self)

    def turn(self) -> None:
        """Hand out what there is, or wake who does."""
        self._due = False
        if self.at_once is None or not self.wake.awaited or not self.at_once():
            self.wake.set()

    def ended(self, topic: str) -> None:
        """See `Reader.ended`."""
        self.gone.add(topic)
        self.leave(topic)
        self.wake.set()

    def watch(self, *kinds: str) -> None:
        """Note whom events of these types are about, for `moved`."""
        self._watches = kinds

    @property
    def waiting(self) -> bool:
        """Whether there may be events to hand out."""
        return bool(self._dirty)

    @property
    def noted(self) -> bool:
        """Whether `moved` has something to look at."""
        return bool(self._moved)

    def moved(self, member: str) -> bool:
        """Whether such an event was about a member, or about all, since this was asked last."""
        if not self._moved:
            return False
        found = bool(self._moved & {member, ""})
        self._moved.clear()
        return found

    async def batch(self) -> Batch | None:
        """The next events, None when there are none for now. What comes back may be empty; then there may be more.

        Between what is read from a ring and its handing out nothing else happens: who lost a right before, and left the
        topic, gets nothing.
        """
        while self._dirty:
            topic = next(iter(self._dirty))
            del self._dirty[topic]
            ring = self._open.get(topic)
            if ring is None:
                continue
            at = self._positions[topic]
            if at < (base := ring.base):  # which may go on meanwhile, and what is between was not read then
                found, more = await self._rings.page(topic, at)
                if self._open.get(topic) is not ring:
                    continue  # it was left meanwhile
                entries = [told(event) for event in found if event.public and event.seq < base]
                end = min(found[-1].seq + 1, base) if more else base
            else:
                entries = ring.since(at, MOST_TOGETHER)
                end = entries[-1].seq + 1 if entries else at
            self._positions[topic] = max(at, end)
            if self._around is not None and self._around[0] != topic:
                self._around = None
            if self._positions[topic] < ring.next:
                self._dirty[topic] = None
            if kept := self._kept(topic, entries):
                return self._batch(topic, kept)
        return None

    def put_back(self, batch: Batch) -> None:
        """A batch was not handed out after all: it is the next one of its topic again."""
        if batch.topic in self._positions:
            self._positions[batch.topic] = batch.entries[0].seq
            self._dirty[batch.topic] = None
            self._around = None

    def at_hand(self) -> Batch | None:
        """The next events of the first topic that has some, where its ring holds them; else ask `batch`."""
        while self._dirty:
            topic = next(iter(self._dirty))
            ring = self._open.get(topic)
            if ring is None or (at := self._positions[topic]) < ring.base:
                return None
            entries = ring.since(at, MOST_TOGETHER)
            kept = self._kept(topic, entries)
            del self._dirty[topic]
            if entries:
                self._positions[topic] = after = entries[-1].seq + 1
                if after < ring.next:
                    self._dirty[topic] = None
            if kept:
                return self._batch(topic, kept)
            if self._around is not None and self._around[0] != topic:
                self._around = None
        return None

    def _batch(self, topic: str, entries: list[Told]) -> Batch:
        """A batch with the token around the number of its topic, which is the same until another topic goes on."""
        if self._around is None or self._around[0] != topic:
            self._around = (topic, *positions.around(self._positions, topic))
        return Batch(topic, entries, self._around[1], self._around[2])

    def _kept(self, topic: str, entries: list[Told]) -> list[Told]:
        sight = self.sights.get(topic)
        if sight is not None:
            entries = [entry for entry in entries if sight(entry.event)]
        if not self.wanted.everything:
            entries = [entry for entry in entries if self.wanted.event(entry.event)]
        return entries
