"""An MCP server of the official SDK, as a program: `remote_program.py stdio`, or `remote_program.py http PORT [ERA]`.

Every tool that a test of our client needs is here; `count` says how often the tools were called, `who` which process it is.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel

server = MCPServer("far", instructions="tools for tests")
calls = 0


class Weather(BaseModel):
    city: str
    celsius: float


def counted() -> int:
    global calls  # noqa: PLW0603 - one process, one count
    calls += 1
    return calls


@server.tool()
def add(a: int, b: int) -> int:
    counted()
    return a + b


@server.tool(name="weather.today.get")
def weather(city: str = "Ulm") -> Weather:
    counted()
    return Weather(city=city, celsius=21.5)


@server.tool()
def when() -> str:
    counted()
    return "2026-07-28T10:00:00Z"


@server.tool()
def says(text: str) -> CallToolResult:
    """The text as it is, without structure."""
    counted()
    return CallToolResult(content=[TextContent(type="text", text=text)])


@server.tool()
def echo(value: Any) -> dict[str, Any]:
    counted()
    return {"got": value}


@server.tool()
def fails() -> str:
    counted()
    raise RuntimeError("the far database says: password=hunter2")


@server.tool()
async def steps(n: int, ctx: Context) -> int:
    counted()
    for done in range(1, n + 1):
        await ctx.report_progress(done, n, f"step {done}")
    return n


@server.tool()
async def never() -> str:
    counted()
    await asyncio.Event().wait()
    return ""


@server.tool()
def count() -> int:
    return calls


@server.tool()
def who() -> int:
    return os.getpid()


@server.tool()
def environment() -> dict[str, str]:
    return dict(os.environ)


@server.tool()
def grow(name: str) -> str:
    """One more tool."""

    def grown() -> str:
        return name

    server.add_tool(grown, name=name)
    return name


def main() -> None:
    """Serve until the end."""
    if sys.argv[1] == "stdio":
        sys.stderr.write("the program complains\n")
        sys.stderr.flush()
        server.run("stdio")
    else:
        host = f"127.0.0.1:{sys.argv[2]}"
        app = server.streamable_http_app(
            stateless_http=False,
            transport_security=TransportSecuritySettings(allowed_hosts=[host], allowed_origins=[]),
        )
        uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error")


if __name__ == "__main__":
    main()
