"""Calls of agents of this very node: through the call path, without a request to ourselves, and with its checks.

Whoever knows the DID of an agent here is no more than it was: its own identity is what the call path checks, not that
of the agent that would have signed a request.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from moothall.calls.ports import Admitted, CallFacts, Gateway, Outgoing, Params
from moothall.calls.reply import Item, Reply
from moothall.calls.request_ids import fresh
from moothall.capability.spec import JsonObject
from moothall.errors import InternalError, ServiceNotFoundError, Told, ValidationError
from moothall.identity.principal import Principal
from moothall.negotiation.protocol.bodies import METHODS
from moothall.protocols.anp.acquaintances import presented
from moothall.protocols.anp.hosted import HostedAgent
from moothall.protocols.anp.negotiating import Holds, arguments, belongs, held, target_of
from moothall.protocols.anp.published import Published
from moothall.protocols.anp.route import DOOR
from moothall.protocols.readers import seen_by


class OwnAgents:
    """The agents of this node, called by their DIDs.

    Args:
        gateway: the call path; asked for at each call, since that knows its connectors before they know it.
        published: what is told of them.
        principals: who an agent is as a caller, by its name.
        holds: holds calls against the agreements that they quote; None where nothing is agreed.
    """

    def __init__(
        self,
        gateway: Callable[[], Gateway],
        published: Published,
        principals: Callable[[str], Principal],
        holds: Holds | None = None,
    ) -> None:
        self._gateway = gateway
        self._published = published
        self._principals = principals
        self._holds = holds

    def find(self, did: str) -> HostedAgent | None:
        """The agent of this node with this DID."""
        return self._published.agent_of(did)

    async def call(self, agent: HostedAgent, outgoing: Outgoing) -> Any:  # noqa: ANN401 - JSON of any shape
        """Call one of its methods, as whoever makes the call; without one, as the agent that sends it."""
        admitted = await self._admit(agent, outgoing)
        reply = await self._gateway().run(admitted, await self._arguments(agent, admitted, outgoing))
        if reply.error is not None:
            raise reply.error
        return reply.data

    async def stream(self, agent: HostedAgent, outgoing: Outgoing) -> AsyncGenerator[Any]:
        """The same, value by value."""
        admitted = await self._admit(agent, outgoing)
        chunks = self._gateway().stream(admitted, await self._arguments(agent, admitted, outgoing))
        async with aclosing(chunks) as arriving:  # type: ignore[type-var]
            async for chunk in arriving:
                if isinstance(chunk, Reply):
                    if chunk.error is not None:
                        raise chunk.error
                    return
                if isinstance(chunk, Item):
                    yield chunk.value
                elif outgoing.report is not None:
                    await outgoing.report(chunk)
        raise InternalError("a stream ended without its reply", told=Told("protocols.failed"))

    async def describe(self, agent: HostedAgent, reader: str) -> JsonObject:
        """What it tells another agent of this node of itself.

        Raises:
            StorageError: the store cannot say what that one may know.
        """
        seen = await seen_by(self._gateway(), self._principals(reader), DOOR)
        description = json.loads(self._published.description(agent, seen).body)
        interface = json.loads(self._published.interface(agent, seen).body)
        return presented(description, interface, agent.identity.document).described()

    async def _admit(self, agent: HostedAgent, outgoing: Outgoing) -> Admitted:
        facts = CallFacts(
            door=DOOR,
            principal=outgoing.principal or self._principals(outgoing.agent),
            request_id=fresh(),
            timeout=outgoing.timeout,
            hops=outgoing.hops,
            idempotency_key=outgoing.idempotency_key,
            address=outgoing.address,
            report=outgoing.report,
            approval=outgoing.approval,
            purpose=outgoing.purpose,
        )
        try:
            target = target_of(agent.name, outgoing.target.operation)
        except ValidationError as error:
            raise _unknown() from error
        admitted = await self._gateway().admit(target, facts)
        if not belongs(admitted.entry, agent.name, outgoing.target.operation):
            raise _unknown()
        return admitted

    async def _arguments(self, agent: HostedAgent, admitted: Admitted, outgoing: Outgoing) -> Params:
        method = outgoing.target.operation
        if method in METHODS:
            return arguments(agent.name, method, outgoing.params)
        params = await held(admitted, outgoing.params, self._holds)
        return (
            admitted.entry.locate(params) if params is not outgoing.params and isinstance(params, Mapping) else params
        )


def _unknown() -> ServiceNotFoundError:
    return ServiceNotFoundError("the agent has no such method", told=Told("anp.no_method", hint="anp.hint_method"))
