"""`moot mcp` keeps what a person decides with from the model at its other end, unless it is told otherwise."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moothall import Node
from moothall.capability.deciding import DECIDING, decides
from moothall.identity.principal import OWNER
from moothall.settings import Settings
from tests.support.program import ENVIRONMENT, MOOT, serving

CODE = '''
from moothall import Node, capability


@capability
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


node = Node()
node.include(add)
'''
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}
ORDINARY = {
    "agents.disable", "agents.edit", "agents.enable", "agents.load", "agents.new", "agents.remove", "anp.negotiate",
    "concepts.edit", "concepts.import", "concepts.remove", "demand.cancel", "demand.confirm", "demand.erase",
    "demand.submit", "groups.forward", "groups.send", "groups.task", "groups.task_cancel", "messages.send",
    "orchestration", "orchestration.cancel", "orchestration.confirm", "orchestration.submit", "participants.refresh",
    "protocols.ask", "protocols.negotiate", "realtime.send", "resource_manager", "services.forge", "sources.add",
    "sources.refresh", "sources.remove", "unified_caller", "unified_crawler",
}  # fmt: skip
"""Of what the node has and what changes something: what neither changes rights, nor approves, nor publishes."""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deciding")
    (folder / "tools.py").write_text(CODE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def running(place: Path) -> Iterator[Path]:
    with serving("tools.py", cwd=place, data="data") as node:
        yield node.data


@pytest.fixture(params=["running", "alone"])
def words(request: pytest.FixtureRequest, place: Path, tmp_path: Path) -> list[str]:
    """The command line after ``moot``."""
    if request.param == "running":
        return ["mcp", "--data", str(request.getfixturevalue("running"))]
    return ["mcp", str(place / "tools.py"), "--data", str(tmp_path / "alone")]


def answers(words: list[str], *lines: object) -> dict[Any, dict[str, Any]]:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run(
        [*MOOT, *words], input=text, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return {message.get("id"): message for message in map(json.loads, done.stdout.splitlines())}


def call(number: int, name: str, **arguments: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": name, "arguments": arguments}}


def test_a_model_neither_sees_nor_calls_what_a_person_decides_with(words: list[str]) -> None:
    revoke = {"target": "local:tokens.revoke", "parameters": {"every": True}}
    found = answers(
        words, HELLO, READY, LIST,
        call(3, "approvals_decide", approval_id="x", decision="approve"),
        call(4, "node.policy.reload"),
        call(5, "relay_call", **revoke),
        call(6, "unified_caller", **revoke),
        call(7, "resource_manager", action="disable", resource="node.add"),
        call(8, "add", a=1, b=2),
    )  # fmt: skip
    listed = {tool["name"] for tool in found[2]["result"]["tools"]}
    assert {"add", "approvals_list", "unified_caller", "messages_send"} <= listed
    assert not listed & {name.partition(".")[2].replace(".", "_") for name in DECIDING}
    for number in (3, 4, 5):
        assert found[number]["result"]["isError"], found[number]
        told = json.loads(found[number]["result"]["content"][0]["text"])["error"]
        assert told["code"] == "PERMISSION_DENIED"
        assert "moot mcp --deciding" in told["message"]
    for number in (6, 7):
        assert found[number]["result"]["isError"], found[number]
        assert found[number]["result"]["structuredContent"]["error"]["code"] == "PERMISSION_DENIED"
    assert found[8]["result"]["structuredContent"] == {"result": 3}


def test_who_asks_for_it_gets_it(words: list[str]) -> None:
    found = answers([*words, "--deciding"], HELLO, READY, LIST, call(3, "policy_reload"))
    listed = {tool["name"] for tool in found[2]["result"]["tools"]}
    assert {name.partition(".")[2].replace(".", "_") for name in DECIDING} <= listed
    assert not found[3]["result"].get("isError"), found[3]


async def test_of_everything_that_changes_something_it_is_said_whether_it_decides(tmp_path: Path) -> None:
    async with Node(Settings(data=tmp_path)) as node:
        shown = await node.host.path.visible(OWNER, "mcp")
    assert {entry.id for entry in shown if decides(entry)} == DECIDING
    rest = {entry.spec.name for entry in shown if not decides(entry) and not entry.spec.annotations.read_only}
    assert rest == ORDINARY
