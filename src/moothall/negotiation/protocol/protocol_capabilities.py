"""The capabilities ``protocols.*``: agreements of this node's agents with others, for its owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import InvalidInput, ServiceNotFoundError, Told
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.parties import Calls
from moothall.negotiation.protocol.requesting import ProtocolRequests, transcript_in
from moothall.negotiation.protocol.spoken import Speaker, SpokenProtocol

SECONDS = 3600.0
"""More than a negotiation takes; its own limits decide."""

Name = Annotated[str, Field(max_length=200)]
Did = Annotated[str, Field(min_length=8, max_length=1_024, pattern="^did:")]
Digest = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
Words = Annotated[str, Field(max_length=16_384)]


class ProtocolCapabilities:
    """What the owner of a node can do about protocols.

    Args:
        requests: finds, negotiates and speaks them.
        did: the DID of an agent of this node, by its name; empty: there is none.
        calls: makes calls as such an agent.
        default: the agent that is meant where none is named.
    """

    def __init__(self, requests: ProtocolRequests, did: Callable[[str], str], calls: Calls, default: str) -> None:
        self._requests = requests
        self._did = did
        self._calls = calls
        self._default = default

    @capability(name="protocols.negotiate", timeout=SECONDS, ai_optimized=False)
    async def negotiate(  # noqa: PLR0913 - the members of a need, by name
        self,
        ctx: CallContext,
        peer: Did,
        requirement: Words,
        *,
        input_schema: JsonObject | None = None,
        output_schema: JsonObject | None = None,
        input_description: Words = "",
        output_description: Words = "",
        agent: Name = "",
    ) -> SpokenProtocol:
        """Have a protocol with another agent for a need: one that there is, or one that is negotiated now.

        Args:
            ctx: who calls.
            peer: the other agent's DID.
            requirement: what should be done, in words.
            input_schema: JSON Schema of what can be given.
            output_schema: JSON Schema of what is wanted.
            input_description: the same in words, where there is no schema.
            output_description: the same.
            agent: of this node, in whose name it is done; empty: the node's own.

        Raises:
            MoothallError: as `ProtocolRequests.obtain`.
        """
        need = _need(requirement, input_description, output_description, input_schema, output_schema)
        return await self._requests.obtain(self._speaker(agent), peer, need, ctx.deadline)

    @capability(name="protocols.ask", timeout=120.0, ai_optimized=False)
    async def ask(self, peer: Did, protocol: Digest, arguments: dict[str, Any], agent: Name = "") -> Any:  # noqa: ANN401 - JSON
        """Ask another agent something in a protocol that was agreed on with it.

        Args:
            peer: the other agent's DID.
            protocol: ``sha256:…`` of the protocol.
            arguments: what is given.
            agent: of this node, in whose name it is done; empty: the node's own.

        Raises:
            MoothallError: as `ProtocolRequests.speak`; ServiceNotFoundError: nothing such was agreed on.
        """
        speaker = self._speaker(agent)
        spoken = await self._requests.agreed(speaker, peer, protocol)
        return await self._requests.speak(speaker, spoken, arguments)

    @capability(name="protocols.list", idempotent=True, read_only=True)
    async def agreements(self, agent: Name = "") -> list[JsonObject]:
        """List what an agent of this node has agreed on with others, the newest first."""
        found = await self._requests.agreements(self._speaker(agent).did)
        return [{"peer": each.peer, "need": each.need, "protocol": each.protocol} for each in found]

    @capability(name="protocols.show", idempotent=True, read_only=True)
    async def show(self, protocol: Digest, agent: Name = "") -> JsonObject:
        """Show an agreed protocol: its document, its description, and the signed conversation that led to it."""
        speaker = self._speaker(agent)
        for each in await self._requests.agreements(speaker.did):
            if each.protocol == protocol:
                kept = await self._requests.protocol(protocol)
                said = {"peer": each.peer, "need": each.need, "transcript": transcript_in(each)}
                return {"protocol": protocol, "document": kept.document, "artifact": kept.artifact, **said}
        raise ServiceNotFoundError("no such protocol", told=Told("agreeing.front_unknown"))

    def _speaker(self, agent: str) -> Speaker:
        name = agent or self._default
        did = self._did(name)
        if not did:
            raise ServiceNotFoundError("there is no such agent", told=Told("agreeing.front_agent"))
        return Speaker(name=name, did=did, calls=lambda target, params: self._calls(name, target, params))


def _need(
    requirement: str, given: str, wanted: str, input_schema: JsonObject | None, output_schema: JsonObject | None
) -> Need:
    if not requirement.strip():
        raise InvalidInput("the requirement is empty", told=Told("agreeing.front_intent"))
    return Need(
        requirement=requirement,
        input_description=given,
        output_description=wanted,
        input_schema=input_schema,
        output_schema=output_schema,
    )
