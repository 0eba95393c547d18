from __future__ import annotations

import asyncio

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from moothall.events.hints import _LIMIT, _parts, channel
from moothall.events.log import EventLog
from moothall.events.model import Draft
from moothall.events.recorder import EventRecorder
from moothall.events.run import Run
from tests.events.house import BEGUN, RUN, House, Scripted, closed, owned


def test_the_channel_is_that_of_the_schema_and_never_too_long() -> None:
    assert channel(None) == "moothall_public"
    assert channel("town") == "moothall_town"
    names = {channel("a" * length) for length in range(40, 64)}
    assert len(names) == 24
    assert max(len(name) for name in names) <= 63


@given(st.lists(st.text(min_size=1, max_size=200), max_size=300))
def test_ids_are_split_into_notices_that_fit_and_none_is_lost(runs: list[str]) -> None:
    parts = _parts(runs)
    assert [run for part in parts for run in part] == runs
    assert all(sum(len(run.encode()) + 3 for run in part) <= max(_LIMIT, 0) for part in parts)


async def test_a_posting_made_elsewhere_wakes_the_run_here(shared: House) -> None:
    here, there = await shared.log(sweep=60.0), await shared.log(sweep=60.0)
    hands = await owned(shared, here)
    waiting = asyncio.create_task(hands.receive(None))
    await there.post(RUN, "k", "x", "s", {"from": "there"})
    posting = await waiting
    assert posting is not None
    assert posting.payload == {"from": "there"}


async def test_a_run_created_elsewhere_starts_here(shared: House) -> None:
    here, there = await shared.log(sweep=60.0), await shared.log(sweep=60.0)

    async def finish(run: Run) -> None:
        await run.emit(Draft("end", "towow.end", {}), close=True)

    await shared.worker(here, {"test": Scripted(finish)}, sweep_seconds=60.0, lease_seconds=600.0)
    await there.create(RUN, "test", [BEGUN])
    assert [event.key for event in await closed(there)] == ["begun", "end"]


async def test_the_connection_for_hints_comes_back_and_what_was_missed_is_found(shared: House) -> None:
    here, there = await shared.log(sweep=60.0), await shared.log(sweep=60.0)
    run = await owned(shared, there)
    following = asyncio.create_task(_keys(here))
    await cut(shared.url)
    await run.emit(Draft("missed", "towow.missed", {}))
    await run.emit(Draft("end", "towow.end", {}), close=True)
    assert await following == ["begun", "missed", "end"]


async def _keys(log: EventLog) -> list[str]:
    return [event.key async for event in log.follow(RUN)]


async def cut(url: str) -> None:
    """End every connection for hints, as a restart of the database does."""
    plain, _, schema = url.partition("?schema=")
    connection = await asyncpg.connect(plain)
    ended = await connection.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", channel(schema)
    )
    await connection.close()
    assert len(ended) == 2


def test_the_specifications_name_is_the_log() -> None:
    assert EventRecorder is EventLog
