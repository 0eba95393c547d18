"""kill -9 in the middle of the work, on both databases."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import pytest

from moothall.events.log import EventLog
from moothall.storage.store import Store
from tests.events.crash_node import KEYS

NODE = Path(__file__).with_name("crash_node.py")
KILLS = 5


async def life(data: Path, url: str, run: str, acknowledged: list[str], lines: int | None) -> None:
    """Start a node; kill it after so many acknowledgements, or let it finish."""
    command = [sys.executable, str(NODE), str(data), url, run]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    if lines is not None:
        acknowledged += [(await process.stdout.readline()).decode() for _ in range(lines)]
        process.kill()
    acknowledged += (await process.stdout.read()).decode().splitlines(keepends=True)
    assert await process.wait() == (0 if lines is None else -9)


@pytest.mark.timeout(120)
async def test_after_kill_9_nothing_is_lost_doubled_or_stuck(database_url: str, tmp_path: Path) -> None:
    rng = random.Random(4)
    acknowledged: list[str] = []
    for kill in range(KILLS):
        await life(tmp_path / "node", database_url, f"d-{kill:08x}", acknowledged, rng.randrange(1, 20))
    await life(tmp_path / "node", database_url, f"d-{KILLS:08x}", acknowledged, None)

    store = await Store.open(tmp_path / "node", database_url)
    log = EventLog(store)
    runs = await log.runs()
    logs = {run.id: await log.load(run.id) for run in runs}
    await store.close()
    assert {run.status for run in runs} == {"closed"}
    assert max(run.epoch for run in runs) > 1
    for events in logs.values():
        assert [event.seq for event in events] == list(range(len(KEYS)))
        assert sorted(event.key for event in events) == sorted(KEYS)
    stored = {f"{event.run} {event.key}\n" for events in logs.values() for event in events}
    assert {line for line in acknowledged if line.endswith("\n")} - stored == set()
