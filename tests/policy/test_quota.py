"""Quotas: counted in the store, by the day, and never more than there are."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from moothall.errors import RateLimited, StorageError
from moothall.messages import explain
from moothall.policy.quota import KEPT, Quotas
from moothall.storage.authority import quota
from moothall.storage.store import Store
from tests.support.clock import ManualClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BOB, ADD = "did:wba:far.example:bob", "node.add"


class Jumping(ManualClock):
    """A clock that is set ahead, while no time passes."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


async def taken(quotas: Quotas, limit: int, times: int, caller: str = BOB) -> list[int]:
    """What was left after each call that was let in."""
    left = []
    for _ in range(times):
        with suppress(RateLimited):
            left.append(await quotas.take(caller, ADD, limit))
    return left


@pytest.mark.requirement("POL-14")
async def test_a_quota_is_enforced_for_each_caller_and_capability_and_survives_a_restart(
    database_url: str, tmp_path: Path
) -> None:
    clock = ManualClock(NOON)
    store = await Store.open(tmp_path / "node", database_url)
    quotas = Quotas(store, clock)
    assert await taken(quotas, 3, 2) == [2, 1]
    assert await quotas.take("user:eve", ADD, 3) == 2
    assert await quotas.take(BOB, "node.other", 3) == 2
    await store.close()

    store = await Store.open(tmp_path / "node", database_url)
    quotas = Quotas(store, clock)
    assert await taken(quotas, 3, 3) == [0]
    with pytest.raises(RateLimited) as refused:
        await quotas.take(BOB, ADD, 3)
    assert refused.value.details == {"retry_after": 12 * 3600}
    assert "43200" in explain(refused.value, "zh").why
    await clock.advance(timedelta(hours=12))
    assert await taken(quotas, 3, 5) == [2, 1, 0]
    await store.close()


async def test_a_limit_that_is_lowered_or_raised_holds_at_once_and_none_lets_nobody_in(
    database_url: str, tmp_path: Path
) -> None:
    store = await Store.open(tmp_path / "node", database_url)
    quotas = Quotas(store, ManualClock(NOON))
    assert await taken(quotas, 5, 3) == [4, 3, 2]
    assert await taken(quotas, 2, 2) == []
    assert await taken(quotas, 4, 2) == [0]
    assert await taken(quotas, 0, 1) == await taken(quotas, -1, 1) == await taken(quotas, 0, 1, "user:eve") == []
    await store.close()


async def test_a_clock_that_is_set_back_finds_what_was_used_up(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)
    assert await taken(Quotas(store, ManualClock(NOON)), 2, 3) == [1, 0]
    assert await taken(Quotas(store, ManualClock(NOON + DAY)), 2, 3) == [1, 0]
    assert await taken(Quotas(store, ManualClock(NOON)), 2, 3) == []
    assert await taken(Quotas(store, ManualClock(NOON + DAY)), 2, 3) == []
    await store.close()


async def test_a_clock_that_is_far_ahead_for_a_while_makes_no_count_old(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)
    clock = Jumping(NOON)
    quotas = Quotas(store, clock)
    assert await taken(quotas, 1, 2) == [0]
    await clock.advance(61)
    clock.ahead = 30 * DAY
    assert await taken(quotas, 5, 1) == [4], "another day"
    clock.ahead = timedelta()
    assert await taken(quotas, 1, 1) == []
    await store.close()


async def test_calls_at_once_from_two_processes_never_get_more_than_there_is(postgres_url: str, tmp_path: Path) -> None:
    stores = [await Store.open(tmp_path / name, postgres_url) for name in ("one", "two")]
    clock = ManualClock(NOON)
    quotas = [Quotas(store, clock) for store in stores]
    outcomes = await asyncio.gather(*(quotas[n % 2].take(BOB, ADD, 25) for n in range(80)), return_exceptions=True)
    left = sorted(each for each in outcomes if isinstance(each, int))
    assert left == list(range(25))
    assert sum(isinstance(each, RateLimited) for each in outcomes) == 55
    for store in stores:
        await store.close()


async def test_calls_at_once_in_one_process_never_get_more_than_there_is(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)
    quotas = Quotas(store, ManualClock(NOON))
    outcomes = await asyncio.gather(*(quotas.take(BOB, ADD, 7) for _ in range(30)), return_exceptions=True)
    assert sorted(each for each in outcomes if isinstance(each, int)) == list(range(7))
    await store.close()


async def test_old_counts_go_in_small_batches(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)
    since = int((NOON - timedelta(days=30)).timestamp())
    rows = [
        {"caller": f"user:{n}", "capability": ADD, "since": since, "used": 1, "expires": since + KEPT}
        for n in range(450)
    ]
    await store.write(lambda connection: connection.execute(sa.insert(quota), rows))
    count = sa.select(sa.func.count()).select_from(quota)
    clock = ManualClock(NOON)
    quotas = Quotas(store, clock)
    await clock.advance(61)
    kept = []
    for _ in range(3):
        await quotas.take(BOB, ADD, 10)
        kept.append(await store.read(lambda connection: connection.execute(count).scalar()))
    assert kept == [251, 51, 1]
    await store.close()


async def test_what_cannot_be_counted_is_refused(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node")
    await store.write(lambda connection: connection.execute(sa.text("DROP TABLE quota")))
    with pytest.raises(StorageError):
        await Quotas(store, ManualClock(NOON)).take(BOB, ADD, 1)
    await store.close()
