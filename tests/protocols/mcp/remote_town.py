"""MCP servers that our client calls, and the client as a node has it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import uvicorn

from moothall.calls.path import CallPath
from moothall.calls.ports import CallFacts, Outgoing
from moothall.calls.reply import Reply
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.registry import Registry
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.principal import OWNER, Principal
from moothall.policy.engine import PolicyEngine
from moothall.protocols.mcp.remote.connector import McpConnector
from moothall.protocols.mcp.remote.servers import servers_of
from tests.protocols.http.hall import Believing, members
from tests.protocols.mcp.remote_program import app_of, made

PROGRAM = Path(__file__).with_name("remote_program.py")
STDIO = {"command": sys.executable, "args": [str(PROGRAM)], "env": {"COLOUR": "green"}}


@asynccontextmanager
async def served(app: Any, port: int = 0) -> AsyncIterator[int]:
    """Serve an ASGI app; gives the port."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", timeout_graceful_shutdown=1))
    server.capture_signals = nullcontext  # type: ignore[assignment]
    serving = asyncio.create_task(server.serve())
    await Waiting.until(lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def far(port: int, *, stateful: bool = True) -> AsyncIterator[str]:
    """The SDK's server over HTTP at a port; gives its address."""
    async with served(app_of(made(), port, stateful=stateful), port):
        yield f"http://127.0.0.1:{port}/mcp"


@asynccontextmanager
async def connecting(tables: Mapping[str, Mapping[str, Any]], **more: Any) -> AsyncIterator[McpConnector]:
    """The connector for servers of a file."""
    egress = Egress(Allowed.parsed("http://127.0.0.1"))
    given = {"sessions": lambda _agent: egress, "egress": egress, "environ": os.environ, **more}
    connector = McpConnector(servers_of(tables), **given)
    try:
        yield connector
    finally:
        await connector.aclose()
        await egress.aclose()


def outgoing(target: str, /, timeout: float = 30.0, agent: str = "node", **more: Any) -> Outgoing:
    options = {name: more.pop(name) for name in ("report", "partner", "idempotency_key", "hops") if name in more}
    return Outgoing(target=Target.parse(target), params=more, agent=agent, timeout=timeout, **options)


class House:
    """A call path whose capabilities are done by MCP servers."""

    def __init__(self, path: CallPath, registry: Registry) -> None:
        self.path = path
        self.registry = registry

    async def call(
        self, target: str, /, *, principal: Principal = OWNER, door: str = "http", **params: Any
    ) -> Reply[Any]:
        return await self.path.call(Target.parse(target), params, CallFacts(door=door, principal=principal))


@asynccontextmanager
async def house(
    connector: McpConnector, functions: Iterable[Callable[..., Any]] = (), **terms: Any
) -> AsyncIterator[House]:
    registry = Registry()
    registry.add("node", members(functions))
    await registry.start()
    path = CallPath(
        registry,
        PolicyEngine.usual(),
        verifier=Believing(),
        connectors=[connector],
        terms=Terms(remote_retry=0, **terms),
    )
    try:
        yield House(path, registry)
    finally:
        await registry.stop()


class Waiting:
    """Lets a test wait for something that happens in a loop it does not own."""

    @staticmethod
    async def until(found: Callable[[], Awaitable[bool] | bool]) -> None:
        async with asyncio.timeout(20):
            while True:
                seen = found()
                if seen if isinstance(seen, bool) else await seen:
                    return
                await asyncio.sleep(0.01)
