"""The inspector of the protocol lists and calls what a whole node offers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moothall import capability
from moothall.node import Node
from tests.doors.house import served
from tests.protocols.mcp.judges import INSPECTOR, judge


@capability(access="public")
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def inspected(node: Node, *arguments: str) -> Any:
    verdict = await judge(INSPECTOR, "--cli", f"{node.url}/mcp", "--transport", "http", *arguments)
    assert verdict.code == 0, verdict.complaints
    return json.loads(verdict.out)


@pytest.mark.timeout(120)
async def test_the_inspector_lists_and_calls(tmp_path: Path) -> None:
    async with served(tmp_path) as node:
        node.include(add)
        listed = await inspected(node, "--method", "tools/list", "--strict")
        called = await inspected(node, "--method", "tools/call", "--tool-name", "add", "--tool-arg", "a=2", "b=3")
    assert [tool["name"] for tool in listed["tools"]] == ["add"]
    assert called["structuredContent"] == {"result": 5}
