"""How many demands may be open, and what it takes to find out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from moothall.errors import MoothallError, Overloaded, RateLimited
from moothall.negotiation.demand.capacity import Capacity
from moothall.negotiation.demand.submission import ANONYMOUS

MANY = 60


@dataclass
class Counted:
    """A log that has `stored` demands open and is asked how many; each entrant who is let in adds one."""

    stored: int = 0
    counts: list[str | None] = field(default_factory=list)

    async def count_open(self, _: str, *, subject: str | None = None, most: int) -> int:
        self.counts.append(subject)
        await asyncio.sleep(0)
        return min(self.stored, most)

    def capacity(self, most: int, of_one: int | None = None) -> Capacity:
        return Capacity(cast("Any", self), most, of_one)


async def enter(capacity: Capacity, store: Callable[[], None]) -> str:
    try:
        async with capacity.entrance("user"):
            await asyncio.sleep(0)
            store()
    except MoothallError as error:
        return type(error).__name__
    return "in"


@pytest.mark.parametrize(
    ("most", "of_one", "refusal"), [(5, None, Overloaded.__name__), (MANY * 9, 5, RateLimited.__name__)]
)
async def test_a_full_node_counts_once_or_twice_for_each_that_it_refuses_at_the_same_moment(
    most: int, of_one: int | None, refusal: str
) -> None:
    log = Counted(stored=5)
    capacity = log.capacity(most, of_one)
    told = await asyncio.gather(*(enter(capacity, lambda: None) for _ in range(MANY)))
    assert set(told) == {refusal}
    assert len(log.counts) <= 2 * MANY


async def test_a_burst_fills_the_room_and_never_exceeds_it() -> None:
    log = Counted(stored=2)
    capacity = log.capacity(7)

    def store() -> None:
        log.stored += 1

    told = await asyncio.gather(*(enter(capacity, store) for _ in range(MANY)))
    assert (told.count("in"), log.stored) == (5, 7)


async def test_who_comes_without_a_name_where_users_have_keys_is_an_admin_and_has_no_limit_of_a_user() -> None:
    log = Counted(stored=5)
    async with log.capacity(9, 5).entrance(ANONYMOUS):
        assert log.counts == [None]
