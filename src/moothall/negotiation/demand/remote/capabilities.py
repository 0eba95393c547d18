"""Agents elsewhere, for the owner and whoever was granted ``agents``: found, allowed, listed, removed."""

from __future__ import annotations

from pydantic import BaseModel, Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.directory.capabilities import PERMISSION
from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.remote.finding import Proposed
from moothall.negotiation.demand.remote.guests import Guest, Guests


class GuestList(BaseModel):
    """Agents elsewhere in order of id."""

    participants: list[Guest]


class ProposedList(BaseModel):
    """Agents elsewhere that could be allowed, those that fit best first."""

    proposed: list[Proposed] = Field(description="each can be allowed by its target")


class ParticipantCapabilities:
    """The capabilities ``participants.*`` of a node."""

    def __init__(self, guests: Guests) -> None:
        self._guests = guests

    @capability(name="participants.add", expose_to="both", permissions=PERMISSION, binding="request", timeout=60)
    async def add(
        self,
        ctx: CallContext,
        target: str,
        offer: str = "",
        review: str = "",
        profile: AgentProfile | None = None,
    ) -> Guest:
        """Let an agent elsewhere take part in negotiations; again: as it describes itself now.

        Args:
            ctx: who allows it.
            target: a DID, ``a2a:…``, ``mcp:SERVER``, or the address of its capabilities.
            offer: the target of its capability `demand.offer`, where that does not follow from its own.
            review: the same for `demand.review`.
            profile: what it is, where it does not say so itself; its id is not used.
        """
        ctx.firsthand()
        return await self._guests.add(ctx.principal.id, target, offer=offer, review=review, profile=profile)

    @capability(name="participants.refresh", expose_to="both", permissions=PERMISSION, binding="request", timeout=60)
    async def refresh(self, ctx: CallContext, agent_id: str) -> Guest:
        """Ask an agent what it is now; until then it is what it was when it was allowed."""
        return await self._guests.refresh(ctx.principal.id, agent_id)

    @capability(name="participants.list", expose_to="both", permissions=PERMISSION, idempotent=True, read_only=True)
    async def list(self) -> GuestList:
        """List the agents elsewhere that take part."""
        return GuestList(participants=await self._guests.all())

    @capability(
        name="participants.remove", expose_to="both", permissions=PERMISSION, binding="request", idempotent=True
    )
    async def remove(self, ctx: CallContext, agent_id: str) -> None:
        """Let an agent take part no more; negotiations under way go on without it."""
        ctx.firsthand()
        await self._guests.remove(agent_id)

    @capability(name="participants.find", expose_to="both", permissions=PERMISSION, idempotent=True, read_only=True)
    async def find(self, query: str = "", limit: int = 20) -> ProposedList:
        """Agents that were found elsewhere and could take part; nothing of them is asked yet.

        Args:
            query: words for what they should do.
            limit: how many at most.
        """
        return ProposedList(proposed=await self._guests.find(query, limit))
