"""`moot doctor` on the MCP servers and A2A agents of the file: are they described well, and are they there?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall.cli import nodefile
from moothall.cli.checks import Finding, examine
from moothall.cli.effective import effective
from moothall.cli.invocation import Invocation
from moothall.cli.nodefile import NodeFile
from moothall.messages import LANGS
from moothall.settings import Settings
from tests.doors.doubles import mcp_server
from tests.doors.house import served


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def found(data: Path, lang: str = "en", **settings: Any) -> dict[str, Finding]:
    call = Invocation(lang, as_json=False, data=None)  # type: ignore[arg-type]
    return {finding.check: finding for finding in await examine(call, Settings(data=data, port=0, **settings))}


async def test_without_any_there_is_nothing_to_say(tmp_path: Path) -> None:
    for lang in LANGS:
        findings = await found(tmp_path, lang)
        assert {findings[name].grade for name in ("mcp", "a2a")} == {"ok"}
        assert all(findings[name].found for name in ("mcp", "a2a"))


@pytest.mark.parametrize(("kind", "table", "key"), [
    ("mcp", {"url": "https://x.example/mcp", "auth": "bearer"}, "mcp.far.token_env"),
    ("mcp", {"command": ["prog"]}, "mcp.far.command"),
    ("a2a", {"url": "ftp://x.example"}, "a2a.far.url"),
    ("a2a", {"url": "https://x.example", "profile": "soap"}, "a2a.far.profile"),
], ids=["no token", "no text", "no address", "no profile"])  # fmt: skip
async def test_a_table_that_does_not_fit_is_wrong_and_its_key_is_named(
    tmp_path: Path, kind: str, table: dict[str, Any], key: str
) -> None:
    finding = (await found(tmp_path, **{kind: {"far": table}}))[kind]
    assert (finding.grade, key in finding.found) == ("wrong", True)


async def test_without_a_running_node_only_programs_are_looked_for(tmp_path: Path) -> None:
    tables = {"here": {"command": "sh"}, "there": {"url": "https://x.example/mcp"}}
    fine = await found(tmp_path, mcp=tables, a2a={"far": {"url": "https://x.example"}})
    assert [fine[name].grade for name in ("mcp", "a2a")] == ["ok", "ok"]
    assert "here, there" in fine["mcp"].found
    missing = (await found(tmp_path, mcp={"gone": {"command": "no-such-program"}}))["mcp"]
    assert (missing.grade, "gone" in missing.found) == ("note", True)


async def test_a_running_node_asks_each_of_them(tmp_path: Path) -> None:
    async with mcp_server("far", add) as url:
        tables = {"far": {"url": url}, "gone": {"url": "http://localhost:9/mcp"}}
        agents = {"nobody": {"url": "http://localhost:9/x", "profile": "a2a"}}
        reach: dict[str, Any] = {"mcp": tables, "a2a": agents, "egress_allow": "http://localhost"}
        async with served(tmp_path, **reach) as node:
            nodefile.write(tmp_path, NodeFile(node.url, 4711, node.owner_token))
            findings = await found(tmp_path, **reach)
            assert findings["mcp"].grade == findings["a2a"].grade == "note"
            assert findings["mcp"].found.startswith("far: offers 1; gone: ")
            assert findings["a2a"].found.startswith("nobody: ")
            fine = await found(tmp_path, **reach | {"mcp": {"far": tables["far"]}, "a2a": {}})
            assert fine["mcp"] == Finding("mcp", "ok", "far: offers 1")


def test_of_their_tables_only_the_names_are_shown(tmp_path: Path) -> None:
    tables = {"far": {"command": "prog", "env": {"API_KEY": "opensesame"}}}
    rows = {row.setting: row.value for row in effective(Settings(data=tmp_path, mcp=tables), set())}
    assert (rows["mcp"], rows["a2a"]) == ("far", "{}")
