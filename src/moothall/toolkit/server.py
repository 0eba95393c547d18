"""`ANPMCPServer`: the tools of a node as an MCP server of their own (rows MCP-01, LLM-01).

The node's own door, ``/mcp``, and ``moot mcp`` show them, too, among everything else that models may call.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import TextIOWrapper
from typing import Any, Final, cast

import anyio

from moothall.calls.caller import UnifiedCaller
from moothall.calls.hub import Hub
from moothall.capability.entry import Entry
from moothall.capability.narration import told_error, told_value
from moothall.capability.tools import CALLER, CRAWLER, MANAGER, ORCHESTRATION
from moothall.directory.crawler import UnifiedCrawler
from moothall.hosting.edges import Visitors
from moothall.identity.principal import OWNER, Principal
from moothall.messages import Lang
from moothall.node import Node
from moothall.protocols.mcp.stdio import Lines, Output
from moothall.server.admission import Admission
from moothall.server.app import ServerApp
from moothall.server.doors import Doors
from moothall.server.language import accepted
from moothall.server.run import Address, serve
from moothall.server.sockets import Sockets
from moothall.server.streams import OpenStreams
from moothall.toolkit.methods import LANG
from moothall.toolkit.narrowed import NarrowedGateway
from moothall.toolkit.using import is_tool, use

NAME: Final = "anp-tools"
_STREAMS: Final = 100


class ANPMCPServer:
    """The tools of a started node for MCP clients.

    Over HTTP the clients prove who they are as at every door of the node; a client at standard input is ``principal``.

    Args:
        sdk: the node.
        principal: for whom the client at standard input works.
        lang: of what it is told; HTTP clients say themselves what they read.

    Attributes:
        server: the server of the MCP SDK.
        unified_caller: the same calls for code of this process.
        tools: the capabilities behind the tools, by their names.
    """

    def __init__(self, sdk: Node, principal: Principal = OWNER, *, lang: Lang = LANG) -> None:
        self.sdk = sdk
        self.principal = principal
        self.lang = lang
        host = sdk.host
        gateway = NarrowedGateway(host.path, is_tool, sdk.clock)
        self._room = host.edges.mcp_room(NAME, lambda: gateway)
        self.server = self._room.server
        self.unified_caller = UnifiedCaller(sdk, principal)
        self._register_tools()

    @property
    def unified_crawler(self) -> UnifiedCrawler:
        """What looks around, for code of this process."""
        return UnifiedCrawler(Hub(self.sdk.host.path, self.principal))

    def start(self) -> None:
        """Tell clients of changes from now on; within a running event loop."""
        self._room.start()

    async def aclose(self) -> None:
        """End the sessions and the streams."""
        await self._room.aclose()

    async def serve_stdio(self, stdin: Lines | None = None, stdout: Output | None = None) -> None:
        """Serve one client over standard input and output, or over these lines, until there are no more.

        What the process prints meanwhile goes to stderr: standard output belongs to the client.
        """
        lines: Lines = stdin or cast("Lines", anyio.wrap_file(TextIOWrapper(sys.stdin.buffer, "utf-8", "replace")))
        output: Output = stdout or cast("Output", anyio.wrap_file(TextIOWrapper(sys.stdout.buffer, "utf-8")))
        with redirect_stdout(sys.stderr):
            await self._room.serve_stdio(self.principal, self.lang, stdin=lines, stdout=output)

    async def serve_http(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        on_ready: Callable[[Address], None] = lambda _: None,
        stop: asyncio.Event | None = None,
    ) -> None:
        """Serve clients at ``http://HOST:PORT/mcp`` until told to stop (streamable HTTP).

        Raises:
            AddressInUse, SettingsError: it cannot listen there.
        """
        await serve(self.app(host), host=host, port=port, on_ready=on_ready, stop=stop)

    def app(self, bound: str = "127.0.0.1") -> ServerApp:
        """The application behind `serve_http`, for a server of one's own (ASGI)."""
        settings, clock, streams = self.sdk.settings, self.sdk.clock, OpenStreams(_STREAMS)
        visitors = Visitors(lang=self.lang, accepted=accepted, origins=frozenset())
        admission = Admission.of(bound=bound, public_url=settings.public_url)
        doors = Doors([self._room.door(self.sdk.host.edges.terms(visitors))], admission, streams, clock, self.lang)
        return ServerApp(_nothing_else, doors, Sockets([], admission, clock, self.lang), streams, dict)

    async def unified_caller_tool(self, arguments: Mapping[str, Any]) -> str:
        """Call the tool ``unified_caller``; what a model reads then, of a failure, too."""
        return await self._told(CALLER, arguments)

    async def unified_crawler_tool(self, arguments: Mapping[str, Any]) -> str:
        """The same for ``unified_crawler``."""
        return await self._told(CRAWLER, arguments)

    async def resource_manager_tool(self, arguments: Mapping[str, Any]) -> str:
        """The same for ``resource_manager``."""
        return await self._told(MANAGER, arguments)

    async def orchestration_tool(self, arguments: Mapping[str, Any]) -> str:
        """The same for ``orchestration``."""
        return await self._told(ORCHESTRATION, arguments)

    async def _told(self, name: str, arguments: Mapping[str, Any]) -> str:
        reply = await use(Hub(self.sdk.host.path, self.principal), name, arguments)
        return told_error(reply.error, self.lang) if reply.error is not None else told_value(reply.data, self.lang)

    def _register_tools(self) -> None:
        """Keep the tools by the names of the specification."""
        newest = self.sdk.host.path.snapshot.newest
        self.tools: dict[str, Entry] = {entry.spec.name: entry for entry in newest if is_tool(entry)}


async def _nothing_else(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
    del scope, receive
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
