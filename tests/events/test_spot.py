"""Seeing a posting without taking it, and reading events of some types of several runs."""

from __future__ import annotations

import asyncio

from moothall.events.model import Draft
from tests.events.house import RUN, House, owned


async def test_a_spotted_posting_stays_for_whoever_receives(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    watch = asyncio.create_task(run.spot("cancel"))
    await log.post(RUN, "answer.1", "answer", "agent-1", {})
    await log.post(RUN, "cancel", "cancel", "alice", {})
    assert (await watch).key == "cancel"
    received = [await run.receive(None), await run.receive(None)]
    assert [posting.key for posting in received if posting] == ["answer.1", "cancel"]


async def test_a_posting_from_before_is_spotted_too(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await log.post(RUN, "cancel", "cancel", "alice", {})
    assert (await run.spot("cancel")).sender == "alice"


async def test_events_are_selected_by_type_and_come_by_run_in_order(house: House) -> None:
    log = await house.log()
    run = await owned(house, log)
    await run.emit(Draft("a", "one", {"n": 1}), Draft("b", "two", {"n": 2}), Draft("c", "one", {"n": 3}))
    assert [event.payload["n"] for event in await log.select([RUN], {"one"})] == [1, 3]
    assert await log.select([], {"one"}) == []
    assert await log.select(["d-0000ffff"], {"one", "two"}) == []
