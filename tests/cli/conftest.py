"""A node with a capability that has to be approved: one that is served, and one that starts for each command."""

from __future__ import annotations

import asyncio
import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall.calls.ports import CallFacts
from moothall.calls.target import Target
from moothall.cli.main import run
from moothall.identity.principal import Principal
from tests.support.program import Served, serving

CODE = '''
from moothall import Node, capability


@capability(access="authenticated", approval=True)
def pay(to: str, cents: int) -> str:
    """Pay somebody."""
    return f"{cents} to {to}"


@capability
def ledger() -> str:
    """For the owner."""
    return "book"


node = Node()
node.include(pay, ledger)
'''
POLICY = """
[[approvals.rule]]
name = "what the owner reads"
capability = "node.ledger"
workflow = "bob"

[[approvals.workflow.bob.step]]
type = "any"
approvers = ["user:bob"]
"""
KEY = "bob-has-a-key-of-more-than-32-characters"
BOB = Principal(id="user:bob", kind="user", binding="token")


class Hall:
    """A node, and `moot` on its folder."""

    def __init__(self, data: Path, code: Path, capsys: pytest.CaptureFixture[str], node: Served | None) -> None:
        self.data, self.code, self._capsys, self._node = data, code, capsys, node

    @property
    def runs(self) -> bool:
        """Whether the node is served, so that commands go there."""
        return self._node is not None

    def moot(self, *words: str, lang: str = "en") -> tuple[int, str, str]:
        """Run a command; its exit code, stdout and stderr."""
        self._capsys.readouterr()
        code = run([*words, "--data", str(self.data), "--lang", lang])
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def rows(self, *words: str) -> list[Any]:
        """What a command prints with ``--json``; it has to end well."""
        code, out, err = self.moot(*words, "--json")
        assert code == 0, err
        return [json.loads(line) for line in out.splitlines()]

    def row(self, *words: str) -> Any:
        """The one value that a command prints."""
        (row,) = self.rows(*words)
        return row

    def bob(self, cents: int, approval: str = "") -> dict[str, Any]:
        """Bob pays somebody: the error that he gets, else the value."""
        if self._node is not None:
            headers = {"Authorization": f"Bearer {KEY}"} | ({"X-Moothall-Approval": approval} if approval else {})
            message = {"jsonrpc": "2.0", "id": 1, "method": "pay", "params": {"to": "ann", "cents": cents}}
            url = f"{self._node.url}/agents/node/rpc"
            said = httpx.post(url, json=message, headers=headers, trust_env=False, timeout=60).json()
            return {"value": said["result"]} if "result" in said else dict(said["error"]["data"]["details"])
        return asyncio.run(self._in_process(cents, approval))

    async def _in_process(self, cents: int, approval: str) -> dict[str, Any]:
        async with runpy.run_path(str(self.code))["node"] as node:
            facts = CallFacts(door="http", principal=BOB, approval=approval, timeout=30.0)
            reply = await node.host.path.call(Target.parse("local:node.pay"), {"to": "ann", "cents": cents}, facts)
        return {"value": reply.data} if reply.error is None else dict(reply.error.details)


@pytest.fixture(scope="session")
def served_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """The node that is served, and its code."""
    folder = tmp_path_factory.mktemp("hall")
    code = folder / "hall_with_approvals.py"
    code.write_text(CODE, encoding="utf-8")
    with_policy(folder / "data")
    with serving(code.name, cwd=folder, data="data", MOOTHALL_API_KEYS=f"bob:{KEY}") as node:
        yield node, code


@pytest.fixture(params=["running", "in process"])
def hall(
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Hall:
    """The same for commands whether a node runs or not."""
    monkeypatch.setenv("MOOTHALL_DEMO_AGENTS", "false")
    if request.param == "running":
        node, code = request.getfixturevalue("served_hall")
        return Hall(node.data, code, capsys, node)
    monkeypatch.setenv("MOOTHALL_DATA", str(tmp_path / "data"))  # for the code
    monkeypatch.setenv("MOOTHALL_API_KEYS", f"bob:{KEY}")
    code = tmp_path / "hall_in_process.py"
    code.write_text(CODE, encoding="utf-8")
    with_policy(tmp_path / "data")
    return Hall(tmp_path / "data", code, capsys, None)


def with_policy(data: Path) -> None:
    (data / "policy").mkdir(parents=True)
    (data / "policy" / "policy.toml").write_text(POLICY, encoding="utf-8")
