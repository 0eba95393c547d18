"""Plans as capabilities of the node, for whoever may call them (row MCP-05)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from moothall.calls.admission import UNAPPROVED
from moothall.calls.call import Call
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.directory.orchestration.service import LONGEST_WAIT, Orchestrations
from moothall.errors import Conflict


def _look(ctx: CallContext) -> None:
    """Refuse code that nobody approved: a plan is carried out later, in the name of whoever called the code.

    Raises:
        Conflict: it is such code.
    """
    call = ctx.calling
    if isinstance(call, Call) and call.facts.unapproved:
        raise Conflict("nobody has approved the code that plans this", told=UNAPPROVED)


class OrchestrationCapabilities:
    """What callers do with plans; each sees its own only."""

    def __init__(self, orchestrations: Orchestrations) -> None:
        self._orchestrations = orchestrations

    @capability(name="orchestration.submit", access="authenticated", timeout=120)
    async def submit(
        self,
        ctx: CallContext,
        request: Annotated[str, Field(max_length=4096)] = "",
        steps: list[dict[str, Any]] | None = None,
        run: Literal["read_only", "ask"] = "read_only",
    ) -> dict[str, Any]:
        """Plan several calls from a request in words, or from steps; a plan that changes something waits."""
        _look(ctx)
        return await self._orchestrations.submit(ctx.principal, request, steps, run, ctx.hops)

    @capability(name="orchestration.confirm", access="authenticated")
    async def confirm(self, ctx: CallContext, id: str, digest: str) -> dict[str, Any]:  # noqa: A002 - what it is
        """Agree to a plan that was shown, by its digest, and have it carried out."""
        _look(ctx)
        return await self._orchestrations.confirm(ctx.principal, id, digest)

    @capability(name="orchestration.status", access="authenticated", read_only=True, timeout=LONGEST_WAIT + 30)
    async def status(
        self,
        ctx: CallContext,
        id: str,  # noqa: A002 - what it is
        wait: Annotated[float, Field(ge=0, le=LONGEST_WAIT)] = 0.0,
    ) -> dict[str, Any]:
        """How far a plan is, step by step; ``wait``: seconds to wait for its end."""
        return await self._orchestrations.status(ctx.principal, id, wait)

    @capability(name="orchestration.cancel", access="authenticated")
    async def cancel(self, ctx: CallContext, id: str) -> dict[str, Any]:  # noqa: A002 - what it is
        """Call a plan off."""
        return await self._orchestrations.cancel(ctx.principal, id)

    @capability(name="orchestration.list", access="authenticated", read_only=True)
    async def listed(self, ctx: CallContext, limit: Annotated[int, Field(ge=1, le=100)] = 20) -> list[dict[str, Any]]:
        """One's own plans, the newest first."""
        return await self._orchestrations.mine(ctx.principal, limit)
