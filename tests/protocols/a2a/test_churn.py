"""Tasks that come and go leave nothing behind in memory: what is kept of them is in the store."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Form
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from tests.calls.hall import ALICE, ANONYMOUS
from tests.protocols.a2a.engine import Engine, answers, asks, engine, state, values, visit
from tests.protocols.a2a.hall import Place, message, place, value_of

WARM, MANY = 50, 200
ROUNDS = 20
WHOSE = ("moothall.protocols.a2a.", "moothall.calls.", "_asyncio")


async def call(opened: Place, number: int) -> None:
    answer = await opened.post(message("add", {"a": number}), "/message:send")
    assert value_of(answer.json()["task"]) == number + 1


def held() -> int:
    """Objects of the door and its tasks; what the tests' own doubles remember does not count."""
    gc.collect()
    return sum(str(type(each).__module__).startswith(WHOSE) for each in gc.get_objects())


async def test_many_tasks_leave_no_object_behind(tmp_path: Path) -> None:
    async with place(tmp_path) as opened:
        for number in range(WARM):
            await call(opened, number)
        before = held()
        for number in range(MANY):
            await call(opened, number)
        assert held() - before < MANY // 2


@capability(access="public")
async def add(a: int = 1) -> int:
    """Add one."""
    return a + 1


@capability(access="public")
async def ask(ctx: CallContext) -> str:
    """Ask."""
    await ctx.ask({"name": Form("Your name?", {"type": "object"})})
    return "thanks"


@capability(access="public")
async def wait() -> None:
    """Wait until somebody ends it."""
    await asyncio.Event().wait()


async def turn() -> None:
    """Let the others have their turn."""
    await asyncio.sleep(0)


async def everything(house: Engine, push: str) -> None:
    """One task of each kind, to its end."""
    assert state(await house.send(asks("add", returnImmediately=True))) == "working"
    assert values(await house.send(asks("add", taskPushNotificationConfig={"url": push}))) == [2]
    for caller in (ALICE, ANONYMOUS):
        async for _ in house.stream(asks("add"), caller):
            pass
        left = house.stream(asks("add"), caller)
        await anext(left)
        await left.aclose()  # type: ignore[attr-defined]
        request = asyncio.create_task(house.send(asks("wait"), caller))
        while not house.tasks._live:
            await turn()
        request.cancel()
        await asyncio.wait([request])
    asked = await house.send(asks("ask"))
    assert values(await house.send(answers(asked["id"], {"name": {"action": "decline"}}))) == ["thanks"]
    asked = await house.send(asks("ask"))
    assert state(await house.tasks.cancel_task(visit(), {"id": asked["id"]})) == "canceled"
    begun = await house.send(asks("wait", returnImmediately=True))
    assert state(await house.tasks.cancel_task(visit(), {"id": begun["id"]})) == "canceled"


async def quiet(house: Engine) -> None:
    """Wait until nobody works, watches or sends."""
    tasks = house.tasks
    while runs := list(tasks._live._runs.values()):
        await asyncio.wait([run.over for run in runs])
    await tasks._pusher.idle()
    await tasks._store.writer.drained()


async def test_no_kind_of_task_leaves_a_run_a_watcher_or_a_push_behind(tmp_path: Path) -> None:
    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(receive, "127.0.0.1", 0) as receiver:
        push = f"http://localhost:{receiver.sockets[0].getsockname()[1]}/"
        async with engine(tmp_path, add, ask, wait, egress=Egress(Allowed.parsed("http://localhost"))) as house:
            for _ in range(3):
                await everything(house, push)
            await quiet(house)
            before = held()
            for _ in range(ROUNDS):
                await everything(house, push)
            await quiet(house)
            assert held() - before < ROUNDS
            tasks = house.tasks
            assert not tasks._live._runs
            assert not tasks._live._counts
            assert not tasks._watch._watchers
            assert not tasks._pusher._sending
            assert not tasks._pushes._followed
            assert not tasks._starting._launching
