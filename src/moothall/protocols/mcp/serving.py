"""The MCP server of a node, put together: one server of the SDK behind the door and behind standard input."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import HandlerResult, ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp_types import CallToolRequestParams, NotificationParams, PaginatedRequestParams
from pydantic import BaseModel

from moothall.calls.ports import Gateway
from moothall.capability.threads import Threads
from moothall.identity.principal import Principal
from moothall.messages import Lang
from moothall.protocols.house import HouseTerms
from moothall.protocols.mcp import asking, completion, prompts, resources
from moothall.protocols.mcp.calling import ToolCalls
from moothall.protocols.mcp.changes import Changes, OnChange, OnUpdate
from moothall.protocols.mcp.door import McpDoor
from moothall.protocols.mcp.faults import faults
from moothall.protocols.mcp.ground import Ground
from moothall.protocols.mcp.handshake import Handshake, Stateless
from moothall.protocols.mcp.hearing import Listening
from moothall.protocols.mcp.passage import abandoned
from moothall.protocols.mcp.sessions import Sessions
from moothall.protocols.mcp.stdio import Lines, Output, greeted, serve_lines
from moothall.protocols.mcp.tools import Tools
from moothall.protocols.mcp.visits import Visit

IDLE: Final = 1800.0
"""Seconds after which a session ends in which nothing happens."""


_PRIVATE: Final[dict[CacheableMethod, CacheHint]] = {
    "tools/list": CacheHint(scope="private"),
    "prompts/list": CacheHint(scope="private"),
    "resources/list": CacheHint(scope="private"),
    "resources/templates/list": CacheHint(scope="private"),
    "resources/read": CacheHint(scope="private"),
    "server/discover": CacheHint(scope="private"),
}
"""What a caller reads depends on who it is, so that nobody may keep it for another."""

_Params = TypeVar("_Params", bound=BaseModel)


class _McpServer(Server[Any]):
    """The SDK's server; it announces that it tells of changes, and says of every result that it is complete."""

    def add_request_handler(
        self, method: str, params_type: type[_Params], handler: Callable[[Any, _Params], Awaitable[HandlerResult]]
    ) -> None:
        """Take a handler in whose result may be the bare members of the protocol's object."""

        async def completed(ctx: ServerRequestContext[Any, Any], params: _Params) -> HandlerResult:
            result = await handler(ctx, params)
            if isinstance(result, dict) and "resultType" not in result:
                result["resultType"] = "complete"
            return result

        super().add_request_handler(method, params_type, completed)

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """What ``initialize`` is answered with."""
        changing = NotificationOptions(prompts_changed=True, resources_changed=True, tools_changed=True)
        return super().create_initialization_options(
            notification_options or changing, experimental_capabilities, extensions
        )


class McpRoom:
    """The MCP server of a node.

    Args:
        gateway: gives the node; first asked at `start`, which `door` and `serve_stdio` call.
        on_change, on_update: of `Registry`.
        suspended: whether the policy refuses an identity by now.
        threads: where synchronous functions run.
        secret: at least 32 bytes, the same at every start: seals what clients keep for us.
        name: of the server, as clients show it.
        version: of the server.
        sessions: how many sessions clients of the handshake era may have; 0: none, every request stands alone.
        idle: seconds after which a session ends in which nothing happens.
    """

    def __init__(  # noqa: PLR0913 - all by name
        self,
        *,
        gateway: Callable[[], Gateway],
        on_change: OnChange,
        on_update: OnUpdate,
        suspended: Callable[[str], bool],
        threads: Threads,
        secret: bytes,
        name: str,
        version: str,
        sessions: int = 0,
        idle: float = IDLE,
    ) -> None:
        bus = InMemorySubscriptionBus()
        ground = Ground(
            gateway=gateway,
            name=name,
            version=version,
            secret=secret,
            bus=bus,
            suspended=suspended,
            threads=threads,
        )
        self._ground = ground
        self._listen = Listening(ground)
        self._server = _server(ground, self._listen)
        self._changes = Changes(bus, on_change, on_update)
        self._sessions = Sessions(self._server, ground, sessions, idle) if sessions else None

    @property
    def server(self) -> Server[Any]:
        """The server of the SDK."""
        return self._server

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return 0 if self._sessions is None else len(self._sessions)

    def door(self, terms: HouseTerms) -> McpDoor:
        """The door at ``/mcp``; within a running event loop, in which changes are told from now on."""
        self.start()
        ground = self._ground
        handshake: Handshake = Stateless(self._server, ground)
        if self._sessions is not None:
            handshake = self._sessions
        return McpDoor(self._server, ground, handshake, terms)

    def start(self) -> None:
        """Tell clients of changes from now on; a second call does nothing."""
        self._changes.start(self._ground.gateway().snapshot)

    async def aclose(self) -> None:
        """End the sessions and the streams."""
        self._listen.close()
        await self._changes.aclose()
        if self._sessions is not None:
            await self._sessions.aclose()

    async def serve_stdio(
        self, principal: Principal, lang: Lang = "en", *, stdin: Lines, stdout: Output, deciding: bool = True
    ) -> None:
        """Serve one client over lines of text, until there are no more and all is answered that was asked.

        With ``deciding`` it may use what a person decides with (`moothall.capability.deciding`).
        """
        self.start()
        visit = Visit(principal=principal, lang=lang, deciding=deciding)
        await serve_lines(self._server, visit, self._ground.bus, stdin, stdout)


def _server(ground: Ground, listen: Listening) -> Server[Any]:
    tools = Tools(ground)
    server = _McpServer(ground.name, version=ground.version, cache_hints=_PRIVATE, on_subscriptions_listen=listen)
    server.middleware[:] = [faults, abandoned, tools.ready]
    server.add_notification_handler("notifications/initialized", NotificationParams, greeted)
    server.add_request_handler("tools/list", PaginatedRequestParams, tools.listed)
    server.add_request_handler("tools/call", CallToolRequestParams, ToolCalls(ground, tools))
    for room in (resources, prompts, completion, asking):
        room.register(server, ground)
    return server
