"""What users put around calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import Conflict, MoothallError, PermissionDeniedError, Unavailable
from tests.calls.hall import OWNER, Hall, Remote, code


@capability
async def add(a: int, b: int = 1) -> int:
    if a < 0:
        raise Conflict("negative")
    if a == 0:
        raise RuntimeError("SECRET")
    return a + b


class Recorder:
    """Writes down which part of a call it saw."""

    def __init__(self, hall: Hall, name: str = "", capability: str = "") -> None:
        self.seen: list[Any] = []
        hooks = hall.path.hooks
        hooks.before(self.before, capability)
        hooks.around(self.around, capability)
        hooks.after(self.after, capability)
        hooks.on_error(self.on_error, capability)

    async def before(self, context: CallContext, arguments: Mapping[str, Any]) -> None:
        self.seen.append(("before", context.capability, dict(arguments)))

    async def around(self, context: CallContext, proceed: Callable[[], Awaitable[Any]]) -> Any:
        self.seen.append("in")
        try:
            return await proceed()
        finally:
            self.seen.append("out")

    def after(self, context: CallContext, value: Any) -> None:
        self.seen.append(("after", value))

    def on_error(self, context: CallContext, error: MoothallError) -> None:
        self.seen.append(("error", error.code))


async def test_a_call_that_succeeds_is_seen_before_during_and_after() -> None:
    hall = Hall(add)
    recorder = Recorder(hall)
    assert (await hall.call("add", OWNER, "http", a=2)).data == 3
    assert recorder.seen == [("before", "add", {"a": 2, "b": 1}), "in", "out", ("after", 3)]


@pytest.mark.parametrize(("a", "expected"), [(-1, "CONFLICT"), (0, "INTERNAL_ERROR")])
async def test_a_call_that_fails_is_seen_before_during_and_as_an_error(a: int, expected: str) -> None:
    hall = Hall(add)
    recorder = Recorder(hall)
    assert code(await hall.call("add", a=a)) == expected
    assert recorder.seen[1:] == ["in", "out", ("error", expected)]


async def test_bad_arguments_are_seen_as_an_error_alone() -> None:
    hall = Hall(add)
    recorder = Recorder(hall)
    await hall.call("add", a="x")
    assert recorder.seen == [("error", "VALIDATION_ERROR")]


async def test_hooks_of_one_capability_see_its_calls_alone() -> None:
    @capability
    async def other() -> int:
        return 1

    hall = Hall(add, other)
    recorder = Recorder(hall, capability="node.add")
    await hall.call("other")
    assert recorder.seen == []
    await hall.call("add", a=1)
    assert len(recorder.seen) == 4


async def test_hooks_that_came_first_stand_outside_and_those_of_all_outside_those_of_one() -> None:
    hall, order = Hall(add), []

    def named(name: str) -> Any:
        async def around(context: CallContext, proceed: Callable[[], Awaitable[Any]]) -> Any:
            order.append(name)
            return await proceed()

        return around

    hall.path.hooks.around(named("own"), "node.add")
    hall.path.hooks.around(named("first"))
    hall.path.hooks.around(named("second"))
    await hall.call("add", a=1)
    assert order == ["first", "second", "own"]


async def test_a_hook_may_refuse_replace_and_translate() -> None:
    hall = Hall(add)

    @hall.path.hooks.before
    def not_seven(context: CallContext, arguments: Mapping[str, Any]) -> None:
        if arguments["a"] == 7:
            raise PermissionDeniedError("not seven")

    @hall.path.hooks.around
    async def tenfold(context: CallContext, proceed: Callable[[], Awaitable[int]]) -> int:
        return 10 * await proceed()

    @hall.path.hooks.on_error
    async def kinder(context: CallContext, error: MoothallError) -> None:
        if isinstance(error, Conflict):
            raise Unavailable("later") from error

    assert (await hall.call("add", a=1)).data == 20
    assert code(await hall.call("add", a=7)) == "PERMISSION_DENIED"
    assert code(await hall.call("add", a=-1)) == "UNAVAILABLE"


async def test_what_a_hook_returns_in_place_of_the_result_is_checked_like_one() -> None:
    hall = Hall(add)

    @hall.path.hooks.around
    async def wrong(context: CallContext, proceed: Callable[[], Awaitable[int]]) -> Any:
        return "no number"

    assert code(await hall.call("add", a=1)) == "INTERNAL_ERROR"


async def test_a_hook_that_crashes_fails_the_call_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    for part in ("before", "after"):
        hall = Hall(add)

        def crash(context: CallContext, value: Any) -> None:
            raise ValueError("SECRET")

        getattr(hall.path.hooks, part)(crash)
        reply = await hall.call("add", a=1)
        assert code(reply) == "INTERNAL_ERROR"
        assert "SECRET" not in repr(reply)
    hall = Hall(add)
    hall.path.hooks.on_error(crash)
    assert code(await hall.call("add", a=-1)) == "CONFLICT"
    assert "ValueError" in caplog.text


async def test_the_cache_spares_the_work_and_not_the_hooks_around_the_call() -> None:
    @capability(cache_ttl=60)
    async def slow() -> list[int]:
        return [1]

    hall = Hall(slow)
    recorder = Recorder(hall)
    for _ in range(2):
        await hall.call("slow", OWNER, "http")
    assert [seen if isinstance(seen, str) else seen[0] for seen in recorder.seen] == [
        "before", "in", "out", "after", "before", "after",
    ]  # fmt: skip


async def test_streams_and_targets_elsewhere_meet_the_hooks_as_well() -> None:
    @capability
    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    hall = Hall(numbers, remote=Remote(7))
    recorder = Recorder(hall)
    chunks = [chunk async for chunk in hall.stream("numbers")]
    assert len(chunks) == 3
    assert recorder.seen == [("before", "numbers", {}), "in", "out", ("after", None)]
    recorder.seen.clear()
    assert (await hall.call("did:wba:x.example#f", x=1)).data == 7
    assert recorder.seen == [("before", "did", {"x": 1}), "in", "out", ("after", 7)]


async def test_hooks_count_from_the_next_call_on() -> None:
    hall = Hall(add)
    await hall.call("add", a=1)
    recorder = Recorder(hall)
    await hall.call("add", a=1)
    assert len(recorder.seen) == 4


async def test_a_cancelled_call_passes_through_its_hooks() -> None:
    begun = asyncio.Event()

    @capability
    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    hall = Hall(forever)
    recorder = Recorder(hall)
    task = asyncio.create_task(hall.call("forever"))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert recorder.seen[1:] == ["in", "out"]


async def test_hooks_of_an_error_do_not_keep_it_from_its_caller(caplog: pytest.LogCaptureFixture) -> None:
    @capability
    async def fails() -> int:
        raise Conflict("taken")

    hall = Hall(fails)
    seen = []
    hall.path.hooks.on_error(lambda _, error: seen.append(error.code))

    async def hangs(ctx: CallContext, error: MoothallError) -> None:
        await asyncio.Event().wait()

    hall.path.hooks.on_error(hangs)
    assert code(await hall.call("fails")) == "CONFLICT"
    assert seen == ["CONFLICT"]
    assert "TimeoutError" in caplog.text
