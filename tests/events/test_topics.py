from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import pytest

from moothall.errors import ChannelNotFound, Conflict, InvalidInput, PayloadTooLarge
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event
from moothall.events.topics import Topics
from tests.events.house import BEGUN, RUN, House, Scripted, owned

TOPIC = "grp-0123456789abcdef0123abcd"
PROCESS = Path(__file__).with_name("crash_topic.py")


def told(key: str, **payload: object) -> Draft:
    return Draft(key, "moot.told", dict(payload))


async def opened(house: House, sweep: float = 2.0) -> Topics:
    topics = Topics(await house.log(sweep=sweep))
    await topics.open(TOPIC, "test", subject="did:key:z6Mk")
    return topics


async def keys(topics: Topics, count: int, after: int = -1) -> list[str]:
    found: list[str] = []
    events = topics.follow(TOPIC, after=after)
    async for event in events:
        found.append(event.key)
        if len(found) == count:
            break
    await events.aclose()
    return found


async def test_a_topic_is_opened_once_and_every_later_opening_finds_it(house: House) -> None:
    topics = Topics(await house.log())
    assert await topics.open(TOPIC, "test", subject="did:key:z6Mk", meta={"of": "g"})
    assert not await topics.open(TOPIC, "test")
    with pytest.raises(Conflict):
        await topics.open(TOPIC, "other")


async def test_events_stand_in_the_order_of_their_appends_and_the_answer_names_their_places(house: House) -> None:
    topics = await opened(house)
    (first,) = await topics.append(TOPIC, told("a", n=1))
    rest = await topics.append(TOPIC, told("b", n=2), told("c", n=3))
    assert [(event.seq, event.key) for event in (first, *rest)] == [(0, "a"), (1, "b"), (2, "c")]
    assert await topics.load(TOPIC) == [first, *rest]
    assert await topics.load(TOPIC, after=0, limit=1) == [rest[0]]
    assert await topics.head(TOPIC) == 3
    assert first.public
    assert first.event_id == "evt-0123abcd-0"


async def test_a_key_that_is_there_gives_the_event_of_then(house: House) -> None:
    topics = await opened(house)
    (first,) = await topics.append(TOPIC, told("a", text="hello", at="2026-01-22T10:05:00.000Z"))
    again = await topics.append(TOPIC, told("a", at="2026-01-22T10:06:00.000Z", text="hello"), told("b"))
    assert again[0] == first
    assert [event.key for event in await topics.load(TOPIC)] == ["a", "b"]


@pytest.mark.parametrize("other", [told("a", text="bye"), Draft("a", "moot.other", {"text": "hello"})])
async def test_a_key_that_stands_for_something_else_writes_nothing_and_spoils_no_other_append(
    house: House, other: Draft
) -> None:
    topics = await opened(house)
    await topics.append(TOPIC, told("a", text="hello"))
    results = await asyncio.gather(
        topics.append(TOPIC, told("b")),
        topics.append(TOPIC, told("c"), other),
        topics.append(TOPIC, told("d")),
        return_exceptions=True,
    )
    assert isinstance(results[1], Conflict)
    assert [event.key for event in await topics.load(TOPIC)] == ["a", "b", "d"]


async def test_what_is_no_event_is_refused_before_it_waits_for_anything(house: House) -> None:
    topics = await opened(house)
    with pytest.raises(InvalidInput):
        await topics.append(TOPIC, told("a"), told("a"))
    with pytest.raises(InvalidInput):
        await topics.append(TOPIC, told("a\n"))
    with pytest.raises(PayloadTooLarge):
        await topics.append(TOPIC, told("a", text="x" * 300_000))
    assert await topics.append(TOPIC) == ()


async def test_only_open_topics_are_appended_to_never_the_run_of_a_worker(house: House) -> None:
    log = await house.log()
    topics = Topics(log)
    await owned(house, log)
    for name in ("grp-ffffffffffffffffffffffff", RUN):
        with pytest.raises(ChannelNotFound):
            await topics.append(name, told("a"))
    with pytest.raises(ChannelNotFound):
        await anext(topics.follow("grp-ffffffffffffffffffffffff"))
    await topics.open(TOPIC, "test")
    await topics.append(TOPIC, told("a", secret="s"))
    await log.erase(TOPIC)
    with pytest.raises(ChannelNotFound):
        await topics.append(TOPIC, told("b"))
    with pytest.raises(ChannelNotFound):
        await topics.open(TOPIC, "test")
    assert [event.payload for event in await topics.load(TOPIC)] == [{}]


async def test_no_worker_takes_a_topic(house: House) -> None:
    log = await house.log()
    topics = Topics(log)
    await topics.open(TOPIC, "test")
    driver = Scripted(lambda run: run.emit(close=True))
    await house.worker(log, {"test": driver})
    await log.create(RUN, "test", [BEGUN])
    async for _ in log.follow(RUN):
        pass
    assert {run.id for run in driver.runs} == {RUN}


async def test_appends_that_come_together_share_a_commit_and_followers_see_all(house: House) -> None:
    topics = await opened(house)
    await topics.open("grp-ffffffffffffffffffffffff", "test")
    following = asyncio.create_task(keys(topics, 40))
    await asyncio.gather(
        *[topics.append(TOPIC, told(f"k{n}")) for n in range(40)],
        *[topics.append("grp-ffffffffffffffffffffffff", told(f"k{n}")) for n in range(40)],
    )
    assert await following == [f"k{n}" for n in range(40)]
    assert await keys(topics, 10, after=29) == [f"k{n}" for n in range(30, 40)]


async def test_what_is_forgotten_is_gone_and_places_go_on(house: House) -> None:
    topics = await opened(house)
    await topics.append(TOPIC, *[told(f"k{n}") for n in range(5)])
    assert await topics.forget(TOPIC, [0, 1, 3]) == 3
    assert await keys(topics, 2) == ["k2", "k4"]
    assert await topics.forget(TOPIC, range(100)) == 1
    assert await topics.forget(TOPIC, []) == 0
    (event,) = await topics.append(TOPIC, told("k0"))
    assert [found.seq for found in await topics.load(TOPIC)] == [4, event.seq] == [4, 5]


async def test_followers_in_other_processes_hear_what_any_of_several_writers_appends(shared: House) -> None:
    nodes = [await opened(shared, sweep=60.0) for _ in range(3)]
    following = [asyncio.create_task(keys(node, 60)) for node in nodes]
    for round_ in range(5):
        await asyncio.gather(
            *[node.append(TOPIC, told(f"{round_}.{i}.{n}")) for i, node in enumerate(nodes) for n in range(4)]
        )
    heard = [await one for one in following]
    events = await nodes[0].load(TOPIC)
    assert [event.seq for event in events] == list(range(60))
    assert heard == [[event.key for event in events]] * 3


async def test_two_processes_that_append_under_one_key_write_one_event(shared: House) -> None:
    nodes = [await opened(shared, sweep=60.0) for _ in range(2)]
    for n in range(10):
        first, second = await asyncio.gather(*[node.append(TOPIC, told(f"k{n}", n=n)) for node in nodes])
        assert first == second
    assert len(await nodes[0].load(TOPIC)) == 10


async def test_processes_that_append_to_the_same_topics_in_any_order_never_lock_each_other_out(shared: House) -> None:
    nodes = [await opened(shared, sweep=60.0) for _ in range(3)]
    names = [f"grp-{n:024x}" for n in range(8)]
    for name in names:
        await nodes[0].open(name, "test")

    async def wild(i: int, node: Topics) -> None:
        rng = random.Random(i)
        for n in range(6):
            order = rng.sample(names, len(names))
            await asyncio.gather(*[node.append(name, told(f"{i}.{n}")) for name in order])

    await asyncio.gather(*[wild(i, node) for i, node in enumerate(nodes)])
    for name in names:
        assert [event.seq for event in await nodes[0].load(name)] == list(range(18))


async def life(data: Path, url: str, name: str, count: int, lines: int | None) -> list[str]:
    """Start a process that appends; kill it after so many acknowledgements, or let it finish."""
    command = [sys.executable, str(PROCESS), str(data), url, TOPIC, name, str(count)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    said = []
    if lines is not None:
        said = [await process.stdout.readline() for _ in range(lines)]
        process.kill()
    said += (await process.stdout.read()).splitlines(keepends=True)
    assert await process.wait() == (0 if lines is None else -9)
    return [line.decode().strip() for line in said if line.endswith(b"\n")]


async def events_of(house: House) -> list[Event]:
    return await Topics(EventLog(await house.store("node"))).load(TOPIC)


@pytest.mark.timeout(60)
async def test_after_kill_9_what_was_acknowledged_is_there_once(house: House, tmp_path: Path) -> None:
    said = await life(tmp_path / "node", house.url, "a", 400, 7)
    said += await life(tmp_path / "node", house.url, "a", 400, 31)
    said += await life(tmp_path / "node", house.url, "a", 60, None)
    events = await events_of(house)
    assert [event.seq for event in events] == list(range(len(events)))
    assert len({event.key for event in events}) == len(events)
    assert set(said) <= {f"{event.seq} {event.key}" for event in events}


@pytest.mark.timeout(60)
async def test_a_writer_that_is_killed_leaves_the_others_undisturbed(shared: House, tmp_path: Path) -> None:
    outcomes = await asyncio.gather(
        life(tmp_path / "killed", shared.url, "killed", 4_000, 5),
        *[life(tmp_path / name, shared.url, name, 40, None) for name in ("b", "c")],
    )
    events = await events_of(shared)
    assert [event.seq for event in events] == list(range(len(events)))
    stored = {f"{event.seq} {event.key}" for event in events}
    assert all(set(said) <= stored for said in outcomes)
    assert sum(event.key.startswith(("b.", "c.")) for event in events) == 80
