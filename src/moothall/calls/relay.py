"""What a node offers its owner over every door: to make a call for it, and to say what there is to call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from moothall.calls.call import relaying
from moothall.calls.inner import own
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.entry import Entry
from moothall.capability.snapshot import describe
from moothall.capability.spec import JsonObject
from moothall.errors import MoothallError

Visible = Callable[[CallContext], Awaitable[tuple[Entry, ...]]]
LONGEST = 3600.0
"""Seconds that a relayed call may take; the capability that does the work sets its own limit."""


class Relay:
    """The capabilities ``relay.*`` of the node itself (row CAL-08): the command line calls through them."""

    def __init__(self, visible: Visible) -> None:
        """``visible`` finds what the caller of a call may call in turn."""
        self._visible = visible

    @capability(name="relay.call", timeout=LONGEST, open_world=True, binding="request")
    async def call(
        self, ctx: CallContext, target: str, parameters: dict[str, Any] | None = None, method: str = ""
    ) -> Any:  # noqa: ANN401 - what the target returns
        """Call a target for the node's owner.

        Args:
            ctx: the call, made by the call path
            target: what to call, for example local:add or did:wba:example.com:agents:a:e1_…#add
            parameters: its arguments by name
            method: the operation, where the target does not name it
        """
        relaying(ctx)
        try:
            return await ctx.call(_joined(target, method), parameters or {})
        except MoothallError as error:
            raise own(error)  # noqa: B904 - it is the same error

    @capability(name="relay.stream", timeout=LONGEST, open_world=True, binding="request")
    async def stream(
        self, ctx: CallContext, target: str, parameters: dict[str, Any] | None = None, method: str = ""
    ) -> AsyncIterator[Any]:
        """Call a target for the node's owner and pass its values on one by one.

        Args:
            ctx: the call, made by the call path
            target: what to call
            parameters: its arguments by name
            method: the operation, where the target does not name it
        """
        relaying(ctx)
        try:
            async for value in ctx.stream(_joined(target, method), parameters or {}):
                yield value
        except MoothallError as error:
            raise own(error)  # noqa: B904 - it is the same error

    @capability(name="relay.tools", read_only=True, access="authenticated")
    async def tools(self, ctx: CallContext) -> list[JsonObject]:
        """List the capabilities that the caller may call, with their schemas."""
        return [describe(entry) for entry in await self._visible(ctx)]


def _joined(target: str, method: str) -> str:
    return str(Target.parse(target, method))
