"""The ANP room of one node, put together: a connector first, since the call path needs it, then the door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from moothall.calls.ports import Gateway
from moothall.capability.registry import Snapshot
from moothall.clock import Clock
from moothall.identity.egress import Egress
from moothall.identity.principal import Principal
from moothall.protocols.anp.acquaintances import Acquaintances
from moothall.protocols.anp.connector import AnpConnector
from moothall.protocols.anp.crawler import Crawler
from moothall.protocols.anp.door import AnpDoor
from moothall.protocols.anp.fetched import FetchedDocuments
from moothall.protocols.anp.frames_place import FramesPlaces
from moothall.protocols.anp.hosted import Hosted
from moothall.protocols.anp.negotiating import Holds
from moothall.protocols.anp.own import OwnAgents
from moothall.protocols.anp.published import Published, no_frames
from moothall.protocols.anp.sessions import Resolves, Sessions
from moothall.protocols.anp.terms import Terms


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the room stands on.

    Attributes:
        snapshot: the capabilities as they are now.
        hosted: the agents as they are now.
        base: the address of the node, ``https://HOST[:PORT]``, without a slash at its end.
        gateway: the call path, which may be made after this.
        principals: who an agent of this node is as a caller, by its name.
        sessions: signs what an agent sends.
        openapi: the path of the OpenAPI document of the plain HTTP door; empty where there is none.
        frames: the address at which an agent negotiates in frames, by its name; empty where it does not.
        holds: holds calls against the agreements that they quote; None where nothing is agreed.
    """

    snapshot: Callable[[], Snapshot]
    hosted: Hosted
    base: str
    gateway: Callable[[], Gateway]
    principals: Callable[[str], Principal]
    sessions: Sessions
    egress: Egress
    resolver: Resolves
    clock: Clock
    openapi: str = "/openapi.json"
    frames: Callable[[str], str] = no_frames
    holds: Holds | None = None


class AnpRoom:
    """The parts.

    Attributes:
        published: the documents of this node's agents.
        connector: calls agents by their DIDs.
        others: finds out about agents elsewhere.
        crawler: finds agents by their domains.
        frames_places: finds where agents are talked to over frames.
    """

    def __init__(self, ground: Ground) -> None:
        self._gateway = ground.gateway
        self._holds = ground.holds
        self._documents = FetchedDocuments(ground.egress, ground.sessions, ground.clock)
        self.others = Acquaintances(self._documents, ground.resolver, ground.base)
        self.published = Published(
            ground.snapshot,
            ground.hosted,
            ground.base,
            ground.clock,
            openapi=ground.openapi,
            frames=ground.frames,
        )
        own = OwnAgents(ground.gateway, self.published, ground.principals, ground.holds)
        self.connector = AnpConnector(own, self.others, ground.sessions)
        self.crawler = Crawler(ground.egress, self.others)
        self.frames_places = FramesPlaces(self._documents, ground.resolver)

    def door(self, terms: Terms) -> AnpDoor:
        """The door; the call path must be there by now."""
        return AnpDoor(self._gateway(), self.published, terms, self._holds)

    async def aclose(self) -> None:
        """Give up what is being fetched."""
        await self._documents.aclose()
