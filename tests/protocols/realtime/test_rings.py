"""Rings of topics: opened once for all who come at the same time, gone with the last reader, never with a hole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from moothall.errors import StorageError
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event
from moothall.events.topics import Topics
from moothall.protocols.realtime import rings as module
from moothall.protocols.realtime.feed import Feed
from moothall.protocols.realtime.rings import Rings
from moothall.protocols.realtime.turns import AT_ONCE
from moothall.protocols.realtime.wanted import Wanted
from moothall.storage.store import Store

TOPIC = "grp-0123456789abcdef01234567"


class Held(Topics):
    """Topics whose next answer about an end, or page, waits for the test."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.asked, self.answer = asyncio.Event(), asyncio.Event()
        self.answer.set()
        self.fails = False

    async def head(self, topic: str) -> int:
        self.asked.set()
        await self.answer.wait()
        if self.fails:
            raise StorageError("the disk is gone")
        return await super().head(topic)

    async def load(self, topic: str, *, after: int = -1, limit: int | None = None) -> list[Event]:
        found = await super().load(topic, after=after, limit=limit)
        self.asked.set()
        await self.answer.wait()
        return found


class Last:
    """A reader that waits for one event."""

    def __init__(self, seq: int) -> None:
        self.seq, self.come = seq, asyncio.Event()

    def stir(self, topic: str, event: Event) -> None:
        if event.seq == self.seq:
            self.come.set()

    def ended(self, topic: str) -> None:
        """There is no more."""


@pytest.fixture
async def topics(tmp_path: Path) -> AsyncIterator[Held]:
    store = await Store.open(tmp_path)
    log = EventLog(store)
    await log.start()
    found = Held(log)
    await found.open(TOPIC, "group")
    yield found
    await log.close()
    await store.close()


async def heard(feed: Feed, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        feed.wake.clear()
        batch = feed.at_hand() or await feed.batch()
        if batch is None:
            await feed.wake.wait()
        else:
            found += [entry.event.payload["n"] for entry in batch.entries]
    return found


def said(n: int) -> Draft:
    return Draft(f"k{n}", "moot.group.message", {"n": n})


async def test_readers_who_come_together_share_a_ring_whoever_leaves_meanwhile(topics: Held) -> None:
    rings = Rings(topics)
    feeds = [Feed(rings, Wanted()) for _ in range(4)]
    topics.asked.clear()
    topics.answer.clear()
    coming = [asyncio.create_task(feed.enter(TOPIC, None)) for feed in feeds]
    await topics.asked.wait()
    coming[0].cancel()
    await asyncio.gather(coming[0], return_exceptions=True)
    topics.answer.set()
    await asyncio.gather(*coming[1:])
    feeds[1].close()
    assert len(rings) == 1
    await topics.append(TOPIC, said(1))
    assert await heard(feeds[2], 1) == await heard(feeds[3], 1) == [1]
    feeds[2].close()
    feeds[3].close()
    assert len(rings) == 0
    await rings.aclose()


async def test_who_cannot_begin_is_told_and_the_next_one_begins_anew(topics: Held) -> None:
    rings = Rings(topics)
    feed = Feed(rings, Wanted())
    topics.fails = True
    with pytest.raises(StorageError):
        await feed.enter(TOPIC, None)
    assert len(rings) == 0
    topics.fails = False
    await feed.enter(TOPIC, None)
    await topics.append(TOPIC, said(1))
    assert await heard(feed, 1) == [1]
    await rings.aclose()


async def test_who_comes_while_the_node_stops_does_not_wait_for_ever(topics: Held) -> None:
    rings = Rings(topics)
    topics.asked.clear()
    topics.answer.clear()
    coming = asyncio.create_task(Feed(rings, Wanted()).enter(TOPIC, None))
    await topics.asked.wait()
    await rings.aclose()
    with pytest.raises(StorageError):
        await coming


async def test_who_has_much_that_is_new_has_one_turn_and_others_go_on_between_the_turns(topics: Held) -> None:
    rings = Rings(topics)
    feeds = [Feed(rings, Wanted()) for _ in range(2 * AT_ONCE + 1)]
    handed: list[list[int]] = []
    seen: list[int] = []

    def hand_out(feed: Feed) -> bool:
        batch = feed.at_hand()
        assert batch is not None
        handed.append([entry.seq for entry in batch.entries])
        return True

    def look() -> None:
        seen.append(len(handed))
        if len(handed) < len(feeds):
            asyncio.get_running_loop().call_soon(look)

    waiting = [asyncio.create_task(feed.wake.wait()) for feed in feeds]
    for feed in feeds:
        feed.at_once = partial(hand_out, feed)
        await feed.enter(TOPIC, None)
    await topics.append(TOPIC, *(said(n) for n in range(3)))
    while not handed:  # noqa: ASYNC110 - the ring is filled when it is
        await asyncio.sleep(0)
    look()
    while len(handed) < len(feeds):  # noqa: ASYNC110 - they have their turns when they have them
        await asyncio.sleep(0)
    assert handed == [[0, 1, 2]] * len(feeds)
    assert {AT_ONCE, 2 * AT_ONCE} <= set(seen)
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await rings.aclose()


async def test_what_cannot_be_handed_out_at_once_is_there_for_who_is_woken(topics: Held) -> None:
    rings = Rings(topics)
    feed = Feed(rings, Wanted())
    tried = []

    def refuse() -> bool:
        batch = feed.at_hand()
        assert batch is not None
        tried.append(batch)
        feed.put_back(batch)
        return False

    feed.at_once = refuse
    await feed.enter(TOPIC, None)
    hearing = asyncio.create_task(heard(feed, 2))
    await topics.append(TOPIC, said(1))
    await topics.append(TOPIC, said(2))
    assert await hearing == [1, 2]
    assert tried
    await rings.aclose()


async def test_a_ring_that_goes_on_while_a_page_is_read_leaves_no_hole(
    topics: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_EVENTS", 4)
    rings = Rings(topics)
    await topics.append(TOPIC, *(said(n) for n in range(3)))
    slow, last = Feed(rings, Wanted()), Last(22)
    await rings.read(TOPIC, last)
    await slow.enter(TOPIC, 0)
    topics.asked.clear()
    topics.answer.clear()
    reading = asyncio.create_task(heard(slow, 23))
    await topics.asked.wait()
    for n in range(3, 23):
        await topics.append(TOPIC, said(n))
    await last.come.wait()
    topics.answer.set()
    assert await reading == list(range(23))
    await rings.aclose()
