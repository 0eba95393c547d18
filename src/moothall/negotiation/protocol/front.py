"""Negotiations between agents over ``anp.negotiate``, put together: desks, drivers of runs, capabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from moothall.approvals.asking import Approvals
from moothall.approvals.news import Bells
from moothall.calls.ports import Gateway
from moothall.capability.registry import Registry
from moothall.codegen.fetching import Fetcher
from moothall.codegen.sandbox.port import DEFAULT_LIMITS, SandboxLimits
from moothall.events.log import EventLog
from moothall.events.worker import Driver
from moothall.identity.principal import Principal
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.agreed_terms import PROVIDE_KIND, REQUEST_KIND, SELECTED_KIND
from moothall.negotiation.protocol.artifact import artifact_of
from moothall.negotiation.protocol.asked import Place
from moothall.negotiation.protocol.authorizing import Authorizing
from moothall.negotiation.protocol.desk import NegotiationDesk, Proves
from moothall.negotiation.protocol.drafting import PATIENCE, DraftingDesk
from moothall.negotiation.protocol.driver import ProvideDriver, RequestDriver, SelectedDriver
from moothall.negotiation.protocol.front_capabilities import FrontCapabilities
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.parties import Calls, PartyGround
from moothall.negotiation.protocol.protocol_capabilities import ProtocolCapabilities
from moothall.negotiation.protocol.providing_party import ProvidingParty
from moothall.negotiation.protocol.requesting import ProtocolRequests
from moothall.negotiation.protocol.requesting_party import RequestingParty
from moothall.negotiation.protocol.serving import AgreedCapabilities

VALID: Final = timedelta(minutes=10)
"""How long the result of a negotiation holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontGround:
    """What it stands on.

    Attributes:
        party: what agents negotiate with: judgement, workshop, store of code, keys.
        log: where negotiations are runs.
        registry: where agreed protocols become capabilities.
        gateway: the call path, which may be made after this.
        proves: reads origin proofs: `Verifier.prove_carried`.
        approvals: who is asked where a person has to agree; None: nobody can be.
        place: an agent of this node at whose door somebody knocks, by its name; None: there is none.
        principal: a DID as a caller, without any proof of its own at hand.
        named: the name of the agent of this node with a DID; empty: there is none.
        calls: makes calls as an agent of this node, by its name.
        house: the node's own agent.
        limits: what an endpoint takes, by name, for ``anp.get_capabilities``.
        sandbox_limits: of one run of generated code.
        valid: how long results hold.
        patience: seconds that a request of drafting waits for the other side's next message.
    """

    party: PartyGround
    log: EventLog = field(repr=False)
    registry: Registry = field(repr=False)
    gateway: Callable[[], Gateway] = field(repr=False)
    proves: Proves = field(repr=False)
    approvals: Approvals | None = field(repr=False)
    place: Callable[[str], Place | None] = field(repr=False)
    principal: Callable[[str], Principal] = field(repr=False)
    named: Callable[[str], str] = field(repr=False)
    calls: Calls = field(repr=False)
    house: str
    limits: Mapping[str, int] = field(default_factory=dict)
    sandbox_limits: SandboxLimits = DEFAULT_LIMITS
    valid: timedelta = VALID
    patience: float = PATIENCE


class Front:
    """The front door of a node.

    Attributes:
        desk: answers requests, and holds calls against what they quote (`NegotiationDesk.check`).
        requests: protocols for the needs of this node's agents.
        drivers: of the kinds of runs.
        capabilities: objects with the capabilities of the node's own agent.
    """

    def __init__(self, ground: FrontGround) -> None:
        party, bells, did = ground.party, Bells(), _dids(ground.place)
        self._agreed = AgreedCapabilities(
            registry=ground.registry,
            routines=party.routines,
            sandbox=party.workshop.sandbox,
            limits=ground.sandbox_limits,
            named=ground.named,
            did=did,
        )
        self.desk = NegotiationDesk(
            ground.log,
            ground.gateway,
            ground.proves,
            ground.place,
            Authorizing(ground.gateway, ground.approvals, ground.house),
            limits=ground.limits,
            valid=ground.valid,
            drafts=DraftingDesk(ground.log, bells, patience=ground.patience),
            house=ground.house,
            spoken=self._agreed.spoken,
        )
        providing = ProvidingParty(party, ground.gateway, ground.place, ground.principal, self._agreed, ground.valid)
        requesting = RequestingParty(party, ground.calls)
        fetcher = Fetcher(party.routines, party.workshop.judge, party.documents, _derived)
        self.requests = ProtocolRequests(ground.log, party, requesting, fetcher, bells, ground.sandbox_limits)
        self.drivers: Mapping[str, Driver] = {
            SELECTED_KIND: SelectedDriver(),
            PROVIDE_KIND: ProvideDriver(providing, bells),
            REQUEST_KIND: RequestDriver(requesting, bells),
        }
        self.capabilities: Sequence[object] = (
            FrontCapabilities(self.desk),
            ProtocolCapabilities(self.requests, did, ground.calls, ground.house),
        )

    async def start(self) -> None:
        """Offer again what was agreed on before; the agents are hosted by now.

        Raises:
            StorageError: what is kept cannot be read.
        """
        await self._agreed.restore()


def _dids(place: Callable[[str], Place | None]) -> Callable[[str], str]:
    def did(agent: str) -> str:
        found = place(agent)
        return found.did if found else ""

    return did


def _derived(document: str) -> JsonObject:
    """The description of a document that came from elsewhere.

    Raises:
        InvalidInput: it cannot be read.
    """
    said: JsonObject = artifact_of(documents.read(document)).model_dump(mode="json")
    return said
