"""Time: how it is written, read and waited for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.clock import Clock, SystemClock, parse_rfc3339, rfc3339
from tests.support.clock import ManualClock

BEIJING = timezone(timedelta(hours=8))
ZONES = st.timezones() | st.just(UTC) | st.just(BEIJING)


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    assert rfc3339(datetime(2026, 1, 22, 18, 5, 0, 123_999, BEIJING)) == "2026-01-22T10:05:00.123Z"
    assert rfc3339(datetime(2026, 1, 22, 10, 5, tzinfo=UTC)) == "2026-01-22T10:05:00.000Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        rfc3339(datetime(2026, 1, 22, 10, 5))


@pytest.mark.parametrize(
    "text",
    ["2026-01-22T10:05:00Z", "2026-01-22t10:05:00.000z", "2026-01-22T18:05:00+08:00", "2026-01-22T10:05:00.0000000Z"],
)
def test_every_form_of_rfc3339_is_read(text: str) -> None:
    assert parse_rfc3339(text) == datetime(2026, 1, 22, 10, 5, tzinfo=UTC)
    assert parse_rfc3339(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-22",
        "2026-01-22T10:05:00",
        "20260122T100500Z",
        "2026-01-22 10:05:00Z",
        "2026-02-30T00:00:00Z",
        "２０26-01-22T10:05:00Z",
    ],
)
def test_what_is_no_rfc3339_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_rfc3339(text)


@given(st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=ZONES, allow_imaginary=False))
def test_writing_and_reading_keep_the_millisecond(when: datetime) -> None:
    assert abs(parse_rfc3339(rfc3339(when)) - when) < timedelta(milliseconds=1)


@given(*[st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))] * 2)
def test_written_times_sort_like_times(one: datetime, other: datetime) -> None:
    if one <= other:
        assert rfc3339(one) <= rfc3339(other)


async def test_the_system_clock_does_not_wait_for_what_has_passed() -> None:
    clock: Clock = SystemClock()
    async with asyncio.timeout(5):
        await clock.sleep_until(clock.now() - timedelta(days=1))


async def test_the_system_clock_returns_no_earlier_than_asked() -> None:
    clock: Clock = SystemClock()
    when = clock.now() + timedelta(milliseconds=5)
    before = clock.monotonic()
    await clock.sleep_until(when)
    assert clock.now() >= when
    assert clock.monotonic() > before


async def test_a_manual_clock_wakes_sleepers_in_order_at_their_moments() -> None:
    clock = ManualClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float, then: float = 0) -> None:
        for delay in (seconds, then):
            if delay:
                await clock.sleep_until(clock.now() + timedelta(seconds=delay))
                woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 30))
        group.create_task(sleeper("early", 10, then=5))
        group.create_task(sleeper("beyond", 100))
        await clock.sleeping(3)
        await clock.advance(60)
        assert woken == [("early", 10), ("early", 15), ("late", 30)]
        assert clock.monotonic() == 60
        await clock.advance(timedelta(seconds=40))
    assert woken[-1] == ("beyond", 100)


async def test_a_manual_clock_does_not_hold_a_cancelled_sleeper() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(seconds=1)))
    await clock.sleeping()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await clock.advance(5)
    assert clock.monotonic() == 5
