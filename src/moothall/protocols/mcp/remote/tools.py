"""The tools of one server as it lists them, kept until it says that they have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from mcp.client import Client
from mcp.client.subscriptions import SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp_types import Tool

from moothall.capability.spec import JsonObject
from moothall.protocols.mcp.remote.exchange import Exchange

_MOST_PAGES: Final = 100
_MOST_TOOLS: Final = 1000
_MOST_BYTES: Final = 16 * 1024 * 1024
"""Of the whole list: what is beyond is not listed."""

_KEPT_SECONDS: Final = 300.0
_LISTENING_SECONDS: Final = 3600.0
_WRAP: Final = ["result"]
_LONGEST: Final = 2000

Start = Callable[[Coroutine[Any, Any, None]], object]


class Tools:
    """What a server offers; ``start`` runs what listens for changes."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._kept: dict[str, Tool] = {}
        self._until = 0.0
        self._changes = 0
        self._listening: Client | None = None

    def forget(self) -> None:
        """Ask again when the tools are needed."""
        self._changes += 1
        self._until = 0.0

    async def all(self, client: Client, *, fresh: bool = False) -> dict[str, Tool]:
        """The tools by name; raises as the SDK does."""
        now = asyncio.get_running_loop().time()
        if fresh or now >= self._until:
            changes = self._changes
            self._listen(client)
            self._kept = await _listed(client)
            self._until = now + _KEPT_SECONDS if changes == self._changes else 0.0
        return self._kept

    def known(self, name: str) -> Tool | None:
        """A tool as it was listed; None where that is not known, or no longer."""
        return self._kept.get(name) if asyncio.get_running_loop().time() < self._until else None

    def _listen(self, client: Client) -> None:
        offered = client.server_capabilities.tools
        if client.session.discover_result is None or offered is None or not offered.list_changed:
            return  # one of the older protocol says it on its own
        if self._listening is not client:
            self._listening = client
            self._start(self._heard(client))

    async def _heard(self, client: Client) -> None:
        Exchange(_LISTENING_SECONDS).enter()
        try:
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    self.forget()
        except (MCPError, SubscriptionLost, TimeoutError):
            self.forget()
        finally:
            self._listening = None


async def _listed(client: Client) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    cursor: str | None = None
    room = _MOST_BYTES
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        for tool in page.tools:
            room -= len(tool.model_dump_json())
            if len(found) < _MOST_TOOLS and room >= 0:
                found.setdefault(tool.name, tool)
        cursor = page.next_cursor
        if not cursor or len(found) >= _MOST_TOOLS or room < 0:
            break
    return found


def wraps(tool: Tool) -> bool:
    """Whether a tool puts values that are no objects into ``{"result": …}``, as its schema says."""
    schema = tool.output_schema or {}
    properties = schema.get("properties")
    return isinstance(properties, dict) and list(properties) == _WRAP and schema.get("required") == _WRAP


def described(tool: Tool) -> JsonObject:
    """A tool for whoever wants to call it."""
    hints = tool.annotations.model_dump(by_alias=True, exclude_none=True) if tool.annotations else {}
    return {
        "name": tool.name,
        "description": (tool.description or tool.title or "")[:_LONGEST],
        "input_schema": tool.input_schema,
        "output_schema": tool.output_schema or {},
        **({"annotations": hints} if hints else {}),
    }
