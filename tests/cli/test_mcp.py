"""`moot mcp`: MCP on standard input and output, at a running node and in a process of its own, alike."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.support.program import ENVIRONMENT, MOOT, ran, serving

CODE = '''
from moothall import CallContext, Node, capability

@capability(access="public")
def add(a: int, b: int) -> int:
    """Add two numbers."""
    print("adding")
    return a + b


@capability
async def who(ctx: CallContext) -> list:
    """Who calls."""
    return [ctx.principal.owner, ctx.door]


@capability
async def grow(ctx: CallContext) -> str:
    """Make a new tool."""
    node.include(sprout)
    return "grown"


@capability
def sprout() -> str:
    """Come later."""
    return "leaf"


node = Node()
node.include(add, who, grow)
'''
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mcp")
    (folder / "tools.py").write_text(CODE, encoding="utf-8")
    (folder / "talkative.py").write_text(f"print('loaded')\n{CODE}", encoding="utf-8")
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
    return ["mcp", str(place / "talkative.py"), "--data", str(tmp_path / "alone")]


def told(done: subprocess.CompletedProcess[str]) -> dict[Any, dict[str, Any]]:
    """The answers by their ids; every line of stdout must be a message."""
    return {message.get("id"): message for message in map(json.loads, done.stdout.splitlines())}


def given(words: list[str], place: Path, *lines: object) -> subprocess.CompletedProcess[str]:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    return subprocess.run(
        [*MOOT, *words], input=text,
        cwd=place, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@contextmanager
def opened(words: list[str], place: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*MOOT, *words], cwd=place, env=ENVIRONMENT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def call(number: int, name: str, **arguments: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": name, "arguments": arguments}}


def test_stdout_carries_the_protocol_only_and_the_end_of_input_ends_it(words: list[str], place: Path) -> None:
    done = given(words, place, HELLO, READY, call(2, "add", a=1, b=2), "", call(3, "who"), "no json")
    assert done.returncode == 0, done.stderr
    answers = told(done)
    assert answers[1]["result"]["serverInfo"]["name"] == "moothall"
    assert answers[2]["result"]["structuredContent"] == {"result": 3}
    assert answers[3]["result"]["structuredContent"] == {"result": [True, "mcp"]}
    assert "loaded" not in done.stdout


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_the_official_client_starts_it_as_a_command(words: list[str], place: Path, mode: str) -> None:
    server = StdioServerParameters(command=MOOT[0], args=[*MOOT[1:], *words], env=ENVIRONMENT, cwd=place)
    async with Client(stdio_client(server), mode=mode) as client:
        assert "add" in {tool.name for tool in (await client.list_tools()).tools}
        assert (await client.call_tool("add", {"a": 40, "b": 2})).structured_content == {"result": 42}
        refused = await client.call_tool("add", {"a": "x"})
        assert refused.is_error


def test_it_ends_when_it_is_told_to(words: list[str], place: Path, request: pytest.FixtureRequest) -> None:
    end = signal.SIGINT if "alone" in request.node.name else signal.SIGTERM
    with opened(words, place) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(HELLO) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(end)
        assert process.wait(20) == 0


def test_tools_that_come_later_are_told_of(words: list[str], place: Path) -> None:
    with opened(words, place) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in (HELLO, READY):
            process.stdin.write(json.dumps(line) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping"}) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 2
        process.stdin.write(json.dumps(call(3, "grow")) + "\n")
        process.stdin.flush()
        seen = [json.loads(process.stdout.readline()) for _ in range(2)]
        assert {message.get("method", message.get("id")) for message in seen} == {
            "notifications/tools/list_changed", 3,
        }  # fmt: skip


def test_odd_lines_are_errors_and_what_follows_is_answered(running: Path, place: Path) -> None:
    odd = [
        ("[" * 200_000, None, -32700),
        ('{"jsonrpc":"2.0","id":11,"method":"tools/call","params":{"name":"\\ud800"}}', None, -32700),
        ('{"jsonrpc":"2.0","id":12,"id":13,"method":"ping"}', None, -32700),
        ("[]", None, -32600),
        ('{"jsonrpc":"2.0","id":true,"method":"ping"}', None, -32600),
        ('{"jsonrpc":"2.0","id":[1],"method":"ping"}', None, -32600),
        ('{"jsonrpc":"2.0","id":14,"method":"ping","params":[1]}', 14, -32600),
        ('{"jsonrpc":"2.0","id":15,"method":7}', 15, -32600),
        ('{"jsonrpc":"2.0","method":"notifications/cancelled","params":[1]}', None, -32600),
    ]
    silent = ['{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[1]}}']
    lines = [line for line, _, _ in odd]
    done = given(["mcp", "--data", str(running)], place, *lines, *silent, HELLO, READY, call(2, "add", a=1, b=2))
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    errors = [(each["id"], each["error"]["code"]) for each in messages if "error" in each]
    assert errors == [(name, code) for _, name, code in odd]
    assert told(done)[2]["result"]["structuredContent"] == {"result": 3}


def test_an_id_that_is_under_way_is_refused_and_the_first_request_is_answered(running: Path, place: Path) -> None:
    done = given(["mcp", "--data", str(running)], place, call(5, "add", a=1, b=2), call(5, "add", a=3, b=4))
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["error"]["code"] for each in messages if "error" in each][:1] == [-32600]
    assert [each["id"] for each in messages] == [5, 5]


def test_nobody_who_reads_is_the_end(words: list[str], place: Path) -> None:
    with opened(words, place) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(HELLO) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.stdout.close()
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping"}) + "\n")
        process.stdin.flush()
        assert process.wait(30) == 0
        assert "Traceback" not in process.stderr.read()


def test_a_node_that_has_gone_is_an_error_of_the_request(place: Path) -> None:
    with serving("tools.py", cwd=place, data="short") as node:
        process = subprocess.Popen(
            [*MOOT, "mcp", "--data", str(node.data)], cwd=place, env=ENVIRONMENT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(HELLO) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
    out, _ = process.communicate(json.dumps(call(2, "add", a=1, b=2)) + "\n", timeout=30)
    assert json.loads(out)["error"]["code"] == -32000
    assert process.returncode == 0


def test_a_file_that_is_not_there_is_told_on_stderr(place: Path, tmp_path: Path) -> None:
    done = ran("mcp", "missing.py", "--data", tmp_path / "none", "--lang", "en", cwd=place)
    assert (done.returncode, done.stdout) == (2, "")
    assert "missing.py" in done.stderr
