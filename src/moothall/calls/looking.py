"""What a node offers callers who look around: what is elsewhere, and its tools as models read them (row DEC-39)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from moothall.calls.plan import FOR_MODELS
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.entry import Entry
from moothall.capability.function_schemas import FORMATS, Format
from moothall.capability.snapshot import Snapshot
from moothall.capability.spec import JsonObject
from moothall.capability.tool_names import ToolNames
from moothall.identity.principal import Principal


class Seen(Protocol):
    """What of the call path is needed to look around."""

    @property
    def snapshot(self) -> Snapshot:
        """The capabilities as they are now."""
        ...

    async def visible(self, principal: Principal, door: str) -> tuple[Entry, ...]:
        """What a principal may call at a door."""
        ...

    def describe(self, target: Target, agent: str) -> Awaitable[JsonObject]:
        """What there is at a target elsewhere."""
        ...


class Looking:
    """Two capabilities ``relay.*`` of the node itself.

    Args:
        path: gives the call path, which may be made after this.
        agent: asks what is elsewhere.
    """

    def __init__(self, path: Callable[[], Seen], agent: str) -> None:
        self._path = path
        self._agent = agent

    @capability(name="relay.describe", timeout=60, open_world=True, read_only=True, binding="request")
    async def describe(self, target: str) -> JsonObject:
        """Find out for the node's owner what can be called somewhere else; nothing is called.

        Args:
            target: where, for example mcp:SERVER, a2a:ALIAS or did:wba:example.com:agents:a:e1_…
        """
        return await self._path().describe(Target.parse(target), self._agent)

    @capability(name="relay.functions", read_only=True, access="authenticated")
    async def functions(self, ctx: CallContext, form: Format) -> list[JsonObject]:
        """List the tools that the caller may give a language model, as providers of models or protocols read them.

        Args:
            ctx: the call, made by the call path
            form: who reads them
        """
        path = self._path()
        tools = [entry for entry in await path.visible(ctx.principal, FOR_MODELS) if entry.spec.kind == "tool"]
        return FORMATS[form](tools, ToolNames(path.snapshot))
