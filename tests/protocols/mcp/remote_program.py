"""An MCP server of the official SDK; run as a program, it speaks over its standard streams.

Every tool that a test of our client needs is here; `count` says how often they were called, `who` which process it is.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel
from starlette.applications import Starlette


class Weather(BaseModel):
    city: str
    celsius: float


def made() -> MCPServer:  # noqa: C901 - a list of tools
    """A server that has been called by nobody."""
    calls: list[None] = []
    server = MCPServer("far", instructions="tools for tests")

    @server.tool()
    def add(a: int, b: int) -> int:
        calls.append(None)
        return a + b

    @server.tool(name="weather.today.get")
    def weather(city: str = "Ulm") -> Weather:
        calls.append(None)
        return Weather(city=city, celsius=21.5)

    @server.tool()
    def when() -> str:
        calls.append(None)
        return "2026-07-28T10:00:00Z"

    @server.tool()
    def says(text: str) -> CallToolResult:
        """The text as it is, without structure."""
        calls.append(None)
        return CallToolResult(content=[TextContent(type="text", text=text)])

    @server.tool()
    def echo(value: Any) -> dict[str, Any]:
        calls.append(None)
        return {"got": value}

    @server.tool()
    def fails() -> str:
        calls.append(None)
        raise RuntimeError("the far database says: password=hunter2")

    @server.tool()
    async def steps(n: int, ctx: Context) -> int:
        calls.append(None)
        for done in range(1, n + 1):
            await ctx.report_progress(done, n, f"step {done}")
        return n

    @server.tool()
    async def never() -> str:
        calls.append(None)
        await asyncio.Event().wait()
        return ""

    @server.tool()
    def count() -> int:
        return len(calls)

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

    return server


def app_of(server: MCPServer, port: int, *, stateful: bool = True) -> Starlette:
    """The server for HTTP, at this port."""
    host = f"127.0.0.1:{port}"
    security = TransportSecuritySettings(allowed_hosts=[host], allowed_origins=[])
    return server.streamable_http_app(stateless_http=not stateful, transport_security=security)


if __name__ == "__main__":
    sys.stderr.write("the program complains\n")
    sys.stderr.flush()
    made().run("stdio")
