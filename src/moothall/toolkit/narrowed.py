"""A gateway that shows some of the capabilities of a node; about those that it shows, the node decides as ever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from moothall.calls.ports import Admitted, CallFacts, Gateway, Params
from moothall.calls.reply import Chunk, Reply
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.capability.entry import Entry
from moothall.capability.registry import Snapshot
from moothall.clock import Clock
from moothall.errors import MoothallError, ServiceNotFoundError, Told
from moothall.identity.principal import Principal
from moothall.identity.request import HttpRequest


class NarrowedGateway:
    """The call path of a node, for those of its capabilities that fit.

    Args:
        gateway: the call path.
        fits: whether a capability is shown.
        clock: for the replies of calls that go no further.
    """

    def __init__(self, gateway: Gateway, fits: Callable[[Entry], bool], clock: Clock) -> None:
        self._gateway = gateway
        self._fits = fits
        self._clock = clock

    @property
    def snapshot(self) -> Snapshot:
        """The capabilities as they are now, all of them: names depend on all."""
        return self._gateway.snapshot

    async def authenticate(self, request: HttpRequest) -> Principal:
        """Who sent a request; raises as `Gateway.authenticate`."""
        return await self._gateway.authenticate(request)

    async def visible(self, principal: Principal, door: str) -> tuple[Entry, ...]:
        """What is shown of that which a principal may call at a door; raises as `Gateway.visible`."""
        return tuple(entry for entry in await self._gateway.visible(principal, door) if self._fits(entry))

    async def admit(self, target: Target, facts: CallFacts) -> Admitted:
        """Let a call of something that is shown go on; raises as `Gateway.admit`."""
        entry = self.snapshot.find(target.address, target.version) if target.scheme == "local" else None
        if entry is None or not self._fits(entry):
            raise ServiceNotFoundError("no such capability", told=Told("calls.not_found"))
        return await self._gateway.admit(target, facts)

    async def run(self, admitted: Admitted, params: Params) -> Reply[Any]:
        """Make a call that was admitted."""
        return await self._gateway.run(admitted, params)

    def stream(self, admitted: Admitted, params: Params) -> AsyncIterator[Chunk]:
        """The same, value by value."""
        return self._gateway.stream(admitted, params)

    async def call(self, target: Target, params: Params, facts: CallFacts) -> Reply[Any]:
        """Admit and run; every failure is in the reply."""
        try:
            admitted = await self.admit(target, facts)
        except MoothallError as error:
            return Reply(request_id=facts.request_id or fresh(), timestamp=self._clock.now(), error=error)
        return await self.run(admitted, params)

    async def approved(self, approval: str, until: float) -> Reply[Any]:
        """What a call gave that was approved; raises as `Gateway.approved`."""
        return await self._gateway.approved(approval, until)
