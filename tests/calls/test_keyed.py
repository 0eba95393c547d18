"""Calls that must not be made twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.calls.kept_reply import read, write_error
from moothall.calls.ledger import Key, Ledger
from moothall.calls.seal import Seal
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Answers, Form, LogLevel, Questions
from moothall.errors import (
    ApprovalPending,
    CallTimeout,
    Conflict,
    InputRequired,
    PermissionDeniedError,
    RateLimited,
    StorageError,
    Told,
    Unavailable,
    UpstreamError,
    ValidationError,
)
from moothall.identity.principal import Principal
from moothall.storage.schema import idempotency
from moothall.storage.store import Store
from tests.calls.hall import ALICE, ANONYMOUS, BOB, OWNER, Hall, Remote, code, facts
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
    for call in (key(ALICE, hall), key(BOB, hall), key(ALICE, hall, "put"), key(ALICE, hall, "give")):
        assert (await call).replayed is False
    assert len(bank.moved) == 4


async def test_who_proves_no_identity_has_no_keys(store: Store) -> None:
    bank = Bank()
    hall = Hall(bank, store=store)
    reply = await key(ANONYMOUS, hall, "give")
    assert isinstance(reply.error, ValidationError)
    assert reply.error.told == Told("calls.key_unproved")
    assert (bank.moved, await rows(store)) == ([], 0)
    nobody_asked = Principal(id="local", kind="local", verified=False)
    assert [(await key(nobody_asked, hall, "give")).replayed for _ in range(2)] == [False, True]


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


async def stopped(bank: Bank, store: Store, name: str) -> None:
    """A node that stops in the middle of a call with the key k1."""
    bank.gate.clear()
    hall = Hall(bank, store=store)
    task = asyncio.create_task(key(ALICE, hall, name))
    await bank.entered.wait()
    await hall.path.aclose()
    assert code(await task) == "UNAVAILABLE"
    bank.gate.set()


async def test_after_a_stop_in_the_middle_a_harmless_call_is_made_again(store: Store) -> None:
    bank = Bank()
    await stopped(bank, store, "put")
    for replayed in (False, True):
        reply = await key(ALICE, Hall(bank, store=store), "put")
        assert (code(reply), reply.replayed) == ("ok", replayed)
    assert bank.moved == [5, 5]


async def test_after_a_stop_in_the_middle_nobody_knows_whether_another_call_was_made(store: Store) -> None:
    bank = Bank()
    await stopped(bank, store, "pay")
    for _ in range(2):
        reply = await key(ALICE, Hall(bank, store=store))
        assert isinstance(reply.error, Conflict)
        assert reply.error.told is not None
        assert reply.error.told.why == "calls.outcome_unknown"
    assert bank.moved == [5]


async def test_a_node_that_stops_ends_calls_that_nobody_waits_for_and_begins_none(store: Store) -> None:
    bank, ended = Bank(), []

    @capability(access="authenticated")
    async def work() -> None:
        bank.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    hall = Hall(work, bank, store=store)
    task = asyncio.create_task(hall.call("work", ALICE, "http", _idempotency_key="k1"))
    await bank.entered.wait()
    task.cancel()
    await asyncio.wait([task])
    assert ended == []
    await hall.path.aclose()
    assert ended == [1]
    assert code(await Hall(work, store=store).call("work", ALICE, "http", _idempotency_key="k1")) == "CONFLICT"
    assert code(await key(ALICE, hall)) == "UNAVAILABLE"
    assert bank.moved == []


async def test_a_call_goes_on_when_its_callers_have_left_and_its_answer_is_kept(store: Store) -> None:
    bank = Bank()
    hall = Hall(bank, store=store)
    bank.gate.clear()
    tasks = [asyncio.create_task(key(ALICE, hall)) for _ in range(2)]
    await bank.entered.wait()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert code(await key(ALICE, hall, cents=6)) == "CONFLICT"
    again = asyncio.create_task(key(ALICE, hall))
    await asyncio.sleep(0)
    bank.gate.set()
    for reply in (await again, await key(ALICE, Hall(bank, store=store))):
        assert (reply.data, reply.replayed) == ({"balance": str(2**60 + 1)}, True)
    assert bank.moved == [5]


async def test_a_call_goes_on_when_its_caller_runs_out_of_time(store: Store) -> None:
    bank = Bank()
    hall = Hall(bank, store=store)
    bank.gate.clear()
    reply = await hall.call("pay", ALICE, "http", params={"cents": 5}, _idempotency_key="k1", _timeout=0.05)
    assert code(reply) == "TIMEOUT"
    bank.gate.set()
    again = await key(ALICE, hall)
    assert (again.data, again.replayed, bank.moved) == ({"balance": str(2**60 + 1)}, True, [5])


@pytest.mark.parametrize("error", [Conflict("taken"), RuntimeError("boom")], ids=["an answer", "a bug"])
async def test_how_a_call_ended_that_nobody_waited_for_is_logged(
    store: Store, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    bank = Bank()
    hall = Hall(bank, store=store)
    bank.error = error
    bank.gate.clear()
    task = asyncio.create_task(key(ALICE, hall))
    await bank.entered.wait()
    task.cancel()
    await asyncio.wait([task])
    with caplog.at_level("INFO", logger="moothall.calls"):
        bank.gate.set()
        async with asyncio.timeout(5):
            while "after its callers left" not in caplog.text:  # noqa: ASYNC110 - nothing else tells of it
                await asyncio.sleep(0)
    again = await key(ALICE, hall)
    assert again.replayed
    [line] = [record.getMessage() for record in caplog.records if "after its callers left" in record.getMessage()]
    assert line.endswith(f"node.pay after its callers left: {code(again)}")
    assert ("boom" in caplog.text) == isinstance(error, RuntimeError)


async def test_no_more_than_so_many_calls_go_on_without_callers(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moothall.calls.keyed._LONELY", 1)
    bank = Bank()
    hall = Hall(bank, store=store)
    bank.gate.clear()
    for text in ("first", "second"):
        bank.entered.clear()
        task = asyncio.create_task(key(ALICE, hall, text=text))
        await bank.entered.wait()
        task.cancel()
        await asyncio.wait([task])
    bank.gate.set()
    assert (await key(ALICE, hall, text="first")).data == {"balance": str(2**60 + 2)}
    assert code(await key(ALICE, hall, text="second")) == "CONFLICT"


async def test_no_caller_takes_the_places_of_others_for_calls_that_go_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.calls.keyed._LONELY_EACH", 1)
    bank = Bank()
    hall = Hall(bank, store=store)
    bank.gate.clear()
    for who, text in ((ALICE, "first"), (ALICE, "second"), (BOB, "third")):
        bank.entered.clear()
        task = asyncio.create_task(key(who, hall, text=text))
        await bank.entered.wait()
        task.cancel()
        await asyncio.wait([task])
    bank.gate.set()
    assert code(await key(ALICE, hall, text="first")) == "ok"
    assert code(await key(ALICE, hall, text="second")) == "CONFLICT"
    assert code(await key(BOB, hall, text="third")) == "ok"


async def test_a_call_that_takes_longer_than_it_may_is_of_unknown_outcome(store: Store) -> None:
    @capability(timeout=0.05)
    async def slow() -> None:
        await asyncio.Event().wait()

    hall = Hall(slow, store=store)
    codes = ["TIMEOUT"]
    async with asyncio.timeout(5):
        while codes[-1] == "TIMEOUT":  # its callers leave a moment before its own time is over
            codes.append(code(await hall.call("slow", OWNER, "http", _idempotency_key="k")))
    assert (codes[1], codes[-1]) == ("TIMEOUT", "CONFLICT")


class Client:
    """Answers every question, or has the call made again with the answer."""

    def __init__(self, *, again: bool) -> None:
        self.again = again

    async def ask(self, questions: Questions) -> Answers:
        if self.again:
            self.again = False
            raise InputRequired("come again")
        return {name: {"action": "accept", "content": {}} for name in questions}

    async def log(self, level: LogLevel, data: Any, topic: str) -> None:
        raise AssertionError


async def test_a_call_that_asks_its_caller_for_more_leaves_its_key_free_until_it_has_the_answer(store: Store) -> None:
    @capability
    async def order(ctx: CallContext) -> str:
        answers = await ctx.ask({"sure": Form("Sure?", {"type": "object", "properties": {}})})
        return str(answers["sure"]["action"])

    hall, client = Hall(order, store=store), Client(again=True)
    replies = [await hall.call("order", OWNER, "mcp", _idempotency_key="k", _partner=client) for _ in range(3)]
    assert [code(reply) for reply in replies] == ["INPUT_REQUIRED", "ok", "ok"]
    assert [reply.replayed for reply in replies] == [False, False, True]


async def test_a_call_that_waits_for_an_approval_inside_leaves_its_key_free_and_begins_anew(store: Store) -> None:
    begun: list[str] = []

    @capability
    async def order(item: str) -> str:
        begun.append(item)
        if len(begun) < 3:
            raise ApprovalPending("somebody has to approve it", details={"approval_id": "ap-1"})
        return f"ordered {item}"

    hall = Hall(order, store=store)
    replies = [await hall.call("order", OWNER, "http", item="tea", _idempotency_key="k") for _ in range(4)]
    assert [code(reply) for reply in replies] == ["APPROVAL_PENDING", "APPROVAL_PENDING", "ok", "ok"]
    assert [reply.replayed for reply in replies] == [False, False, False, True]
    assert begun == ["tea"] * 3


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
    for number in range(4):  # until nothing is left, although no time goes by
        await key(ALICE, hall, text=f"n{number}")
        left.append(await rows(store))
    assert left == [251, 52, 3, 4]
    await clock.advance(61)
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


async def test_a_harmless_call_whose_answer_is_too_large_is_made_again(store: Store) -> None:
    runs = []

    @capability(idempotent=True)
    async def large() -> str:
        runs.append(1)
        return "x" * 70_000

    hall = Hall(large, store=store)
    for _ in range(2):
        reply = await hall.call("large", OWNER, "http", _idempotency_key="k")
        assert (code(reply), reply.replayed) == ("ok", False)
    assert len(runs) == 2


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
    sent = {out.idempotency_key for out in remote.seen}
    assert (len(remote.seen), len(sent), "k1" in sent) == (2, 1, False)


async def test_callers_that_use_one_key_are_told_apart_by_the_remote(store: Store) -> None:
    @capability(source="did", did="did:wba:x.example:e1_x", access="authenticated")
    async def pay(cents: int) -> int: ...

    @capability(name="put", source="did", did="did:wba:x.example:e1_x", access="authenticated")
    async def put(cents: int) -> int: ...

    remote = Remote(7)
    hall = Hall(pay, put, remote=remote, store=store)
    for call in (key(ALICE, hall), key(BOB, hall), key(ALICE, hall, "put"), key(ALICE, hall, text="k2")):
        assert code(await call) == "ok"
    assert len({out.idempotency_key for out in remote.seen}) == 4
    remote.answers = [UpstreamError("failed"), 7]
    await key(BOB, hall, text="k3")
    await key(BOB, Hall(pay, put, remote=remote, store=store), text="k3")
    assert remote.seen[-1].idempotency_key == remote.seen[-2].idempotency_key


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


async def test_versions_of_a_capability_have_keys_of_their_own(store: Store) -> None:
    @capability(name="price", version="1.0.0")
    async def text() -> str:
        return "one"

    @capability(name="price", version="2.0.0")
    async def number() -> int:
        return 2

    hall = Hall(text, number, store=store)
    for target, expected in (("price@1.0.0", "one"), ("price@2.0.0", 2), ("price@2.0.0", 2)):
        assert (await hall.call(target, OWNER, "local", _idempotency_key="k")).data == expected


@pytest.mark.parametrize("door", ["local", "http", "anp"])
async def test_a_stream_takes_no_key(store: Store, door: str) -> None:
    runs = []

    @capability
    async def numbers() -> AsyncIterator[int]:
        runs.append(1)
        yield 1

    hall = Hall(numbers, store=store)
    admitted = await hall.path.admit(Target.parse("local:numbers"), facts(OWNER, door, idempotency_key="k"))
    [reply] = [chunk async for chunk in hall.path.stream(admitted, {})]
    assert isinstance(reply.error, ValidationError)  # type: ignore[union-attr]
    assert reply.error.told == Told("calls.key_streamed")  # type: ignore[union-attr]
    assert runs == []


async def test_a_node_that_stops_before_the_work_of_a_call_began_leaves_its_key_free(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, claiming, go_on = Bank(), asyncio.Event(), asyncio.Event()
    real, calls = store.write, []

    async def slow(work: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            claiming.set()
            await go_on.wait()
        return await real(work)

    monkeypatch.setattr(store, "write", slow)
    hall = Hall(bank, store=store)
    task = asyncio.create_task(key(ALICE, hall))
    await claiming.wait()
    stop = asyncio.create_task(hall.path.aclose())
    assert code(await task) == "UNAVAILABLE"
    go_on.set()
    await stop
    reply = await key(ALICE, Hall(bank, store=store))
    assert (code(reply), reply.replayed, bank.moved) == ("ok", False, [5])


async def test_the_breaker_opens_for_keyed_calls_of_a_remote_that_hangs(store: Store) -> None:
    async def hang(_: Any) -> None:
        await asyncio.Event().wait()

    @capability(source="http", endpoint="https://shop.example/x", access="authenticated", timeout=0.5)
    async def ask() -> str: ...

    hall = Hall(ask, remote=Remote(hang), store=store, terms=Terms(breaker_threshold=2))
    codes: list[str] = []
    async with asyncio.timeout(20):
        while "UNAVAILABLE" not in codes:  # the work ends a moment after its caller, and the breaker counts it then
            codes.append(code(await hall.call("ask", ALICE, "http", _idempotency_key=f"k{len(codes)}")))
    assert codes[:2] == ["TIMEOUT", "TIMEOUT"]
    assert set(codes[2:]) <= {"TIMEOUT", "UNAVAILABLE"}
    await hall.path.aclose()


async def test_callers_without_patience_open_no_breaker_of_keyed_calls(store: Store) -> None:
    async def hang(_: Any) -> None:
        await asyncio.Event().wait()

    @capability(source="http", endpoint="https://shop.example/x", access="authenticated", timeout=20)
    async def ask() -> str: ...

    hall = Hall(ask, remote=Remote(hang), store=store, terms=Terms(breaker_threshold=1))
    codes = [code(await hall.call("ask", ALICE, "http", _idempotency_key=f"k{n}", _timeout=0.3)) for n in range(2)]
    assert codes == ["TIMEOUT", "TIMEOUT"]
    await hall.path.aclose()


@pytest.mark.parametrize("stored", [True, False])
async def test_who_joined_a_call_gets_its_answer_though_the_first_caller_left_its_stream(
    stored: bool, store: Store
) -> None:
    go_on = asyncio.Event()

    @capability(access="authenticated")
    async def work(ctx: CallContext) -> int:
        await ctx.progress(0)
        await go_on.wait()
        for done in range(40):
            await ctx.progress(done)
        return 7

    hall = Hall(work, store=store if stored else None)
    admitted = await hall.path.admit(Target.parse("local:work"), facts(ALICE, "http", idempotency_key="k"))
    first = hall.path.stream(admitted, {})
    await anext(first)
    joined = asyncio.create_task(hall.call("work", ALICE, "http", _idempotency_key="k"))
    for _ in range(5):
        await asyncio.sleep(0)
    await first.aclose()  # type: ignore[attr-defined]
    go_on.set()
    assert (await joined).data == 7


async def test_nothing_of_an_answer_can_be_read_in_the_store(store: Store) -> None:
    @capability
    async def token() -> dict[str, str]:
        return {"token": "SECRET-1", "demand": "d-12345678"}

    hall = Hall(token, store=store)
    for _ in range(2):
        assert (await hall.call("token", OWNER, "http", _idempotency_key="k")).data["token"] == "SECRET-1"  # type: ignore[index]
    [kept] = await store.read(lambda connection: connection.execute(sa.select(idempotency.c.reply)).scalars().all())
    assert "SECRET" not in kept
    assert "token" not in kept
    stranger = Hall(token, store=store, secret=b"o" * 32)
    reply = await stranger.call("token", OWNER, "http", _idempotency_key="k")
    assert isinstance(reply.error, Conflict)
    assert reply.error.told == Told("calls.answer_not_kept")


def test_an_answer_cannot_be_moved_to_another_key() -> None:
    seal = Seal(b"s" * 32)
    kept = seal.close('{"data":1}', "alice")
    assert seal.open(kept, "alice") == '{"data":1}'
    with pytest.raises(Conflict):
        seal.open(kept, "bob")


@pytest.mark.parametrize("bound", [{"rows": 2}, {"size": 100}])
async def test_no_caller_keeps_more_than_its_share(store: Store, bound: dict[str, int]) -> None:
    clock = ManualClock()
    ledger = Ledger(store, clock, **bound)

    def one(name: str, caller: str = "alice") -> Key:
        return Key(caller, "node.pay@1.0.0", name)

    for name in ("a", "b"):
        assert await ledger.claim(one(name), "d") is None
        await ledger.settle(one(name), "x" * 50)
    for node in (ledger, Ledger(store, clock, **bound)):
        with pytest.raises(RateLimited) as refused:
            await node.claim(one("c"), "d")
        assert refused.value.details == {"retry_after": 24 * 3600}
        known = await node.claim(one("a"), "d")
        assert known is not None
        assert known.reply == "x" * 50
        assert await node.claim(one("c"), "d", bounded=False) is None
        await node.release(one("c"))
        other = one("c", f"other {id(node)}")
        assert await node.claim(other, "d") is None
    await clock.advance(timedelta(hours=24, seconds=61))
    assert await ledger.claim(one("c"), "d") is None


async def test_what_is_released_makes_room(store: Store) -> None:
    ledger = Ledger(store, ManualClock(), rows=1)
    for name in ("a", "b"):
        assert await ledger.claim(Key("alice", "c", name), "d") is None
        await ledger.release(Key("alice", "c", name))


async def test_a_key_that_is_freed_between_two_looks_is_taken(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, key_ = Ledger(store, ManualClock()), Key("alice", "c", "k")
    await Ledger(store, ManualClock()).claim(key_, "d")
    real = store.write

    async def freed_meanwhile(work: Any) -> Any:
        def inside(connection: sa.Connection) -> Any:
            return work(Freeing(connection))

        return await real(inside)

    class Freeing:
        """A connection to a database in which the row is gone as soon as it stood in the way."""

        def __init__(self, connection: sa.Connection) -> None:
            self._connection = connection
            self.dialect = connection.dialect

        def execute(self, statement: Any) -> Any:
            result = self._connection.execute(statement)
            if isinstance(statement, sa.Insert) and result.rowcount == 0:
                self._connection.execute(sa.delete(idempotency))
            return result

    monkeypatch.setattr(store, "write", freed_meanwhile)
    assert await ledger.claim(key_, "d") is None


async def test_arguments_of_other_types_are_other_arguments(store: Store) -> None:
    @capability
    async def kind(x: int | str) -> str:
        return type(x).__name__

    hall = Hall(kind, store=store)
    assert (await hall.call("kind", x=2**60, _idempotency_key="k")).data == "int"
    assert code(await hall.call("kind", x=str(2**60), _idempotency_key="k")) == "CONFLICT"
    assert (await hall.call("kind", x=2**60, _idempotency_key="k")).replayed


async def test_an_argument_without_a_json_form_has_no_key(store: Store) -> None:
    @capability
    async def take(x: Any) -> int:
        return 1

    assert code(await Hall(take, store=store).call("take", x=object(), _idempotency_key="k")) == "VALIDATION_ERROR"


def test_an_error_is_read_as_it_was_written() -> None:
    error = PermissionDeniedError("suspended")
    error.reason = "forbidden_did"
    again = read(write_error(error)).error
    assert isinstance(again, PermissionDeniedError)
    assert (again.reason, again.message) == ("forbidden_did", "suspended")

    class Mine(Conflict):
        """Somebody's own, with a code of ours."""

        code = "CONFLICT"

    assert type(read(write_error(Mine("x"))).error) is Conflict
    large = read(write_error(CallTimeout("x" * 100_000, details={"a": "y" * 100_000}))).error
    assert isinstance(large, CallTimeout)
    assert (large.message, large.details) == ("x" * 1000, {})
