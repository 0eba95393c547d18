"""After a restart a run is decided by its log alone: not by the day, the registry or the settings of that moment."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.events.model import Event
from moothall.storage import schema
from moothall.storage.store import Store
from tests.support.clock import ShiftedClock
from tests.support.demand import negotiate, running

TODAY = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
LATER = datetime(2027, 2, 3, 4, 0, tzinfo=UTC)
DEMANDS = (
    "我想在北京办一场AI主题聚会，需要场地和嘉宾",
    "下个月在上海办一场20人的年会，预算40000元，需要乐队、主持",
    "在武汉办一场20人的聚会，预算4000元，需要投影、4位嘉宾",
    "明年1月在杭州办一场120人的工作坊，预算4000元，需要场地、主持",
    "在拉萨办一场1000人的音乐会，需要场地和音响，预算300元",
)


def told(events: list[Event]) -> list[tuple[str, str, Any]]:
    """What a log says, without when it was said and is due."""
    return [
        (event.key, event.type, {name: value for name, value in event.payload.items() if name != "deadline_at"})
        for event in events
        if event.type != "deadline"
    ]


async def reopen(data: Path, run: str, keep: int) -> None:
    """Take back the end of a finished run, as if its node had died before the last commit."""
    store = await Store.open(data)
    event, runs = schema.event.c, schema.run.c

    def cut(connection: sa.Connection) -> None:
        connection.execute(sa.delete(schema.event).where(event.run == run, event.seq >= keep))
        connection.execute(
            sa.update(schema.run).where(runs.id == run).values(status="open", closed_at=None, owner=None)
        )

    try:
        await store.write(cut)
    finally:
        await store.close()


async def finish_elsewhere(data: Path, run: str) -> list[Event]:
    """Restart months later, with every agent gone and other settings, and let the run end."""
    settings = {"demo_agents": False, "subnet_min_importance": 100, "feedback_timeout_policy": "withdraw"}
    async with running(data, clock=ShiftedClock(TODAY), demo_agents=False) as node:
        for record in await node.registry.list():
            await node.registry.remove(record.profile.agent_id)
    await reopen(data, run, await length(data, run) - 2)
    async with running(data, clock=ShiftedClock(LATER), **settings) as node:
        async for _ in node.log.follow(run):
            pass
        return await node.log.load(run)


async def length(data: Path, run: str) -> int:
    """Rows in a run's log."""
    store = await Store.open(data)
    try:
        query = sa.select(sa.func.count()).select_from(schema.event).where(schema.event.c.run == run)
        return int(await store.read(lambda connection: connection.scalar(query)) or 0)
    finally:
        await store.close()


@pytest.mark.requirement("NEG-STATE-11", "NEG-API-13")
@pytest.mark.parametrize("demand", DEMANDS)
async def test_the_end_of_a_run_is_the_same_after_a_restart_in_another_world(tmp_path: Path, demand: str) -> None:
    data = tmp_path / "data"
    async with running(data, clock=ShiftedClock(TODAY), demo_agents=True) as node:
        run = (await negotiate(node, demand))[0].run
        before = await node.log.load(run)
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    after = await finish_elsewhere(copy, run)
    assert told(after) == told(before)
