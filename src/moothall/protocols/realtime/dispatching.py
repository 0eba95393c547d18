"""Who hears of what: subscriptions to events by topic and type, from any place on (rows RTC-03, RTC-07)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from moothall.errors import ChannelNotFound, MoothallError
from moothall.events.model import Draft, Event
from moothall.events.topics import Topics
from moothall.groups.channel import KIND
from moothall.groups.mailboxes import Mailboxes
from moothall.groups.model import mailbox_of, topic_of
from moothall.protocols.realtime import positions
from moothall.protocols.realtime.feed import Batch, Feed
from moothall.protocols.realtime.groups import JOIN, LEAVE, Groups, Seat
from moothall.protocols.realtime.positions import MOST_TOPICS
from moothall.protocols.realtime.rings import Rings
from moothall.protocols.realtime.wanted import GROUP, MAILBOX, NOW, Wanted

_MOST_KNOWN: Final = 10_000


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and the token to go on with after it."""

    event: Event
    token: str


class EventDispatcher:
    """Leads the events of topics to those who may hear them."""

    def __init__(self, topics: Topics, mailboxes: Mailboxes, groups: Callable[[], Groups]) -> None:
        self.rings = Rings(topics)
        self._topics, self._mailboxes, self._groups = topics, mailboxes, groups
        self._known: dict[str, None] = {}

    async def dispatch(self, topic: str, *drafts: Draft) -> tuple[Event, ...]:
        """Append events to a topic; whoever reads it anywhere hears of them. Raises as `Topics.append`."""
        return await self._topics.append(topic, *drafts)

    async def open(self, identity: str, wanted: Wanted | None = None, *, after: str = "") -> Subscription:
        """Subscribe somebody to what it may hear and wants to, from a token on.

        Raises:
            InvalidInput: the token is none.
            StorageError: the store cannot say what it may hear.
        """
        found = Subscription(self, identity, wanted or Wanted(), positions.read(after) if after else None)
        try:
            await found.refresh()
        except BaseException:
            found.close()
            raise
        return found

    async def subscribe(self, identity: str, wanted: Wanted | None = None, *, after: str = "") -> AsyncGenerator[Heard]:
        """The events one by one, without end; raises as `open`."""
        subscription = await self.open(identity, wanted, after=after)
        try:
            while True:
                subscription.feed.wake.clear()
                await subscription.settle()
                batch = await subscription.batch()
                if batch is None:
                    await subscription.feed.wake.wait()
                    continue
                for entry in batch.entries:
                    yield Heard(entry.event, batch.token(entry).decode())
        finally:
            subscription.close()

    async def seats(self, identity: str, wanted: Wanted) -> Mapping[str, Seat | None]:
        """The topics that somebody may hear and wants to, and what it may see of each; None: all of it."""
        found: dict[str, Seat | None] = {}
        if wanted.topic(MAILBOX):
            found[await self._mailboxes.open(identity)] = None
        groups = self._groups()
        for group in _heard(await groups.groups_of(identity), wanted):
            seat = await groups.seat(group, identity)
            if seat is not None and (topic := await self._opened(group)):
                found[topic] = seat
        return found

    async def _opened(self, group: str) -> str:
        """The topic of a group, which is there before anything was said; empty where it was erased."""
        topic = topic_of(group)
        if topic not in self._known:
            try:
                await self._topics.open(topic, KIND, subject=group)
            except ChannelNotFound:
                return ""
            self._known[topic] = None
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return topic


def _heard(groups: Iterable[str], wanted: Wanted) -> list[str]:
    """Which of somebody's groups it hears and wants to."""
    return [group for group in sorted(groups)[: MOST_TOPICS - 1] if wanted.topic(f"{GROUP}{group}")]


class Subscription:
    """What one reader hears; rights are looked at again whenever a membership may have changed.

    Attributes:
        feed: its topics.
        stale: its memberships may have changed.
    """

    def __init__(
        self, dispatcher: EventDispatcher, identity: str, wanted: Wanted, after: Mapping[str, int] | None
    ) -> None:
        self.identity = identity
        self.feed = Feed(dispatcher.rings, wanted)
        self.feed.watch(JOIN, LEAVE)
        self.box = mailbox_of(identity)
        self.stale = False
        self._dispatcher, self._after = dispatcher, after
        self._begun = False
        self._marks: Mapping[str, object] = {}

    def moved(self) -> None:
        """Note that a membership may have changed."""
        self.stale = True
        self.feed.gone.clear()
        self.feed.wake.set()

    def compare(self, marks: Mapping[str, object]) -> None:
        """Note that a membership has changed where the marks of its reader's seats, by groups, are others by now."""
        heard = _heard(marks, self.feed.wanted)
        if {topic_of(group): marks[group] for group in heard} != self._marks:
            self.moved()

    @property
    def unsettled(self) -> bool:
        """Whether the rights may have changed since they were looked at."""
        return self.stale or self.feed.noted

    async def settle(self) -> None:
        """Look at the rights again where they may have changed; nothing is handed out meanwhile."""
        while self.stale or self.feed.moved(self.identity):
            await self.refresh()

    async def batch(self) -> Batch | None:
        """The next events that it may hear, None where there are none for now."""
        while self.feed.waiting and (found := await self.feed.batch()) is not None:
            try:
                await self.settle()
            except MoothallError:
                self.feed.put_back(found)
                raise
            if found.topic in self.feed.topics:
                return found
        return None

    async def refresh(self) -> None:
        """Hear what the reader may hear now, and nothing else.

        Raises:
            StorageError: the store cannot say.
        """
        self.stale = False
        feed = self.feed
        seats = await self._dispatcher.seats(self.identity, feed.wanted)
        for topic in [topic for topic in feed.topics if topic not in seats]:
            feed.leave(topic)
        self._marks = {topic: seat.mark for topic, seat in seats.items() if seat is not None}
        feed.sights = {topic: seat.sight for topic, seat in seats.items() if seat is not None}
        for topic, seat in seats.items():
            if topic not in feed.topics and topic not in feed.gone:
                await feed.enter(topic, await self._place(topic, seat))
        self._begun = True

    def close(self) -> None:
        """Hear nothing any more."""
        self.feed.close()

    async def _place(self, topic: str, seat: Seat | None) -> int | None:
        """From which seq on a topic is read; what was said before its reader came in is not for it. None: from now."""
        start = self.feed.wanted.start
        if self._after is None and not self._begun and (start == NOW or (start == "" and seat is not None)):
            return None
        floor = 0 if seat is None else await self._dispatcher.rings.since(topic, seat.since)
        if self._begun:  # it came in while it was connected
            return floor
        known = self._after.get(positions.short(topic), 0) if self._after is not None else start
        return max(known, floor) if isinstance(known, int) else floor
