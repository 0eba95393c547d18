"""Two processes on one PostgreSQL: what is appended by one is heard at the other, and tokens count at both."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from moothall import Node
from moothall.clock import SystemClock
from moothall.errors import PermissionDeniedError
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event
from moothall.events.topics import Topics
from moothall.groups.mailboxes import Mailboxes, MailboxLimits
from moothall.groups.model import topic_of
from moothall.identity.principal import Principal
from moothall.protocols.realtime.callers import Caller
from moothall.protocols.realtime.dispatching import EventDispatcher, Heard
from moothall.protocols.realtime.groups import LEAVE, OnMoved, Seat
from moothall.protocols.realtime.wanted import Wanted
from moothall.settings import Settings
from moothall.storage.store import Store

ANNA = "did:key:z6MkAnna"


class Two:
    """Memberships that the test changes."""

    def __init__(self) -> None:
        self.groups = {"g", "h"}

    async def groups_of(self, did: str) -> Collection[str]:
        return set(self.groups)

    async def members(self, group_id: str) -> Sequence[str]:
        return [ANNA]

    async def seat(self, group_id: str, did: str) -> Seat | None:
        return Seat(lambda _event: True, datetime(2026, 1, 1, tzinfo=UTC)) if group_id in self.groups else None

    async def marks(self, dids: Collection[str]) -> Mapping[str, Mapping[str, object]]:
        return {did: dict.fromkeys(self.groups) for did in dids}

    async def post(self, group_id: str, sender: Principal, message: Mapping[str, Any]) -> Event:
        raise PermissionDeniedError(group_id)

    def on_change(self, listener: OnMoved) -> None:
        """Nobody is told: another process changed it."""

    async def revision(self) -> int:
        return 0


async def dispatcher(stack: AsyncExitStack, folder: Path, url: str, groups: Two) -> EventDispatcher:
    store = await Store.open(folder, url)
    stack.push_async_callback(store.close)
    log = EventLog(store, sweep_seconds=60)
    await log.start()
    stack.push_async_callback(log.close)
    topics = Topics(log)
    boxes = Mailboxes(store, topics, SystemClock(), lambda _: True, MailboxLimits())
    found = EventDispatcher(topics, boxes, lambda: groups)
    stack.push_async_callback(found.rings.aclose)
    return found


def said(n: int) -> Draft:
    return Draft(f"k{n}", "moot.group.message", {"n": n})


@pytest.mark.requirement("RTC-07")
async def test_a_reader_goes_from_process_to_process_and_hears_each_event_once(
    postgres_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        groups = Two()
        nodes = [await dispatcher(stack, tmp_path / str(n), postgres_url, groups) for n in range(2)]
        first = await nodes[0].open(ANNA)
        token = first.feed.token
        first.close()

        async def write(node: EventDispatcher, begin: int) -> None:
            for n in range(begin, begin + 20):
                await node.dispatch(topic_of("g" if n % 2 else "h"), said(n))

        writing = asyncio.gather(write(nodes[0], 0), write(nodes[1], 100))
        heard: list[Heard] = []
        while len(heard) < 40:
            events = nodes[len(heard) % 2].subscribe(ANNA, Wanted(), after=token)
            heard.append(await anext(events))
            token = heard[-1].token
            await events.aclose()
        await writing
        assert sorted(each.event.payload["n"] for each in heard) == [*range(20), *range(100, 120)]
        for topic in {each.event.run for each in heard}:
            seqs = [each.event.seq for each in heard if each.event.run == topic]
            assert seqs == sorted(seqs)


async def test_who_was_removed_by_another_process_hears_no_more_once_the_group_says_so(
    postgres_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        groups = Two()
        here, there = [await dispatcher(stack, tmp_path / str(n), postgres_url, groups) for n in range(2)]
        events = here.subscribe(ANNA, Wanted(types=("moot.group.message",)))
        opened = asyncio.ensure_future(anext(events))
        while len(here.rings) < 3:  # noqa: ASYNC110 - it reads its topics by then
            await asyncio.sleep(0)
        await there.dispatch(topic_of("g"), said(1))
        assert (await opened).event.payload == {"n": 1}
        groups.groups.remove("g")
        await there.dispatch(topic_of("g"), Draft("leave", LEAVE, {"member": ANNA}), said(2))
        await there.dispatch(topic_of("h"), said(3))
        assert (await anext(events)).event.payload == {"n": 3}
        await events.aclose()


async def test_a_change_by_another_process_is_looked_into_by_those_alone_whom_it_concerns(
    postgres_url: str, tmp_path: Path
) -> None:
    settings = [
        Settings(data=tmp_path / name, database_url=postgres_url, demo_agents=False, sweep_seconds=0.1)
        for name in ("one", "two")
    ]
    names = [f"did:wba:far.example:m{n}" for n in range(5)]
    async with Node(settings[0]) as here, Node(settings[1]) as there, AsyncExitStack() as stack:
        for group in ("club", "choir"):
            await there.call("local:groups.create", group=group, policy={"join": "open"})
        for name in names[:4]:
            await there.host.grouping.groups.join("club", by=principal(name))
        manager = here.host.live.manager
        opened = [
            await stack.enter_async_context(manager.connected("sse", Caller(name, principal(name)))) for name in names
        ]
        await manager._compare()
        assert [each.subscription.stale for each in opened] == [False] * 5
        await there.host.grouping.groups.remove("club", names[0])
        await there.host.grouping.groups.join("choir", by=principal(names[4]))
        await there.host.grouping.groups.add("club", names[1], "finance")
        await manager._compare()
        assert [each.subscription.stale for each in opened] == [True, True, False, False, True]
        for each in opened:
            await each.subscription.settle()
        await manager._compare()
        assert [each.subscription.stale for each in opened] == [False] * 5
        await there.call("local:groups.policy", group="club", policy={"messages": "deny"})
        await manager._compare()
        assert [each.subscription.stale for each in opened] == [False, True, True, True, False]


def principal(name: str) -> Principal:
    return Principal(id=name, kind="did", binding="request")
