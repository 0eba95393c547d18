"""Services of others, for tests: an MCP server by the official SDK, and plain JSON services under names of their own."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Any
from urllib.parse import urlsplit

import httpcore
import pytest
import uvicorn
from mcp.server import MCPServer


@asynccontextmanager
async def mcp_server(name: str, *functions: Callable[..., Any]) -> AsyncIterator[str]:
    """Serve functions as tools; the address of the server."""
    server = MCPServer(name)
    for function in functions:
        server.add_tool(function)
    app = server.streamable_http_app(stateless_http=True, json_response=True)
    async with server.session_manager.run(), serving(app) as url:
        yield f"{url}/mcp"


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI application to the end of the block, and not a moment longer, whatever is open; its address."""
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve([listener]))
        try:
            yield f"http://localhost:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


class JsonService:
    """Answers every POST with ``{"result": …}``, and has no agent card; `asked` are (host, body) as they came."""

    def __init__(self, result: Callable[[str, dict[str, Any]], Any]) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._result = result

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status, answer = 404, b"{}"
        if scope["method"] == "POST":
            host = dict(scope["headers"])[b"host"].decode()
            call = json.loads(body)
            self.asked.append((host, call))
            status, answer = 200, json.dumps({"result": self._result(host, call["params"])}).encode()
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": answer})


def lead_to(monkeypatch: pytest.MonkeyPatch, url: str, *hosts: str) -> None:
    """Let hosts, port 80, be where ``url`` is: the names in the resolver, the port in the last step to the network."""
    find, connect = socket.getaddrinfo, httpcore.AnyIOBackend.connect_tcp
    port = urlsplit(url).port

    def getaddrinfo(host: Any, *more: Any, **named: Any) -> Any:
        return find("127.0.0.1" if host in hosts else host, *more, **named)

    async def connect_tcp(self: Any, host: str, wanted: int, *more: Any, **named: Any) -> Any:
        return await connect(self, host, port if wanted == 80 else wanted, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
