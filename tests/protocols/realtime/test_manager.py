"""The names of the specification: who is connected, and what is said to one, to a group or to whoever subscribed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from moothall import Agent, Node
from moothall.errors import AgentNotFound, Conflict, PermissionDeniedError, RateLimited, Unauthenticated, Unavailable
from moothall.events.model import Event
from moothall.groups.mailboxes import Mailboxes, MailboxLimits
from moothall.identity.principal import Principal
from moothall.protocols.realtime.callers import Caller
from moothall.protocols.realtime.dispatching import EventDispatcher, Heard
from moothall.protocols.realtime.extension import AuthServerExtension
from moothall.protocols.realtime.presence import RealtimeCommunicationManager
from moothall.protocols.realtime.wanted import Wanted
from moothall.settings import Settings
from tests.support.clock import ShiftedClock

ANNA, BEN, CARL = "anna", "ben", "carl"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    node = Node(Settings(data=tmp_path / "node", demo_agents=False))
    node.add(Agent(ANNA), Agent(BEN), Agent(CARL))
    async with node:
        yield node


def did(node: Node, name: str) -> str:
    found = node.host.office.did(name)
    assert found is not None
    return found


def principal(node: Node, name: str) -> Principal:
    return Principal(id=did(node, name), kind="did", binding="request", owner=True)


async def group(node: Node, *names: str) -> str:
    await node.call("local:groups.create", group="g", members=[did(node, name) for name in names])
    return "g"


async def first(events: AsyncIterator[Heard], count: int) -> list[Heard]:
    found = []
    async for heard in events:
        found.append(heard)
        if len(found) == count:
            break
    return found


def text(heard: Heard | Event) -> str:
    event = heard.event if isinstance(heard, Heard) else heard
    return str(event.payload["content"]["text"])


@pytest.mark.requirement("RTC-04")
async def test_all_members_get_a_broadcast_once_and_who_is_none_is_refused(node: Node) -> None:
    manager = node.host.live.manager
    name = await group(node, ANNA, BEN)
    feeds = [manager.event_dispatcher.subscribe(did(node, each), Wanted(start="beginning")) for each in (ANNA, BEN)]
    assert set(await manager.get_group_members(name)) >= {did(node, ANNA), did(node, BEN)}
    sent = await manager.broadcast_to_group(name, {"text": "to all"}, principal(node, ANNA))
    for n in range(3):
        await manager.broadcast_to_group(name, {"text": f"m{n}"}, principal(node, BEN))
    for feed in feeds:
        heard = [each for each in await first(feed, 4) if each.event.type == "moot.group.message"]
        assert [text(each) for each in heard] == ["to all", "m0", "m1", "m2"]
        assert heard[0].event.event_id == sent.event_id
        await feed.aclose()
    with pytest.raises(PermissionDeniedError):
        await manager.broadcast_to_group(name, {"text": "from outside"}, principal(node, CARL))
    with pytest.raises(PermissionDeniedError):
        await manager.broadcast_to_group("no-such-group", {"text": "x"})


@pytest.mark.requirement("RTC-05")
async def test_a_message_to_one_agent_is_delivered_or_queued_or_reported(node: Node) -> None:
    manager, anna = node.host.live.manager, did(node, ANNA)
    queued = await manager.send_to_agent(anna, {"text": "while away"}, did(node, BEN), message_id="m1")
    assert queued.state == "queued"
    again = await manager.send_to_agent(anna, {"text": "while away"}, did(node, BEN), message_id="m1")
    assert again.event == queued.event
    with pytest.raises(Conflict):
        await manager.send_to_agent(anna, {"text": "another"}, did(node, BEN), message_id="m1")
    assert (await manager.send_to_agent(anna, {"text": "hm"}, did(node, CARL), message_id="m1")).event != queued.event
    feed = manager.event_dispatcher.subscribe(anna)
    assert [text(each) for each in await first(feed, 2)] == ["while away", "hm"]
    with pytest.raises(AgentNotFound):
        await manager.send_to_agent("did:key:z6MkNobodyWasEverHere", {"text": "x"})


@pytest.mark.requirement("RTC-05")
@pytest.mark.parametrize("limits", [MailboxLimits(messages=3, share=1), MailboxLimits(bytes=270, share=1)])
async def test_a_mailbox_is_full_of_what_was_not_read_and_what_was_read_makes_room(
    node: Node, limits: MailboxLimits
) -> None:
    live, anna = node.host.live, did(node, ANNA)
    boxes = Mailboxes(node.log.store, live.topics, node.clock, lambda _: True, limits)
    said = [{"id": str(n), "content": {"text": "x" * 60}} for n in range(4)]
    events = [await boxes.put(anna, BEN, f"k{n}", said[n]) for n in range(3)]
    with pytest.raises(RateLimited):
        await boxes.put(anna, BEN, "k3", said[3])
    assert await boxes.put(anna, BEN, "k1", said[1]) == events[1]  # sent again, it is there already
    await boxes.read(await boxes.open(anna), events[0].seq + 1)
    fresh = await boxes.put(anna, BEN, "k3", said[3])
    assert [each.payload["id"] for each in await live.topics.load(fresh.run) if each.public] == ["1", "2", "3"]
    with pytest.raises(RateLimited):
        await boxes.put(anna, BEN, "k0", said[0])


@pytest.mark.requirement("RTC-05")
async def test_what_nobody_reads_goes_when_it_is_old(node: Node) -> None:
    live, ben = node.host.live, did(node, BEN)
    old = await live.mailboxes.put(ben, ANNA, "old", {"id": "old"})
    later = ShiftedClock(datetime.now(UTC) + timedelta(days=8))
    boxes = Mailboxes(node.log.store, live.topics, later, lambda _: True, MailboxLimits())
    for n in range(2):
        await boxes.put(ben, ANNA, f"k{n}", {"id": str(n)})
    assert old.seq not in [event.seq for event in await live.topics.load(old.run)]


@pytest.mark.requirement("RTC-07")
async def test_a_subscriber_with_a_filter_gets_what_matches_and_replays_from_any_offset(node: Node) -> None:
    manager = node.host.live.manager
    dispatcher: EventDispatcher = manager.event_dispatcher
    name = await group(node, ANNA, BEN)
    for n in range(20):
        kind = "alarm" if n % 3 == 0 else "note"
        sender = principal(node, ANNA if n % 2 else BEN)
        await manager.broadcast_to_group(name, {"text": str(n), "kind": kind}, sender)
    where: dict[str, Any] = {"where": {"content.kind": "alarm"}, "types": ["moot.group.*"], "from": 0}
    wanted = Wanted.of_json({**where, "topics": [f"group:{name}"]})
    heard = await first(dispatcher.subscribe(did(node, ANNA), wanted), 7)
    assert [text(each) for each in heard] == ["0", "3", "6", "9", "12", "15", "18"]
    for n, each in enumerate(heard[:-1]):
        rest = await first(dispatcher.subscribe(did(node, ANNA), wanted, after=each.token), 6 - n)
        assert [text(one) for one in rest] == [text(one) for one in heard[n + 1 :]]
    offset = Wanted.of_json({**where, "from": heard[4].event.seq})
    assert text((await first(dispatcher.subscribe(did(node, ANNA), offset), 1))[0]) == "12"


@pytest.mark.requirement("RTC-04")
async def test_a_reader_that_takes_nothing_in_delays_nobody_and_goes_on_where_it_was(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.protocols.realtime.rings.MOST_EVENTS", 8)
    dispatcher = node.host.live.manager.event_dispatcher
    anna = did(node, ANNA)
    slow, quick = (dispatcher.subscribe(anna, Wanted()) for _ in range(2))
    send = node.host.live.manager.send_to_agent
    await send(anna, {"text": "0"})
    begun = [text(each) for each in await first(slow, 1)]
    waiting = asyncio.create_task(first(quick, 50))
    for n in range(1, 50):
        await send(anna, {"text": str(n)})
    assert [text(each) for each in await waiting] == [str(n) for n in range(50)]
    assert begun + [text(each) for each in await first(slow, 49)] == [str(n) for n in range(50)]


@pytest.mark.requirement("RTC-03")
async def test_every_connection_of_an_identity_hears_and_dead_ones_are_removed(node: Node) -> None:
    manager: RealtimeCommunicationManager = node.host.live.manager
    extension = AuthServerExtension(manager, node.clock)
    anna = did(node, ANNA)
    tabs = [await extension.create_sse_stream(anna, wanted=Wanted(start="now")) for _ in range(2)]
    bodies: list[asyncio.Queue[bytes]] = [asyncio.Queue() for _ in tabs]
    leave = [asyncio.Event() for _ in tabs]

    async def tab(n: int) -> None:
        async def receive() -> dict[str, Any]:
            await leave[n].wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            await bodies[n].put(message.get("body", b""))

        await tabs[n]({"type": "http"}, receive, send)

    opened = [asyncio.create_task(tab(n)) for n in range(2)]
    for body in bodies:
        assert [await body.get(), (await body.get())[:6]] == [b"", b"retry:"]
    assert len(manager.sse_connections[anna]) == 2
    assert (await manager.send_to_agent(anna, {"text": "both"})).state == "delivered"
    for body in bodies:
        assert b'"text":"both"' in await body.get()
    leave[0].set()
    await opened[0]
    assert len(manager.sse_connections[anna]) == 1
    leave[1].set()
    await opened[1]
    assert anna not in manager.sse_connections


@pytest.mark.requirement("RTC-01")
async def test_the_extension_serves_in_an_application_of_ones_own(node: Node) -> None:
    extension = AuthServerExtension(node.host.live.manager, node.clock)

    async def stream(request: Request) -> Response:
        found = await extension.verify_request(request)
        assert (found.success, found.caller_did) == (False, "")
        with pytest.raises(Unauthenticated, match="Authentication failed"):
            await extension.handle_sse_connection(request)
        return Response(status_code=401)

    app = Starlette(routes=[Route("/s", stream), WebSocketRoute("/w", extension.handle_websocket_connection)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        assert (await client.get("/s")).status_code == 401


async def test_a_connection_that_is_ended_is_told_to_go_on_after_what_it_was_sent(node: Node) -> None:
    manager, boxes = node.host.live.manager, node.host.live.mailboxes
    anna = principal(node, ANNA)
    await boxes.put(anna.id, BEN, "k1", {"id": "1", "content": {"text": "one"}})
    async with manager.connected("sse", Caller(anna.id, anna)) as connection:
        batches = connection.batches()
        batch = await anext(batches)
        assert batch is not None
        await boxes.put(anna.id, BEN, "k2", {"id": "2", "content": {"text": "two"}})
        while not connection.subscription.feed.waiting:  # noqa: ASYNC110 - the ring is filled when it is
            await asyncio.sleep(0)
        connection.end(Unavailable("the node is stopping"))
        with pytest.raises(Unavailable):
            await anext(batches)
        assert connection.token == batch.token(batch.entries[-1]).decode()
