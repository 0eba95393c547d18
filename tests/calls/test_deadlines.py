"""Time: deadlines, cancellation, and what is left of them for calls further on."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

from moothall.calls.deadline import within
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import CallTimeout, Conflict
from tests.calls.hall import OWNER, Hall, code, facts


@pytest.mark.requirement("DEC-26")
async def test_a_function_that_takes_too_long_fails_in_time_whether_it_can_be_stopped_or_not() -> None:
    stopped, go_on = [], threading.Event()

    @capability(timeout=0.2)
    async def waits() -> None:
        try:
            await asyncio.sleep(2)
        finally:
            stopped.append(1)

    @capability(timeout=0.2)
    def blocks() -> None:
        go_on.wait(2)

    hall = Hall(waits, blocks)
    for name in ("waits", "blocks"):
        begun = time.monotonic()
        reply = await hall.call(name, OWNER, "http")
        assert (code(reply), reply.status_code) == ("TIMEOUT", 504)
        assert time.monotonic() - begun < 0.5
        assert hall.counted(f"node.{name}") == {"TIMEOUT": 1}
    go_on.set()
    assert stopped == [1]


async def test_a_caller_may_shorten_the_time_and_not_lengthen_it() -> None:
    seen = []

    @capability(timeout=5)
    async def left(ctx: CallContext) -> None:
        seen.append(round(ctx.deadline - time.monotonic()))

    hall = Hall(left)
    for timeout in (None, 2.0, 60.0):
        await hall.call("left", _timeout=timeout)
    assert seen == [5, 2, 5]
    for timeout in (0.0, -1.0, float("nan")):
        assert code(await hall.call("left", _timeout=timeout)) == "TIMEOUT"
    assert len(seen) == 3


async def test_nested_calls_share_the_deadline_of_the_outer_one() -> None:
    seen = []

    @capability(timeout=60)
    async def inner(ctx: CallContext) -> None:
        seen.append(ctx.deadline)

    @capability(timeout=4)
    async def outer(ctx: CallContext) -> float:
        await ctx.call("local:inner")
        return ctx.deadline

    deadline = (await Hall(inner, outer).call("outer")).data
    assert seen[0] == pytest.approx(deadline, abs=0.2)


async def test_a_timeout_of_the_function_itself_is_not_ours() -> None:
    @capability
    async def impatient() -> None:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(5)

    assert code(await Hall(impatient).call("impatient")) == "INTERNAL_ERROR"


async def test_cancelling_a_call_cancels_the_work_and_is_counted() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    @capability
    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    hall = Hall(work)
    task = asyncio.create_task(hall.call("work"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    assert hall.counted("node.work") == {"cancelled": 1}


async def test_a_cancelled_synchronous_function_holds_nobody_up() -> None:
    begun, go_on = threading.Event(), threading.Event()

    @capability
    def work() -> None:
        begun.set()
        go_on.wait(10)

    hall = Hall(work)
    task = asyncio.create_task(hall.call("work"))
    await asyncio.get_running_loop().run_in_executor(None, begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert hall.counted("node.work") == {"cancelled": 1}


async def test_abandoned_threads_do_not_starve_a_node_in_silence() -> None:
    go_on = threading.Event()

    @capability(timeout=0.05)
    def stuck() -> None:
        go_on.wait(30)

    hall = Hall(stuck)
    hall.registry.threads._size = 2
    codes = {code(reply) for reply in await asyncio.gather(*(hall.call("stuck") for _ in range(40)))}
    go_on.set()
    assert codes == {"TIMEOUT", "UNAVAILABLE"}


async def test_work_that_never_waits_needs_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once() -> int:
        return 7

    monkeypatch.setattr("moothall.calls.deadline.asyncio.timeout", None)
    assert await within(at_once(), time.monotonic() + 1, time.monotonic) == 7


async def test_work_that_waits_many_times_is_driven_to_its_end() -> None:
    async def work() -> list[int]:
        values = []
        for number in range(5):
            await asyncio.sleep(0)
            values.append(number)
            await asyncio.sleep(0.001)
        try:
            async with asyncio.timeout(0.001):
                await asyncio.sleep(1)
        except TimeoutError:
            values.append(-1)
        return values

    assert await within(work(), time.monotonic() + 5, time.monotonic) == [0, 1, 2, 3, 4, -1]


async def test_what_is_raised_after_waiting_comes_out() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise KeyError("x")

    with pytest.raises(KeyError):
        await within(work(), time.monotonic() + 5, time.monotonic)


async def test_work_may_clean_up_while_it_is_cancelled_by_the_deadline() -> None:
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned.append(1)

    with pytest.raises(CallTimeout):
        await within(work(), time.monotonic() + 0.01, time.monotonic)
    assert cleaned == [1]


async def test_a_task_that_timed_out_can_be_used_again() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    for _ in range(3):
        with pytest.raises(CallTimeout):
            await within(forever(), time.monotonic() + 0.001, time.monotonic)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_a_call_that_is_never_awaited_further_leaves_nothing_behind() -> None:
    @capability
    async def gen() -> int:
        await asyncio.sleep(0)
        return 1

    hall = Hall(gen)
    admitted = await hall.path.admit(Target.parse("local:gen"), facts())
    work = hall.path.run(admitted, {})
    work.send(None)
    work.close()
    gc.collect()
    assert code(await hall.call("gen")) == "ok"


@pytest.mark.parametrize("ending", ["value", "error"])
async def test_work_that_swallows_its_cancellation_is_late_all_the_same(ending: str) -> None:
    @capability(timeout=0.02)
    async def stubborn() -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            if ending == "error":
                raise Conflict("late") from None
        return 1

    assert code(await Hall(stubborn).call("stubborn")) == "TIMEOUT"
