"""Two processes of one database share a group (row GRP-09)."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from moothall import ANPUser, Node
from moothall.errors import Conflict, PermissionDeniedError
from moothall.groups.channel import JOIN, MESSAGE, InternalCommunicationChannel
from moothall.groups.claims import Claims
from moothall.groups.model import topic_of
from moothall.identity.keystore import FOLDER
from moothall.settings import Settings
from tests.groups.house import GroupHouse, agent, did

ANN, BEN = did("ann"), did("ben")
EACH = 100

pytestmark = pytest.mark.requirement("GRP-09")


async def test_no_message_is_lost_or_doubled_and_both_see_one_order(postgres_url: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        one = await GroupHouse.open(postgres_url, tmp_path / "one", stack)
        two = await GroupHouse.open(postgres_url, tmp_path / "two", stack)
        await one.groups.create("club", [BEN], by=agent(ANN))
        await two.groups.join("club", by=agent(BEN))
        channels = [InternalCommunicationChannel("club", house.log, house.topics) for house in (one, two)]
        seen = await two.groups.store.seen("club", [ANN, BEN])
        assert seen is not None

        async def speak(channel: InternalCommunicationChannel, who: str, place: int) -> None:
            await channel.say(seen.members[who], place, f"{who}-{place}")

        said = [(who, place) for place in range(EACH) for who in (ANN, BEN)]
        once = [speak(channels[place % 2], who, place) for who, place in said]
        twice = [speak(channels[1 - place % 2], who, place) for who, place in said[::5]]  # sent again elsewhere
        await asyncio.gather(*once, *twice)
        read = [await channel.page(seen.group, None, after=-1, limit=1_000) for channel in channels]
        joined, *said_here = read[0].events
        first, second = ([(event.seq, event.payload["id"]) for event in page.events[1:]] for page in read)
        assert first == second
        assert [seq for seq, _ in first] == list(range(1, 2 * EACH + 1))
        assert Counter(name for _, name in first) == Counter(f"{who}-{place}" for who, place in said)
        assert (joined.type, {event.type for event in said_here}) == (JOIN, {MESSAGE})
        with pytest.raises(Conflict):
            await channels[0].say(seen.members[ANN], "something else", f"{ANN}-0")


async def test_a_change_of_owner_counts_in_the_other_process_at_once(postgres_url: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        one = await GroupHouse.open(postgres_url, tmp_path / "one", stack)
        two = await GroupHouse.open(postgres_url, tmp_path / "two", stack)
        await one.groups.create("club", [BEN], by=agent(ANN))
        made = (await one.groups.join("club", by=agent(BEN))).group
        done = await asyncio.gather(
            one.groups.transfer("club", BEN, revision=made.revision, by=agent(ANN)),
            two.groups.change("club", title="mine still", revision=made.revision, by=agent(ANN)),
            two.groups.add("club", did("cid"), revision=made.revision, by=agent(ANN)),
            return_exceptions=True,
        )
        assert sum(not isinstance(each, BaseException) for each in done) == 1
        assert all(isinstance(each, Conflict | PermissionDeniedError) for each in done if isinstance(each, Exception))
        known = await one.groups.store.get("club")
        assert known is not None
        if known.owner == ANN:
            await two.groups.transfer("club", BEN, by=agent(ANN))
        for house in (one, two):
            with pytest.raises(PermissionDeniedError):
                await house.groups.change("club", title="no more", by=agent(ANN))
        assert (await two.groups.change("club", title="Ben's", by=agent(BEN))).title == "Ben's"
        assert (await one.house.revisions.current())["groups"] == (await two.house.revisions.current())["groups"]


async def test_who_was_taken_out_in_one_node_is_out_in_the_other(postgres_url: str, tmp_path: Path) -> None:
    settings = [
        Settings(data=tmp_path / name, database_url=postgres_url, demo_agents=False, sweep_seconds=0.1)
        for name in ("one", "two")
    ]
    async with Node(settings[0]) as one, Node(settings[1]) as two:
        await two.call("local:groups.create", group="club", members=[ANN])
        await two.host.grouping.groups.join("club", by=agent(ANN))
        engine = [node.host.authority.engine for node in (one, two)]
        for each in engine:
            assert (await each.subject(agent(ANN))).groups == {"club"}
        guest = one.caller(principal=agent(ANN))
        await guest.call("local:groups.send", group="club", content="hello")
        await two.call("local:groups.remove", group="club", member=ANN)
        for each in engine:
            assert (await each.subject(agent(ANN))).groups == frozenset()
        with pytest.raises(PermissionDeniedError):
            await guest.call("local:groups.send", group="club", content="hello?")
        history = await two.call("local:groups.history", group="club")
        assert [one.content for one in history.messages if one.type == "group.message"] == ["hello"]


async def test_a_handler_hears_what_another_process_took_and_answers_once(postgres_url: str, tmp_path: Path) -> None:
    heard: list[str] = []

    def node_of(name: str, *agents: ANPUser) -> Node:
        data = tmp_path / name
        made = Node(Settings(data=data, database_url=postgres_url, demo_agents=False, sweep_seconds=0.1))
        made.add(*agents)
        return made

    desk = ANPUser("desk")

    @desk.register_group_event_handler
    async def hear(group_id: str, event_type: str, event_data: dict[str, Any]) -> str | None:
        if event_type != "message":
            return None
        heard.append(event_data["content"])
        return f"heard {event_data['content']}"

    async with node_of("one") as one, node_of("two", desk) as two:
        did_of_desk = two.host.office.did("desk")
        await two.call("local:groups.create", group="club", members=[did_of_desk, ANN])
        await one.host.grouping.groups.join("club", by=agent(ANN))
        guest = one.caller(principal=agent(ANN))
        for place in range(5):
            sent = await guest.call("local:groups.send", group="club", content=f"m{place}", message_id=str(place))
            assert sent.replies == []  # no handler of that process is in the group

        async def answers() -> list[str]:
            page = await guest.call("local:groups.history", group="club", limit=200)
            return [said.content for said in page.messages if said.type == "group.reply" and said.content]

        topics = one.host.grouping.talk.topics
        async with asyncio.timeout(20):
            async for _event in topics.follow(topic_of("club")):
                if len(await answers()) == 5:
                    break
        assert sorted(heard) == [f"m{place}" for place in range(5)]
        assert sorted(await answers()) == [f"heard m{place}" for place in range(5)]


async def test_two_processes_with_one_agent_ask_its_handler_once(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, claims, both = list[str](), list[str](), asyncio.Event()
    take = Claims.take

    async def taken(self: Claims, topic: str, reply: str, seconds: float) -> bool:
        mine = await take(self, topic, reply, seconds)
        claims.append(reply)
        if len(claims) > 1:
            both.set()
        return mine

    monkeypatch.setattr(Claims, "take", taken)

    def node_of(name: str) -> Node:
        desk = ANPUser("desk")

        @desk.register_group_event_handler(group_events=("message",))
        async def hear(group_id: str, event_type: str, event_data: dict[str, Any]) -> str:
            heard.append(event_data["content"])
            await both.wait()  # the other process has the message as well
            return f"heard {event_data['content']}"

        node = Node(Settings(data=tmp_path / name, database_url=postgres_url, demo_agents=False))
        node.add(desk)
        return node

    async with node_of("one"):
        pass
    shutil.copytree(tmp_path / "one" / FOLDER, tmp_path / "two" / FOLDER)  # of the agent, for both
    async with node_of("one") as one, node_of("two") as two:
        await one.call("local:groups.create", group="club", members=[one.host.office.did("desk"), ANN])
        await one.host.grouping.groups.join("club", by=agent(ANN))
        guests = [node.caller(principal=agent(ANN)) for node in (one, two)]
        sent = await asyncio.gather(
            *(guest.call("local:groups.send", group="club", content="hello", message_id="1") for guest in guests)
        )
        assert heard == ["hello"]
        assert [[reply.content for reply in each.replies] for each in sent] == [["heard hello"]] * 2
        page = await guests[0].call("local:groups.history", group="club", limit=200)
        assert sorted(one.type for one in page.messages) == ["group.join", "group.message", "group.reply"]


async def test_a_handler_whose_process_ended_in_the_middle_is_asked_by_another(
    postgres_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        houses = [await GroupHouse.open(postgres_url, tmp_path / name, stack) for name in ("one", "two")]
        await houses[0].topics.open(topic_of("club"), "group")
        one, two = (Claims(house.log, house.topics) for house in houses)
        assert await one.take(topic_of("club"), "r.1", 30)
        assert await one.take(topic_of("club"), "r.1", 30)
        assert not await two.take(topic_of("club"), "r.1", 30)
        assert await two.take(topic_of("club"), "r.2", 30)
        await houses[1].house.clock.advance(60)
        assert await two.take(topic_of("club"), "r.1", 30)
