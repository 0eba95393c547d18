"""The master agent of one node, and agents of another: found, called, gone (rows MCA-07, MCA-09)."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from moothall import Agent, capability
from moothall.calls.hub import using
from moothall.capability.context import CallContext
from moothall.clock import SystemClock
from moothall.errors import PermissionDeniedError, ServiceNotFoundError
from moothall.groups.master.agent import MasterControlAgent
from moothall.groups.master.ground import MasterGround
from moothall.groups.master.rules import ServiceRule
from moothall.groups.master.services import UnifiedServiceRegistry, service_id
from tests.groups.master.quarters import GROUP, caller, member, rule
from tests.protocols.finding.nodes import listening, node, port_of, served
from tests.support.clock import ManualClock

ANN, BEN = caller("ann"), caller("ben")
MINUTE = 60


class Days(ManualClock, SystemClock):
    """A clock that the test moves; what only waits is not held up."""

    sleep_until = SystemClock.sleep_until

    def monotonic(self) -> float:
        return SystemClock.monotonic(self) + ManualClock.monotonic(self)


@capability(access="public", auth=False, read_only=True)
async def exchange_rate(ctx: CallContext, currency: str) -> dict[str, str]:
    """What a currency costs in yuan."""
    return {"currency": currency, "asked_by": ctx.principal.id}


@capability(access="public", auth=False, read_only=True)
async def forecast(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


@pytest.mark.requirement("MCA-07", "MCA-09")
async def test_an_agent_of_another_node_appears_is_called_and_drops_out(tmp_path: Path) -> None:
    days, minutes = Days(), ManualClock()
    async with AsyncExitStack() as stack:
        there, here = stack.enter_context(listening()), stack.enter_context(listening())
        far = node(tmp_path / "far", there, port_of(here), clock=days)
        near = node(tmp_path / "near", here, port_of(there), clock=days, refresh_interval=3600.0)
        far.add(Agent("weather", forecast))
        await stack.enter_async_context(served(near, here))
        await near.host.finding.rest()  # nobody but the master agent looks
        far_stack = await stack.enter_async_context(AsyncExitStack())
        await far_stack.enter_async_context(served(far, there))
        await near.host.finding.crawl(f"localhost:{port_of(there)}")
        found: MasterGround = near.host.path.parts[MasterGround]
        ground = replace(found, clock=minutes)
        registry = UnifiedServiceRegistry(ground.store, minutes)
        with using(near):
            master = MasterControlAgent("control", ground=ground, service_registry=registry)
            await master.setup_permission_group(GROUP)
        await member(near, "ann")
        await member(near, "ben")

        async def listed() -> set[str]:
            """The services that are listed, beside the search that every node offers everybody."""
            return {service.id for service in await registry.services() if service.name != "search"}

        async def look() -> set[str]:
            """Let an interval go by; the services that are listed then."""
            await minutes.sleeping(2)
            await days.advance(MINUTE)
            await minutes.advance(MINUTE)
            await minutes.sleeping(2)  # both looks have ended
            return await listed()

        await master.start_service_discovery(MINUTE)
        weather = service_id(far.host.hosted["weather"].did, "forecast")
        assert await listed() == {weather}

        await far.join(Agent("money", exchange_rate))
        money = service_id(far.host.hosted["money"].did, "exchange_rate")
        assert await look() == {weather, money}

        await rule(near, ServiceRule(service=money, members=(ANN.id,)))
        answer = await master.route_service_request(ANN, money, {"currency": "EUR"})
        assert answer == {"currency": "EUR", "asked_by": master.did_here}
        with pytest.raises(PermissionDeniedError):
            await master.route_service_request(BEN, money, {"currency": "EUR"})

        await far_stack.aclose()
        assert await look() == set()
        with pytest.raises(ServiceNotFoundError):
            await master.route_service_request(ANN, money, {"currency": "EUR"})
