"""Protocols that need no negotiation: agreed on before, or shared with their code by the other side's node."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from moothall.codegen.fetching import Fetcher
from moothall.codegen.kept import Agreement
from moothall.codegen.task import CodingTask
from moothall.errors import (
    CodeRefused,
    IntegrityError,
    InvalidInput,
    NegotiationRejected,
    PermissionDeniedError,
    ServiceNotFoundError,
    UpstreamError,
)
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.bodies import SELECTION
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.halves import half_task
from moothall.negotiation.protocol.making import KeepingCoder
from moothall.negotiation.protocol.needs import Need
from moothall.negotiation.protocol.parties import PartyGround
from moothall.negotiation.protocol.requesting_party import RequestingParty
from moothall.negotiation.protocol.spoken import Speaker, SpokenProtocol, spoken_of


class ProtocolFinder:
    """Finds a protocol for a need that was agreed on before, by this agent or by another one whose code is shared.

    Args:
        ground: of both sides.
        party: asks other agents.
        fetcher: gets code that others made.
    """

    def __init__(self, ground: PartyGround, party: RequestingParty, fetcher: Fetcher) -> None:
        self._ground = ground
        self._party = party
        self._fetcher = fetcher

    async def find(self, speaker: Speaker, peer: str, need: Need) -> SpokenProtocol | None:
        """The protocol that the peer speaks for a need, with tested code of this side; None: there is none yet.

        Raises:
            IntegrityError: what is kept was changed.
            MoothallError: the other side cannot be asked.
        """
        return await self._kept(speaker, peer, need) or await self._shared(speaker, peer, need)

    async def _kept(self, speaker: Speaker, peer: str, need: Need) -> SpokenProtocol | None:
        """What was agreed on before, as long as the other side speaks it and our code is whole."""
        agreed = await self._ground.routines.agreement(need.digest, peer, "requester", speaker.did)
        if agreed is None:
            return None
        kept = await self._ground.routines.protocol(agreed.protocol)
        document = None if kept is None else documents.read(kept.document)
        routine = (
            None if document is None else await self._coder(speaker, need).kept(document, self._task(document, need))
        )
        if document is None or routine is None or not await self.spoken_still(speaker, peer, document):
            return None
        return spoken_of(peer, document, routine, "kept")

    async def _shared(self, speaker: Speaker, peer: str, need: Need) -> SpokenProtocol | None:
        """A protocol with tested code that the other side's node shares for this very need, tested here anew."""

        async def ask(target: str, params: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
            return await speaker.calls(f"{peer}#{target}", params)

        try:
            for offer in await self._fetcher.find(ask, need=need.digest, kind="requester"):
                routine = await self._fetcher.fetch(ask, offer.hash)
                kept = await self._ground.routines.protocol(routine.module.manifest.protocol)
                document = documents.read(kept.document) if kept else None
                if document is None or not await self.spoken_still(speaker, peer, document):
                    continue
                ready = await self._fetcher.ready(routine.hash, self._task(document, need))
                agreed = Agreement(need.digest, peer, "requester", speaker.did, document.digest)
                await self._ground.routines.put_agreement(agreed)
                return spoken_of(peer, document, ready, "shared")
        except UpstreamError as error:
            if not error.sent:
                raise  # nobody is there: a negotiation would wait for a long time, and say no more
            return None
        except (ServiceNotFoundError, PermissionDeniedError, IntegrityError, CodeRefused, InvalidInput):
            return None  # it shares nothing that could be used: there is another way
        return None

    async def spoken_still(self, speaker: Speaker, peer: str, document: ProtocolDocument) -> bool:
        """Whether the other side agrees to speak a protocol, and from now on offers it; costs no model."""
        body = {
            "negotiation_id": f"ps-{secrets.token_hex(12)}",
            "mode": SELECTION,
            "intent": {"name": document.name},
            "candidateProtocols": [document.digest],
        }
        operation = str(body["negotiation_id"])
        try:
            reply = await self._party.request(speaker.name, speaker.did, peer, operation, body)
        except NegotiationRejected:
            return False
        return reply.status == "accepted"

    def _coder(self, speaker: Speaker, need: Need) -> KeepingCoder:
        return self._ground.coder(speaker.did, None, lambda document, _cases: self._task(document, need))

    def _task(self, document: ProtocolDocument, need: Need) -> CodingTask:
        return half_task("requester", document, need)
