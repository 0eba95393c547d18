"""What MCP servers tell: the tools of those in the operator's file, and cards of others, which the file may name.

A server that is not in the file is never called, whoever lists it: its card says where it is, no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from moothall.calls.target import Target
from moothall.capability.spec import JsonObject
from moothall.directory.finding.reading import Document, Reading, Room
from moothall.directory.listing import Listing
from moothall.errors import ServiceNotFoundError, Told, UpstreamInvalid
from moothall.protocols.mcp.remote.servers import HttpServer, Server

_SCHEME: Final = "mcp:"
_MOST_REMOTES: Final = 10


class Describes(Protocol):
    """Asks a server of the file what it offers."""

    async def describe(self, target: Target, agent: str) -> JsonObject:
        """Its tools with their schemas; raises as `Connector.describe`."""
        ...


class McpServers:
    """Reads the tools of servers in the operator's file.

    Args:
        servers: the file.
        asks: asks them.
        agent: in whose name.
    """

    kind: Final = "mcp"
    well_known: Final[tuple[str, ...]] = ()

    def __init__(self, servers: Mapping[str, Server], asks: Describes, agent: str) -> None:
        self._servers = servers
        self._asks = asks
        self._agent = agent

    def claims(self, url: str) -> bool:
        """Whether it is ``mcp:NAME``."""
        return url.startswith(_SCHEME)

    def knows(self, value: JsonObject) -> bool:
        """None: they are asked, not read."""
        del value
        return False

    async def read(self, document: Document, room: Room) -> Reading:
        """The tools of a server; raises as `Discoverer.read`."""
        del room
        name = document.url.removeprefix(_SCHEME)
        server = self._servers.get(name)
        if server is None:
            raise ServiceNotFoundError("no such MCP server", told=Told("mcp.remote_server"))
        described = await self._asks.describe(Target("mcp", name), self._agent)
        open_to_all = isinstance(server, HttpServer) and server.auth == "none"
        return Reading(self.kind, tuple(_listings(name, described, public=open_to_all)))


class McpCards:
    """Reads cards of MCP servers: those in the operator's file are asked themselves."""

    kind: Final = "mcp.card"
    well_known: Final[tuple[str, ...]] = ()

    def __init__(self, servers: Mapping[str, Server]) -> None:
        self._named = {server.url: name for name, server in servers.items() if isinstance(server, HttpServer)}

    def claims(self, url: str) -> bool:
        """None: cards are documents."""
        del url
        return False

    def knows(self, value: JsonObject) -> bool:
        """Whether it is such a card."""
        return isinstance(value.get("remotes"), list) and isinstance(value.get("name"), str)

    async def read(self, document: Document, room: Room) -> Reading:
        """The servers of the file that it names.

        Raises:
            UpstreamInvalid: the file has none of them.
        """
        del room
        links = [f"{_SCHEME}{self._named[url]}" for url in _remotes(document.value) if url in self._named]
        if not links:
            raise UpstreamInvalid("none of the file", told=Told("finding.mcp_unlisted"))
        return Reading(self.kind, links=tuple(links))


def _remotes(card: JsonObject) -> Iterable[str]:
    for each in card["remotes"][:_MOST_REMOTES]:
        url = each.get("url") if isinstance(each, dict) else None
        if isinstance(url, str):
            yield url


def _listings(name: str, described: JsonObject, *, public: bool) -> Iterable[Listing]:
    server = str(Target("mcp", name))
    yield Listing(
        target=server,
        kind="agent",
        way="mcp",
        name=name,
        description=f"{described['name']} {described['description']}".strip(),
        agent=server,
        public=public,
    )
    for tool in described["operations"]:
        says: Mapping[str, Any] = tool.get("annotations", {})
        yield Listing(
            target=str(Target("mcp", name, tool["name"])),
            way="mcp",
            name=f"{name}.{tool['name']}",
            description=tool["description"],
            agent=server,
            input_schema=tool["input_schema"],
            output_schema=tool["output_schema"],
            read_only=says.get("readOnlyHint") is True,
            idempotent=says.get("idempotentHint") is True,
            destructive=says.get("destructiveHint") is True,
            public=public,
        )
