"""Results that are used again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from moothall.calls.cache import Cache
from moothall.calls.reply import Progress
from moothall.calls.terms import Terms
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import Unavailable
from tests.calls.hall import ALICE, ANONYMOUS, BOB, OWNER, Hall, Remote, SleeplessClock, code


class Shop:
    """Counts what it does."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails = False
        self.gate = asyncio.Event()
        self.gate.set()

    @capability(cache_ttl=300, access="authenticated")
    async def price(self, item: str, tags: dict[str, int] | None = None) -> dict[str, Any]:
        self.runs += 1
        await self.gate.wait()
        if self.fails:
            raise Unavailable("closed")
        return {"item": item, "run": self.runs, "in": [1, 2]}


async def runs(shop: Shop, hall: Hall, *callers: Any, **given: Any) -> list[int]:
    replies = [await hall.call("price", caller, "http", params={"item": "pen", **given}) for caller in callers]
    return [reply.data["run"] for reply in replies if reply.data]


@pytest.mark.requirement("DEC-28", "TPL-44")
async def test_an_equal_call_of_one_caller_does_not_run_the_function_until_the_time_is_over() -> None:
    shop, clock = Shop(), SleeplessClock()
    hall = Hall(shop, clock=clock)
    assert await runs(shop, hall, ALICE, ALICE) == [1, 1]
    assert await runs(shop, hall, BOB, ALICE, BOB) == [2, 1, 2]
    assert await runs(shop, hall, ALICE, tags={"a": 1}) == [3]
    await clock.advance(299.9)
    assert await runs(shop, hall, ALICE) == [1]
    await clock.advance(0.2)
    assert await runs(shop, hall, ALICE, ALICE) == [4, 4]


@pytest.mark.requirement("TPL-44", "TPL-38")
async def test_who_may_not_call_gets_nothing_from_the_cache() -> None:
    shop = Shop()
    hall = Hall(shop)
    await runs(shop, hall, ALICE)
    reply = await hall.call("price", ANONYMOUS, "http", item="pen")
    assert (code(reply), reply.data) == ("UNAUTHENTICATED", None)


@pytest.mark.requirement("TPL-44")
async def test_a_caller_whose_right_was_taken_gets_nothing_from_the_cache() -> None:
    @capability(cache_ttl=60, permissions=["read"])
    async def secret() -> str:
        return "cached"

    from dataclasses import replace

    hall = Hall(secret)
    reader = replace(ALICE, permissions=frozenset({"read"}))
    assert (await hall.call("secret", reader, "http")).data == "cached"
    reply = await hall.call("secret", ALICE, "http")
    assert (code(reply), reply.status_code) == ("PERMISSION_DENIED", 403)


@pytest.mark.requirement("DEC-28")
async def test_an_error_is_never_cached() -> None:
    shop = Shop()
    hall = Hall(shop)
    shop.fails = True
    for _ in range(2):
        assert code(await hall.call("price", ALICE, "http", item="pen")) == "UNAVAILABLE"
    shop.fails = False
    assert await runs(shop, hall, ALICE, ALICE) == [3, 3]


async def test_equal_calls_at_one_time_are_made_once_for_each_caller() -> None:
    shop = Shop()
    hall = Hall(shop)
    shop.gate.clear()
    tasks = [asyncio.create_task(hall.call("price", caller, "http", item="pen")) for caller in [ALICE] * 10 + [BOB]]
    for _ in range(5):
        await asyncio.sleep(0)
    shop.gate.set()
    replies = await asyncio.gather(*tasks)
    assert shop.runs == 2
    assert all(reply.data == replies[0].data for reply in replies[:10])
    assert len({reply.request_id for reply in replies}) == 11


async def test_who_gives_up_leaves_the_work_to_those_who_wait_and_the_last_one_stops_it() -> None:
    shop = Shop()
    hall = Hall(shop)
    shop.gate.clear()
    first, second = (asyncio.create_task(hall.call("price", ALICE, "http", item="pen")) for _ in range(2))
    for _ in range(5):
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    shop.gate.set()
    assert (await second).data["run"] == 1
    shop.gate.clear()
    alone = asyncio.create_task(hall.call("price", BOB, "http", item="pen"))
    for _ in range(5):
        await asyncio.sleep(0)
    alone.cancel()
    await asyncio.wait([alone])
    shop.gate.set()
    assert await runs(shop, hall, BOB) == [3]


async def test_a_caller_in_a_hurry_does_not_spoil_it_for_others() -> None:
    shop = Shop()
    hall = Hall(shop)
    shop.gate.clear()
    hurried = asyncio.create_task(hall.call("price", ALICE, "http", item="pen", _timeout=0.02))
    await asyncio.sleep(0)
    patient = asyncio.create_task(hall.call("price", ALICE, "http", item="pen"))
    assert code(await hurried) == "TIMEOUT"
    shop.gate.set()
    assert (await patient).data["run"] == 1


async def test_no_caller_can_change_what_another_one_gets() -> None:
    @capability(cache_ttl=60)
    async def stock() -> dict[str, list[int]]:
        return {"pens": [1, 2]}

    hall = Hall(stock)
    for door in ("local", "http", "local"):
        reply = await hall.call("stock", OWNER, door)
        assert reply.data == {"pens": [1, 2]}
        reply.data["pens"].append(3)


async def test_a_cached_value_is_the_python_value_in_this_process_and_json_elsewhere() -> None:
    @capability(cache_ttl=60)
    async def numbers() -> tuple[int, ...]:
        return (1, 2**60)

    hall = Hall(numbers)
    for _ in range(2):
        assert (await hall.call("numbers")).data == (1, 2**60)
        assert (await hall.call("numbers", OWNER, "http")).data == [1, str(2**60)]


async def test_what_cannot_be_copied_is_given_but_not_kept() -> None:
    runs = []

    class Odd:
        def __deepcopy__(self, memo: object) -> Odd:
            raise RuntimeError

    @capability(cache_ttl=60)
    async def odd() -> Any:
        runs.append(1)
        return Odd()

    hall = Hall(odd)
    for _ in range(2):
        assert code(await hall.call("odd")) == "ok"
    assert len(runs) == 2


async def test_the_context_of_shared_work_is_that_of_its_first_caller() -> None:
    @capability(cache_ttl=60, access="authenticated")
    async def who(ctx: CallContext) -> str:
        return ctx.principal.id

    hall = Hall(who)
    assert [(await hall.call("who", caller, "http")).data for caller in (ALICE, BOB, ALICE)] == [
        ALICE.id,
        BOB.id,
        ALICE.id,
    ]


async def test_a_new_version_of_a_function_does_not_answer_with_values_of_the_old_one() -> None:
    @capability(name="f", cache_ttl=60)
    async def old() -> int:
        return 1

    @capability(name="f", cache_ttl=60)
    async def new() -> int:
        return 2

    hall = Hall(old)
    assert (await hall.call("f")).data == 1
    hall.registry.remove("node.f")
    from moothall.capability.agents import Agent

    Agent("node", new).join(hall.registry)
    assert (await hall.call("f")).data == 2


async def test_the_cache_is_bounded_in_number_and_in_size() -> None:
    @capability(cache_ttl=60)
    async def text(length: int) -> str:
        return "x" * length

    hall = Hall(text, terms=Terms(cache_entries=3, cache_bytes=5000))
    for length in (1, 2, 3, 4, 9000):
        assert len((await hall.call("text", length=length)).data or "") == length
    clock = SleeplessClock()
    cache = Cache(3, 5000, clock.monotonic)
    for number in range(5):
        cache.put((number, "", b""), number, 60, 10)
    assert [number for number in range(5) if cache.get((number, "", b""))] == [2, 3, 4]
    cache.get((2, "", b""))
    cache.put((9, "", b""), 9, 60, 10)
    assert cache.get((3, "", b"")) is None
    cache.put((10, "", b""), 10, 60, 4000)
    assert (len(cache), cache.size <= 5000) == (1, True)
    cache.put((11, "", b""), 11, 60, 90_000)
    assert cache.get((11, "", b"")) is None
    await clock.advance(61)
    assert cache.get((10, "", b"")) is None
    assert (len(cache), cache.size) == (0, 0)


async def test_two_who_share_work_never_share_a_value_that_cannot_be_copied() -> None:
    class Odd:
        def __deepcopy__(self, memo: object) -> Odd:
            raise RuntimeError

    @capability(cache_ttl=60)
    async def odd() -> Any:
        await asyncio.sleep(0)
        return Odd()

    hall = Hall(odd)
    one, other = await asyncio.gather(hall.call("odd"), hall.call("odd"))
    assert isinstance(one.data, Odd)
    assert isinstance(other.data, Odd)
    assert one.data is not other.data


async def test_arguments_without_a_json_form_are_passed_on_and_nothing_is_kept() -> None:
    runs = []

    @capability(cache_ttl=60)
    async def take(x: Any) -> int:
        runs.append(x)
        return 1

    hall = Hall(take)
    assert [code(await hall.call("take", x=object())) for _ in range(2)] == ["ok", "ok"]
    assert len(runs) == 2


async def test_a_large_integer_and_its_decimal_text_are_different_arguments() -> None:
    @capability(cache_ttl=60)
    async def kinds(x: int | str, more: list[dict[str, int | str]] | None = None) -> str:
        return f"{type(x).__name__} {type(more[0]['a']).__name__ if more else ''}"

    hall, big = Hall(kinds), 2**60
    for x in (big, str(big), big):
        assert (await hall.call("kinds", x=x)).data == f"{type(x).__name__} "
    for x in (big, str(big), big):
        assert (await hall.call("kinds", x=1, more=[{"a": x}])).data == f"int {type(x).__name__}"


async def test_the_breaker_opens_for_cached_calls_of_a_remote_that_hangs() -> None:
    async def hang(_: Any) -> None:
        await asyncio.Event().wait()

    @capability(source="http", endpoint="https://shop.example/x", cache_ttl=60, timeout=0.02)
    async def ask(n: int) -> str: ...

    hall = Hall(ask, remote=Remote(hang))
    assert [code(await hall.call("ask", n=n)) for n in range(6)] == ["TIMEOUT"] * 5 + ["UNAVAILABLE"]


async def test_progress_of_shared_work_goes_to_each_who_listens_and_waits_for_nobody() -> None:
    begin = asyncio.Event()
    deaf = asyncio.Event()
    heard: list[float] = []

    @capability(cache_ttl=60)
    async def work(ctx: CallContext) -> int:
        await begin.wait()
        for done in range(40):
            await ctx.progress(done)
            await asyncio.sleep(0)
        return 7

    async def hear(progress: Progress) -> None:
        heard.append(progress.done)

    async def never(progress: Progress) -> None:
        await deaf.wait()

    hall = Hall(work)
    slow = asyncio.create_task(hall.call("work", _report=never))
    quick = asyncio.create_task(hall.call("work", _report=hear))
    silent = asyncio.create_task(hall.call("work"))
    for _ in range(5):
        await asyncio.sleep(0)
    begin.set()
    assert [(await quick).data, (await silent).data] == [7, 7]
    assert heard[-1] == 39
    assert not slow.done()
    deaf.set()
    assert (await slow).data == 7


async def test_who_leaves_its_stream_holds_nobody_up_who_waits_for_the_same_work() -> None:
    go_on = asyncio.Event()

    @capability(cache_ttl=60)
    async def work(ctx: CallContext) -> int:
        await ctx.progress(0)
        await go_on.wait()
        for done in range(40):
            await ctx.progress(done)
        return 7

    hall = Hall(work)
    first = hall.stream("work")
    await anext(first)
    joined = asyncio.create_task(hall.call("work"))
    for _ in range(5):
        await asyncio.sleep(0)
    await first.aclose()  # type: ignore[attr-defined]
    go_on.set()
    assert (await joined).data == 7
