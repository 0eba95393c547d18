"""The hello in which both sides say what they are able to (row META-WIRE-09). Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from moothall.errors import ProtocolViolation, Told
from moothall.negotiation.protocol.limits import MAX_PROTOCOL_BYTES
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.wire.messages import Digest

VERSION: Final = "1.0"

CAPABILITIES: Final = (
    "naturalLanguageProtocol",
    "verificationProtocol",
    "naturalLanguageNegotiation",
    "testCasesNegotiation",
    "fixErrorNegotiation",
)
"""What the specification names; each action of the last three is sent only to those who announce it."""

SIGNED_TRANSCRIPT: Final = "signedTranscript"
"""Ours: signatures over the conversation are exchanged."""

OWN_CAPABILITIES: Final = (*CAPABILITIES, SIGNED_TRANSCRIPT)

_NEEDED: Final = {
    "naturalLanguageNegotiation": "naturalLanguageNegotiation",
    "testCasesNegotiation": "testCasesNegotiation",
    "fixErrorNegotiation": "fixErrorNegotiation",
    "transcriptSignature": SIGNED_TRANSCRIPT,
}
"""Actions that need an announcement."""

_LONGEST_DID: Final = 2_048
_MOST_NAMES: Final = 64

HelloType = Literal["sourceHello", "destinationHello"]
Name = Annotated[str, StringConstraints(max_length=100)]
DidText = Annotated[str, StringConstraints(pattern=r"^did:", max_length=_LONGEST_DID)]


class _Wire(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class MetaProtocolOffer(_Wire):
    """What a side is able to.

    Attributes:
        version: of the conversation about protocols.
        supported_capabilities: names of what it is able to; unknown ones are no harm.
        used_protocol_hash: ``sha256:…`` of a protocol that it would use again; empty: none.
        candidate_protocols: a first proposal; empty: none.
        selected_protocol: ``sha256:…`` that the other side agrees to use again; empty: none, so they negotiate.
    """

    version: Name = VERSION
    supported_capabilities: Annotated[tuple[Name, ...], Field(max_length=_MOST_NAMES)] = OWN_CAPABILITIES
    used_protocol_hash: Digest = ""
    candidate_protocols: Annotated[str, Field(max_length=MAX_PROTOCOL_BYTES, repr=False)] = ""
    selected_protocol: Digest = ""

    def announces(self, action: str) -> bool:
        """Whether messages of that action may be sent to this side."""
        needed = _NEEDED.get(action)
        return needed is None or needed in self.supported_capabilities


class Hello(_Wire):
    """A hello: from whom, to whom, with what."""

    type: HelloType
    source_did: DidText
    destination_did: DidText
    meta_protocol: MetaProtocolOffer = MetaProtocolOffer(supported_capabilities=())

    def wire(self) -> JsonObject:
        """The hello as JSON; what is empty is left out."""
        body = self.model_dump(mode="json", by_alias=True)
        body["metaProtocol"] = {key: value for key, value in body["metaProtocol"].items() if value != ""}
        return body


def source_hello(source: str, destination: str, offer: MetaProtocolOffer) -> JsonObject:
    """What the side that connects says first."""
    return Hello(type="sourceHello", source_did=source, destination_did=destination, meta_protocol=offer).wire()


def destination_hello(source: str, destination: str, offer: MetaProtocolOffer) -> JsonObject:
    """What the other side answers; ``source`` is its own DID."""
    return Hello(type="destinationHello", source_did=source, destination_did=destination, meta_protocol=offer).wire()


def read_hello(body: object) -> Hello:
    """Read a hello; who it says it is from is not proved by it.

    Raises:
        ProtocolViolation: it is none, or of a version that is not spoken here.
    """
    try:
        hello = Hello.model_validate(body)
    except ValidationError as error:
        raise ProtocolViolation("the hello cannot be read", told=Told("agreeing.hello")) from error
    if hello.meta_protocol.version.split(".")[0] != VERSION.split(".")[0]:
        raise ProtocolViolation("the hello is of another version", told=Told("agreeing.hello_version"))
    return hello
