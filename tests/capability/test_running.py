"""How functions run: the loop stays free, abandoned calls end, values come one by one."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.capability.registry import Registry
from moothall.capability.threads import Threads
from moothall.errors import Unavailable
from tests.capability.shop import context, entry_of, run

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who")


async def items(entry: Any, params: Any) -> list[Any]:
    return [value async for value in entry.iterate(entry.bind(params), context(entry))]


@pytest.mark.requirement("DEC-35")
async def test_synchronous_functions_run_side_by_side_while_the_loop_stays_free() -> None:
    together = threading.Barrier(20)
    turns = 0

    @capability
    def meet() -> str:
        together.wait(30)  # only if all twenty run at once does anybody get further
        return threading.current_thread().name

    async def breathe() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    entry = entry_of(meet)
    breathing = asyncio.create_task(breathe())
    names = await asyncio.gather(*(run(entry, {}) for _ in range(20)))
    breathing.cancel()
    assert len(set(names)) == 20
    assert threading.main_thread().name not in names
    assert turns > 0


@pytest.mark.requirement("DEC-35")
async def test_the_pool_is_bounded_and_says_so_when_there_is_no_room_to_wait() -> None:
    release, full = threading.Event(), threading.Event()
    running: list[int] = []

    @capability
    def hold() -> int:
        running.append(1)
        if len(running) == 2:
            full.set()
        release.wait(30)
        return len(running)

    entry = entry_of(hold, threads=4)  # one function has half of them
    calls = [asyncio.ensure_future(run(entry, {})) for _ in range(10)]
    await asyncio.to_thread(full.wait, 30)
    with pytest.raises(Unavailable):
        await run(entry, {})
    assert len(running) == 2
    release.set()
    assert len(await asyncio.gather(*calls)) == 10
    assert await run(entry, {}) == 11


async def test_an_abandoned_call_that_waits_is_never_begun() -> None:
    release, begun = threading.Event(), threading.Event()
    ran: list[str] = []

    def hold() -> None:
        begun.set()
        release.wait(30)

    threads = Threads(1)
    first = asyncio.ensure_future(threads.run(hold))
    await asyncio.to_thread(begun.wait, 30)
    second = asyncio.ensure_future(threads.run(ran.append, "second"))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    release.set()
    await threads.run(ran.append, "third")
    assert ran == ["third"]


async def test_one_function_cannot_take_what_all_others_need() -> None:
    release, both = threading.Event(), threading.Barrier(3)

    def hold() -> None:
        if not release.is_set():
            both.wait(30)  # two run at once, and the test knows that they do
        release.wait(30)

    threads = Threads(4)
    held = [threads.submit(hold, (), {}) for _ in range(10)]
    with pytest.raises(Unavailable):
        threads.submit(hold, (), {})
    await asyncio.to_thread(both.wait, 30)
    assert await threads.run(lambda: "another") == "another"
    for call in held:  # those that run keep their threads, though nobody waits for them
        call.cancel()
    await asyncio.sleep(0)
    assert await threads.run(lambda: "a third") == "a third"
    again = [threads.submit(hold, (), {}) for _ in range(8)]
    with pytest.raises(Unavailable):
        threads.submit(hold, (), {})
    release.set()
    await asyncio.gather(*again)


async def test_the_place_of_a_call_that_is_abandoned_while_it_waits_is_free_at_once() -> None:
    release = threading.Event()

    def hold() -> None:
        release.wait(30)

    threads = Threads(1)
    running = threads.submit(hold, (), {})
    for _ in range(50):
        waiting = [threads.submit(hold, (), {}) for _ in range(4)]
        with pytest.raises(Unavailable):
            threads.submit(hold, (), {})
        for call in waiting:
            call.cancel()
        await asyncio.sleep(0)
    release.set()
    await running
    assert await threads.run(lambda: "free") == "free"


async def test_jobs_that_wait_when_the_pool_is_closed_are_done_all_the_same() -> None:
    release, ran = threading.Event(), []

    def work(number: int) -> None:
        release.wait(30)
        ran.append(number)

    threads = Threads(2)
    calls = [threads.submit(work, (number,), {}) for number in range(5)]
    threads.close()
    release.set()
    await asyncio.gather(*calls)
    assert sorted(ran) == [0, 1, 2, 3, 4]
    assert await threads.run(lambda: 1) == 1


async def test_the_end_of_a_generator_that_is_left_early_runs_in_a_thread_and_is_waited_for() -> None:
    ended: list[str] = []

    @capability
    def count() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            ended.append(threading.current_thread().name)

    entry = entry_of(count)
    values = entry.iterate(entry.bind({}), context(entry))
    assert await anext(values) == 0
    await values.aclose()  # type: ignore[attr-defined]
    assert len(ended) == 1
    assert ended[0].startswith("capability-")
    assert await items(entry, {}) == list(range(100))
    assert all(name.startswith("capability-") for name in ended)


async def test_a_pool_that_was_closed_starts_again() -> None:
    threads = Threads(1)
    assert await threads.run(lambda: 1) == 1
    threads.close()
    assert await threads.run(lambda: 2) == 2
    threads.close()


async def test_a_thread_sees_the_context_of_the_caller_and_keeps_nothing_of_it() -> None:
    class Big:
        pass

    @capability
    def look(a: Any) -> str:
        return WHO.get()

    WHO.set("caller")
    entry, big = entry_of(look), Big()
    remains = weakref.ref(big)
    assert await run(entry, {"a": big}) == "caller"
    del big
    gc.collect()
    assert remains() is None


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), StopIteration(), SystemExit(3)])
async def test_what_a_function_raises_reaches_whoever_awaits(error: BaseException) -> None:
    @capability
    def sync_fails() -> None:
        raise error

    expected = RuntimeError if isinstance(error, StopIteration) else type(error)
    with pytest.raises(expected):
        await run(entry_of(sync_fails), {})


async def test_cancelling_reaches_an_asynchronous_function() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    @capability
    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    call = asyncio.create_task(run(entry_of(wait), {}))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert ended.is_set()


@capability
async def count(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number


@capability
def count_in_threads(to: int) -> Iterator[int]:
    for number in range(to):
        assert threading.current_thread() is not threading.main_thread()
        yield number


@capability
def count_by_hand(to: int) -> AsyncIterator[int]:
    return count(to)


@pytest.mark.parametrize("function", [count, count_in_threads, count_by_hand])
async def test_values_come_one_after_another(function: Any) -> None:
    entry = entry_of(function)
    assert entry.streams
    assert await items(entry, {"to": 3}) == [0, 1, 2]
    assert entry.output_schema is not None
    assert entry.output_schema["type"] == ["integer", "string"]


async def test_a_function_that_gives_one_value_can_be_taken_as_a_stream() -> None:
    def one() -> int:
        return 1

    async def two() -> int:
        return 2

    assert await items(entry_of(capability(one)), {}) == [1]
    assert await items(entry_of(capability(two)), {}) == [2]


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_stream_that_is_left_is_closed(kind: str) -> None:
    closed = asyncio.Event() if kind == "async" else threading.Event()

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    def endless_in_threads() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    entry = entry_of(capability(endless if kind == "async" else endless_in_threads))
    values: Any = entry.iterate(entry.bind({}), context(entry))
    assert await anext(values) == 1
    await values.aclose()
    assert closed.is_set()


async def test_a_stream_can_be_any_asynchronous_iterator() -> None:
    class Three:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> Three:
            return self

        async def __anext__(self) -> int:
            self.left -= 1
            if self.left < 0:
                raise StopAsyncIteration
            return self.left

    async def made() -> AsyncIterator[int]:
        return Three()

    assert await items(entry_of(capability(made)), {}) == [2, 1, 0]


async def test_a_generator_that_a_thread_is_inside_of_is_left_to_it() -> None:
    inside, release = threading.Event(), threading.Event()

    def slow() -> Iterator[int]:
        inside.set()
        release.wait(30)
        yield 1

    entry = entry_of(capability(slow))
    taking = asyncio.ensure_future(anext(entry.iterate(entry.bind({}), context(entry))))
    await asyncio.to_thread(inside.wait, 30)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    release.set()


def traced(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*positional: Any, **named: Any) -> Any:
        return function(*positional, **named)

    return wrapper


async def test_functions_under_decorators_of_others_run_as_what_they_are() -> None:
    @capability
    @traced
    async def later(a: int) -> bool:
        return threading.current_thread() is threading.main_thread()

    @traced
    @capability
    def now(a: int) -> bool:
        return threading.current_thread() is threading.main_thread()

    @capability
    @traced
    async def counted(to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number

    assert await run(entry_of(later), {"a": 1}) is True
    assert await run(entry_of(now), {"a": 1}) is False
    assert await items(entry_of(counted), {"to": 2}) == [0, 1]


async def test_the_pool_belongs_to_the_registry() -> None:
    def who() -> str:
        return threading.current_thread().name

    def other() -> str:
        return threading.current_thread().name

    registry = Registry(threads=1)
    Agent("a", who, other).join(registry)
    assert await run(registry.snapshot.resolve("who"), {}) == await run(registry.snapshot.resolve("other"), {})
