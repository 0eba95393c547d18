from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Form
from moothall.errors import LeaseLost, Overloaded
from moothall.protocols.a2a.failures import TaskNotFound
from moothall.protocols.a2a.watching import MOST, Watch, Watcher
from tests.calls.hall import BOB
from tests.protocols.a2a.engine import Gate, answers, asks, engine, kind, visit

YES = {"name": {"action": "accept", "content": {}}}


async def test_a_stranger_to_a_task_hears_nothing_of_how_many_watch_it(tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> None:
        await gate.wait()

    async with engine(tmp_path / "n", wait) as house:
        task = await house.send(asks("wait", returnImmediately=True))
        streams = [aiter(house.tasks.subscribe(visit(), {"id": task["id"]})) for _ in range(MOST)]
        for stream in streams:
            await anext(stream)
        with pytest.raises(Overloaded):
            await anext(aiter(house.tasks.subscribe(visit(), {"id": task["id"]})))
        with pytest.raises(TaskNotFound):
            await anext(aiter(house.tasks.subscribe(visit(BOB), {"id": task["id"]})))
        gate.open.set()


async def test_who_takes_up_a_task_whose_writing_fails_meanwhile_hears_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Watch.add

    def fail(watch: Watch, task: str, **more: Any) -> Watcher:
        watcher = add(watch, task, **more)
        watch.end(task, LeaseLost("the task is another's"))
        return watcher

    @capability(access="public")
    async def ask(ctx: CallContext) -> str:
        await ctx.ask({"name": Form("Your name?", {"type": "object"})})
        return "thanks"

    async with engine(tmp_path / "n", ask) as house:
        task = await house.send(asks("ask"))
        monkeypatch.setattr(Watch, "add", fail)
        with pytest.raises(LeaseLost):
            await anext(aiter(house.tasks.subscribe(visit(), {"id": task["id"]})))


async def test_who_follows_a_task_that_goes_on_in_another_process_hears_it(postgres_url: str, tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def ask(ctx: CallContext) -> str:
        await gate.wait()
        await ctx.ask({"name": Form("Your name?", {"type": "object"})})
        return "thanks"

    async with (
        engine(tmp_path / "a", ask, url=postgres_url) as first,
        engine(tmp_path / "b", ask, url=postgres_url) as second,
    ):
        task = await first.send(asks("ask", returnImmediately=True))
        events = aiter(first.tasks.subscribe(visit(), {"id": task["id"]}))
        assert kind(await anext(events)) == "working"
        gate.open.set()
        assert kind(await anext(events)) == "input_required"
        await second.send(answers(task["id"], YES))
        assert [kind(event) async for event in events][-1] == "completed"
