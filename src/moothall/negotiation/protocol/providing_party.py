"""An agent of this node as the provider of a drafted protocol: what it can, and what becomes of an agreement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from moothall.calls.ports import Gateway
from moothall.canonical import dumps
from moothall.clock import rfc3339
from moothall.codegen.kept import Agreement
from moothall.codegen.task import CodingTask
from moothall.errors import (
    InternalError,
)
from moothall.identity.principal import Principal
from moothall.negotiation.protocol import artifact as artifacts
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.agreed_terms import plain_numbers, sealed
from moothall.negotiation.protocol.asked import Place
from moothall.negotiation.protocol.bodies import (
    Execution,
    NegotiationReply,
    Schemas,
    Selected,
)
from moothall.negotiation.protocol.conduct import Conducted, Side
from moothall.negotiation.protocol.desk import DOOR
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.making import needed
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.offers import JSON, RPC_PROFILE, Offer, for_drafting, offers_of
from moothall.negotiation.protocol.opened import Opened
from moothall.negotiation.protocol.parties import PartyGround
from moothall.negotiation.protocol.serving import AgreedCapabilities, own_halves
from moothall.negotiation.protocol.spending import Spending
from moothall.negotiation.protocol.targeting import offered_text, provider_task
from moothall.negotiation.protocol.transcript import Transcript


class ProvidingParty:
    """Fills `driver.Providing`.

    Args:
        ground: of both sides.
        gateway: the call path, which says what the requester may call.
        place: an agent of this node, by its name.
        principal: a requester as a caller, by its DID.
        offered: offers agreed protocols.
        valid: how long the result of a negotiation holds.
    """

    def __init__(
        self,
        ground: PartyGround,
        gateway: Callable[[], Gateway],
        place: Callable[[str], Place | None],
        principal: Callable[[str], Principal],
        offered: AgreedCapabilities,
        valid: timedelta,
    ) -> None:
        self._ground = ground
        self._gateway = gateway
        self._place = place
        self._principal = principal
        self._offered = offered
        self._valid = valid

    def hosts(self, opened: Opened) -> bool:
        """See `driver.Providing.hosts`."""
        place = self._place(opened.agent)
        return place is not None and place.did == opened.did

    async def side(self, opened: Opened, spending: Spending) -> Side:
        """How the agent negotiates: about what this very requester may call, and nothing else."""
        ground = self._ground
        seen = await self._gateway().visible(self._principal(opened.peer), DOOR)
        offers = for_drafting(offers_of(opened.agent, seen))
        brain, llm = ground.minds(spending, model=opened.model)
        text = offered_text(opened.agent, offers) if offers else ""

        async def able(_need: Need | None) -> str:
            return text

        async def known(digest: str) -> bool:
            return bool(own_halves(opened.agent, await ground.routines.find(digest, "provider")))

        tasks = partial(_provider_task, opened.agent, offers)
        return Side(
            role="provider",
            brain=brain,
            capability=able,
            coder=ground.coder(opened.did, llm, tasks),
            limits=ground.limits,
            known=known,
        )

    async def concluded(
        self, opened: Opened, found: Conducted, transcript: Transcript, parting: JsonObject
    ) -> NegotiationReply:
        """See `driver.Providing.concluded`."""
        ground, document, token = self._ground, documents.read(found.document), str(parting.get("token", ""))
        if token:
            await ground.check(transcript, token, "requester", found.digest)
        own = ground.signed(opened.did, transcript, found.digest)
        routine, place = await ground.routines.get(found.module), self._place(opened.agent)
        if routine is None or place is None:
            raise InternalError("the code of an agreed protocol, or its agent, is gone")
        kept = transcript.export({"provider": own} | ({"requester": token} if token else {}))
        self._offered.offer(opened.agent, document, routine.module, opened.peer)
        await ground.routines.put_agreement(
            Agreement(
                opened.need_digest or found.digest,
                opened.peer,
                "provider",
                opened.did,
                found.digest,
                dumps(kept).decode(),
            )
        )
        artifact = artifacts.signed(artifacts.artifact_of(document, found.cases), needed(ground.signers(opened.did)))
        reply = NegotiationReply(
            negotiation_id=opened.negotiation,
            status="accepted",
            selected=_selected(document, place, opened.security, artifact.model_dump(mode="json")),
            execution=Execution(mode="direct_structured_call", timeout_ms=60_000),
            schemas=_schemas(document),
            valid_until=rfc3339(ground.clock.now() + self._valid),
            transcript_signature=own,
        )
        return sealed(reply, agent=opened.did, sender=opened.peer)

    async def share(self, opened: Opened, found: Conducted, parting: JsonObject) -> None:
        """See `driver.Providing.share`."""
        if parting.get("routine"):
            await self._ground.take_in(parting["routine"], opened.peer, found)


def _provider_task(
    agent: str, offers: Sequence[Offer], document: ProtocolDocument, cases: Sequence[JsonObject]
) -> CodingTask:
    return provider_task(agent, document, offers, cases)


def _selected(document: ProtocolDocument, place: Place, security: str, artifact: JsonObject) -> Selected:
    ways = [each for each in place.terms.interfaces if each.profile == RPC_PROFILE]
    return Selected(
        capability=document.name,
        interface=ways[0].id if ways else "",
        protocol="openrpc",
        profile=RPC_PROFILE,
        security_profile=security,
        content_type=JSON,
        url=ways[0].url if ways else "",
        protocol_artifact=artifact,
    )


def _schemas(document: ProtocolDocument) -> Schemas:
    request = {"type": "object", "properties": {"request": document.request}, "required": ["request"]}
    return Schemas(request_schema=plain_numbers(request), response_schema=plain_numbers(document.returns))
