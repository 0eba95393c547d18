"""Calls of MCP servers: targets ``mcp:SERVER.TOOL`` and source ``mcp`` (rows CAL-05, DEC-22, TPL-03 to TPL-15).

The SDK is imported when the first call is made, and in a thread: it takes more than a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from moothall.calls.ports import Outgoing
from moothall.calls.target import Target
from moothall.capability.life import run_all
from moothall.capability.spec import JsonObject
from moothall.errors import ServiceNotFoundError, Told
from moothall.protocols.mcp.remote.servers import Server

if TYPE_CHECKING:
    from moothall.protocols.mcp.remote.carriage import Session
    from moothall.protocols.mcp.remote.client import RemoteServer
    from moothall.protocols.mcp.remote.oauth import SignIn

DESCRIBED_SECONDS: Final = 30.0


class McpConnector:
    """The connector of one node.

    Args:
        servers: the only ones that can be called, by their names (`servers_of`).
        sessions: gives the signing way out of an agent, by its name.
        egress: the way out of requests that nobody signs.
        environ: where the secrets are that the file names.
        sign_in: who agrees to an authorization; None: nobody can, and tokens are got by client credentials.
    """

    schemes: tuple[str, ...] = ("mcp",)

    def __init__(
        self,
        servers: Mapping[str, Server],
        *,
        sessions: Callable[[str], Session],
        egress: Session,
        environ: Mapping[str, str],
        sign_in: SignIn | None = None,
    ) -> None:
        self._servers = servers
        self._sessions = sessions
        self._egress = egress
        self._environ = environ
        self._sign_in = sign_in
        self._remotes: dict[tuple[str, str], RemoteServer] = {}

    async def call(self, outgoing: Outgoing) -> Any:  # noqa: ANN401 - JSON of any shape
        """Call a tool and return its value, as JSON."""
        return await (await self._remote(outgoing.target.address, outgoing.agent)).call(outgoing)

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        """Call a tool and yield the values of its list; MCP has no values that come one by one."""
        value = await self.call(outgoing)
        for each in value if isinstance(value, list) else [value]:
            yield each

    async def describe(self, target: Target, agent: str) -> JsonObject:
        """The tools of a server, with their schemas."""
        return await (await self._remote(target.address, agent)).describe(DESCRIBED_SECONDS)

    async def aclose(self) -> None:
        """End every connection, and the programs that were started."""
        remotes = list(self._remotes.values())
        self._remotes.clear()
        closing = [asyncio.create_task(remote.aclose()) for remote in remotes]
        if closing:
            await asyncio.wait(closing)
        await run_all([closed.result for closed in closing])

    async def _remote(self, name: str, agent: str) -> RemoteServer:
        """The one client of a server, and of an agent where each signs for itself (row TPL-05).

        Raises:
            ServiceNotFoundError: the file has no such server.
        """
        server = self._servers.get(name)
        if server is None:
            raise ServiceNotFoundError("no such MCP server", told=Told("mcp.remote_server"))
        signed = getattr(server, "auth", "none") == "did"
        key = (name, agent if signed else "")
        if key not in self._remotes:
            module = await asyncio.to_thread(import_module, "moothall.protocols.mcp.remote.client")
            if key not in self._remotes:
                session = self._sessions(agent) if signed else self._egress
                self._remotes[key] = module.RemoteServer(server, session, self._environ, self._sign_in)
        return self._remotes[key]
