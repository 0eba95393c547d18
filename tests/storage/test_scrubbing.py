"""When the files are cleaned of erased text: together, and behind the answer where it takes long."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from moothall.storage.scrubbing import LARGE, Scrubbing


@dataclass
class Files:
    """Files whose cleaning takes until it is let go; what is owed at its beginning is done at its end."""

    size: int = 0
    owed: set[int] = field(default_factory=set)
    payments: list[set[int]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    works: bool = True

    def scrubbing(self) -> Scrubbing:
        return Scrubbing(self.pay, lambda: self.size)

    async def pay(self) -> bool:
        mine = set(self.owed)
        self.begun.set()
        await self.free.wait()
        if self.works:
            self.owed -= mine
            self.payments.append(mine)
        return self.works

    async def clean(self) -> None:
        while self.owed:  # noqa: ASYNC110 - nobody is told when it is done
            await asyncio.sleep(0)

    async def erase(self, number: int, scrubbing: Scrubbing) -> None:
        """As a caller would: owe, then have it done."""
        self.owed.add(number)
        await scrubbing.in_time()
        assert self.size >= LARGE or number not in self.owed, "it is gone when the call returns"


async def test_who_erases_at_the_same_time_shares_one_rewriting() -> None:
    files = Files()
    files.free.set()
    scrubbing = files.scrubbing()
    await asyncio.gather(*(files.erase(number, scrubbing) for number in range(20)))
    assert files.payments == [set(range(20))]


async def test_who_erases_while_one_is_under_way_shares_the_next() -> None:
    files = Files()
    scrubbing = files.scrubbing()
    first = asyncio.create_task(files.erase(0, scrubbing))
    await files.begun.wait()
    later = [asyncio.create_task(files.erase(number, scrubbing)) for number in range(1, 20)]
    await asyncio.sleep(0)
    files.free.set()
    await asyncio.gather(first, *later)
    assert files.payments == [{0}, set(range(1, 20))]


async def test_a_caller_who_goes_away_takes_nothing_from_the_others() -> None:
    files = Files()
    scrubbing = files.scrubbing()
    one, other = (asyncio.create_task(files.erase(number, scrubbing)) for number in range(2))
    await files.begun.wait()
    one.cancel()
    files.free.set()
    await other
    assert files.payments == [{0, 1}]


async def test_in_a_large_store_nobody_waits_and_many_erasures_are_done_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("moothall.storage.scrubbing._REST", 0.0)
    files = Files(size=LARGE)
    scrubbing = files.scrubbing()
    for number in range(5):
        await files.erase(number, scrubbing)
    assert files.owed, "not done yet, and nobody waited"
    await files.begun.wait()
    for number in range(5, 10):
        await files.erase(number, scrubbing)
    files.free.set()
    await files.clean()
    assert files.payments == [set(range(5)), set(range(5, 10))]
    await files.erase(10, scrubbing)
    await files.clean()
    await scrubbing.stop()


async def test_stopping_ends_what_is_under_way_and_begins_nothing() -> None:
    files = Files(size=LARGE)
    scrubbing = files.scrubbing()
    await files.erase(0, scrubbing)
    await files.begun.wait()
    await files.erase(1, scrubbing)
    stopping = asyncio.create_task(scrubbing.stop())
    await asyncio.sleep(0)
    files.free.set()
    await stopping
    assert (files.payments, files.owed) == ([{0}], {1})


async def test_what_could_not_be_done_is_told() -> None:
    files = Files(works=False)
    files.free.set()
    assert await files.scrubbing().at_once() is False


@pytest.mark.parametrize("size", [0, LARGE])
async def test_a_rewriting_that_failed_is_remembered_until_one_is_done(size: int) -> None:
    files = Files(size=size, works=False)
    files.free.set()
    scrubbing = files.scrubbing()
    files.owed.add(0)
    await scrubbing.in_time()
    while not scrubbing.failed:  # noqa: ASYNC110 - nobody is told when it is done
        await asyncio.sleep(0)
    files.works = True
    assert await scrubbing.at_once()
    assert not scrubbing.failed


@pytest.mark.parametrize("size", [0, LARGE])
async def test_a_fault_of_any_kind_is_told_in_the_log_and_the_erasure_stands(
    size: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> bool:
        raise RuntimeError("odd")

    scrubbing = Scrubbing(broken, lambda: size)
    await scrubbing.in_time()
    while not scrubbing.failed:  # noqa: ASYNC110 - nobody is told when it is done
        await asyncio.sleep(0)
    assert "RuntimeError: odd" in caplog.text
    await scrubbing.stop()
