"""Negotiation over frames at one node: its door for those who come, its way to others, and who its agents are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from moothall.calls.ports import Gateway
from moothall.clock import Clock
from moothall.errors import Told, Unavailable
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.office import IdentityOffice, Place
from moothall.negotiation.protocol.limits import MAX_MESSAGE_BYTES
from moothall.protocols.anp.frames_place import FramesPlaces
from moothall.protocols.frames.client import Connected, FramesClient
from moothall.protocols.frames.door import FramesDoor, Introduces, Reception, Terms
from moothall.protocols.frames.proving import Party

_SCHEMES: Final = {"http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """How a node talks over frames.

    Attributes:
        reception: talks to who comes.
        introduces: what its agents say of themselves.
        path: an address of the node's own agent besides ``/agents/node/frames``; empty: none.
    """

    reception: Reception
    introduces: Introduces
    path: str = ""


class FramesRoom:
    """The room; without `Spoken` nobody is let in, and others can be talked to all the same."""

    def __init__(self, office: IdentityOffice, place: Place, places: FramesPlaces, clock: Clock) -> None:
        self._office, self._place, self._clock = office, place, clock
        self._client = FramesClient(office.egress, places.find, clock, MAX_MESSAGE_BYTES)
        self.spoken: Spoken | None = None

    def address(self, agent: str) -> str:
        """Where an agent of this node is talked to; empty where it is not."""
        if self.spoken is None:
            return ""
        own = self.spoken.path if agent == DEFAULT_AGENT else ""
        scheme, _, rest = self._place.url.partition("://")
        return f"{_SCHEMES[scheme]}://{rest}{own or f'/agents/{agent}/frames'}"

    def party(self, agent: str) -> Party | None:
        """Who an agent of this node is; None for one without an identity."""
        identity = self._office.agent(agent)
        if identity is None:
            return None
        return Party(identity.did.text, identity.signer, self._clock, self._office.gatehouse.verification)

    async def connect(self, agent: str, peer: str, hello: Mapping[str, Any]) -> Connected:
        """Connect an agent of this node to a DID; raises as `FramesClient.connect`."""
        own = self.party(agent)
        if own is None:
            raise Unavailable("the agent has no identity", told=Told("anp.no_identity", {"agent": agent}))
        return await self._client.connect(own, agent, peer, hello)

    def doors(self, gateway: Callable[[], Gateway]) -> tuple[FramesDoor, ...]:
        """The door, where there is one."""
        spoken = self.spoken
        if spoken is None:
            return ()
        terms = Terms(most=MAX_MESSAGE_BYTES, path=spoken.path, agent=DEFAULT_AGENT)
        return (FramesDoor(gateway(), self.party, spoken.introduces, spoken.reception, terms),)
