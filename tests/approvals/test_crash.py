"""kill -9: what waits, waits unchanged; what was approved is executed once."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from moothall.approvals.kept import DECIDED, EXECUTED, EXECUTING
from moothall.events.log import EventLog
from moothall.events.model import Event
from moothall.storage.store import Store

NODE = Path(__file__).with_name("crash_node.py")
ROOT = Path(__file__).parents[2]


async def life(data: Path, url: str, ledger: Path, part: str, *, until: str = "") -> str:
    """Start a node; kill it when it has said a word, or let it finish. The id that came with the word."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(NODE),
        *(str(data), url, str(ledger), part),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    said = ""
    if until:
        while not (said := (await process.stdout.readline()).decode()).startswith(until):
            assert said, "the node ended by itself"
        process.kill()
    await process.stdout.read()
    assert await process.wait() == (-9 if until else 0)
    return said.split()[-1] if said else ""


async def history(data: Path, url: str, run: str) -> list[Event]:
    store = await Store.open(data, url)
    events = await EventLog(store).load(run)
    await store.close()
    return events


@pytest.mark.requirement("SEC-06", "SEC-09")
@pytest.mark.timeout(120)
async def test_what_waits_survives_unchanged_and_what_was_approved_is_executed_once(
    database_url: str, tmp_path: Path
) -> None:
    data, ledger = tmp_path / "node", tmp_path / "ledger"
    ledger.mkdir()
    asked = await life(data, database_url, ledger, "ask", until="asked")
    before = await history(data, database_url, asked)
    again = await life(data, database_url, ledger, "ask", until="asked")
    assert again == asked
    assert await history(data, database_url, asked) == before

    killed = await life(data, database_url, ledger, "decide", until="executing")
    assert killed == asked
    events = [event.type for event in await history(data, database_url, asked)]
    assert (events.count(DECIDED), events.count(EXECUTING), events.count(EXECUTED)) == (2, 1, 0)

    await life(data, database_url, ledger, "finish")
    ended = [event.type for event in await history(data, database_url, asked)]
    assert (ended.count(DECIDED), ended.count(EXECUTING), ended.count(EXECUTED)) == (2, 1, 1)
    assert (ledger / "effects").read_text(encoding="utf-8") == "7\n"
