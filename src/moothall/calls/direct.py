"""Calls of proxies as plain functions (row DEC-15): for the caller of the capability that runs, else for the owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from moothall.calls.call import LOCAL, running
from moothall.calls.plan import Ready
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.reply import Item, Progress
from moothall.calls.request_ids import fresh
from moothall.calls.streaming import closing
from moothall.capability.entry import Entry
from moothall.identity.principal import OWNER

AdmitEntry = Callable[[Entry, CallFacts], Ready]
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
        reply = await self._gateway.run(self._admit(entry, _facts()), params)
        if reply.error is not None:
            raise reply.error
        return reply.data

    async def stream(self, entry: Entry, params: Mapping[str, Any]) -> AsyncIterator[Any]:
        """The same, value by value."""
        async with closing(self._gateway.stream(self._admit(entry, _facts()), params)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Item):
                    yield chunk.value
                elif not isinstance(chunk, Progress) and chunk.error is not None:
                    raise chunk.error


def _facts() -> CallFacts:
    outer = running.get()
    if outer is None:
        return CallFacts(door=LOCAL, principal=OWNER, request_id=fresh())
    facts = outer.facts
    return CallFacts(
        door=LOCAL,
        principal=facts.principal,
        request_id=fresh(),
        hops=facts.hops + 1,
        address=facts.address,
        agent=outer.entry.agent,
        parent=outer.request_id,
    )
