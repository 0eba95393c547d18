"""Links of the groups of one node, put together."""

from __future__ import annotations

from collections.abc import Sequence

from moothall.clock import Clock
from moothall.groups.links.broker import CommunicationBroker
from moothall.groups.links.capabilities import LinkCapabilities
from moothall.groups.links.channels import LinkedChannels
from moothall.groups.links.communication import GroupRegistry, InterGroupCommunication, InterGroupPolicies
from moothall.groups.links.ending import Ending
from moothall.groups.links.letting import at
from moothall.groups.links.register import Links
from moothall.groups.store import GroupStore
from moothall.groups.talk import Talk


class Linking:
    """The room of links.

    Attributes:
        links: proposed, agreed to, closed.
        communication: what passes over them.
    """

    def __init__(self, store: GroupStore, talk: Talk, clock: Clock) -> None:
        channels = LinkedChannels(talk, clock.monotonic)
        self.links = Links(store)
        self.communication = InterGroupCommunication(
            group_registry=GroupRegistry(store),
            inter_group_policies=InterGroupPolicies(clock),
            communication_broker=CommunicationBroker(channels.deliver, self.links, clock),
            links=self.links,
            received=channels.received,
            identity=talk.groups.identity,
        )
        self.capabilities: Sequence[object] = (LinkCapabilities(self.communication),)
        self._ending = Ending(store)
        store.let_in(at(clock.now))

    def start(self) -> None:
        """Begin to close the links whose time is up."""
        self._ending.start()

    async def rest(self) -> None:
        """Stop."""
        await self._ending.aclose()
