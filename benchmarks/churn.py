"""Many MCP sessions opened and closed, and many A2A tasks: what a node holds afterwards is what it held at the start.

All in one process, without sockets. The first tenth warms up; after it neither the memory nor the number of objects
that the garbage collector knows may grow.

    python -m benchmarks.churn [--sessions N] [--tasks N]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from benchmarks.inside import ask
from moothall import Node, capability
from moothall.settings import Settings

GOAL_MEMORY, GOAL_OBJECTS = 1.10, 1.02
HANDSHAKE = "2025-11-25"


@capability(access="public")
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def session(app: ASGIApp, number: int) -> None:
    """Open a session, call, close it."""
    hello = {
        "protocolVersion": HANDSHAKE,
        "capabilities": {},
        "clientInfo": {"name": f"client {number}", "version": "1"},
    }
    opened = await ask(app, "POST", "/mcp", request(0, "initialize", hello))
    assert opened.status == 200, opened
    more = {"Mcp_Session_Id": opened.headers[b"mcp-session-id"].decode(), "MCP_Protocol_Version": HANDSHAKE}
    await ask(app, "POST", "/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"}, **more)
    called = await ask(
        app, "POST", "/mcp", request(1, "tools/call", {"name": "add", "arguments": {"a": number, "b": 1}}), **more
    )
    assert str(number + 1).encode() in called.body, called
    closed = await ask(app, "DELETE", "/mcp", **more)
    assert closed.status in {200, 204}, closed


async def task(app: ASGIApp, number: int) -> None:
    """Have a task done."""
    part = {"data": {"skill": "add", "arguments": {"a": number, "b": 1}}, "mediaType": "application/json"}
    message = {"message": {"messageId": f"m{number}", "role": "ROLE_USER", "parts": [part]}}
    done = await ask(app, "POST", "/agents/node/a2a", request(number, "SendMessage", message), A2A_Version="1.0")
    assert b"TASK_STATE_COMPLETED" in done.body, done


def request(number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def held() -> tuple[int, int]:
    """Bytes and objects of this process now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(gc.get_objects())


async def churn(name: str, app: ASGIApp, many: int, one: Callable[[ASGIApp, int], Awaitable[None]]) -> bool:
    """Do it many times and print what is held then; whether it is too much."""
    for number in range(many // 10):
        await one(app, number)
    memory, objects = held()
    for number in range(many // 10, many):
        await one(app, number)
    later_memory, later_objects = held()
    more_memory, more_objects = later_memory / memory, later_objects / objects
    print(
        f"{many:,} {name}: {later_memory / 2**20:.1f} MiB, {more_memory:.3f} × that after a tenth (goal {GOAL_MEMORY});"
        f" {later_objects:,} objects, {more_objects:.3f} × (goal {GOAL_OBJECTS})"
    )
    return more_memory > GOAL_MEMORY or more_objects > GOAL_OBJECTS


async def measure(sessions: int, tasks: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), demo_agents=False, address_limit=0, caller_limit=0, mcp_sessions=100)
        node = Node(settings)
        node.include(add)
        async with node:
            app = node.app()
            missed = await churn("MCP sessions", app, sessions, session)
            return await churn("A2A tasks", app, tasks, task) or missed


def main() -> None:
    """Print what is held after the churn; fail when it grew."""
    asked = argparse.ArgumentParser(description="memory after many sessions and tasks")
    asked.add_argument("--sessions", type=int, default=10_000)
    asked.add_argument("--tasks", type=int, default=10_000)
    given = asked.parse_args()
    sys.exit(1 if asyncio.run(measure(given.sessions, given.tasks)) else 0)


if __name__ == "__main__":
    main()
