"""What an agent of this node is in a drafted negotiation, on either side: how it judges, codes, signs and keeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import ValidationError as PydanticMisfit

from moothall.calls.ports import Gateway
from moothall.canonical import dumps
from moothall.clock import Clock, rfc3339
from moothall.codegen.kept import Agreement
from moothall.codegen.module import Module
from moothall.codegen.signing import verify
from moothall.codegen.store import RoutineStore
from moothall.codegen.task import CodingTask
from moothall.errors import (
    IntegrityError,
    InternalError,
    InvalidInput,
    SandboxFault,
    Told,
    UpstreamInvalid,
    ValidationError,
)
from moothall.grants.ports import Documents, Signers
from moothall.identity.carriage import agent_uri, sign_payload
from moothall.identity.did import DidUrl
from moothall.identity.principal import Principal
from moothall.llm.base import BaseLLM
from moothall.negotiation.protocol import artifact as artifacts
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol import transcript as transcripts
from moothall.negotiation.protocol.agreed_terms import plain_numbers, sealed, terms_digest
from moothall.negotiation.protocol.bodies import (
    DRAFTING,
    NEGOTIATE,
    PROFILE,
    Execution,
    NegotiationReply,
    Schemas,
    Selected,
    read,
)
from moothall.negotiation.protocol.brain import Brain, Role
from moothall.negotiation.protocol.conduct import Conducted, Side
from moothall.negotiation.protocol.desk import DOOR, Place
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.driver import Opened
from moothall.negotiation.protocol.halves import half_cases, half_task
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.making import KeepingCoder, needed
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.offers import JSON, RPC_PROFILE, TRANSPORT, Offer, for_drafting, offers_of
from moothall.negotiation.protocol.run_carrier import Ask
from moothall.negotiation.protocol.serving import AgreedCapabilities
from moothall.negotiation.protocol.targeting import offered_text, provider_task
from moothall.negotiation.protocol.transcript import Transcript
from moothall.negotiation.protocol.wire.messages import TranscriptSignature
from moothall.negotiation.protocol.workshop import Codegen, Workshop
from moothall.telemetry import logger

_log = logger("negotiation")

Calls = Callable[[str, str, Mapping[str, Any]], Awaitable[Any]]
"""Calls a target as an agent of this node, by its name; gives its value, raises what it failed with."""

Minds = Callable[[], tuple[Brain, BaseLLM | None]]
"""A fresh judgement for one negotiation, and the model behind it with a budget of its own, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyGround:
    """What both sides stand on.

    Attributes:
        clock: the time.
        minds: who judges and may write code.
        workshop: makes and tests code.
        routines: where protocols, code and agreements are kept.
        signers: the keys of this node's agents.
        documents: finds the documents of DIDs.
        limits: of one negotiation.
        codegen: ``schema``: no model writes code.
    """

    clock: Clock = field(repr=False)
    minds: Minds = field(repr=False)
    workshop: Workshop = field(repr=False)
    routines: RoutineStore = field(repr=False)
    signers: Signers = field(repr=False)
    documents: Documents = field(repr=False)
    limits: Limits = field(default_factory=Limits)
    codegen: Codegen = "auto"

    def coder(
        self, did: str, llm: BaseLLM | None, tasks: Callable[[ProtocolDocument, Sequence[JsonObject]], CodingTask]
    ) -> KeepingCoder:
        """Who makes the code of an agent."""
        return KeepingCoder(
            routines=self.routines,
            workshop=self.workshop,
            signer=needed(self.signers(did)),
            clock=self.clock,
            tasks=tasks,
            llm=llm,
            codegen=self.codegen,
        )

    def signed(self, did: str, transcript: Transcript, protocol: str) -> str:
        """An agent's signature over a conversation."""
        return transcripts.sign(transcript, needed(self.signers(did)), protocol)

    async def take_in(self, offered: object, peer: str, found: Conducted) -> None:
        """Keep the requester's half for others with the same need, if it is whole and passes the gate of this node."""
        said = offered if isinstance(offered, dict) else {}
        try:
            module = Module.of(said.get("module"))
            token = str(said.get("token", ""))
            manifest = module.manifest
            if (manifest.kind, manifest.protocol, manifest.may_call) != ("requester", found.digest, ()):
                return
            if await verify(token, module.hash, self.documents) != peer:
                return
            tests = half_cases("requester", manifest.functions, found.cases)
            report = await self.workshop.judge.judge(module, (), tests)
        except (PydanticMisfit, InvalidInput, IntegrityError, SandboxFault, ValueError):
            _log.info("the code that a requester offers is not kept")
            return
        if report.passed:
            await self.routines.put(module, token, origin=peer, tested=True)

    async def check(self, transcript: Transcript, token: str, role: Role, protocol: str) -> None:
        """Make sure that the other side signed the conversation.

        Raises:
            IntegrityError: it did not.
            MoothallError: its document cannot be had.
        """
        keyid = transcripts.signer_of(token)
        document = await self.documents.resolve(DidUrl.parse(keyid).did.text)
        key = document.authentication.get(keyid) or document.assertion.get(keyid)
        if key is None:
            raise IntegrityError("signed with no key of that DID", told=Told("agreeing.transcript_signer"))
        transcripts.verify(transcript, token, role=role, key=key, protocol=protocol)


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

    async def side(self, opened: Opened) -> Side:
        """How the agent negotiates: about what this very requester may call, and nothing else."""
        ground = self._ground
        seen = await self._gateway().visible(self._principal(opened.peer), DOOR)
        offers = for_drafting(offers_of(opened.agent, seen))
        brain, llm = ground.minds()
        text = offered_text(opened.agent, offers) if offers else ""

        async def able(_need: Need | None) -> str:
            return text

        async def known(digest: str) -> bool:
            return any(each.tested_at for each in await ground.routines.find(digest, "provider"))

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
            await ground.take_in(parting.get("routine"), opened.peer, found)
        own = ground.signed(opened.did, transcript, found.digest)
        routine, place = await ground.routines.get(found.module), self._place(opened.agent)
        if routine is None or place is None:
            raise InternalError("the code of an agreed protocol, or its agent, is gone")
        kept = transcript.export({"provider": own} | ({"requester": token} if token else {}))
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
        self._offered.offer(opened.agent, document, routine.module)
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


class RequestingParty:
    """Fills `driver.Requesting`; ``calls`` makes the requests."""

    def __init__(self, ground: PartyGround, calls: Calls) -> None:
        self._ground = ground
        self._calls = calls

    async def side(self, opened: Opened) -> Side:
        """How the agent negotiates."""
        ground = self._ground
        brain, llm = ground.minds()
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


def _provider_task(
    agent: str, offers: Sequence[Offer], document: ProtocolDocument, cases: Sequence[JsonObject]
) -> CodingTask:
    return provider_task(agent, document, offers, cases)


def _requester_task(need: Need | None, document: ProtocolDocument, cases: Sequence[JsonObject]) -> CodingTask:
    return half_task("requester", document, need, cases)


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
