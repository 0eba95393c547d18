"""Calls of agents by their DIDs: targets ``did:wba:…#OPERATION`` and source ``did`` (rows CAL-04, DEC-15)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from moothall.calls.ports import Outgoing
from moothall.calls.target import Target
from moothall.capability.spec import JsonObject
from moothall.protocols.anp import client
from moothall.protocols.anp.acquaintances import Acquaintances
from moothall.protocols.anp.own import OwnAgents
from moothall.protocols.anp.remote import RemoteMethod
from moothall.protocols.anp.sessions import Sessions, session_of


class AnpConnector:
    """The connector of one node.

    Args:
        own: the agents of this node, which are called without a request.
        others: finds out about all others.
        sessions: signs the calls of this node's agents.
    """

    schemes: tuple[str, ...] = ("did",)

    def __init__(self, own: OwnAgents, others: Acquaintances, sessions: Sessions) -> None:
        self._own = own
        self._others = others
        self._sessions = sessions

    async def call(self, outgoing: Outgoing) -> Any:  # noqa: ANN401 - JSON of any shape
        """Make the call and return its value, as JSON; of one that streams, the list of its values."""
        own = self._own.find(outgoing.target.address)
        if own is not None:
            return await self._own.call(own, outgoing)
        return await client.call(session_of(self._sessions, outgoing.agent), await self._method(outgoing), outgoing)

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        """Make the call and yield its values; those of a list, where the far side does not stream."""
        own = self._own.find(outgoing.target.address)
        if own is not None:
            values: AsyncGenerator[Any] = self._own.stream(own, outgoing)
        else:
            values = client.stream(session_of(self._sessions, outgoing.agent), await self._method(outgoing), outgoing)
        async with aclosing(values) as arriving:
            async for value in arriving:
                yield value

    async def describe(self, target: Target, agent: str) -> JsonObject:
        """What there is at a DID: name, description, what its proof is worth, operations with their schemas."""
        own = self._own.find(target.address)
        if own is not None:
            return await self._own.describe(own, agent)
        return (await self._others.of(target.address, agent)).described()

    async def _method(self, outgoing: Outgoing) -> RemoteMethod:
        return await self._others.operation(outgoing.target.address, outgoing.target.operation, outgoing.agent)
