"""What the front desk is asked: by whom, at which agent, under what it was agreed."""

from __future__ import annotations

from dataclasses import dataclass

from moothall.identity.principal import Principal
from moothall.negotiation.protocol.agreed_terms import negotiation_of, run_of
from moothall.negotiation.protocol.bodies import NegotiateBody, NegotiateMeta
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.offers import FrontTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An agent at whose front door somebody knocks."""

    name: str
    did: str
    terms: FrontTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that was read, and whose sender is proved."""

    place: Place
    sender: Principal
    meta: NegotiateMeta
    body: NegotiateBody
    raw: JsonObject
    security: str

    @property
    def negotiation(self) -> str:
        """The id of the negotiation."""
        return negotiation_of(self.meta, self.body)

    @property
    def run(self) -> str:
        """The run of the negotiation."""
        return run_of(self.place.did, self.sender.id, self.negotiation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a call says that was agreed before."""

    negotiation: str
    digest: str
