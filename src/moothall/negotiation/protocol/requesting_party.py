"""An agent of this node as the requester of a drafted protocol: how it asks, and what it checks and keeps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from moothall.canonical import dumps
from moothall.clock import rfc3339
from moothall.codegen.kept import Agreement
from moothall.codegen.task import CodingTask
from moothall.errors import (
    IntegrityError,
    InternalError,
    Told,
    UpstreamInvalid,
    ValidationError,
)
from moothall.identity.carriage import agent_uri, sign_payload
from moothall.negotiation.protocol import artifact as artifacts
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.agreed_terms import terms_digest
from moothall.negotiation.protocol.bodies import (
    DRAFTING,
    NEGOTIATE,
    PROFILE,
    NegotiationReply,
    read,
)
from moothall.negotiation.protocol.conduct import Conducted, Side
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.halves import half_task
from moothall.negotiation.protocol.making import needed
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.offers import JSON, TRANSPORT
from moothall.negotiation.protocol.opened import Opened
from moothall.negotiation.protocol.parties import Calls, PartyGround
from moothall.negotiation.protocol.run_carrier import Ask
from moothall.negotiation.protocol.spending import Spending
from moothall.negotiation.protocol.transcript import Transcript
from moothall.negotiation.protocol.wire.messages import TranscriptSignature


class RequestingParty:
    """Fills `driver.Requesting`; ``calls`` makes the requests."""

    def __init__(self, ground: PartyGround, calls: Calls) -> None:
        self._ground = ground
        self._calls = calls

    def hosts(self, opened: Opened) -> bool:
        """See `driver.Requesting.hosts`."""
        return self._ground.signers(opened.did) is not None

    async def side(self, opened: Opened, spending: Spending) -> Side:
        """How the agent negotiates."""
        ground = self._ground
        brain, llm = ground.minds(spending, model=True)
        tasks = partial(_requester_task, opened.need)
        return Side(
            role="requester",
            brain=brain,
            need=opened.need,
            coder=ground.coder(opened.did, llm, tasks),
            limits=ground.limits,
        )

    def ask(self, opened: Opened) -> Ask:
        """How it asks: with requests of ``anp.negotiate`` that bear the agent's own proof."""
        need = opened.need
        if need is None:
            raise InternalError("a requester without a need")

        async def asked(operation: str, messages: Sequence[JsonObject], received: int) -> NegotiationReply:
            body = {
                "negotiation_id": opened.negotiation,
                "mode": DRAFTING,
                "intent": {"description": need.requirement, "inputSummary": {"need": need.digest}},
                "candidateProtocols": [{"message": message} for message in messages],
                "receivedMessages": received,
            }
            return await self.request(opened.agent, opened.did, opened.peer, operation, body)

        return asked

    async def request(self, agent: str, did: str, peer: str, operation: str, body: JsonObject) -> NegotiationReply:
        """Make one request of ``anp.negotiate``.

        Raises:
            UpstreamInvalid: the answer has another form.
            MoothallError: as the other side answered, or as the call failed.
        """
        now = self._ground.clock.now()
        head = {
            "profile": PROFILE,
            "security_profile": TRANSPORT,
            "sender_did": did,
            "target": {"kind": "agent", "did": peer},
            "operation_id": operation,
            "created_at": rfc3339(now),
            "content_type": JSON,
        }
        payload = {"method": NEGOTIATE, "meta": head, "body": body}
        signer = needed(self._ground.signers(did))
        carried = sign_payload(signer, payload, method=NEGOTIATE, target=agent_uri(peer), now=int(now.timestamp()))
        params = {"meta": head, "body": body, "auth": {"origin_proof": carried["auth"]}}
        value = await self._calls(agent, f"{peer}#{NEGOTIATE}", params)
        try:
            return read(NegotiationReply, value, "result")
        except ValidationError as error:
            raise UpstreamInvalid("no result of a negotiation", told=Told("anp.remote_response")) from error

    async def parting(self, opened: Opened, found: Conducted, transcript: Transcript) -> JsonObject:
        """See `driver.Requesting.parting`."""
        ground = self._ground
        token = ground.signed(opened.did, transcript, found.digest)
        said = TranscriptSignature(digest=transcript.digest, token=token).wire()
        routine = await ground.routines.get(found.module)
        if routine is None:
            return said
        return {**said, "routine": {"module": routine.module.model_dump(mode="json"), "token": routine.token}}

    async def concluded(
        self, opened: Opened, found: Conducted, transcript: Transcript, reply: NegotiationReply
    ) -> JsonObject:
        """See `driver.Requesting.concluded`."""
        ground, document, need = self._ground, documents.read(found.document), opened.need
        said = reply.wire()
        digest = terms_digest(said, agent=opened.peer, sender=opened.did)
        if reply.selected is None or reply.selected.capability != document.name or digest != reply.negotiation_digest:
            raise IntegrityError("the result is about something else", told=Told("agreeing.front_other"))
        artifact = artifacts.read(reply.selected.protocol_artifact)
        if artifact.digest != artifacts.artifact_of(document, found.cases).digest:
            raise IntegrityError("the result is about something else", told=Told("agreeing.front_other"))
        await ground.check(transcript, reply.transcript_signature, "provider", found.digest)
        own = ground.signed(opened.did, transcript, found.digest)
        kept = transcript.export({"requester": own, "provider": reply.transcript_signature})
        if need is None:
            raise InternalError("a requester without a need")
        await ground.routines.put_agreement(
            Agreement(need.digest, opened.peer, "requester", opened.did, found.digest, dumps(kept).decode())
        )
        return {"request": "", "reply": said, "protocol": found.digest, "module": found.module}


def _requester_task(need: Need | None, document: ProtocolDocument, cases: Sequence[JsonObject]) -> CodingTask:
    return half_task("requester", document, need, cases)
