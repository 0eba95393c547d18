"""``tools/call`` at the MCP door beside the SDK's low-level server and FastMCP: over sockets, same client, same run.

Our side is a served node: identity, policy and call path included. The SDK's server does nothing but add two numbers.
FastMCP is no dependency of ours: it is installed into .venv-peers from benchmarks/peers.lock the first time.

    python -m benchmarks.mcp_door [--seconds S] [--turns N] [--connections N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop
from mcp.server import Server as LowLevel
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, TextContent, Tool
from starlette.types import ASGIApp

from benchmarks.beside import Begin, Lane, Link, Server, Write, compare, post, ratio, serve, tell
from benchmarks.inside import ask, costs
from moothall import Node, capability
from moothall.server.run import bind, serve_on
from moothall.settings import Settings

GOAL_CPU, GOAL_RATE = 1.2, 3.0
MODERN, HANDSHAKE = "2026-07-28", "2025-11-25"
HERE = Path(__file__).parent
PEERS = HERE.parent / ".venv-peers"
ACCEPT = "application/json, text/event-stream"
CLIENT = {"name": "benchmark", "version": "1"}
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
OUTPUT = {"type": "object", "properties": {"result": {"type": "integer"}}, "required": ["result"]}


@capability(access="public")
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def low_level() -> LowLevel[Any]:
    """The SDK's server with the same tool."""

    async def list_tools(_: object, __: object) -> ListToolsResult:
        return ListToolsResult(tools=[Tool(name="add", input_schema=SCHEMA, output_schema=OUTPUT)])

    async def call_tool(_: object, params: CallToolRequestParams) -> CallToolResult:
        given = params.arguments or {}
        value = given["a"] + given["b"]
        return CallToolResult(
            content=[TextContent(type="text", text=json.dumps(value))], structured_content={"result": value}
        )

    return LowLevel("peer", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema={"add": SCHEMA}.get)


def sdk() -> ASGIApp:
    return low_level().streamable_http_app(json_response=True)


def sdk_events() -> ASGIApp:
    """As it is by default: answers are streams, as they have to be where a call may ask its client something."""
    return low_level().streamable_http_app()


def sdk_stateless() -> ASGIApp:
    return low_level().streamable_http_app(json_response=True, stateless_http=True)


async def serve_node(sessions: int) -> None:
    """Serve a node with one capability, as `moot serve` does."""
    with tempfile.TemporaryDirectory() as folder, bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        settings = Settings(
            data=Path(folder), demo_agents=False, address_limit=0, caller_limit=0, mcp_sessions=sessions
        )
        node = Node(settings)
        node.listen_on(port)
        node.include(add)
        async with node:
            await serve_on(listener, node.app(), host="127.0.0.1", on_ready=lambda _: tell(port))


def call(number: int, *, meta: dict[str, Any] | None = None) -> bytes:
    params: dict[str, Any] = {"name": "add", "arguments": {"a": 2, "b": 3}}
    if meta is not None:
        params["_meta"] = meta
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode()


async def modern(link: Link) -> Write:
    """The era without handshakes."""
    return lambda number: post(
        link.port,
        "/mcp",
        call(number, meta=META),
        Accept=ACCEPT,
        MCP_Protocol_Version=MODERN,
        Mcp_Method="tools/call",
        Mcp_Name="add",
    )


async def stateless(link: Link) -> Write:
    """The era of handshakes, without one."""
    return lambda number: post(link.port, "/mcp", call(number), Accept=ACCEPT, MCP_Protocol_Version=HANDSHAKE)


async def session(link: Link) -> Write:
    """The era of handshakes."""
    params = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": CLIENT}
    hello = json.dumps({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params}).encode()
    head, _ = await link.ask(post(link.port, "/mcp", hello, Accept=ACCEPT))
    at = head.lower().index(b"mcp-session-id:")
    named = head[at + 15 : head.index(b"\r\n", at)].strip().decode()

    def write(body: bytes) -> bytes:
        return post(link.port, "/mcp", body, Accept=ACCEPT, MCP_Protocol_Version=HANDSHAKE, Mcp_Session_Id=named)

    await link.ask(write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}'))
    return lambda number: write(call(number))


def fits(body: bytes) -> bool:
    """Whether 5 came back, as JSON or as the one event of a stream."""
    text = body if body.startswith(b"{") else body.partition(b"data: ")[2].partition(b"\n")[0].strip()
    result = json.loads(text)["result"]
    return result["structuredContent"] == {"result": 5} and result["content"][0]["text"] == "5"


def peers() -> Path | None:
    """The Python that has FastMCP; installed where it is not there."""
    python = PEERS / "bin" / "python"
    lock = HERE / "peers.lock"
    stamp = PEERS / ".ready"
    if stamp.exists() and stamp.read_text() == lock.read_text():
        return python
    venv.create(PEERS, with_pip=True, clear=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", lock]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        print(f"FastMCP cannot be installed, so it is left out: {last}")
        return None
    stamp.write_text(lock.read_text())
    return python


async def inside(seconds: float) -> bool:
    """The same without sockets and servers, in this process; whether the goal is missed."""
    body = call(1, meta=META)

    def one(app: ASGIApp) -> Callable[[int], Awaitable[None]]:
        async def asked(number: int) -> None:
            told = {"MCP_Protocol_Version": MODERN, "Mcp_Method": "tools/call", "Mcp_Name": "add"}
            answer = await ask(app, "POST", "/mcp", {**message, "id": number}, **told)
            assert answer.status == 200, answer

        return asked

    message = json.loads(body)
    low = low_level()
    with tempfile.TemporaryDirectory() as folder:
        node = Node(Settings(data=Path(folder), demo_agents=False, address_limit=0, caller_limit=0))
        node.include(add)
        peer = low.streamable_http_app(json_response=True)
        async with node, low.session_manager.run():
            found = await costs({"moothall": one(node.app()), "the SDK's low-level server": one(peer)}, seconds)
    print(f"{MODERN} in this process, without sockets")
    for name, (least, middle) in found.items():
        print(f"  {name:<34}{least:>8.1f} us of CPU at best {middle:>8.1f} us in the middle")
    (ours_least, ours_middle), (low_least, low_middle) = found.values()
    print(
        f"  to the SDK: {ours_least / low_least:.2f} of its CPU at best, {ours_middle / low_middle:.2f} in the middle"
    )
    return ours_least / low_least > GOAL_CPU


def ours(name: str) -> Server:
    return Server(sys.executable, "-m", "benchmarks.mcp_door", "--serve", name)


SERVED = {"sdk": sdk, "sdk events": sdk_events, "sdk stateless": sdk_stateless}
ERAS: dict[str, tuple[Begin, str, str, str]] = {
    MODERN: (modern, "node", "sdk", ""),
    f"{HANDSHAKE} stateless": (stateless, "node", "sdk stateless", "stateless"),
    f"{HANDSHAKE} with sessions": (session, "node with sessions", "sdk events", "events"),
}


def main() -> None:
    """Print the three of every era and their ratios; fail when a goal is missed."""
    asked = argparse.ArgumentParser(description="the MCP door beside the SDK's low-level server and FastMCP")
    asked.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    asked.add_argument("--turns", type=int, default=5)
    asked.add_argument("--connections", type=int, default=8)
    asked.add_argument("--serve", choices=[*SERVED, "node", "node with sessions"], help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.serve in SERVED:
        serve(SERVED[given.serve])
        return
    if given.serve:
        uvloop.run(serve_node(sessions=1000 if "sessions" in given.serve else 0))
        return
    missed = uvloop.run(inside(given.seconds * given.turns))
    python = peers()
    servers: dict[str, Server] = {}
    try:
        for era, (begin, node, low, mode) in ERAS.items():
            print(era)
            for name in (node, low):
                servers.setdefault(name, ours(name))
            lanes = [
                Lane("moothall", servers[node], begin, fits),
                Lane("the SDK's low-level server", servers[low], begin, fits),
            ]
            if python is not None:
                peer = servers.setdefault(f"fastmcp {mode}", Server(str(python), str(HERE / "peers_fastmcp.py"), mode))
                lanes.append(Lane("FastMCP", peer, begin, fits))
            rows = compare(lanes, given.seconds, given.turns, given.connections)
            rate, cpu = ratio(rows, "moothall", lanes[1].name)
            print(f"  to the SDK: {rate:.2f} of its rate, {cpu:.2f} of its CPU (goal {GOAL_CPU})")
            missed |= era == MODERN and cpu > GOAL_CPU
            if python is not None:
                rate, cpu = ratio(rows, "moothall", "FastMCP")
                print(f"  to FastMCP: {rate:.2f} of its rate (goal {GOAL_RATE}), {cpu:.2f} of its CPU")
                missed |= era == MODERN and rate < GOAL_RATE
    finally:
        for server in servers.values():
            server.close()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
