"""The front door as capabilities of the node's own agent; ``agent`` is whom the door was asked for.

A call of ``anp.negotiate`` at the call route of any agent of the node arrives here, so that identity, policy, limits
and the audit trail are those of every other call.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, WithJsonSchema

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.negotiation.protocol.authorizing import CONCLUDE
from moothall.negotiation.protocol.bodies import GET_CAPABILITIES, NEGOTIATE, NegotiateBody, NegotiateMeta
from moothall.negotiation.protocol.desk import NegotiationDesk
from moothall.negotiation.protocol.inlining import inlined
from moothall.negotiation.protocol.needs import JsonObject

SECONDS: Final = 120.0
"""More than a request of drafting waits for the other side's next message."""

RATE: Final = "600/minute"
"""Requests of one caller; a negotiation takes about ten, and three a minute while it waits."""

Name = Annotated[str, Field(max_length=200)]
Meta = Annotated[dict[str, Any], WithJsonSchema(inlined(NegotiateMeta.model_json_schema()))]
Body = Annotated[dict[str, Any], WithJsonSchema(inlined(NegotiateBody.model_json_schema()))]


class FrontCapabilities:
    """The capabilities ``anp.*`` of a node."""

    def __init__(self, desk: NegotiationDesk) -> None:
        self._desk = desk

    @capability(
        name=GET_CAPABILITIES,
        access="authenticated",
        idempotent=True,
        read_only=True,
        tags=("anp",),
        ai_optimized=False,
    )
    async def get_capabilities(self, agent: Name = "") -> JsonObject:
        """Tell which profiles, security and content types an agent's endpoint has, and its limits (ANP-06 1.2).

        Args:
            agent: whose; empty: the node's own.
        """
        return self._desk.capabilities(agent).model_dump(mode="json")

    @capability(
        name=NEGOTIATE, access="authenticated", timeout=SECONDS, rate_limit=RATE, tags=("anp",), ai_optimized=False
    )
    async def negotiate(
        self, ctx: CallContext, meta: Meta, body: Body, auth: dict[str, Any] | None = None, agent: Name = ""
    ) -> JsonObject:
        """Agree on which interface, schemas, security and way of execution a later call uses (ANP-06 1.2).

        Args:
            ctx: who calls.
            meta: who asks whom, and what tells the request from others.
            body: what is wanted, and under which conditions.
            auth: ``origin_proof``, over method, meta and body.
            agent: who is asked; empty: the node's own.

        Raises:
            MoothallError: as `NegotiationDesk.negotiate`.
        """
        reply = await self._desk.negotiate(ctx.principal, agent, meta, body, auth or {})
        return reply.wire()

    @capability(name=CONCLUDE, access="authenticated", expose_to="local", approval=True, ai_optimized=False)
    async def conclude(
        self, ctx: CallContext, agent: Name, negotiation: Name, security: Name, body: dict[str, Any]
    ) -> str:
        """Make an agreement that waits for a person; the digest of what is agreed.

        Raises:
            MoothallError: as `NegotiationDesk.conclude`.
        """
        return await self._desk.conclude(ctx.principal, agent, negotiation, security, body)
