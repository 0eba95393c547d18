"""Several processes on one database, and work at the same time: a revocation holds for all from its end on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from moothall.errors import MoothallError, Overloaded, PermissionDeniedError
from moothall.grants import rows
from tests.grants.lending import Lender, Street, proved, token


@pytest.mark.requirement("DEL-05")
async def test_every_process_sees_what_another_one_took_back(shared: Street) -> None:
    one, two, three = [await shared.lender() for _ in range(3)]
    ann, bob, cid = shared.world.agent("ann", read="hall.a"), shared.world.agent("bob"), shared.world.far("cid")
    first = await one.give(ann, bob, depth=1)
    second = await two.give(bob, cid, parent=first.id)
    assert [await each.opens(cid) for each in (one, two, three)] == [True] * 3
    before = (await three.revisions.current())["grants"]
    await two.grants.revoke(proved(ann), first.id)
    assert (await three.revisions.current())["grants"] > before
    assert [await each.opens(cid) for each in (one, two, three)] == [False] * 3
    assert (await three.grants.show(proved(cid), second.id)).status == "revoked"


async def test_the_limits_hold_for_all_processes_together(shared: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_BETWEEN", 5)
    nodes = [await shared.lender() for _ in range(3)]
    ann, bob = shared.world.agent("ann", read="hall.a"), shared.world.far("bob")
    done = await asyncio.gather(*(nodes[n % 3].give(ann, bob) for n in range(15)), return_exceptions=True)
    assert sum(not isinstance(each, BaseException) for each in done) == 5
    assert sum(isinstance(each, Overloaded) for each in done) == 10


async def test_one_token_handed_in_to_all_processes_is_one_delegation(shared: Street) -> None:
    nodes = [await shared.lender() for _ in range(3)]
    far, bob = shared.world.far("far", read="hall.a"), shared.world.far("bob")
    text = token(far, bob, shared.clock)
    made = await asyncio.gather(*(nodes[n % 3].grants.add(proved(far), text) for n in range(9)))
    assert len({each.id for each in made}) == 1
    assert sum(len(each.records) for each in nodes) == 1
    assert len((await nodes[0].grants.list(proved(far))).delegations) == 1


async def test_after_a_revocation_nobody_uses_what_was_taken_back_however_busy_the_node_is(lender: Lender) -> None:
    world = lender.world
    ann, bob, cid = world.agent("ann", read="hall.a"), world.agent("bob"), world.far("cid")
    for _ in range(5):
        first = await lender.give(ann, bob, depth=1)
        await lender.give(bob, cid, parent=first.id)
        gone = asyncio.Event()

        async def used(gone: asyncio.Event = gone) -> list[tuple[bool, bool]]:
            found = []
            while len(found) < 20:
                late = gone.is_set()
                found.append((late, await lender.opens(cid)))
            return found

        async def taken_back(grant_id: str = first.id, gone: asyncio.Event = gone) -> None:
            await lender.grants.revoke(proved(ann), grant_id)
            gone.set()

        *seen, _ = await asyncio.gather(used(), used(), used(), taken_back())
        assert not any(late and opened for each in seen for late, opened in each)
        assert not await lender.opens(cid)


async def test_passing_on_and_taking_back_at_the_same_time_leaves_nothing_open(lender: Lender) -> None:
    world = lender.world
    ann, bob, cid = world.agent("ann", read="hall.a"), world.agent("bob"), world.far("cid")
    for _ in range(5):
        first = await lender.give(ann, bob, depth=1)
        passing = (lender.give(bob, cid, parent=first.id) for _ in range(4))
        done = await asyncio.gather(*passing, lender.grants.revoke(proved(ann), first.id), return_exceptions=True)
        assert all(
            each is None or not isinstance(each, BaseException) or isinstance(each, MoothallError) for each in done
        )
        assert not await lender.opens(bob)
        assert not await lender.opens(cid)


async def test_taking_back_twice_at_the_same_time_is_one_change(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    made = await lender.give(ann, bob)
    lender.records.clear()
    await asyncio.gather(*(lender.grants.revoke(proved(ann), made.id) for _ in range(5)))
    assert [each.action for each in lender.records] == ["revoke"]
    with pytest.raises(PermissionDeniedError):
        await lender.grants.revoke(proved(ann), "none")


async def begun(lender: Lender, change: Coroutine[Any, Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin a change, and go away once it is in the store, before anybody here has heard of it."""
    written, real = asyncio.Event(), lender.store.write

    async def write(work: Callable[[Connection], Any]) -> Any:
        done = await real(work)
        written.set()
        await asyncio.sleep(0)  # where the caller's cancellation comes
        return done

    monkeypatch.setattr(lender.store, "write", write)
    caller = asyncio.create_task(change)
    await written.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await lender.grants.aclose()


async def test_a_revocation_counts_though_whoever_asked_for_it_has_gone(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    made = await lender.give(ann, bob)
    lender.changes.clear()
    await begun(lender, lender.grants.revoke(proved(ann), made.id), monkeypatch)
    number = (await lender.revisions.current())["grants"]
    assert lender.changes == [(frozenset({bob.did.text}), number)], "else its holder is decided about as before"
    assert lender.records[-1].action == "revoke"


async def test_so_does_a_delegation(lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    await begun(lender, lender.give(ann, bob), monkeypatch)
    assert [holders for holders, _ in lender.changes] == [{bob.did.text}]
    assert lender.records[-1].action == "create"
