from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Form
from moothall.clock import SystemClock
from moothall.errors import StorageError
from moothall.events.erasure import erase
from moothall.protocols.a2a.failures import InvalidParams, TaskNotCancelable, TaskNotFound
from moothall.protocols.a2a.service import Terms
from moothall.storage.schema import a2a_part, a2a_task, run
from tests.calls.hall import ALICE, BOB
from tests.protocols.a2a.engine import Gate, answers, asks, engine, error_of, kind, state, values, visit
from tests.support.clock import ManualClock

KILLED = """
import asyncio, json, sys
from pathlib import Path
from collections.abc import AsyncIterator
from moothall.capability.decorators import capability
from tests.protocols.a2a.engine import asks, engine

@capability(access="public")
async def add(a: int) -> int:
    return a + 1

@capability(access="public")
async def endless() -> AsyncIterator[int]:
    yield 1
    yield 2
    await asyncio.Event().wait()

def say(event):
    sys.stdout.write(json.dumps(event) + "\\n")
    sys.stdout.flush()

async def main():
    async with engine(Path(sys.argv[1]), add, endless, url=sys.argv[2]) as house:
        say({"task": await house.send(asks("add", {"a": 1}))})
        say({"task": await house.send(asks("endless", returnImmediately=True), lang="zh")})
        async for event in house.stream(asks("endless")):
            say(event)

asyncio.run(main())
"""


@capability(access="public")
async def add(a: int) -> int:
    """Add one."""
    return a + 1


@capability(access="public")
async def ask(ctx: CallContext) -> str:
    """Ask."""
    await ctx.ask({"name": Form("Your name?", {"type": "object"})})
    return "thanks"


async def test_what_was_told_survives_the_death_of_the_process_and_work_under_way_has_failed(
    database_url: str, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(tmp_path / "n"), database_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told: list[dict[str, Any]] = []
    async for line in process.stdout:
        told.append(json.loads(line))
        if len([event for event in told if "artifactUpdate" in event]) == 2:
            break
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    done, immediate, streamed = (event["task"] for event in told[:3])
    async with engine(tmp_path / "n", add, url=database_url) as house:
        assert await house.get(done["id"]) == done
        for task in (immediate, streamed):
            found = await house.get(task["id"])
            assert (state(found), error_of(found)["code"]) == ("failed", "UNAVAILABLE")
            assert found["status"]["message"]["taskId"] == task["id"]
        assert values(await house.get(streamed["id"])) == [1, 2]
        words = (await house.get(immediate["id"]))["status"]["message"]["parts"][0]["text"]
        assert any("\u4e00" <= character <= "\u9fff" for character in words)


async def test_a_node_that_stops_ends_what_is_at_work_and_writes_that(database_url: str, tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> None:
        await gate.wait()

    async with engine(tmp_path / "n", wait, url=database_url) as house:
        task = await house.send(asks("wait", returnImmediately=True))
        blocked = asyncio.create_task(house.send(asks("wait")))
        await gate.reached.wait()
        events = aiter(house.tasks.subscribe(visit(), {"id": task["id"]}))
        assert kind(await anext(events)) == "working"
    assert state(await blocked) == "failed"
    assert [kind(event) async for event in events] == ["failed"]
    async with engine(tmp_path / "n", add, url=database_url) as house:
        assert state(await house.get(task["id"])) == "failed"
        assert (await house.page(status="TASK_STATE_FAILED"))["totalSize"] == 2


async def test_a_task_that_waits_is_taken_up_after_a_restart(database_url: str, tmp_path: Path) -> None:
    async with engine(tmp_path / "n", ask, url=database_url) as house:
        task = await house.send(asks("ask"))
    async with engine(tmp_path / "n", ask, url=database_url) as house:
        task = await house.send(answers(task["id"], {"name": {"action": "decline"}}))
        assert values(task) == ["thanks"]


async def test_lists_have_the_latest_first_by_pages_that_stay_the_same(database_url: str, tmp_path: Path) -> None:
    clock = ManualClock()
    async with engine(tmp_path / "n", add, ask, url=database_url, clock=clock) as house:
        ids = []
        for number in range(5):
            ids.append((await house.send(asks("add", {"a": number}, contextId=f"c-{number % 2}")))["id"])
            await clock.advance(1)
        waiting = await house.send(asks("ask"))
        await clock.advance(1)
        first = await house.page(pageSize=2)
        await house.send(asks("add", {"a": 9}), BOB)
        await house.send(asks("add", {"a": 9}))
        second = await house.page(pageSize=2, pageToken=first["nextPageToken"])
        third = await house.page(pageSize=2, pageToken=second["nextPageToken"])
        pages = [[task["id"] for task in page["tasks"]] for page in (first, second, third)]
        assert pages == [[waiting["id"], ids[4]], [ids[3], ids[2]], [ids[1], ids[0]]]
        assert (first["totalSize"], third["totalSize"], third["nextPageToken"], first["pageSize"]) == (6, 7, "", 2)
        assert "artifacts" not in first["tasks"][1]
        full = await house.page(includeArtifacts=True, historyLength=0, contextId="c-1")
        assert [values(task) for task in full["tasks"]] == [[4], [2]]
        assert all("history" not in task for task in full["tasks"])
        assert (await house.page(status="TASK_STATE_INPUT_REQUIRED", includeArtifacts=True))["tasks"][0][
            "artifacts"
        ] == []
        since = await house.page(statusTimestampAfter="2026-01-22T10:05:04Z")
        assert [task["id"] for task in since["tasks"]][-2:] == [waiting["id"], ids[4]]
        for token in ("x", "W10=", "é"):
            with pytest.raises(InvalidParams):
                await house.page(pageToken=token)


async def test_tasks_that_rest_for_long_are_forgotten_with_all_that_belongs_to_them(
    database_url: str, tmp_path: Path
) -> None:
    clock = ManualClock()

    @capability(access="public")
    async def two() -> Any:
        yield 1
        yield 2

    async with engine(tmp_path / "n", two, url=database_url, clock=clock, terms=Terms(days=7)) as house:
        old = await house.send(asks("two"))
        await clock.advance(timedelta(days=6))
        young = await house.send(asks("two"))
    await clock.advance(timedelta(days=1, minutes=2))
    async with engine(tmp_path / "n", two, url=database_url, clock=clock, terms=Terms(days=7)) as house:
        await house.send(asks("two"))
    async with engine(tmp_path / "n", two, url=database_url, clock=clock) as house:
        with pytest.raises(TaskNotFound):
            await house.get(old["id"])
        assert values(await house.get(young["id"])) == [1, 2]
        count = sa.select(sa.func.count()).select_from(a2a_part)
        assert await house.store.read(lambda connection: connection.execute(count).scalar_one()) == 4


async def test_erasing_a_run_deletes_the_tasks_that_name_it_and_no_others(database_url: str, tmp_path: Path) -> None:
    @capability(access="public")
    async def tell(words: str) -> str:
        return words

    @capability(access="public")
    async def each(words: str) -> AsyncIterator[str]:
        yield words[::-1]

    async with engine(tmp_path / "n", tell, each, url=database_url) as house:
        row = {"id": "d-0000abcd", "kind": "demand", "status": "closed", "created_at": SystemClock().now()}
        await house.store.write(lambda connection: connection.execute(sa.insert(run), row))
        about = [
            await house.send(asks("tell", {"words": "see d-0000abcd"})),
            await house.send(asks("each", {"words": "dcba0000-d"})),
        ]
        other = await house.send(asks("tell", {"words": "see d-0000abce"}))
        assert await erase(house.store, "d-0000abcd", SystemClock().now()) == ["d-0000abcd"]
        for task in about:
            with pytest.raises(TaskNotFound):
                await house.get(task["id"])
        assert await house.get(other["id"]) == other


async def test_a_task_that_cannot_be_written_is_told_to_nobody(database_url: str, tmp_path: Path) -> None:
    ran = 0

    @capability(access="public")
    async def work() -> None:
        nonlocal ran
        ran += 1

    async with engine(tmp_path / "n", work, url=database_url) as house:
        table = a2a_task.name
        await house.store.write(lambda connection: connection.execute(sa.text(f"ALTER TABLE {table} RENAME TO away")))
        with pytest.raises(StorageError):
            await anext(aiter(house.stream(asks("work"))))
        with pytest.raises(StorageError):
            await house.send(asks("work", returnImmediately=True))
        assert ran == 0
        with pytest.raises(StorageError):
            await house.send(asks("work"))
        await house.store.write(lambda connection: connection.execute(sa.text(f"ALTER TABLE away RENAME TO {table}")))
        assert state(await house.send(asks("work"))) == "completed"


async def test_another_process_sees_cancels_and_follows_a_task_on_the_same_database(
    postgres_url: str, tmp_path: Path
) -> None:
    gates = [Gate(), Gate()]

    @capability(access="public")
    async def wait(n: int) -> str:
        await gates[n].wait()
        return "done"

    async with (
        engine(tmp_path / "a", wait, url=postgres_url) as first,
        engine(tmp_path / "b", wait, ask, url=postgres_url) as second,
    ):
        tasks = [await first.send(asks("wait", {"n": n}, returnImmediately=True)) for n in range(2)]
        assert [state(await second.get(task["id"])) for task in tasks] == ["working", "working"]
        events = aiter(second.tasks.subscribe(visit(), {"id": tasks[0]["id"]}))
        assert kind(await anext(events)) == "working"
        gates[0].open.set()
        assert [kind(event) async for event in events] == ["artifact", "completed"]
        gone = await second.tasks.cancel_task(visit(), {"id": tasks[1]["id"]})
        assert state(gone) == state(await first.get(tasks[1]["id"])) == "canceled"
        waiting = await second.send(asks("ask"))
        assert state(await first.tasks.cancel_task(visit(), {"id": waiting["id"]})) == "canceled"
        with pytest.raises(TaskNotCancelable):
            await second.tasks.cancel_task(visit(), {"id": waiting["id"]})


async def test_a_start_ends_the_tasks_of_its_own_earlier_life_only(postgres_url: str, tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> str:
        await gate.wait()
        return "done"

    async with engine(tmp_path / "a", wait, url=postgres_url) as first:
        task = await first.send(asks("wait", returnImmediately=True))
        async with engine(tmp_path / "b", wait, url=postgres_url) as second:
            assert state(await second.get(task["id"])) == "working"
        gate.open.set()
        assert values(await first.rested(task["id"])) == ["done"]


async def test_many_tasks_leave_nothing_in_memory(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", add) as house:

        async def some(number: int) -> None:
            for each in range(number):
                await house.send(asks("add", {"a": each}, messageId=f"m-{each}"))
                async for _ in house.stream(asks("add", {"a": each})):
                    pass
                task = await house.send(asks("add", {"a": each}, returnImmediately=True))
                assert state(await house.tasks.get_task(visit(), {"id": task["id"]})) in {"working", "completed"}

        await asyncio.gather(*(some(4) for _ in range(8)))
        gc.collect()
        before = len(gc.get_objects())
        await asyncio.gather(*(some(25) for _ in range(8)))
        gc.collect()
        assert len(gc.get_objects()) - before < 200
        assert (await house.page(ALICE))["totalSize"] == 696
