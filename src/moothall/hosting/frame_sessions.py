"""Whoever negotiates over frames with an agent of this node (rows WIRE-NEGO-15, META-BOB-03).

What the agent is able to do for a visitor is what this visitor may call of it, and nothing else. An agreed protocol is
answered by one of these capabilities, called through the call path as the visitor itself: rights, limits and the audit
trail are those of every other door. Request and response are moved between the two schemas here, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic_core import PydanticSerializationError, to_jsonable_python

from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.clock import Clock
from moothall.codegen.schemas.mapping import Mapping as FieldMapping
from moothall.errors import (
    CodeRefused,
    InternalError,
    InvalidInput,
    MoothallError,
    ServiceNotFoundError,
    Unavailable,
    UpstreamInvalid,
)
from moothall.hosting.frames import Spoken
from moothall.identity.principal import Principal
from moothall.llm.base import BaseLLM
from moothall.messages import Lang
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.bases import BAD_REQUEST, GOOD
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.meta import MetaProtocol
from moothall.negotiation.protocol.meta_terms import Seal, Terms
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.offers import Offer, for_drafting, offers_of
from moothall.negotiation.protocol.provider_session import ProviderSession, provided
from moothall.negotiation.protocol.recalling import Recollection
from moothall.negotiation.protocol.structured import RESULT, capabilities_in, mapped, served_by
from moothall.negotiation.protocol.targeting import offered_text, target_named
from moothall.negotiation.protocol.wire.hello import MetaProtocolOffer, destination_hello, read_hello
from moothall.negotiation.protocol.workshop import Codegen, Workshop
from moothall.protocols.frames.door import DOOR, Visit
from moothall.protocols.frames.feeding import Talks
from moothall.telemetry import logger

FOLDER: Final = "protocols"
"""Where the module directories are, in the data directory, by agent."""

_NOT_FOUND: Final = 404
_log = logger("frames")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionGround:
    """What sessions stand on.

    Attributes:
        data: the data directory of the node.
        clock: the time.
        gateway: the call path, which is made after this.
        callers: a DID as a caller.
        own: the DID of an agent of this node; empty for one that is not hosted.
        seals: what an agent of this node signs conversations with.
        llm: judges what schemas do not decide, within the limits of each negotiation; None: rules alone.
        workshop: makes and runs code.
        limits: of one negotiation.
        codegen: ``schema``: no model writes code.
        lang: of what is written for people.
    """

    data: Path
    clock: Clock
    gateway: Callable[[], Gateway] = field(repr=False)
    callers: Callable[[str], Principal] = field(repr=False)
    own: Callable[[str], str] = field(repr=False)
    seals: Callable[[str], Seal | None] = field(repr=False)
    llm: BaseLLM | None = field(repr=False)
    workshop: Workshop = field(repr=False)
    limits: Limits = field(default_factory=Limits)
    codegen: Codegen = "auto"
    lang: Lang = "en"


class FrameSessions:
    """The sessions of one node in which its agents provide."""

    def __init__(self, ground: SessionGround) -> None:
        self._ground = ground
        self._talks = Talks()

    @property
    def spoken(self) -> Spoken:
        """How the node talks over frames."""
        return Spoken(reception=self.receive, introduces=self.introduce)

    async def introduce(self, agent: str, peer: str, hello: Mapping[str, Any]) -> Mapping[str, Any]:
        """An agent's hello: with the protocol to use again, if it has the code for that.

        Raises:
            ProtocolViolation: the visitor's own cannot be read.
        """
        used = read_hello(hello).meta_protocol.used_protocol_hash
        again = used if used and await Recollection(self._root(agent), peer).holds(used) else ""
        return destination_hello(self._ground.own(agent), peer, MetaProtocolOffer(selected_protocol=again))

    async def receive(self, visit: Visit) -> None:
        """Provide to a visitor until either side leaves.

        Raises:
            ProtocolViolation: a hello cannot be read.
        """
        ground, agent = self._ground, visit.agent

        async def able(_requirement: str, _given: str, _wanted: str) -> str:
            offers = await self._offers(visit)
            return offered_text(agent, offers) if offers else ""

        async def begun(session: ProviderSession) -> None:
            service = serving(agent, documents.read(session.protocol), await self._offers(visit))
            session.provider_instance.set_protocol_callback(Answering(ground, visit, service))
            await session.code_generated()

        terms = Terms(
            limits=ground.limits,
            clock=ground.clock,
            own=ground.own(agent),
            peer=visit.peer,
            offer=read_hello(visit.hello).meta_protocol,
            seal=ground.seals(agent),
            codegen=ground.codegen,
            lang=ground.lang,
        )
        again = read_hello(visit.answer).meta_protocol.selected_protocol
        meta = MetaProtocol(visit.link.send, able, ground.llm, self._root(agent), workshop=ground.workshop, terms=terms)
        talk = self._talks.begin(visit.link, meta)
        try:
            await talk.during(provided(meta, begun, used_protocol_hash=again))
            await talk.ended()
        except MoothallError as error:
            _log.info("a negotiation of %s with %s came to nothing: %s", agent, visit.peer, error.code)
        finally:
            await talk.aclose()

    async def aclose(self) -> None:
        """End every session."""
        await self._talks.aclose()

    async def _offers(self, visit: Visit) -> tuple[Offer, ...]:
        """What the visitor may call of the agent, as it is now."""
        seen = await self._ground.gateway().visible(self._ground.callers(visit.peer), DOOR)
        return for_drafting(offers_of(visit.agent, seen))

    def _root(self, agent: str) -> Path:
        return self._ground.data / FOLDER / agent


@dataclass(frozen=True, slots=True)
class Service:
    """The capability that answers an agreed protocol: its arguments of a request, and a response of its value."""

    target: str
    arguments: FieldMapping = field(repr=False)
    response: FieldMapping = field(repr=False)
    wrapped: bool = False
    """Whether its value is no object, and stands in the response as one field."""


def serving(agent: str, document: ProtocolDocument, offers: Sequence[Offer]) -> Service:
    """What answers a protocol, of what a visitor may call. Pure.

    Raises:
        CodeRefused: nothing does.
    """
    found = served_by(document, capabilities_in(offered_text(agent, offers))) if offers else None
    offer = next((each for each in offers if found and target_named(agent, each.name) == found.target), None)
    arguments = mapped(document.request, offer.request) if offer else None
    if offer is None or arguments is None:
        raise CodeRefused("no capability that this visitor may call answers the protocol")
    plain = mapped(offer.response, document.good)
    boxed = {"type": "object", "properties": {RESULT: offer.response}, "required": [RESULT]}
    response = plain or mapped(boxed, document.good)
    if response is None:
        raise CodeRefused("the values of the capability make no response")
    return Service(target_named(agent, offer.name), arguments, response, wrapped=plain is None)


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers the requests of one visitor by one capability."""

    ground: SessionGround
    visit: Visit
    service: Service

    async def __call__(self, request: JsonObject) -> JsonObject:
        """The response to a request, which fits the agreed schema.

        Raises:
            MoothallError: there is none, which the visitor hears as code 500.
        """
        service = self.service
        try:
            arguments = service.arguments.apply(request)
            value = await self._called(arguments)
        except ServiceNotFoundError:
            return {"code": _NOT_FOUND, "message": "it does not exist, or not for this caller"}
        except (InvalidInput, ValueError):
            return {"code": BAD_REQUEST, "message": "the request cannot be answered as it is"}
        try:
            found = service.response.apply({RESULT: value} if service.wrapped else value)
        except ValueError as error:
            raise UpstreamInvalid("the value of the capability makes no response") from error
        return {"code": GOOD, **found}

    async def _called(self, arguments: JsonObject) -> Any:  # noqa: ANN401 - JSON
        ground, visit = self.ground, self.visit
        if not ground.own(visit.agent):
            raise Unavailable("the agent is not hosted any more")
        facts = CallFacts(door=DOOR, principal=ground.callers(visit.peer), request_id=fresh(), agent=visit.agent)
        reply = await ground.gateway().call(Target.parse(self.service.target), arguments, facts)
        if reply.error is not None:
            raise reply.error
        try:
            return to_jsonable_python(reply.data)
        except (PydanticSerializationError, ValueError) as error:
            raise InternalError("the value has no JSON form") from error
