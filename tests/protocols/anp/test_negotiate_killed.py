"""kill -9 of either side of a drafting negotiation: both go on, and both end with the same agreement, once."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from moothall.approvals.news import Bells
from moothall.events.log import EventLog
from moothall.storage.store import Store

ROOT = Path(__file__).parents[3]


@dataclass
class Life:
    """The lives of one node."""

    role: str
    data: Path
    url: str = "-"
    peer: str = "-"
    port: int = 0
    did: str = ""
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """Of its runs."""
        return "protocol.provide" if self.role == "provider" else "protocol.request"

    async def begin(self, moment: str = "-") -> None:
        """Start it; it may be killed at its moment."""
        arguments = (self.role, str(self.data), self.url, str(self.port), self.peer, moment)
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.protocols.anp.negotiating_node",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
        )
        said = await self.said()
        assert said is not None
        assert self.did in {"", said["did"]}
        self.did, self.port = said["did"], said["port"]

    async def said(self) -> dict[str, Any] | None:
        """What it says next; None: it has ended."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        found: dict[str, Any] | None = json.loads(line) if line else None
        return found

    async def killed(self) -> None:
        """Wait until it is dead by its moment."""
        assert self.process is not None
        assert await self.process.wait() == -9

    async def end(self) -> None:
        """Kill it, if it is alive."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


async def histories(life: Life) -> list[Counter[str]]:
    """The keys of the events of every negotiation of a node."""
    store = await Store.open(life.data, None if life.url == "-" else life.url)
    log = EventLog(store)
    found = [Counter(event.key for event in await log.load(run.id)) for run in await log.runs(kind=life.kind)]
    await store.close()
    return found


async def left_aside(life: Life, data: Path) -> None:
    """Wait until another process on the same store has taken the run of a dead one, and has left it."""
    store = await Store.open(data, life.url)
    log = EventLog(store)
    with Bells().watch(life.did) as watch:  # nobody rings: it is another process
        while not [run for run in await log.runs(kind=life.kind) if run.wake_at is not None]:
            await watch.news()
    await store.close()


async def negotiated(
    provider: Life, requester: Life, killed: Life, moment: str, elsewhere: Path | None = None
) -> dict[str, Any]:
    """Kill one of them at its moment, start it again, and give what the requester says at the end.

    With ``elsewhere``, a folder for a look into the store, the other one has had its run before that.
    """
    try:
        await provider.begin(moment if killed is provider else "-")
        requester.peer = provider.did
        await requester.begin(moment if killed is requester else "-")
        await killed.killed()
        if elsewhere is not None:
            await left_aside(killed, elsewhere)
        await killed.begin()
        said = await requester.said()
        assert said is not None
        return said
    finally:
        await requester.end()
        await provider.end()


MOMENTS = (
    ("provider", "before:concluded"),
    ("requester", "before:talk.sent.2"),
    ("requester", "before:talk.concluded"),
)


@pytest.mark.requirement("META-LIMIT-04", "WIRE-NEGO-05")
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("who", "moment"), MOMENTS)
async def test_either_side_may_be_killed_and_both_end_alike(tmp_path: Path, who: str, moment: str) -> None:
    provider, requester = Life("provider", tmp_path / "there"), Life("requester", tmp_path / "here")
    said = await negotiated(provider, requester, provider if who == "provider" else requester, moment)
    assert said["answer"] == {"temperature": 4, "sky": "clear"}
    assert said["kept"] == [said["protocol"]]
    for life in (provider, requester):
        (keys,) = await histories(life)
        assert keys["agreed"] == 1
        assert keys["refused"] == 0
        assert set(keys.values()) == {1}


@pytest.mark.requirement("META-LIMIT-04")
@pytest.mark.timeout(180)
async def test_the_run_of_a_killed_process_waits_for_it_though_others_share_its_store(
    tmp_path: Path, postgres_url: str
) -> None:
    provider = Life("provider", tmp_path / "there", postgres_url)
    requester = Life("requester", tmp_path / "here", postgres_url)
    said = await negotiated(provider, requester, provider, "after:talk.code.1", tmp_path / "look")
    assert said["answer"] == {"temperature": 4, "sky": "clear"}
    for life in (provider, requester):
        (keys,) = await histories(life)
        assert (keys["agreed"], keys["refused"], max(keys.values())) == (1, 0, 1)
