"""A change that has begun is made and told to its end."""

from __future__ import annotations

import asyncio

import pytest

from moothall.storage.changes import Changes


async def test_a_change_whose_caller_has_gone_is_told_before_the_house_is_closed() -> None:
    changes, committed, told = Changes(), asyncio.Event(), list[str]()

    async def change() -> None:
        await committed.wait()
        told.append("made")

    caller = asyncio.create_task(changes.make(change()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    closing = asyncio.create_task(changes.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    committed.set()
    await closing
    assert told == ["made"]
    await changes.aclose()
