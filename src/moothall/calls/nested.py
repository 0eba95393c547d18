"""Calls that a running capability makes: as its caller or as its agent, with what is left of its time and hops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from moothall.calls.call import LOCAL, Call
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.reply import Item, Progress
from moothall.calls.request_ids import fresh
from moothall.calls.streaming import closing
from moothall.calls.target import Target
from moothall.calls.terms import Terms


class Nested:
    """Makes them through the call path, so that everything that holds for a call holds for them."""

    def __init__(self, gateway: Gateway, terms: Terms, monotonic: Callable[[], float]) -> None:
        self._gateway = gateway
        self._agents = terms.agents
        self._monotonic = monotonic

    async def call(self, call: Call, target: str, params: Mapping[str, Any], *, as_agent: bool) -> Any:  # noqa: ANN401
        """Call a target and return its value.

        Raises:
            MoothallError: the error of that call.
        """
        reply = await self._gateway.call(Target.parse(target), params, self._facts(call, as_agent=as_agent))
        if reply.error is not None:
            raise reply.error
        return reply.data

    async def stream(self, call: Call, target: str, params: Mapping[str, Any], *, as_agent: bool) -> AsyncIterator[Any]:
        """Call a target and yield its values.

        Raises:
            MoothallError: the error of that call.
        """
        admitted = await self._gateway.admit(Target.parse(target), self._facts(call, as_agent=as_agent))
        async with closing(self._gateway.stream(admitted, params)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Item):
                    yield chunk.value
                elif not isinstance(chunk, Progress):
                    if chunk.error is not None:
                        raise chunk.error
                    if not admitted.entry.streams:
                        yield chunk.data

    def _facts(self, call: Call, *, as_agent: bool) -> CallFacts:
        facts, agent = call.facts, call.entry.agent
        return CallFacts(
            door=LOCAL,
            principal=self._agents(agent) if as_agent else facts.principal,
            request_id=fresh(),
            timeout=call.deadline - self._monotonic(),
            hops=facts.hops + 1,
            address=facts.address,
            agent=agent,
            parent=call.request_id,
        )
