"""A task outlives the process that began it; what was done is not done again (row GRP-06)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from moothall import ANPUser, Node, capability
from moothall.identity.principal import OWNER
from moothall.settings import Settings

DONE: list[str] = []


def node_of(data: Path, waiting: asyncio.Event, go: asyncio.Event) -> Node:
    @capability(name="first", access="authenticated")
    async def first() -> int:
        DONE.append("first")
        return 1

    @capability(name="second", access="authenticated", idempotent=True)
    async def second(n: int) -> int:
        waiting.set()
        await go.wait()
        DONE.append("second")
        return n + 1

    node = Node(Settings(data=data, demo_agents=False))
    node.add(ANPUser("worker", first, second))
    return node


@pytest.mark.requirement("GRP-06")
async def test_a_task_goes_on_in_the_next_process_where_it_was(tmp_path: Path) -> None:
    DONE.clear()
    waiting, go = asyncio.Event(), asyncio.Event()
    parts = [{"id": "a", "capability": "first"}, {"id": "b", "capability": "second", "params": {"n": {"$result": "a"}}}]
    async with node_of(tmp_path, waiting, go) as node:
        await node.call("local:groups.create", group="team", members=[node.host.office.did("worker")])
        task = await node.call("local:groups.task", group="team", task={"parts": parts}, wait=0)
        await waiting.wait()
    go.set()
    async with node_of(tmp_path, asyncio.Event(), go) as node:
        ended = await node.host.grouping.room.tasks.wait(OWNER, task.id, 30)
    assert (ended.status, ended.result.results if ended.result else None) == ("done", {"a": 1, "b": 2})
    assert DONE == ["first", "second"]
    assert [span.stage for span in ended.trace] == ["analyze", "match", "assign", "execute", "integrate"]
