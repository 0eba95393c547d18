"""Values one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from moothall.calls.reply import Item, Progress, Reply
from moothall.calls.streaming import AHEAD
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import Conflict
from tests.calls.hall import ALICE, OWNER, Hall, Remote, code, facts


@capability
async def count(n: int) -> AsyncIterator[int]:
    for number in range(n):
        yield number


async def chunks(hall: Hall, name: str, door: str = "local", **given: Any) -> list[Any]:
    return [chunk async for chunk in hall.stream(name, OWNER, door, **given)]


def shown(found: list[Any]) -> list[Any]:
    """Values, progress as text, and how it ended."""
    return [
        chunk.value
        if isinstance(chunk, Item)
        else f"{chunk.done}/{chunk.total}"
        if isinstance(chunk, Progress)
        else code(chunk)
        for chunk in found
    ]


async def test_values_come_in_order_and_a_reply_ends_them() -> None:
    hall = Hall(count)
    found = await chunks(hall, "count", n=3)
    assert shown(found) == [0, 1, 2, "ok"]
    assert found[-1].data is None
    assert hall.counted("node.count") == {"ok": 1}


async def test_a_call_of_a_stream_collects_its_values_up_to_a_thousand() -> None:
    hall = Hall(count)
    assert (await hall.call("count", n=3)).data == [0, 1, 2]
    assert len((await hall.call("count", n=1000)).data or []) == 1000
    assert code(await hall.call("count", n=1001)) == "TOO_LARGE"


async def test_each_value_is_checked_and_what_came_before_counts() -> None:
    @capability
    async def turns() -> AsyncIterator[int]:
        yield 1
        yield 2**60
        yield "x"  # type: ignore[misc]
        yield 4

    hall = Hall(turns)
    assert shown(await chunks(hall, "turns")) == [1, 2**60, "INTERNAL_ERROR"]
    assert shown(await chunks(hall, "turns", "http")) == [1, str(2**60), "INTERNAL_ERROR"]


async def test_progress_comes_between_the_values() -> None:
    @capability
    async def busy(ctx: CallContext) -> AsyncIterator[int]:
        await ctx.progress(0, 2)
        yield 1
        await ctx.progress(1, 2, "half")
        yield 2

    @capability
    async def one(ctx: CallContext) -> str:
        await ctx.progress(1, 2)
        return "value"

    hall = Hall(busy, one)
    assert shown(await chunks(hall, "busy")) == ["0/2", 1, "1/2", 2, "ok"]
    found = await chunks(hall, "one")
    assert shown(found) == ["1/2", "ok"]
    assert found[-1].data == "value"
    assert (await hall.call("busy")).data == [1, 2]


async def test_progress_goes_to_whoever_listens_to_a_plain_call() -> None:
    heard: list[Progress] = []

    @capability
    async def one(ctx: CallContext) -> str:
        await ctx.progress(1, 4, "begun")
        return "value"

    async def listen(progress: Progress) -> None:
        heard.append(progress)

    reply = await Hall(one).call("one", _report=listen)
    assert (reply.data, heard) == ("value", [Progress(1, 4, "begun")])


async def test_an_error_ends_the_values() -> None:
    @capability
    async def fails() -> AsyncIterator[int]:
        yield 1
        raise Conflict("no more")

    @capability
    async def crashes() -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("SECRET")

    hall = Hall(fails, crashes)
    assert shown(await chunks(hall, "fails")) == [1, "CONFLICT"]
    found = await chunks(hall, "crashes")
    assert shown(found) == [1, "INTERNAL_ERROR"]
    assert "SECRET" not in repr(found)


async def test_bad_arguments_and_refusals_are_told_before_any_value() -> None:
    hall = Hall(count)
    assert shown(await chunks(hall, "count", n="x")) == ["VALIDATION_ERROR"]
    with pytest.raises(Exception, match="may not"):
        await hall.path.admit(Target.parse("local:count"), facts(ALICE, "http"))


async def test_a_stream_ends_at_its_deadline() -> None:
    closed = []

    @capability(timeout=0.05)
    async def slow() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(60)
            yield 2
        finally:
            closed.append(1)

    assert shown(await chunks(Hall(slow), "slow")) == [1, "TIMEOUT"]
    assert closed == [1]


async def test_a_capability_is_never_far_ahead_of_its_caller_even_when_that_one_stops() -> None:
    made = []

    @capability(timeout=0.1)
    async def endless() -> AsyncIterator[int]:
        number = 0
        while True:
            made.append(number)
            yield number
            number += 1

    stream = Hall(endless).stream("endless")
    assert isinstance(await anext(stream), Item)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(made) <= AHEAD + 3
    rest = [chunk async for chunk in stream]
    assert isinstance(rest[-1], Reply)
    assert code(rest[-1]) == "TIMEOUT"


async def test_leaving_early_closes_the_generator_and_is_counted() -> None:
    closed = []

    @capability
    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            await asyncio.sleep(0)
            closed.append(1)

    hall = Hall(endless)
    admitted = await hall.path.admit(Target.parse("local:endless"), facts())
    stream = hall.path.stream(admitted, {})
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    assert closed == [1]
    assert hall.counted("node.endless") == {"cancelled": 1}


async def test_a_plain_generator_streams_as_well() -> None:
    @capability
    def plain(n: int) -> Iterator[int]:
        yield from range(n)

    assert shown(await chunks(Hall(plain), "plain", n=2)) == [0, 1, "ok"]


async def test_values_are_never_cached() -> None:
    runs = []

    @capability(cache_ttl=60)
    async def counted() -> AsyncIterator[int]:
        runs.append(1)
        yield 1

    hall = Hall(counted)
    for _ in range(2):
        await chunks(hall, "counted")
        await hall.call("counted")
    assert len(runs) == 4


async def test_a_capability_passes_the_values_of_another_on() -> None:
    @capability
    async def doubled(ctx: CallContext, n: int) -> AsyncIterator[int]:
        async for value in ctx.stream("local:count", n=n):
            yield value * 2

    assert shown(await chunks(Hall(count, doubled), "doubled", n=3)) == [0, 2, 4, "ok"]


async def test_values_come_from_elsewhere_and_are_checked_here() -> None:
    @capability(source="did", did="did:wba:x.example:e1_x", method="numbers")
    async def numbers(n: int) -> AsyncIterator[int]: ...

    remote = Remote(1, "12345678901234567890", "x")
    hall = Hall(numbers, remote=remote)
    assert shown(await chunks(hall, "numbers", n=3)) == [1, 12345678901234567890, "UPSTREAM_INVALID"]
    assert remote.closed == 1
    assert remote.seen[0].params == {"n": 3}
