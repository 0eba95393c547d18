"""The protocol's own suite judges a whole node: every scenario that it scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doors.house import served
from tests.protocols.mcp.everything import offer
from tests.protocols.mcp.judges import CONFORMANCE, judge, passed, required

SCORED = {"2025-11-25": 30, "2026-07-28": 37}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("revision", SCORED)
async def test_every_scored_scenario_of_a_server_passes(revision: str, tmp_path: Path) -> None:
    async with served(tmp_path / "node", mcp_sessions=64) as node:
        offer(node)
        verdict = await judge(
            CONFORMANCE,
            *("server", "--url", f"{node.url}/mcp", "--requirements", revision, "--output-dir", str(tmp_path / "out")),
        )
    scored = required(revision, "server")
    assert len(scored) == SCORED[revision]
    assert [name for name in scored if name not in passed(verdict.out)] == []
    assert verdict.code == 0, verdict.out
