from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Form
from moothall.protocols.a2a.store import CANCEL
from moothall.storage.schema import a2a_task
from tests.protocols.a2a.engine import Engine, Gate, answers, asks, engine, state, visit

YES = {"name": {"action": "accept", "content": {}}}


async def wish_of(house: Engine, task: str) -> str:
    """What is wanted of a task."""
    query = sa.select(a2a_task.c.wish).where(a2a_task.c.id == task)
    return str(await house.store.read(lambda connection: connection.execute(query).scalar_one()))


async def test_a_task_that_comes_to_wait_while_its_cancellation_is_asked_elsewhere_is_cancelled(
    postgres_url: str, tmp_path: Path
) -> None:
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
        await gate.reached.wait()
        cancelling = asyncio.create_task(second.tasks.cancel_task(visit(), {"id": task["id"]}))
        while not await wish_of(first, task["id"]):
            pass
        gate.open.set()
        assert state(await cancelling) == "canceled"


async def test_what_was_wanted_of_a_run_is_not_wanted_of_the_next(database_url: str, tmp_path: Path) -> None:
    @capability(access="public")
    async def ask(ctx: CallContext) -> str:
        await ctx.ask({"name": Form("Your name?", {"type": "object"})})
        return "thanks"

    async with engine(tmp_path / "n", ask, url=database_url) as house:
        task = await house.send(asks("ask"))
        late = sa.update(a2a_task).values(wish=CANCEL)  # another process asked just before the task came to wait
        await house.store.write(lambda connection: connection.execute(late))
        assert state(await house.send(answers(task["id"], YES))) == "completed"
        assert await wish_of(house, task["id"]) == ""
