"""The breaker and the rate limiter, on a clock that the test moves."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.resilience import Breaker, Outcome, Permit, RateLimiter


class Seconds:
    """A monotonic clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def breaker(seconds: Seconds) -> Breaker:
    return Breaker(3, 30.0, seconds)


def granted(breaker: Breaker) -> Permit:
    permit = breaker.allow()
    assert permit is not None
    return permit


def call(breaker: Breaker, outcome: Outcome) -> None:
    breaker.done(granted(breaker), outcome)


def opened(breaker: Breaker) -> Breaker:
    for _ in range(3):
        call(breaker, "failed")
    return breaker


def test_three_failures_in_a_row_open_the_breaker_and_a_success_between_starts_the_count_anew(breaker: Breaker) -> None:
    call(breaker, "failed")
    call(breaker, "failed")
    call(breaker, "ok")
    call(breaker, "failed")
    call(breaker, "failed")
    assert breaker.state == "closed"
    call(breaker, "failed")
    assert breaker.state == "open"
    assert breaker.allow() is None


def test_an_outcome_that_says_nothing_about_the_service_neither_opens_nor_clears(breaker: Breaker) -> None:
    call(breaker, "failed")
    call(breaker, "failed")
    for _ in range(10):
        call(breaker, "neutral")
    assert breaker.snapshot().consecutive_failures == 2
    call(breaker, "failed")
    assert breaker.state == "open"


def test_it_stays_open_for_the_whole_wait_and_then_lets_exactly_one_through(breaker: Breaker, seconds: Seconds) -> None:
    opened(breaker)
    seconds.now += 29.9
    assert breaker.allow() is None
    seconds.now += 0.2
    assert breaker.state == "half_open"
    assert [breaker.allow() is not None for _ in range(50)].count(True) == 1


async def test_of_fifty_concurrent_callers_at_half_open_one_probes(breaker: Breaker, seconds: Seconds) -> None:
    opened(breaker)
    seconds.now += 30
    answer, probes = asyncio.Event(), 0

    async def caller() -> None:
        nonlocal probes
        if permit := breaker.allow():
            probes += 1
            await answer.wait()
            breaker.done(permit, "ok")

    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(caller())
        group.create_task(asyncio.sleep(0)).add_done_callback(lambda _: answer.set())
    assert probes == 1
    assert breaker.state == "closed"


def test_a_probe_that_fails_opens_it_again_for_the_whole_wait(breaker: Breaker, seconds: Seconds) -> None:
    opened(breaker)
    seconds.now += 30
    call(breaker, "failed")
    assert breaker.state == "open"
    assert breaker.snapshot().retry_in == 30.0
    seconds.now += 30
    call(breaker, "ok")
    assert breaker.state == "closed"
    assert breaker.snapshot().consecutive_failures == 0


def test_a_probe_whose_caller_went_away_leaves_its_place_to_the_next(breaker: Breaker, seconds: Seconds) -> None:
    opened(breaker)
    seconds.now += 30
    call(breaker, "neutral")
    assert breaker.state == "half_open"
    call(breaker, "ok")
    assert breaker.state == "closed"


def test_calls_from_before_the_opening_neither_prolong_the_wait_nor_touch_the_probe(
    breaker: Breaker, seconds: Seconds
) -> None:
    late = [granted(breaker) for _ in range(4)]
    opened(breaker)
    seconds.now += 20
    breaker.done(late[0], "failed")
    assert breaker.snapshot().retry_in == 10.0
    breaker.done(late[1], "ok")
    assert breaker.state == "open"
    seconds.now += 10
    probe = granted(breaker)
    breaker.done(late[2], "neutral")
    breaker.done(late[3], "failed")
    assert breaker.allow() is None
    breaker.done(probe, "ok")
    assert breaker.state == "closed"


def test_a_reset_closes_it_and_forgets_the_calls_under_way(breaker: Breaker) -> None:
    late = granted(breaker)
    opened(breaker)
    breaker.reset()
    assert breaker.state == "closed"
    breaker.done(late, "failed")
    snapshot = breaker.snapshot()
    assert (snapshot.consecutive_failures, snapshot.opened, snapshot.refused) == (0, 1, 0)


def test_a_snapshot_tells_what_an_operator_asks(breaker: Breaker, seconds: Seconds) -> None:
    opened(breaker)
    assert breaker.allow() is None
    seconds.now += 12
    snapshot = breaker.snapshot()
    assert (snapshot.state, snapshot.threshold, snapshot.recovery_seconds) == ("open", 3, 30.0)
    assert (snapshot.retry_in, snapshot.opened, snapshot.refused) == (18.0, 1, 1)


@given(st.lists(st.sampled_from(["allow", "ok", "failed", "neutral", "wait", "reset"]), max_size=60))
def test_whatever_happens_there_is_never_a_second_probe_and_never_a_breaker_that_stays_shut(steps: list[str]) -> None:
    seconds = Seconds()
    breaker = Breaker(2, 5.0, seconds)
    held: list[Permit] = []
    for step in steps:
        if step == "allow":
            if permit := breaker.allow():
                held.append(permit)
        elif step == "wait":
            seconds.now += 5
        elif step == "reset":
            breaker.reset()
        elif held:
            breaker.done(held.pop(0), step)  # type: ignore[arg-type]
        current = [permit for permit in held if permit.probe and permit.period == breaker._period]
        assert len(current) <= 1
    for permit in held:
        breaker.done(permit, "neutral")
    seconds.now += 5
    assert breaker.allow() is not None


def test_a_key_may_spend_a_minutes_calls_at_once_and_is_then_told_how_long_to_wait(seconds: Seconds) -> None:
    limiter = RateLimiter(60, seconds)
    assert [limiter.allow("alice") for _ in range(60)] == [0.0] * 60
    assert limiter.allow("alice") == pytest.approx(1.0)
    seconds.now += 0.25
    assert limiter.allow("alice") == pytest.approx(0.75)
    seconds.now += 0.75
    assert limiter.allow("alice") == 0.0
    assert limiter.allow("bob") == 0.0


def test_a_bucket_never_holds_more_than_a_minutes_calls(seconds: Seconds) -> None:
    limiter = RateLimiter(2, seconds)
    limiter.allow("alice")
    seconds.now += 3600
    assert [limiter.allow("alice") > 0 for _ in range(3)] == [False, False, True]


def test_without_a_limit_everything_passes_and_nothing_is_remembered(seconds: Seconds) -> None:
    limiter = RateLimiter(0, seconds)
    assert not any(limiter.allow(f"key {number}") for number in range(1000))
    assert limiter.snapshot().keys == 0


def test_a_flood_of_invented_keys_costs_a_bounded_number_of_buckets(seconds: Seconds) -> None:
    limiter = RateLimiter(1, seconds, keys=100)
    for number in range(1000):
        limiter.allow("alice")
        limiter.allow(f"key {number}")
    assert limiter.snapshot().keys == 100
    assert limiter.allow("alice") > 0, "who keeps calling is not forgotten"


def test_the_limiters_counts_start_anew_while_what_was_used_stays_used(seconds: Seconds) -> None:
    limiter = RateLimiter(1, seconds)
    limiter.allow("alice")
    limiter.allow("alice")
    assert (limiter.snapshot().allowed, limiter.snapshot().refused) == (1, 1)
    limiter.reset_stats()
    assert (limiter.snapshot().allowed, limiter.snapshot().refused) == (0, 0)
    assert limiter.allow("alice") > 0
