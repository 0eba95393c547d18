"""Calls that must not be made twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.capability.decorators import capability
from moothall.errors import Conflict, RateLimited, StorageError, Unavailable, UpstreamError
from moothall.storage.schema import idempotency
from moothall.storage.store import Store
from tests.calls.hall import ALICE, ANONYMOUS, BOB, OWNER, Hall, Remote, code
from tests.support.clock import ManualClock


@pytest.fixture
async def store(tmp_path: Path, database_url: str) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "node", database_url)
    yield opened
    await opened.close()


class Bank:
    """Moves money as often as it is asked to."""

    def __init__(self) -> None:
        self.moved: list[int] = []
        self.error: BaseException | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()

    @capability(access="authenticated")
    async def pay(self, cents: int, to: str = "x") -> dict[str, int]:
        return await self._pay(cents)

    @capability(access="authenticated", idempotent=True)
    async def put(self, cents: int) -> dict[str, int]:
        return await self._pay(cents)

    @capability(auth=False)
    async def give(self, cents: int) -> dict[str, int]:
        return await self._pay(cents)

    async def _pay(self, cents: int) -> dict[str, int]:
        self.moved.append(cents)
        self.entered.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return {"balance": 2**60 + len(self.moved)}


def key(principal: Any, hall: Hall, name: str = "pay", text: str = "k1", door: str = "http", **given: Any) -> Any:
    return hall.call(name, principal, door, _idempotency_key=text, params={"cents": 5, **given})


async def test_a_key_is_worked_on_once_and_its_answer_given_again(store: Store) -> None:
    bank = Bank()
    hall = Hall(bank, store=store)
    first, again = await key(ALICE, hall), await key(ALICE, hall)
    assert (first.data, first.replayed) == ({"balance": str(2**60 + 1)}, False)
    assert (again.data, again.replayed) == (first.data, True)
    assert first.request_id != again.request_id
    assert bank.moved == [5]
    assert (await key(ALICE, hall, text="k2")).data == {"balance": str(2**60 + 2)}


async def test_the_answer_outlives_the_node(store: Store) -> None:
    bank = Bank()
    first = await key(ALICE, Hall(bank, store=store))
    again = await key(ALICE, Hall(bank, store=store))
    assert (again.data, again.replayed, bank.moved) == (first.data, True, [5])
    inside = await key(ALICE, Hall(bank, store=store), door="local")
    assert (inside.data, inside.replayed) == ({"balance": 2**60 + 1}, True)


async def test_a_key_belongs_to_its_caller_and_its_capability(store: Store) -> None:
    bank = Bank()
    hall = Hall(bank, store=store)
    for call in (key(ALICE, hall), key(BOB, hall), key(ALICE, hall, "put"), key(ANONYMOUS, hall, "give")):
        assert (await call).replayed is False
    assert len(bank.moved) == 4
    given = {"cents": 5}
    for address, replayed in (("1.1.1.1", False), ("1.1.1.1", True), ("2.2.2.2", False)):
        reply = await hall.call("give", ANONYMOUS, "http", params=given, _idempotency_key="k1", _address=address)
        assert reply.replayed is replayed


async def test_a_key_with_other_arguments_is_a_conflict(store: Store) -> None:
    bank = Bank()
    hall = Hall(bank, store=store)
    await key(ALICE, hall)
    for reply in (await key(ALICE, hall, cents=6), await key(ALICE, Hall(bank, store=store), to="y")):
        assert isinstance(reply.error, Conflict)
        assert reply.error.told is not None
        assert reply.error.told.why == "calls.key_reused"
    assert (await key(ALICE, hall, to="x")).replayed
    assert bank.moved == [5]


@pytest.mark.parametrize("stored", [True, False])
async def test_equal_calls_at_one_time_share_one_piece_of_work(stored: bool, store: Store) -> None:
    bank = Bank()
    hall = Hall(bank, store=store if stored else None)
    bank.gate.clear()
    tasks = [asyncio.create_task(key(ALICE, hall)) for _ in range(10)]
    await bank.entered.wait()
    other = await key(ALICE, hall, cents=6)
    assert code(other) == "CONFLICT"
    bank.gate.set()
    replies = await asyncio.gather(*tasks)
    assert bank.moved == [5]
    assert sorted(reply.replayed for reply in replies) == [False] + [True] * 9
    assert len({str(reply.data) for reply in replies}) == 1


async def test_two_nodes_over_one_store_make_a_call_once(store: Store) -> None:
    bank = Bank()
    replies = await asyncio.gather(*(key(ALICE, Hall(bank, store=store)) for _ in range(8)))
    assert bank.moved == [5]
    assert {code(reply) for reply in replies} <= {"ok", "CONFLICT"}
    assert sum(reply.success and not reply.replayed for reply in replies) == 1


async def crashed(bank: Bank, store: Store, name: str) -> None:
    """A node that stops in the middle of a call with the key k1."""
    bank.gate.clear()
    task = asyncio.create_task(key(ALICE, Hall(bank, store=store), name))
    await bank.entered.wait()
    task.cancel()
    await asyncio.wait([task])
    bank.gate.set()


async def test_after_a_crash_in_the_middle_a_harmless_call_is_made_again(store: Store) -> None:
    bank = Bank()
    await crashed(bank, store, "put")
    for replayed in (False, True):
        reply = await key(ALICE, Hall(bank, store=store), "put")
        assert (code(reply), reply.replayed) == ("ok", replayed)
    assert bank.moved == [5, 5]


async def test_after_a_crash_in_the_middle_nobody_knows_whether_another_call_was_made(store: Store) -> None:
    bank = Bank()
    await crashed(bank, store, "pay")
    for _ in range(2):
        reply = await key(ALICE, Hall(bank, store=store))
        assert isinstance(reply.error, Conflict)
        assert reply.error.told is not None
        assert reply.error.told.why == "calls.outcome_unknown"
    assert bank.moved == [5]


async def test_a_call_that_ran_out_of_time_is_of_unknown_outcome(store: Store) -> None:
    bank = Bank()
    hall = Hall(bank, store=store)
    bank.gate.clear()
    reply = await hall.call("pay", ALICE, "http", params={"cents": 5}, _idempotency_key="k1", _timeout=0.05)
    assert code(reply) == "TIMEOUT"
    bank.gate.set()
    assert code(await key(ALICE, hall)) == "CONFLICT"
    assert bank.moved == [5]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Conflict("taken", details={"by": "me"}), "CONFLICT"),
        (RuntimeError("SECRET"), "INTERNAL_ERROR"),
        (UpstreamError("x"), "UPSTREAM_ERROR"),
    ],
)
async def test_a_failure_that_may_have_done_something_is_the_answer(
    store: Store, error: Exception, expected: str
) -> None:
    bank = Bank()
    bank.error = error
    first = await key(ALICE, Hall(bank, store=store))
    bank.error = None
    again = await key(ALICE, Hall(bank, store=store))
    assert (code(first), code(again)) == (expected, expected)
    assert type(again.error) is type(first.error)
    assert (again.error and again.error.details) == (first.error and first.error.details)
    assert (again.replayed, bank.moved) == (True, [5])
    assert "SECRET" not in repr(again)


@pytest.mark.parametrize("error", [Unavailable("later"), RateLimited("later"), "unsent"])
async def test_a_refusal_that_did_nothing_leaves_the_key_free(store: Store, error: Any) -> None:
    if error == "unsent":
        error = UpstreamError("refused")
        error.sent = False
    bank = Bank()
    bank.error = error
    assert (await key(ALICE, Hall(bank, store=store))).error is error
    bank.error = None
    reply = await key(ALICE, Hall(bank, store=store))
    assert (code(reply), reply.replayed) == ("ok", False)


async def test_a_harmless_call_that_failed_is_made_again(store: Store) -> None:
    bank = Bank()
    bank.error = RuntimeError("down")
    assert code(await key(ALICE, Hall(bank, store=store), "put")) == "INTERNAL_ERROR"
    bank.error = None
    assert code(await key(ALICE, Hall(bank, store=store), "put")) == "ok"


async def test_bad_arguments_and_refusals_take_no_key(store: Store) -> None:
    bank = Bank()
    hall = Hall(bank, store=store)
    assert code(await key(ALICE, hall, cents="x")) == "VALIDATION_ERROR"
    assert code(await key(ANONYMOUS, hall)) == "UNAUTHENTICATED"
    assert (await key(ALICE, hall)).replayed is False


@pytest.mark.parametrize("bad", ["", "x" * 256, "a\nb", "\x00"])
async def test_a_key_is_short_printable_text(store: Store, bad: str) -> None:
    bank = Bank()
    assert code(await key(ALICE, Hall(bank, store=store), text=bad)) == "VALIDATION_ERROR"
    assert bank.moved == []


async def rows(store: Store) -> int:
    found = await store.read(
        lambda connection: connection.execute(sa.select(sa.func.count()).select_from(idempotency)).scalar_one()
    )
    return int(found)


async def test_a_key_is_forgotten_after_a_day(store: Store) -> None:
    bank, clock = Bank(), ManualClock()
    hall = Hall(bank, store=store, clock=clock)
    await key(ALICE, hall)
    await clock.advance(timedelta(hours=23, minutes=59))
    assert (await key(ALICE, hall)).replayed
    await clock.advance(timedelta(minutes=2))
    assert (await key(ALICE, hall)).replayed is False
    assert bank.moved == [5, 5]


async def test_what_has_expired_is_deleted_a_bounded_number_at_a_time(store: Store) -> None:
    old = [
        {
            "caller": "c",
            "capability": "node.pay",
            "key": f"k{n}",
            "digest": "d",
            "holder": "h",
            "reply": "{}",
            "expires": 1,
        }
        for n in range(450)
    ]
    await store.write(lambda connection: connection.execute(sa.insert(idempotency), old))
    clock = ManualClock()
    hall = Hall(Bank(), store=store, clock=clock)
    left = []
    for number in range(4):
        await key(ALICE, hall, text=f"n{number}")
        left.append(await rows(store))
        await clock.advance(61)
    assert left == [251, 52, 3, 4]
    await key(ALICE, hall, text="last")
    await store.write(lambda connection: connection.execute(sa.insert(idempotency), old[:1]))
    await key(ALICE, hall, text="at once")
    assert await rows(store) == 7


async def test_a_store_that_fails_lets_no_keyed_call_begin(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = Bank()

    async def fails(work: Any) -> None:
        raise StorageError("down")

    monkeypatch.setattr(store, "write", fails)
    assert code(await key(ALICE, Hall(bank, store=store))) == "UNAVAILABLE"
    assert bank.moved == []


async def test_work_that_was_done_counts_although_it_could_not_be_written_down(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = Bank()
    real, calls = store.write, []

    async def fails_later(work: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise StorageError("down")
        return await real(work)

    monkeypatch.setattr(store, "write", fails_later)
    assert (await key(ALICE, Hall(bank, store=store))).data == {"balance": str(2**60 + 1)}
    monkeypatch.setattr(store, "write", real)
    assert code(await key(ALICE, Hall(bank, store=store))) == "CONFLICT"
    assert bank.moved == [5]


async def test_an_answer_that_is_too_large_is_given_once_and_then_known_to_be_lost(store: Store) -> None:
    runs = []

    @capability
    async def large() -> str:
        runs.append(1)
        return "x" * 2_000_000

    hall = Hall(large, store=store)
    first = await hall.call("large", OWNER, "http", _idempotency_key="k")
    again = await hall.call("large", OWNER, "http", _idempotency_key="k")
    assert (len(first.data or ""), code(again), len(runs)) == (2_000_000, "CONFLICT", 1)


async def test_values_of_a_stream_are_given_again_as_a_list(store: Store) -> None:
    runs = []

    @capability
    async def numbers() -> AsyncIterator[int]:
        runs.append(1)
        yield 1
        yield 2**60

    hall = Hall(numbers, store=store)
    for door, expected in (("http", [1, str(2**60)]), ("local", [1, 2**60])):
        assert (await hall.call("numbers", OWNER, door, _idempotency_key="k")).data == expected
    assert len(runs) == 1


async def test_a_keyed_call_of_a_remote_is_repeatable_and_its_key_goes_along(store: Store) -> None:
    @capability(source="did", did="did:wba:x.example:e1_x")
    async def pay(cents: int) -> int: ...

    remote = Remote(UpstreamError("failed"), 7)
    hall = Hall(pay, remote=remote, store=store)
    codes = [code(await key(OWNER, hall)) for _ in range(3)]
    assert codes == ["UPSTREAM_ERROR", "ok", "ok"]
    assert [out.idempotency_key for out in remote.seen] == ["k1", "k1"]


async def test_who_leaves_while_the_answer_is_written_down_does_not_undo_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, writing, go_on, written = Bank(), asyncio.Event(), asyncio.Event(), asyncio.Event()
    real, calls = store.write, []

    async def slow(work: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            writing.set()
            await go_on.wait()
        done = await real(work)
        if len(calls) == 2:
            written.set()
        return done

    monkeypatch.setattr(store, "write", slow)
    hall = Hall(bank, store=store)
    task = asyncio.create_task(key(ALICE, hall))
    await writing.wait()
    task.cancel()
    await asyncio.wait([task])
    go_on.set()
    await written.wait()
    reply = await key(ALICE, hall)
    assert (code(reply), reply.replayed, bank.moved) == ("ok", True, [5])
