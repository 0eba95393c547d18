"""Calls of proxies as plain functions (row DEC-15): for the caller of the capability that runs, else for the owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from moothall.calls.call import LOCAL, Call, running
from moothall.calls.inner import facts_within, got, value_of, values_of
from moothall.calls.plan import Ready
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.request_ids import fresh
from moothall.calls.streaming import closing
from moothall.capability.entry import Entry
from moothall.errors import MoothallError
from moothall.identity.principal import OWNER

AdmitEntry = Callable[[Entry, CallFacts], Awaitable[Ready]]
"""Admits the call of an entry that the code of this process holds, whatever its exposure; raises what refuses it."""


class DirectCalls:
    """Makes them on the call path; a proxy is in this process, so that it needs no exposure."""

    def __init__(self, gateway: Gateway, admit: AdmitEntry) -> None:
        self._gateway = gateway
        self._admit = admit

    async def call(self, entry: Entry, params: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Call a capability and return its value.

        Raises:
            MoothallError: why it failed.
        """
        outer = running.get()
        return value_of(await self._gateway.run(await self._admitted(entry, outer), params), outer)

    async def stream(self, entry: Entry, params: Mapping[str, Any]) -> AsyncIterator[Any]:
        """The same, value by value."""
        outer = running.get()
        admitted = await self._admitted(entry, outer)
        async with closing(values_of(self._gateway, admitted, params, outer)) as values:
            async for value in values:
                yield value

    async def _admitted(self, entry: Entry, outer: Call | None) -> Ready:
        if outer is None:
            return await self._admit(entry, CallFacts(door=LOCAL, principal=OWNER, request_id=fresh()))
        try:
            return await self._admit(entry, facts_within(outer, outer.facts.principal))
        except MoothallError as error:
            got(error, outer)
            raise
