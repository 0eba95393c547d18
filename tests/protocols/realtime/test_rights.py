"""Who may hear what, for as long as a connection lasts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from moothall.clock import SystemClock
from moothall.protocols.realtime.limits import Limits
from tests.protocols.realtime.town import Town, town

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUERY = "?types=moot.group.message"


def beat(place: Town) -> None:
    """It is time to look at every connection."""
    manager = place.near.host.live.manager
    for connections in (*manager.sse_connections.values(), *manager.websocket_sessions.values()):
        for connection in connections:
            connection.beat(SystemClock().monotonic())


async def test_a_removed_member_hears_nothing_from_that_moment_on(place: Town) -> None:
    group, other = await place.group("anna", "ben"), await place.group("anna", "ben")
    async with place.stream("anna", QUERY) as stream:
        await stream.begun()
        await place.say(group, "ben", "before")
        assert await stream.texts(1) == ["before"]
        await place.near.call("local:groups.remove", group=group, member=place.did("anna"))
        await place.say(group, "ben", "behind its back")
        await place.say(other, "ben", "after")
        assert await stream.texts(1) == ["after"]
    async with place.stream("anna", f"{QUERY}&from=beginning", headers={}) as again:
        assert "behind its back" not in await again.texts(1)


async def test_who_comes_in_while_connected_hears_what_is_said_from_then_on(place: Town) -> None:
    group = await place.group("ben")
    await place.say(group, "ben", "too early")
    async with place.stream("anna", QUERY) as stream:
        await stream.begun()
        await place.near.call("local:groups.add", group=group, member=place.did("anna"))
        await place.call("anna", "groups.join", group=group)
        await place.say(group, "ben", "welcome")
        assert await stream.texts(1) == ["welcome"]


async def test_what_members_say_to_one_alone_is_heard_by_that_one(place: Town) -> None:
    group = await place.group("anna", "ben", "carl")
    async with place.stream("anna", QUERY) as anna, place.stream("carl", QUERY) as carl:
        await anna.begun()
        await carl.begun()
        await place.say(group, "ben", "secret", to=[place.did("carl")])
        await place.say(group, "ben", "open")
        assert await carl.texts(2) == ["secret", "open"]
        assert await anna.texts(1) == ["open"]


async def test_a_policy_holds_for_open_connections_from_that_moment_on(place: Town) -> None:
    group = await place.group("anna", "ben", "carl")
    await place.near.call("local:groups.add", group=group, member=place.did("ben"), role="finance")
    async with place.stream("anna", QUERY) as stream:
        await stream.begun()
        await place.say(group, "ben", "before")
        assert await stream.texts(1) == ["before"]
        rules = [{"sender": "finance", "receiver": place.did("anna")}]
        await place.near.call("local:groups.policy", group=group, policy={"rules": rules})
        await place.say(group, "ben", "not for anna")
        await place.say(group, "carl", "for all")
        assert await stream.texts(1) == ["for all"]


async def test_nobody_hears_a_group_that_it_is_not_in_whatever_it_asks_for(place: Town) -> None:
    group = await place.group("ben")
    await place.say(group, "ben", "among us")
    async with place.stream("anna", f"?topics=group:{group}&from=0") as stream:
        await stream.begun()
        beat(place)
        block = await stream.block()
    assert block is not None
    assert "data" not in block


async def test_who_is_suspended_is_disconnected_and_told(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    group = await place.group("carl", "ben")
    live, did = place.near.host.live, place.did("carl")
    async with place.stream("carl") as stream, place.socket("carl") as socket:
        await stream.begun()
        await socket.next("ready")
        standing = live.manager.standing
        object.__setattr__(standing, "suspended", lambda identity: identity == did)
        try:
            await place.say(group, "ben", "not for carl any more")
            assert await stream.next() is None
            assert stream.ended is not None
            assert stream.ended["code"] == "PERMISSION_DENIED"
            assert await socket.closed() == (4001, "Authentication failed")
        finally:
            object.__setattr__(standing, "suspended", place.near.host.suspended)


async def test_a_token_that_counts_no_more_ends_its_connections(place: Town) -> None:
    token = await place.token("anna")
    bearer = {"Authorization": f"Bearer {token}"}
    async with place.stream(headers=bearer) as stream, place.socket(headers=bearer) as socket:
        await stream.begun()
        await socket.next("ready")
        await place.near.call("local:tokens.revoke", did=place.did("anna"))
        beat(place)
        while await stream.next() is not None:
            pass
        assert stream.ended is not None
        assert stream.ended["code"] == "UNAUTHENTICATED"
        assert await socket.closed() == (4001, "Authentication failed")


async def test_a_proof_that_counts_once_has_an_end(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.near.host.live.manager, "limits", Limits(lifetime=0))
    async with place.stream("ben", "?from=now") as stream:
        await stream.begun()
        beat(place)
        assert await stream.next() is None
    assert stream.ended is not None
    assert stream.ended["code"] == "UNAUTHENTICATED"
    assert stream.ended["resume"] == stream.token


async def test_connections_that_ended_are_forgotten(place: Town) -> None:
    manager = place.near.host.live.manager
    async with place.stream("anna") as stream, place.socket("anna") as socket:
        await stream.begun()
        await socket.next("ready")
        assert len(manager) >= 2
    while len(manager):  # noqa: ASYNC110 - the server sees it when it sees it
        await asyncio.sleep(0)
    assert (manager.sse_connections, manager.websocket_sessions) == ({}, {})
    assert len(manager.event_dispatcher.rings) == 0


async def test_a_node_that_stops_ends_every_connection_at_once(place: Town, tmp_path: Path) -> None:
    async with town(tmp_path) as other, other.stream("anna") as stream, other.socket("ben") as socket:
        await stream.begun()
        await socket.next("ready")
        reading = asyncio.gather(stream.next(), socket.closed())
        await other.close()
        assert await reading == [None, (1012, "")]
