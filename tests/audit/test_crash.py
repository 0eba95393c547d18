"""kill -9 in the middle of writing, on both databases."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from pathlib import Path

import pytest

from moothall.audit.anchor import Signers
from moothall.identity.keystore import Keystore
from tests.audit.chains import found, kept, store

NODE = Path(__file__).with_name("crash_node.py")


async def life(data: Path, url: str, lines: int) -> list[str]:
    """Start a writer, kill it after so many settled records; which they were."""
    command = [sys.executable, str(NODE), str(data), url]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    settled = [(await process.stdout.readline()).decode() for _ in range(lines)]
    process.kill()
    settled += (await process.stdout.read()).decode().splitlines(keepends=True)
    assert await process.wait() == -9
    return settled


@pytest.mark.timeout(120)
async def test_after_kill_9_the_chain_holds_and_has_everything_that_was_settled(
    database_url: str, tmp_path: Path
) -> None:
    rng = random.Random(6)
    settled: list[str] = []
    for _ in range(4):
        settled += await life(tmp_path / "node", database_url, rng.randrange(1, 15))
    async with store(tmp_path / "node", database_url) as opened:
        key = Keystore.open(tmp_path / "node").all()[0].signer
        (finding,) = await found(opened, Signers({key.keyid: key.key.public}))
        rows = [json.loads(row.body) for row in await kept(opened)]
    assert finding.fault is None
    assert finding.last == len(rows) == rows[-1]["seq"]
    assert finding.anchored > 0
    names = [row["request_id"] for row in rows if row["kind"] == "decision"]
    assert len(names) == len(set(names))
    assert {line.strip() for line in settled if line.endswith("\n")} - set(names) == set()
