"""Who is in a group, and what the group's topic says of that, agree at every moment."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from moothall.events.model import Draft, Event
from moothall.groups.channel import JOIN, KIND, LEAVE
from moothall.groups.model import GroupPolicy, topic_of
from tests.groups.house import HOUSE, GroupHouse, agent, did

ANN, BEN = did("ann"), did("ben")
PROCESS = Path(__file__).with_name("crash_moves.py")
ROOT = Path(__file__).parents[2]


def told(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(event.type, event.payload["member"], event.payload["by"]) for event in events]


async def test_who_comes_and_goes_is_told_by_whatever_way(house: GroupHouse) -> None:
    groups, topic = house.groups, topic_of("club")
    await groups.create("club", [BEN], policy=GroupPolicy(join="open"), by=agent(ANN))
    assert await house.topics.load(topic) == []
    joined = await groups.join("club", by=agent(BEN))
    assert joined.event is not None
    assert (await groups.add("club", BEN, "finance", by=agent(ANN))).event is None  # a role is no move
    assert (await groups.add("club", did("cid"), by=agent(ANN))).event is None  # nor is an invitation
    assert (await groups.remove("club", did("cid"), by=agent(ANN))).event is None
    await groups.remove("club", BEN)
    await groups.join("club", by=agent(BEN))
    events = await house.topics.load(topic)
    assert told(events) == [(JOIN, BEN, BEN), (LEAVE, BEN, HOUSE), (JOIN, BEN, BEN)]
    assert events[0] == joined.event
    assert len({event.key for event in events}) == 3


async def test_who_follows_the_topic_hears_it_at_once(house: GroupHouse) -> None:
    await house.groups.create("club", policy=GroupPolicy(join="open"), by=agent(ANN))
    await house.groups.join("club", by=agent(BEN))
    events = house.topics.follow(topic_of("club"))
    assert (await anext(events)).type == JOIN
    waiting = asyncio.ensure_future(anext(events))
    await house.groups.remove("club", BEN, by=agent(BEN))
    assert (await waiting).type == LEAVE
    await events.aclose()


async def test_a_member_can_leave_a_group_whose_words_were_erased(house: GroupHouse) -> None:
    await house.groups.create("club", policy=GroupPolicy(join="open"), by=agent(ANN))
    await house.groups.join("club", by=agent(BEN))
    await house.log.erase(topic_of("club"))
    moved = await house.groups.remove("club", BEN, by=agent(BEN))
    assert (moved.member is not None, moved.event) == (True, None)
    assert [one.member for one in await house.groups.store.members("club")] == [ANN]


@pytest.mark.requirement("GRP-09")
async def test_a_kill_right_after_a_change_loses_no_move_and_doubles_none(database_url: str, tmp_path: Path) -> None:
    acknowledged: dict[str, list[str]] = {}
    for commits in range(4):
        group = f"club{commits}"
        command = [sys.executable, "-m", "tests.groups.crash_moves", str(tmp_path / "node"), database_url, group]
        process = await asyncio.create_subprocess_exec(*command, str(commits), stdout=asyncio.subprocess.PIPE, cwd=ROOT)
        said, _ = await process.communicate()
        assert process.returncode == -9
        acknowledged[group] = said.decode().splitlines()
    async with AsyncExitStack() as stack:
        house = await GroupHouse.open(database_url, tmp_path / "node", stack)
        for commits, (group, keys) in enumerate(acknowledged.items()):
            events = await house.topics.load(topic_of(group))
            assert [event.seq for event in events] == list(range(commits + 1))  # one for each commit
            assert [event.key for event in events][: len(keys)] == keys
            inside = {member.member for member in await house.groups.store.members(group)} - {ANN}
            assert inside == {one[1] for one in told(events) if (LEAVE, one[1], HOUSE) not in told(events)}


async def test_a_time_is_found_among_places_that_were_forgotten(house: GroupHouse) -> None:
    topic, moments = topic_of("club"), []
    await house.topics.open(topic, KIND)
    for place in range(8):
        moments.append(house.house.clock.now())
        await house.topics.append(topic, Draft(f"k{place}", "moot.told", {}))
        await house.house.clock.advance(120)
    await house.topics.forget(topic, [0, 3, 4, 6])
    assert [await house.topics.since(topic, moment) for moment in moments] == [
        0,
        0,
        2,
        3,
        3,
        3,
        6,
        6,
    ]  # what was forgotten is as old as what follows
