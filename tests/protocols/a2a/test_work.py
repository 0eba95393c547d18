"""A task comes to rest whatever its capability, its client and the database do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Form
from moothall.errors import Conflict, Overloaded, PayloadTooLarge, StorageError
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.protocols.a2a import asking, live, starting, work
from moothall.protocols.a2a.failures import InvalidParams, UnsupportedOperation
from moothall.protocols.a2a.service import Terms
from moothall.storage.schema import a2a_holder
from tests.calls.hall import ALICE, ANONYMOUS
from tests.protocols.a2a.engine import Engine, Gate, answers, asks, engine, error_of, state, values

YES = {"action": "accept", "content": {}}
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@capability(access="public")
async def add(a: int = 1) -> int:
    """Add one."""
    return a + 1


@capability(access="public")
async def ask(ctx: CallContext) -> str:
    """Ask twice."""
    await ctx.ask({"first": Form("First?", {"type": "object"})})
    await ctx.ask({"second": Form("Second?", {"type": "object"})})
    return "thanks"


async def turn() -> None:
    """Let the others have their turn."""
    await asyncio.sleep(0)


async def renamed(house: Engine, table: str, to: str) -> None:
    """Take a table away, or give it back."""
    await house.store.write(lambda connection: connection.execute(sa.text(f"ALTER TABLE {table} RENAME TO {to}")))


@contextmanager
def stalled(house: Engine) -> Iterator[None]:
    """The one who writes waits, and everybody behind it."""
    go = threading.Event()
    writing = asyncio.ensure_future(house.store.write(lambda _: go.wait()))
    try:
        yield
    finally:
        go.set()
    assert not writing.cancelled()


async def left_in_the_queue(house: Engine, request: Any) -> None:
    """Send a request whose client leaves while it waits for the database."""
    await house.tasks._store.writer.drained()
    sent = asyncio.ensure_future(request)
    with stalled(house):
        while house.tasks._store.writer._working is None:
            await turn()
        sent.cancel()
        await asyncio.wait([sent])
    await house.store.write(lambda _: None)


async def at_rest(house: Engine) -> None:
    """Wait until nothing is at work any more."""
    await house.tasks._starting.aclose()
    while house.tasks._live._runs:
        await asyncio.wait([run.over for run in house.tasks._live._runs.values()])
    await turn()


@pytest.mark.parametrize("more", [{}, {"returnImmediately": True}], ids=["blocking", "at once"])
async def test_what_an_error_says_that_is_no_json_is_left_out(tmp_path: Path, more: dict[str, Any]) -> None:
    @capability(access="public")
    async def clash() -> None:
        raise Conflict("taken", details={"when": WHEN, "room": 7})

    async with engine(tmp_path / "n", clash) as house:
        task = await house.send(asks("clash", **more))
        await at_rest(house)
        task = await house.get(task["id"])
        assert state(task) == "rejected"
        assert error_of(task)["details"] == {"room": 7}


async def test_a_question_that_is_no_json_is_an_internal_error(tmp_path: Path) -> None:
    @capability(access="public")
    async def when(ctx: CallContext) -> None:
        await ctx.ask({"when": Form("When?", {"type": "object", "default": WHEN})})

    async with engine(tmp_path / "n", when) as house:
        task = await house.send(asks("when"))
        assert (state(task), error_of(task)["code"]) == ("failed", "INTERNAL_ERROR")


async def test_an_end_that_cannot_be_made_is_an_internal_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @capability(access="public")
    async def clash() -> None:
        raise Conflict("taken", details={"when": WHEN})

    monkeypatch.setattr("moothall.protocols.a2a.telling.is_json", lambda _: True)
    async with engine(tmp_path / "n", clash) as house:
        task = await house.send(asks("clash", returnImmediately=True))
        await at_rest(house)
        task = await house.get(task["id"])
        assert (state(task), error_of(task)["code"]) == ("failed", "INTERNAL_ERROR")


async def test_a_node_stops_though_work_does_not_let_itself_be_ended(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PATIENCE", 0.05)
    begun, go, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @capability(access="public")
    async def stubborn() -> AsyncIterator[int]:
        yield 1
        begun.set()
        while not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                continue
        yield 2
        ended.set()

    async with engine(tmp_path / "n", stubborn, url=database_url) as house:
        events = aiter(house.stream(asks("stubborn")))
        task = (await anext(events))["task"]
        while "artifactUpdate" not in await anext(events):
            pass
        await begun.wait()
        await house.tasks._live.aclose()
        found = await house.get(task["id"])
        go.set()
        await ended.wait()
        assert (state(found), error_of(found)["code"], values(found)) == ("failed", "UNAVAILABLE", [1])
        assert await house.get(task["id"]) == found


async def test_work_that_is_cancelled_before_its_first_step_comes_to_rest(tmp_path: Path) -> None:
    ran = 0

    @capability(access="public")
    async def work() -> None:
        nonlocal ran
        ran += 1

    async with engine(tmp_path / "n", work) as house:
        request = asyncio.create_task(house.send(asks("work")))
        while not (runs := house.tasks._live._runs):
            await turn()
        for run in runs.values():
            run.stop("canceled")
        assert (state(await request), ran) == ("canceled", 0)


async def test_a_client_that_leaves_while_its_new_task_is_written_leaves_a_task_that_ends(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", add) as house:
        await left_in_the_queue(house, anext(aiter(house.stream(asks("add")))))
        await at_rest(house)
        await left_in_the_queue(house, house.send(asks("add", returnImmediately=True)))
        await at_rest(house)
        assert [state(task) for task in (await house.page())["tasks"]] == ["completed"] * 2
        assert not house.tasks._watch._watchers


async def test_a_client_that_leaves_while_its_answer_is_written_leaves_a_task_that_goes_on(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", ask) as house:
        task = await house.send(asks("ask"))
        await left_in_the_queue(house, house.send(answers(task["id"], {"first": YES})))
        await at_rest(house)
        assert state(await house.get(task["id"])) == "input_required"
        assert list((await house.get(task["id"]))["status"]["message"]["parts"][1]["data"]["questions"]) == ["second"]


async def test_a_blocking_request_that_others_know_of_goes_on_without_its_client(tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> str:
        await gate.wait()
        return "done"

    push = {"url": "http://localhost:9/x"}
    async with engine(tmp_path / "n", wait, egress=Egress(Allowed.parsed("http://localhost"))) as house:
        request = asyncio.create_task(house.send(asks("wait", taskPushNotificationConfig=push)))
        await gate.reached.wait()
        request.cancel()
        await asyncio.wait([request])
        (task,) = (await house.page())["tasks"]
        gate.open.set()
        assert values(await house.rested(task["id"])) == ["done"]


async def test_a_value_that_could_not_be_written_is_not_missing_at_the_end(database_url: str, tmp_path: Path) -> None:
    gates = [Gate(), Gate()]

    @capability(access="public")
    async def count() -> AsyncIterator[int]:
        yield 0
        await gates[0].wait()
        yield 1
        await gates[1].wait()
        yield 2

    async with engine(tmp_path / "n", count, url=database_url) as house:
        events = aiter(house.stream(asks("count")))
        task = (await anext(events))["task"]
        while "artifactUpdate" not in await anext(events):
            pass
        await renamed(house, "a2a_part", "away")
        await gates[0].reached.wait()
        gates[0].open.set()
        with pytest.raises(StorageError):
            await anext(events)
        await renamed(house, "away", "a2a_part")
        gates[1].open.set()
        assert values(await house.rested(task["id"])) == [0, 1, 2]


async def test_an_end_that_could_not_be_written_is_written_later(database_url: str, tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> str:
        await gate.wait()
        return "done"

    async with engine(tmp_path / "n", wait, url=database_url) as house:
        events = aiter(house.stream(asks("wait")))
        task = (await anext(events))["task"]
        await gate.reached.wait()
        await renamed(house, "a2a_task", "away")
        gate.open.set()
        await anext(events)
        with pytest.raises(StorageError):
            await anext(events)
        assert state(await house.get(task["id"])) == "working"
        await renamed(house, "away", "a2a_task")
        task = await house.rested(task["id"])
        assert (state(task), values(task)) == ("completed", ["done"])
        assert len(house.tasks._live) == 0


async def test_what_the_database_refuses_of_one_fails_for_that_one_only(database_url: str, tmp_path: Path) -> None:
    async with engine(tmp_path / "n", add, url=database_url) as house:
        sent = [house.send(asks("add"), tenant=tenant) for tenant in ("", "\ud800", "", "")]
        done = await asyncio.gather(*sent, return_exceptions=True)
        assert [isinstance(each, StorageError) for each in done] == [False, True, False, False]
        assert state(await house.send(asks("add"))) == "completed"
        assert len(house.tasks._live) == 0


async def test_a_caller_has_so_many_tasks_at_work_and_no_more_however_they_come(tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> None:
        await gate.wait()

    async with engine(tmp_path / "n", wait, add, terms=Terms(most_live=2)) as house:
        sent = [house.send(asks("wait", returnImmediately=True)) for _ in range(8)]
        done = await asyncio.gather(*sent, return_exceptions=True)
        assert sum(isinstance(each, Overloaded) for each in done) == 6
        gate.open.set()
        await at_rest(house)
        for _ in range(3):
            with pytest.raises(UnsupportedOperation):
                await house.send(asks(taskId=done[0]["id"]))  # type: ignore[index]
        assert state(await house.send(asks("add"))) == "completed"


async def test_only_what_was_asked_is_kept_of_answers(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", ask) as house:
        task = await house.send(asks("ask"))
        task = await house.send(answers(task["id"], {"first": YES, "second": YES, "other": YES}))
        assert state(task) == "input_required"
        assert values(await house.send(answers(task["id"], {"second": YES}))) == ["thanks"]


async def test_a_task_takes_so_many_answers_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "MOST_ROUNDS", 1)
    monkeypatch.setattr(asking, "MOST_BYTES", 1000)
    async with engine(tmp_path / "n", ask) as house:
        task = await house.send(asks("ask"))
        with pytest.raises(PayloadTooLarge):
            await house.send(answers(task["id"], {"first": {**YES, "more": "x" * 1000}}))
        with pytest.raises(InvalidParams) as refused:
            await house.send(answers(task["id"], {"other": YES}))
        assert refused.value.told is not None
        assert refused.value.told.values == {"names": "first"}
        assert state(await house.send(answers(task["id"], {"first": YES}))) == "input_required"
        with pytest.raises(UnsupportedOperation):
            await house.send(answers(task["id"], {"second": YES}))


@pytest.mark.parametrize("caller", [ALICE, ANONYMOUS], ids=["known", "stranger"])
async def test_the_first_event_of_a_stream_has_as_much_history_as_is_wanted(tmp_path: Path, caller: Any) -> None:
    async with engine(tmp_path / "n", add) as house:
        wanted = [{}, {"historyLength": 1}, {"historyLength": 0}]
        firsts = [(await anext(aiter(house.stream(asks("add", **more), caller))))["task"] for more in wanted]
        assert [len(first.get("history", [])) for first in firsts] == [1, 1, 0]


async def test_tasks_of_a_node_that_is_gone_are_ended_by_the_others(postgres_url: str, tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> str:
        await gate.wait()
        return "done"

    async with (
        engine(tmp_path / "a", wait, url=postgres_url) as first,
        engine(tmp_path / "b", wait, url=postgres_url) as second,
    ):
        task = await first.send(asks("wait", returnImmediately=True))
        await second.tasks._holding.beat()
        assert state(await second.get(task["id"])) == "working"
        long_ago = sa.update(a2a_holder).where(a2a_holder.c.node == first.store.node).values(beat=WHEN)
        await first.store.write(lambda connection: connection.execute(long_ago))
        await second.tasks._holding.beat()
        found = await second.get(task["id"])
        assert (state(found), error_of(found)["code"]) == ("failed", "UNAVAILABLE")
        gate.open.set()
        await at_rest(first)
        assert await first.get(task["id"]) == found


@pytest.mark.parametrize("goes_on", [False, True], ids=["new", "taken up"])
async def test_a_beginning_that_was_written_though_it_seemed_not_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goes_on: bool
) -> None:
    async with engine(tmp_path / "n", add, ask) as house:
        task = await house.send(asks("ask"))
        store = house.tasks._store
        write = store.take_up if goes_on else store.announce

        async def breaks(*given: Any) -> None:
            await write(*given)
            raise StorageError("the connection broke during the commit")

        monkeypatch.setattr(store, "take_up" if goes_on else "announce", breaks)
        request = answers(task["id"], {"first": YES}) if goes_on else asks("add", returnImmediately=True)
        with pytest.raises(StorageError):
            await house.send(request)
        await at_rest(house)
        newest = (await house.page())["tasks"][0]
        assert (newest["id"] == task["id"]) is goes_on
        assert state(newest) == "failed"
        assert not house.tasks._watch._watchers


@pytest.mark.parametrize("seen", [False, True], ids=["unseen", "seen in a list"])
async def test_a_blocking_request_whose_client_leaves_ends_unless_its_task_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    monkeypatch.setattr(work, "_HIDDEN", 0.0)  # written at once, as work that takes long is
    gate = Gate()

    @capability(access="public")
    async def wait() -> str:
        await gate.wait()
        return "done"

    async with engine(tmp_path / "n", wait) as house:
        request = asyncio.create_task(house.send(asks("wait")))
        await gate.reached.wait()
        (run,) = house.tasks._live._runs.values()
        while not run._keeping.known:
            await turn()
        await house.tasks._store.writer.drained()
        if seen:
            assert len((await house.page())["tasks"]) == 1
        request.cancel()
        await asyncio.wait([request])
        gate.open.set()
        assert state(await house.rested(run.task.id)) == ("completed" if seen else "canceled")
