"""Calls that a running capability makes: as its caller or as its agent, with what is left of its time and hops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from moothall.calls.call import Call
from moothall.calls.inner import facts_within, got, value_of, values_of
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.streaming import closing
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.errors import MoothallError


class Nested:
    """Makes them through the call path, so that everything that holds for a call holds for them."""

    def __init__(self, gateway: Gateway, terms: Terms, monotonic: Callable[[], float]) -> None:
        self.gateway = gateway
        self._agents = terms.agents
        self._monotonic = monotonic

    async def call(
        self, call: Call, target: str, params: Mapping[str, Any], *, as_agent: bool, approval: str = ""
    ) -> Any:  # noqa: ANN401
        """Call a target and return its value.

        Raises:
            MoothallError: the error of that call.
        """
        facts = self._facts(call, as_agent=as_agent, approval=approval)
        return value_of(await self.gateway.call(Target.parse(target), params, facts), call)

    async def stream(self, call: Call, target: str, params: Mapping[str, Any], *, as_agent: bool) -> AsyncIterator[Any]:
        """Call a target and yield its values.

        Raises:
            MoothallError: the error of that call.
        """
        parsed = Target.parse(target)
        try:
            admitted = await self.gateway.admit(parsed, self._facts(call, as_agent=as_agent))
        except MoothallError as error:
            got(error, call)
            raise
        async with closing(values_of(self.gateway, admitted, params, call)) as values:
            async for value in values:
                yield value

    def _facts(self, call: Call, *, as_agent: bool, approval: str = "") -> CallFacts:
        principal = self._agents(call.entry.agent) if as_agent else call.facts.principal
        left = call.deadline - self._monotonic()
        return facts_within(call, principal, timeout=left, approval=approval, as_agent=as_agent)
