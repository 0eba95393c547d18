"""What the tools may call for whom: what their caller may call itself, and nothing that only this process may name.

A call that came through a door is passed on at the door of models: it reaches what is exposed there, and the policy
decides about it as about any call of that caller. So is one that a capability makes with the tools that it was given:
what it calls was often said by its caller, or made up by a model. Targets elsewhere are called in the node's name, so
that they are for its owner, and for whom the operator granted ``network``: a node is no open proxy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from moothall.calls.call import LOCAL, Call
from moothall.calls.inner import facts_within, own
from moothall.calls.plan import FOR_MODELS
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.errors import InternalError, PermissionDeniedError, Told
from moothall.identity.principal import Principal

NETWORK: Final = ("network",)
"""The permission to call, through the tools, what is elsewhere."""

_AUTO: Final = "auto"
"""Targets in words; what is chosen for them is judged where it is chosen."""


def may_leave(principal: Principal) -> bool:
    """Whether the node calls targets elsewhere for somebody."""
    return principal.owner or principal.holds(NETWORK)


def at_home(ctx: CallContext) -> bool:
    """Whether a tool is called by code of this process for itself, or for the owner: that may name what it likes."""
    return ctx.door == LOCAL and (ctx.principal.owner or not ctx.inside)


def check(ctx: CallContext, target: Target) -> None:
    """Refuse a target that the tools must not call for this caller.

    Raises:
        PermissionDeniedError: it is elsewhere, and the caller is a stranger.
    """
    if at_home(ctx) or target.scheme in {LOCAL, _AUTO} or may_leave(ctx.principal):
        return
    raise PermissionDeniedError("the tools call nothing elsewhere for this caller", told=Told("tools.elsewhere"))


class Reach:
    """Makes the calls of the tools.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic

    async def call(self, ctx: CallContext, target: Target, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Call a target for the caller of a tool, and return its value.

        What it asks and tells on the way reaches the client; what was chosen for words is told with the reply.

        Raises:
            PermissionDeniedError: as `check`.
            MoothallError: why the call failed; it is the tool's own answer.
        """
        check(ctx, target)
        local = at_home(ctx) or target.scheme != LOCAL
        return await self._called(ctx, target, parameters, LOCAL if local else FOR_MODELS)

    async def inward(self, ctx: CallContext, name: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Call a capability of the node's own for the caller of a tool, which stands for it at every door.

        Raises:
            MoothallError: why the call failed; it is the tool's own answer.
        """
        return await self._called(ctx, Target(LOCAL, f"{ctx.agent}.{name}"), parameters, LOCAL)

    async def _called(self, ctx: CallContext, target: Target, parameters: Mapping[str, Any], door: str) -> Any:  # noqa: ANN401
        outer = ctx.calling
        if not isinstance(outer, Call):
            raise InternalError("the tools are called through the call path")
        facts = facts_within(outer, ctx.principal, timeout=outer.deadline - self._monotonic())
        facts = replace(facts, door=door)
        if ctx.door != LOCAL:
            facts = replace(facts, report=outer.report, partner=outer.partner)
        reply = await outer.gateway.call(target, parameters, facts)
        if reply.metadata is not None and reply.metadata.chosen is not None:
            outer.chosen = dict(reply.metadata.chosen)
        if reply.error is not None:
            raise own(reply.error)  # who names a target hears why it could not be called
        return reply.data
