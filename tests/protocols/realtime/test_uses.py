"""What real time is for, one scenario for each use (spec B §5.2, row RTC-06)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.protocols.realtime.town import GATES, Gate, Socket, Stream, Town

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.requirement("RTC-06")]
CHAT = "?types=moot.group.message"
STATE = "?types=moot.group.event&where.event_type=state"


async def say(socket: Socket, name: str, group: str, content: object, **more: Any) -> None:
    """Say something in a group over a socket, and wait until it stands in the log."""
    await socket.send(
        type="call", id=name, target="node.groups.send", params={"group": group, "content": content, **more}
    )
    assert (await socket.result(name))["success"]


async def heard(socket: Socket) -> dict[str, Any]:
    """What is said next."""
    payload: dict[str, Any] = (await socket.next("event"))["event"]["payload"]
    return payload


async def test_agents_work_on_one_task_together(place: Town) -> None:
    """One hands parts out, two work on theirs at the node, everybody sees the whole."""
    group = await place.group("anna", "ben", "carl")
    only = f"{CHAT}&topics=group:{group}"
    async with AsyncExitStack() as stack:
        anna, *workers = [await stack.enter_async_context(place.socket(who, only)) for who in ("anna", "ben", "carl")]

        async def work(socket: Socket, who: str) -> None:
            part = (await heard(socket))["content"]["part"]
            await socket.send(type="call", id="sum", target="hall.add", params=part)
            done = (await socket.result("sum"))["data"]
            await say(socket, "done", group, {"done": done, "by": who}, to=[place.did("anna")])

        for socket in (anna, *workers):
            await socket.next("ready")
        working = asyncio.gather(*map(work, workers, ("ben", "carl")))
        async with place.socket("anna", "?from=now") as desk:  # anna hears with one connection and calls with another
            await say(desk, "1", group, {"part": {"a": 1, "b": 2}}, to=[place.did("ben")])
            await say(desk, "2", group, {"part": {"a": 30, "b": 4}}, to=[place.did("carl")])
            await working
            told = [await heard(anna) for _ in range(4)]
            parts = {each["content"]["by"]: each["content"]["done"] for each in told if "done" in each["content"]}
            assert parts == {"ben": 3, "carl": 34}
            await say(desk, "3", group, {"whole": sum(parts.values())})
        assert [await last_of(socket) for socket in (anna, *workers)] == [{"whole": 37}] * 3


async def last_of(socket: Socket) -> object:
    """Read on to what says the whole."""
    while "whole" not in (content := (await heard(socket))["content"]):
        pass
    return content


async def test_the_words_of_a_model_come_while_it_goes_on(place: Town) -> None:
    GATES["model"] = Gate()
    async with place.socket("anna", "?from=now") as socket:
        await socket.send(type="stream", id="1", target="hall.held", params={"name": "model"})
        assert (await socket.next("item", "result"))["value"] == "begun"
        await GATES["model"].begun.wait()
        assert not GATES["model"].ended.is_set()  # the first word is there, the last one is not made
        GATES["model"].open.set()
        assert (await socket.next("item", "result"))["value"] == "over"
        assert (await socket.next("item", "result"))["success"]


async def test_a_state_is_the_same_for_all_who_follow_it_whenever_they_come(place: Town) -> None:
    group = await place.group("anna", "ben", "carl")
    query = f"{STATE}&topics=group:{group}"
    states: dict[str, dict[str, int]] = {"anna": {}, "ben": {}, "carl": {}, "late": {}}

    async def change(who: str, numbers: range) -> None:
        for n in numbers:
            await place.call(
                who, "groups.send", group=group, content={"key": f"k{n % 3}", "value": n}, event_type="state"
            )

    async def follow(name: str, stream: Stream, count: int) -> None:
        for _ in range(count):
            event = await stream.next()
            assert event is not None
            content = event["payload"]["content"]
            states[name][content["key"]] = content["value"]

    async with place.stream("anna", query) as anna, place.stream("ben", query) as ben:
        async with place.stream("carl", query) as carl:
            for stream in (anna, ben, carl):
                await stream.begun()
            await change("anna", range(4))
            await follow("carl", carl, 2)
            token = carl.token  # carl is gone in the middle
        await asyncio.gather(change("anna", range(100, 106)), change("ben", range(200, 206)))
        await follow("anna", anna, 16)
        await follow("ben", ben, 16)
    async with place.stream("carl", query, headers={"Last-Event-ID": token}) as again:
        await follow("carl", again, 14)
    async with place.stream("ben", f"{query}&from=beginning") as late:
        await follow("late", late, 16)
    assert states["anna"] == states["ben"] == states["carl"] == states["late"]
    assert set(states["anna"]) == {"k0", "k1", "k2"}


async def test_events_of_the_system_are_pushed_to_who_asked_for_them(place: Town) -> None:
    group = await place.group("anna")
    async with place.stream("anna", f"?types=moot.group.join,moot.group.leave&topics=group:{group}") as stream:
        await stream.begun()
        await place.near.call("local:groups.add", group=group, member=place.did("ben"))
        await place.call("ben", "groups.join", group=group)
        await place.say(group, "ben", "this is none")
        await place.call("ben", "groups.leave", group=group)
        pushed = [await stream.next() for _ in range(2)]
    told = [(event["event_type"], event["payload"]["member"]) for event in pushed if event is not None]
    assert told == [("moot.group.join", place.did("ben")), ("moot.group.leave", place.did("ben"))]


async def test_members_of_a_group_talk_and_all_hear_one_order(place: Town) -> None:
    names = ("anna", "ben", "carl")
    group = await place.group(*names)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(place.socket(who, f"{CHAT}&topics=group:{group}")) for who in names]
        for socket in sockets:
            await socket.next("ready")
        await asyncio.gather(*(place.say(group, who, f"{who} {n}") for who in names for n in range(4)))
        read = [await socket.texts(12) for socket in sockets]
    assert read[0] == read[1] == read[2]
    assert sorted(read[0]) == sorted(f"{who} {n}" for who in names for n in range(4))
