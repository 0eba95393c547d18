"""Whole nodes on loopback that find each other."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from moothall.clock import Clock
from moothall.node import Node
from moothall.settings import Settings
from tests.protocols.anp.town import serving


def listening() -> socket.socket:
    """A socket whose port a node can be told before it starts."""
    return socket.create_server(("127.0.0.1", 0))


def port_of(at: socket.socket) -> int:
    port: int = at.getsockname()[1]
    return port


def node(data: Path, at: socket.socket, *ports: int, clock: Clock | None = None, **settings: Any) -> Node:
    """A node that may call those on other ports of loopback."""
    allow = ",".join(f"http://localhost:{port}" for port in (port_of(at), *ports))
    url = f"http://localhost:{port_of(at)}"
    given = {"public_url": url, "egress_allow": allow, "demo_agents": False, **settings}
    return Node(Settings(data=data, **given), clock=clock)


@asynccontextmanager
async def served(made: Node, at: socket.socket) -> AsyncIterator[Node]:
    """The node, started and served, for the time of the block."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(made)
        await stack.enter_async_context(serving(made.app(), at))
        yield made
