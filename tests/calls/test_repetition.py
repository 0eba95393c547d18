"""What fails is tried again, elsewhere, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from moothall.calls.terms import Terms
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.service_template import ServiceTemplate
from moothall.errors import (
    CallTimeout,
    Conflict,
    MoothallError,
    RateLimited,
    Unauthenticated,
    Unavailable,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from tests.calls.hall import ALICE, OWNER, Hall, Remote, SleeplessClock, code

URL = "https://shop.example/price"


def unsent() -> UpstreamError:
    error = UpstreamError("refused")
    error.sent = False
    return error


def sent() -> UpstreamError:
    return UpstreamError("failed")


def over_http(**options: Any) -> Any:
    @capability(source="http", endpoint=URL, **options)
    async def price(item: str) -> int: ...

    return price


async def attempts(answers: list[Any], /, _facts: dict[str, Any] | None = None, **options: Any) -> tuple[str, int]:
    """How the call ended, and how many attempts the backend saw."""
    remote = Remote(*answers)
    hall = Hall(over_http(**options), remote=remote, clock=SleeplessClock())
    return code(await hall.call("price", item="pen", **(_facts or {}))), len(remote.seen)


@pytest.mark.requirement("DEC-27")
@pytest.mark.parametrize("failure", [Unavailable, sent])
async def test_a_backend_that_works_at_the_third_time(failure: Any) -> None:
    async def after(**options: Any) -> tuple[str, int]:
        return await attempts(
            [
                failure("503") if failure is Unavailable else failure(),
                failure("503") if failure is Unavailable else failure(),
                7,
            ],
            **options,
        )

    failed = "UNAVAILABLE" if failure is Unavailable else "UPSTREAM_ERROR"
    assert await after(retry=3, http_method="GET") == ("ok", 3)
    assert await after(retry=3, idempotent=True) == ("ok", 3)
    assert await after(retry=3, http_method="PUT") == ("ok", 3)
    assert await after(retry=1, http_method="GET") == (failed, 2)
    assert await after(retry=0, http_method="GET") == (failed, 1)
    assert await after(retry=3) == (failed, 1)
    assert await after(enable_retry=True, max_retries=3, http_method="DELETE") == ("ok", 3)


@pytest.mark.requirement("DEC-27")
async def test_what_was_never_sent_may_always_be_repeated() -> None:
    assert await attempts([unsent(), unsent(), 7], retry=3) == ("ok", 3)
    assert await attempts([unsent(), 7]) == ("UPSTREAM_ERROR", 1)


@pytest.mark.requirement("DEC-27")
async def test_a_key_makes_repetitions_harmless_and_is_sent_along() -> None:
    assert await attempts([sent(), 7], {"_idempotency_key": "k"}, retry=1) == ("ok", 2)


@pytest.mark.parametrize("answer", [ValidationError("x"), Conflict("x"), UpstreamInvalid("x"), "no number"])
async def test_an_answer_is_no_reason_to_ask_again(answer: Any) -> None:
    assert (await attempts([answer], retry=3, idempotent=True))[1] == 1


async def test_pauses_are_spread_by_chance_below_a_bound_that_doubles() -> None:
    clock = SleeplessClock()
    draws = iter([1.0, 0.5, 1.0, 0.0])
    hall = Hall(over_http(retry=4, idempotent=True), remote=Remote(sent()), clock=clock, chance=lambda: next(draws))
    await hall.call("price", item="pen")
    assert clock.pauses == pytest.approx([0.1, 0.1, 0.4])


async def test_a_pause_is_as_long_as_the_other_side_asks_for_unless_the_deadline_comes_first() -> None:
    clock = SleeplessClock()
    busy = RateLimited("x", details={"retry_after": 3})
    hall = Hall(over_http(retry=3, idempotent=True, timeout=10), remote=Remote(busy, 7), clock=clock)
    assert (await hall.call("price", item="pen")).data == 7
    assert clock.pauses == [3.0]
    later = RateLimited("x", details={"retry_after": 11})
    remote = Remote(later)
    hall = Hall(over_http(retry=3, idempotent=True, timeout=10), remote=remote, clock=SleeplessClock())
    reply = await hall.call("price", item="pen")
    assert (code(reply), len(remote.seen)) == ("RATE_LIMITED", 1)


async def test_repetitions_of_a_remote_have_a_budget() -> None:
    remote = Remote(sent())
    terms = Terms(breaker_threshold=1000)
    hall = Hall(over_http(retry=3, idempotent=True), remote=remote, clock=SleeplessClock(), terms=terms)
    for _ in range(20):
        await hall.call("price", item="pen")
    assert len(remote.seen) == 20 + 10
    remote.answers = [7]
    for _ in range(10):
        await hall.call("price", item="pen")
    remote.answers, remote.seen = [sent()], []
    await hall.call("price", item="pen")
    assert len(remote.seen) == 2


async def test_a_function_of_this_node_is_repeated_only_where_that_is_harmless() -> None:
    runs = []

    def failing(**options: Any) -> Any:
        @capability(name="f", **options)
        async def f() -> int:
            runs.append(1)
            if len(runs) < 3:
                raise ConnectionError("down")
            return 7

        return f

    for options, expected in (
        ({"retry": 3, "idempotent": True}, ("ok", 3)),
        ({"retry": 3}, ("INTERNAL_ERROR", 1)),
        ({"idempotent": True}, ("INTERNAL_ERROR", 1)),
    ):
        runs.clear()
        assert (code(await Hall(failing(**options), clock=SleeplessClock()).call("f")), len(runs)) == expected


async def test_many_repetitions_need_no_depth() -> None:
    runs = []

    @capability(retry=9, idempotent=True, timeout=1000)
    async def f() -> int:
        runs.append(len(asyncio.current_task().get_stack()))  # type: ignore[union-attr]
        raise ConnectionError

    await Hall(f, clock=SleeplessClock()).call("f")
    assert len(runs) == 10
    assert len(set(runs)) == 1


# -- breaker ----------------------------------------------------------------------------------------------------


async def test_a_remote_that_failed_several_times_is_left_alone_and_tried_again_later() -> None:
    remote, clock = Remote(sent()), SleeplessClock()
    other = capability(source="http", endpoint="https://other.example/x", name="other")(_proxy)
    hall = Hall(over_http(), other, remote=remote, clock=clock, terms=Terms(breaker_threshold=3, breaker_recovery=30))
    codes = [code(await hall.call("price", item="pen")) for _ in range(5)]
    assert codes == ["UPSTREAM_ERROR"] * 3 + ["UNAVAILABLE"] * 2
    assert len(remote.seen) == 3
    reply = await hall.call("price", item="pen")
    assert reply.error is not None
    assert reply.error.details == {"retry_after": 30}
    assert code(await hall.call("other")) == "UPSTREAM_ERROR"
    remote.answers = [7]
    assert code(await hall.call("price", item="pen")) == "UNAVAILABLE"
    await clock.advance(31)
    assert [code(await hall.call("price", item="pen")) for _ in range(2)] == ["ok", "ok"]


@pytest.mark.parametrize(
    "answer", [ValidationError("x"), Conflict("x"), RateLimited("x"), UpstreamInvalid("x"), "no number"]
)
async def test_answers_do_not_count_as_failures_of_a_remote(answer: Any) -> None:
    remote = Remote(answer)
    hall = Hall(over_http(), remote=remote, clock=SleeplessClock(), terms=Terms(breaker_threshold=2))
    for _ in range(6):
        await hall.call("price", item="pen")
    assert len(remote.seen) == 6


async def test_a_status_that_says_too_much_of_this_caller_does_not_count_either() -> None:
    enough = sent()
    enough.status = 429
    remote = Remote(enough)
    hall = Hall(over_http(), remote=remote, clock=SleeplessClock(), terms=Terms(breaker_threshold=2))
    for _ in range(6):
        await hall.call("price", item="pen")
    assert len(remote.seen) == 6


async def test_a_caller_without_patience_opens_no_breaker() -> None:
    async def slow(_: object) -> int:
        await asyncio.sleep(60)
        return 7

    for timeout, expected in ((0.01, 4), (None, 2)):
        remote = Remote(slow)
        hall = Hall(over_http(timeout=0.02), remote=remote, terms=Terms(breaker_threshold=2))
        codes = [code(await hall.call("price", item="pen", _timeout=timeout)) for _ in range(4)]
        assert len(remote.seen) == expected
        assert codes[:2] == ["TIMEOUT"] * 2
    remote = Remote(CallTimeout("x"))
    hall = Hall(over_http(), remote=remote, terms=Terms(breaker_threshold=2))
    for _ in range(4):
        await hall.call("price", item="pen", _timeout=1.0)
    assert len(remote.seen) == 4


async def test_calls_that_leave_are_counted_by_their_remote() -> None:
    hall = Hall(over_http(), remote=Remote(7))
    for _ in range(3):
        await hall.call("price", item="pen")
    ((name, tally),) = hall.path.meter.remotes.rows()
    assert (name, sum(tally.outcomes.values())) == ("shop.example", 3)


# -- what is sent -----------------------------------------------------------------------------------------------


async def test_what_is_sent_is_json_with_defaults_and_what_is_left_of_time_and_hops() -> None:
    @capability(source="did", did="did:wba:x.example:e1_x", method="today", timeout=20)
    async def weather(city: str, days: int = 2**60) -> int: ...

    remote = Remote(7)
    hall = Hall(agents={"w": weather}, remote=remote, clock=SleeplessClock())
    reply = await hall.call("weather", ALICE, "local", city="Bern", _hops=2, _timeout=9.0, _idempotency_key="k")
    assert code(reply) == "PERMISSION_DENIED"
    await hall.call("weather", OWNER, "http", city="Bern", _hops=2, _timeout=9.0)
    await hall.call("weather", OWNER, "http", city="Bern", _idempotency_key="k")
    out, keyed = remote.seen
    assert (str(out.target), out.params) == ("did:wba:x.example:e1_x#today", {"city": "Bern", "days": str(2**60)})
    assert (out.agent, out.hops, out.idempotency_key) == ("w", 3, None)
    assert keyed.hops == 1
    assert len(keyed.idempotency_key or "") == 64
    assert out.timeout == pytest.approx(9.0, abs=0.1)


async def test_a_remote_that_does_not_accept_this_node_is_no_fault_of_the_caller() -> None:
    hall = Hall(over_http(), remote=Remote(Unauthenticated("who")))
    assert code(await hall.call("price", item="pen")) == "UPSTREAM_ERROR"
    assert code(await hall.call(URL)) == "UNAUTHENTICATED"


async def test_a_result_that_does_not_fit_is_not_passed_on() -> None:
    assert await attempts(["x"]) == ("UPSTREAM_INVALID", 1)


# -- providers --------------------------------------------------------------------------------------------------


async def _proxy() -> int: ...


async def test_the_next_provider_works_when_the_first_has_failed_and_only_then() -> None:
    ran = []

    @capability(source="http", endpoint=URL)
    @capability(source="did", did="did:wba:x.example:e1_x")
    @capability(source="local")
    async def rate(currency: str) -> int:
        ran.append(currency)
        return 1

    for answers, value, asked, local in (
        ([7], 7, 1, 0),
        ([sent(), 8], 8, 2, 0),
        ([sent(), Unavailable("x")], 1, 2, 1),
        ([UpstreamInvalid("x"), "no number"], 1, 2, 1),
    ):
        ran.clear()
        remote = Remote(*answers)
        reply = await Hall(rate, remote=remote).call("rate", currency="CHF")
        assert (reply.data, len(remote.seen), len(ran)) == (value, asked, local)


async def test_an_answer_of_the_first_provider_is_the_answer() -> None:
    @capability(source="http", endpoint=URL)
    @capability(source="local")
    async def rate() -> int:
        return 1

    reply = await Hall(rate, remote=Remote(Conflict("taken"))).call("rate")
    assert code(reply) == "CONFLICT"


async def test_a_provider_without_a_connector_gives_way_at_once() -> None:
    @capability(source="mcp", server="none", retry=3, idempotent=True)
    @capability(source="local")
    async def rate() -> int:
        return 1

    clock = SleeplessClock()
    assert (await Hall(rate, clock=clock).call("rate")).data == 1
    assert clock.pauses == []


# -- one template, two sources ----------------------------------------------------------------------------------


@pytest.mark.requirement("SOA-03")
async def test_one_template_gives_two_sources_the_same_errors_repetitions_and_cache() -> None:
    careful = ServiceTemplate(retry=2, idempotent=True, cache_ttl=60, timeout=5)
    seen: dict[str, list[Any]] = {}
    for source, options in (
        ("http", {"source": "http", "endpoint": URL}),
        ("did", {"source": "did", "did": "did:wba:x.example:e1_x"}),
    ):

        @careful.using(name="price", **options)
        async def price(item: str) -> int: ...

        rows = []
        for answers in ([sent()], [sent(), sent(), 7], [7], [Conflict("x")], [Unavailable("x")], ["x"]):
            remote = Remote(*answers)
            hall = Hall(price, remote=remote, clock=SleeplessClock(), terms=Terms(breaker_threshold=50))
            codes = [
                code(await hall.call("price", OWNER, "http", params=given))
                for given in ({"item": "a"}, {"item": "a"}, {"item": 5})
            ]
            rows.append((codes, len(remote.seen)))
        seen[source] = rows
    assert seen["http"] == seen["did"]
    assert seen["http"][0] == (["UPSTREAM_ERROR", "UPSTREAM_ERROR", "VALIDATION_ERROR"], 6)
    assert seen["http"][1] == (["ok", "ok", "VALIDATION_ERROR"], 3)
    assert seen["http"][2] == (["ok", "ok", "VALIDATION_ERROR"], 1)


async def test_an_error_of_an_inner_call_passes_through_the_outer_one() -> None:
    @capability
    async def outer(ctx: CallContext) -> int:
        try:
            value: int = await ctx.call("local:price", item="pen")
        except MoothallError as error:
            return len(error.code)
        return value

    assert (await Hall(over_http(), outer, remote=Remote(sent())).call("outer")).data == len("UPSTREAM_ERROR")


async def test_arguments_that_are_refused_say_nothing_of_the_remote() -> None:
    clock = SleeplessClock()
    hall = Hall(
        over_http(),
        remote=Remote(*[UpstreamError("down")] * 4, ValidationError("no place"), RuntimeError("x"), UpstreamError("d")),
        clock=clock,
        terms=Terms(breaker_threshold=4),
    )
    for _ in range(4):
        await hall.call("price", item="pen")
    (remote,) = hall.path._remotes._remotes.values()
    assert remote.breaker.state == "open"
    await clock.advance(31)
    for expected in ("VALIDATION_ERROR", "INTERNAL_ERROR"):
        assert code(await hall.call("price", item="..")) == expected
        assert remote.breaker.state == "half_open"
    assert {outcome for _, outcome in remote.tally.outcomes} == {"UPSTREAM_ERROR", "VALIDATION_ERROR", "INTERNAL_ERROR"}
    await hall.call("price", item="pen")
    assert remote.breaker.state == "open"
