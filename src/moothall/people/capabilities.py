"""What people do with their own agents and profiles through this node: the capabilities ``people.*``.

Each asks the principal who it is; ``person`` names whom it is about, the caller itself where it is empty. Nobody but
the person and the node's operator gets any answer about somebody.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.spec import Access
from moothall.errors import InvalidInput, ServiceNotFoundError, Told
from moothall.people.agents import UserAgent
from moothall.people.facts import AgentStatus
from moothall.people.house import People
from moothall.people.parties import person_named
from moothall.people.profile import PersonPolicy, UserProfile, Verification
from moothall.people.relations import Kind, Relation
from moothall.people.roles import DEFAULT
from moothall.people.texts import Text

ANYBODY: Final[Access] = "authenticated"
"""Who may call: everybody who is somebody; what they may is decided in place, by the rows that it is about."""

Trust = Annotated[int, Field(ge=1, le=10)]
Clearance = Annotated[int, Field(ge=0, le=3)]


class PeopleCapabilities:
    """The capabilities ``people.*`` of a node."""

    def __init__(self, people: People) -> None:
        self._people = people

    @capability(name="people.profile", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def profile(self, ctx: CallContext, person: Text = "") -> UserProfile:
        """The profile of a person, for the person and the operator."""
        name = _whom(ctx, person)
        found = await self._people.profiles.get(name, by=ctx.principal)
        if found is None:
            raise ServiceNotFoundError("nobody of that name has a profile", told=Told("people.no_profile"))
        return found

    @capability(name="people.update", access=ANYBODY, action="manage", idempotent=True)
    async def update(
        self,
        ctx: CallContext,
        person: Text = "",
        display_name: Text | None = None,
        email: Text | None = None,
        phone: Text | None = None,
        preferences: dict[str, Any] | None = None,
    ) -> UserProfile:
        """Change what a person says of itself; what is left out stays."""
        ctx.firsthand()
        return await self._people.profiles.update(
            _whom(ctx, person),
            display_name=display_name,
            email=email,
            phone=phone,
            preferences=preferences,
            by=ctx.principal,
        )

    @capability(name="people.verify", access=ANYBODY, action="manage", idempotent=True)
    async def verify(self, ctx: CallContext, status: Verification, person: Text = "") -> UserProfile:
        """Move a verification: the person asks for it (`pending`), the operator says `verified`."""
        ctx.firsthand()
        return await self._people.profiles.verify(_whom(ctx, person), status, by=ctx.principal)

    @capability(name="people.rate", access=ANYBODY, action="manage", idempotent=True)
    async def rate(self, ctx: CallContext, person: Text, trust: Trust) -> UserProfile:
        """Say how far this node trusts a person, as its operator."""
        ctx.firsthand()
        return await self._people.profiles.rate(person, trust, by=ctx.principal)

    @capability(name="people.remove", access=ANYBODY, action="manage", destructive=True, idempotent=True)
    async def remove(self, ctx: CallContext, person: Text) -> bool:
        """Forget a person with all that belongs to it, as the operator; false where nothing was known."""
        ctx.firsthand()
        return await self._people.profiles.remove(person, by=ctx.principal)

    @capability(name="people.policy", access=ANYBODY, action="manage", idempotent=True)
    async def policy(self, ctx: CallContext, allow_cross_agent_calls: bool, person: Text = "") -> PersonPolicy:  # noqa: FBT001
        """Let the agents of a person read from each other beyond their roles, or not."""
        ctx.firsthand()
        policy = PersonPolicy(allow_cross_agent_calls=allow_cross_agent_calls)
        return await self._people.profiles.set_policy(_whom(ctx, person), policy, by=ctx.principal)

    @capability(name="people.agents", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def agents(self, ctx: CallContext, person: Text = "") -> list[UserAgent]:
        """The agents of a person, the oldest first, for the person and the operator."""
        name = _whom(ctx, person)
        await self._people.profiles.get(name, by=ctx.principal)  # asks whether the caller may
        return await self._people.identities.get_user_agents(name)

    @capability(name="people.register", access=ANYBODY, action="manage", idempotent=True)
    async def register(
        self,
        ctx: CallContext,
        agent_did: Text,
        agent_role: Text = DEFAULT,
        environment: Text = "",
        proof: Text = "",
        person: Text = "",
    ) -> UserAgent:
        """Let an agent act for a person; the proof is a statement that the agent's key signed."""
        ctx.firsthand()
        return await self._people.identities.register_user_agent(
            _whom(ctx, person), agent_did, agent_role, environment=environment, proof=proof, by=ctx.principal
        )

    @capability(name="people.prove", access=ANYBODY, action="manage", idempotent=True)
    async def prove(self, ctx: CallContext, agent: Text, person: Text, audience: Text) -> str:
        """A proof, as this node's operator, to register an agent of it at another one; it counts for five minutes.

        It names the person there, and the other node by its address.
        """
        ctx.firsthand()
        return self._people.identities.control.prove(agent, person, audience.rstrip("/"), ctx.principal)

    @capability(name="people.change_agent", access=ANYBODY, action="manage", idempotent=True)
    async def change_agent(
        self,
        ctx: CallContext,
        agent_did: Text,
        role: Text | None = None,
        environment: Text | None = None,
        status: AgentStatus | None = None,
        clearance: Clearance | None = None,
    ) -> UserAgent:
        """Change the role, environment or status of an agent; its clearance is given by the operator."""
        ctx.firsthand()
        return await self._people.identities.change_user_agent(
            agent_did, role=role, environment=environment, status=status, clearance=clearance, by=ctx.principal
        )

    @capability(name="people.unregister", access=ANYBODY, action="manage", destructive=True, idempotent=True)
    async def unregister(self, ctx: CallContext, agent_did: Text) -> bool:
        """Let an agent act for nobody any more; false where it did not."""
        ctx.firsthand()
        return await self._people.identities.unregister_user_agent(agent_did, by=ctx.principal)

    @capability(name="people.relations", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def relations(self, ctx: CallContext, kind: Kind, person: Text = "", after: Text = "") -> list[Relation]:
        """Whom a person trusts, blocks, or consented to; the next 200 after a subject."""
        return await self._people.relations.of(_whom(ctx, person), kind, after=after, by=ctx.principal)

    @capability(name="people.relate", access=ANYBODY, action="manage", idempotent=True)
    async def relate(
        self, ctx: CallContext, kind: Kind, subject: Text, level: Trust | Literal[0] = 0, person: Text = ""
    ) -> Relation:
        """Trust somebody (a level of 1 to 10), let it have what is personal (`consent`), or refuse it (`block`)."""
        ctx.firsthand()
        return await self._people.relations.relate(_whom(ctx, person), kind, subject, level, by=ctx.principal)

    @capability(name="people.unrelate", access=ANYBODY, action="manage", destructive=True, idempotent=True)
    async def unrelate(self, ctx: CallContext, kind: Kind, subject: Text, person: Text = "") -> bool:
        """Take that back; false where it was not so."""
        ctx.firsthand()
        return await self._people.relations.unrelate(_whom(ctx, person), kind, subject, by=ctx.principal)


def _whom(ctx: CallContext, person: str) -> str:
    name = person or person_named(ctx.principal.id)
    if not name:
        raise InvalidInput("say which person it is about", told=Told("people.which"))
    return name
