"""A file of ten lines with one function, called in every way there is; and who sees it as a tool."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from a2a.client import ClientConfig, create_client
from a2a.types import Message, Part, Role, SendMessageRequest
from google.protobuf.json_format import MessageToDict, ParseDict
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from moothall import Agent, capability
from tests.doors.house import ANNA, MODERN, served
from tests.support.program import ENVIRONMENT, MOOT, Served, moot, serving

FILE = '''from moothall import Node, capability


@capability(access="public")
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b

node = Node()
node.include(add)
'''

INITIALIZE = {
    "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
}  # fmt: skip
LINES = [
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "add", "arguments": {"a": 1, "b": 2}}},
]

pytestmark = pytest.mark.timeout(120)


async def over_mcp(url: str) -> Any:
    async with (
        httpx2.AsyncClient(timeout=20, trust_env=False) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=MODERN) as client,
    ):
        return (await client.call_tool("add", {"a": 1, "b": 2})).structured_content


async def over_a2a(url: str) -> Any:
    part = ParseDict({"data": {"skill": "add", "arguments": {"a": 1, "b": 2}}}, Part())
    message = Message(message_id="m1", role=Role.ROLE_USER, parts=[part])
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        client = await create_client(url, client_config=ClientConfig(httpx_client=http, streaming=False))
        [event] = [event async for event in client.send_message(SendMessageRequest(message=message))]
        await client.close()
    return MessageToDict(event)["task"]["artifacts"][0]["parts"][0]["data"]


def over_stdio(*argv: object, cwd: Path) -> Any:
    """The result of `add` in what ``moot mcp`` answers."""
    done = subprocess.run(
        [*MOOT, "mcp", *map(str, argv)],
        input="".join(json.dumps(line) + "\n" for line in LINES),
        cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = {message.get("id"): message for message in map(json.loads, done.stdout.splitlines())}
    return answers[2]["result"]["structuredContent"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    (folder / "sums.py").write_text(FILE, encoding="utf-8")
    return folder


def called_over_http(node: Served) -> Any:
    answer = httpx.post(f"{node.url}/api/v1/capabilities/add", json={"a": 1, "b": 2}, trust_env=False)
    return answer.json()["data"]


@pytest.mark.requirement("DEC-54")
async def test_ten_lines_give_local_http_mcp_and_a2a_calls(place: Path) -> None:
    assert len(FILE.splitlines()) == 10
    alone = moot("call", "local:add", "a=1", "b=2", "--node", "sums.py", "--data", "alone", cwd=place)
    assert alone.stdout == "3\n"
    assert over_stdio("sums.py", "--data", "alone", cwd=place) == {"result": 3}
    with serving("sums.py", cwd=place, data="served") as node:
        assert called_over_http(node) == 3
        assert await over_mcp(node.url) == {"result": 3}
        assert await over_a2a(node.url) == 3
        assert over_stdio("--data", node.data, cwd=place) == {"result": 3}


@pytest.mark.requirement("DEC-19")
async def test_one_function_is_local_on_the_network_and_a_tool_of_those_who_may_call_it(tmp_path: Path) -> None:
    @capability(expose_to=["both", "llm"], permissions=["read"])
    def weigh(item: str) -> int:
        """Weigh something."""
        return len(item)

    @capability(expose_to="net", access="public")
    def greet(name: str) -> str:
        """Greet somebody."""
        return f"hello {name}"

    @capability(expose_to="llm", access="public")
    def hint() -> str:
        """For models only."""
        return "ask again"

    @capability(expose_to="local", access="public")
    def note() -> str:
        """For this process only."""
        return "mine"

    async with served(tmp_path / "far", Agent(ANNA)) as far:
        anna = far.host.office.agent(ANNA)
        assert anna is not None
        async with served(tmp_path / "near", permissions={anna.did.text: ("read",)}) as near:
            near.include(weigh, greet, hint, note)
            assert near.host.capabilities.snapshot.find("weigh") is not None
            assert await near.call("local:weigh", item="tea") == 3
            over_network = await far.caller(ANNA).call(f"{near.url}/api/v1/capabilities/weigh", item="tea")
            assert over_network == 3
            async with (
                httpx2.AsyncClient(timeout=20, trust_env=False) as http,
                Client(streamable_http_client(f"{near.url}/mcp", http_client=http), mode=MODERN) as stranger,
            ):
                seen = {tool.name for tool in (await stranger.list_tools()).tools}
            assert {"greet", "hint"} <= seen
            assert not seen & {"weigh", "note"}
            token = {"Authorization": f"Bearer {near.owner_token}"}
            async with (
                httpx2.AsyncClient(headers=token, timeout=20, trust_env=False) as http,
                Client(streamable_http_client(f"{near.url}/mcp", http_client=http), mode=MODERN) as owner,
            ):
                tools = {tool.name: tool for tool in (await owner.list_tools()).tools}
                assert {"greet", "hint", "weigh"} <= tools.keys()
                assert "note" not in tools
                assert (await owner.call_tool("weigh", {"item": "tea"})).structured_content == {"result": 3}
