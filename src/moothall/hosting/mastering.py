"""What master agents and secondary authorization stand on at one node."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Final

from moothall.capability.agents import Agent
from moothall.capability.entry import Entry
from moothall.capability.service_registry import ServiceInfo
from moothall.directory.finding.local import house as house_names
from moothall.directory.listing import Listing
from moothall.groups.master.ground import Elsewhere, MasterGround
from moothall.groups.master.proof import Control
from moothall.groups.master.services import NET
from moothall.groups.secondary.ground import SecondaryGround
from moothall.groups.secondary.withdrawing import Withdrawing
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.policy.named.checks import PermissionManager

if TYPE_CHECKING:
    from moothall.hosting.host import AgentHost
    from moothall.hosting.house import House

_MOST: Final = 10_000
"""Listings that are looked through."""


def master_ground(host: AgentHost, house: House) -> MasterGround:
    """The ground of the master agents of a host; they find it by the current hub, as does secondary authorization."""
    office = host.office

    async def join(agent: Agent) -> None:
        await host.join(agent)

    async def found(*, afresh: bool) -> Iterable[Elsewhere]:
        if afresh:
            await host.finding.desk.refresh_due(early=True)
        store = host.finding.store
        well = {place.url for place in await store.places() if not place.failures}
        every_node = house_names(host.capabilities.snapshot, host.own)
        return _elsewhere(await store.listings(standing="listed", most=_MOST), well, every_node)

    def find(name: str, /) -> Entry | None:
        return host.capabilities.snapshot.find(name)

    host.grouping.groups.on_leave(Withdrawing(host.authority.grants))
    host.path.parts[SecondaryGround] = SecondaryGround(
        groups=host.grouping.groups,
        engine=host.authority.engine,
        grants=host.authority.grants,
        desk=host.authority.desk,
        find=find,
        agents=house.agents,
        primary=host.authority.people.identities.get_user_primary_agent,
        callers=house.callers,
    )
    return MasterGround(
        clock=house.clock,
        store=house.store,
        groups=host.grouping.groups,
        channel=host.grouping.talk.channel,
        control=Control(office.place.url, office.resolver, office, office.gatehouse.nonces, house.clock),
        permissions=PermissionManager(host.authority.engine, find),
        gateway=house.path,
        callers=house.callers,
        principals=house.principals,
        agents=house.agents,
        house=DEFAULT_AGENT,
        host=join,
        found=found,
        visit=host.edges.visit,
        allow_legacy=house.settings.allow_legacy_did,
    )


def _elsewhere(listings: Iterable[Listing], well: Container[str], every_node: Container[str]) -> Iterable[Elsewhere]:
    """The capabilities of agents with DIDs, but for those of ``every_node``.

    ``well``: the places that answered when they were read last.
    """
    for listing in listings:
        agent, _, name = listing.target.partition("#")
        if listing.kind == "capability" and listing.way == "anp" and name and name not in every_node:
            info = ServiceInfo(
                name=name,
                description=listing.description,
                parameters=dict(listing.input_schema),
                tags=list(listing.tags),
                capabilities=[NET],
            )
            yield Elsewhere(agent, info, sure=listing.provenance.source in well)
