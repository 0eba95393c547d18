"""The messages about a protocol, as both wires carry them (rows META-WIRE-02 to 08). Pure.

Keys that are not known are ignored; what is known has to have its form. Two actions are ours: ``error`` answers what
could not be read, ``transcriptSignature`` carries a signature over the conversation. Neither is answered by ``error``.
"""

from __future__ import annotations

import secrets
import string
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from moothall.errors import ProtocolViolation, Told
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.results import NegotiationResult, NegotiationStatus, protocol_hash

MESSAGE_ID_LENGTH: Final = 16
_ALPHABET: Final = string.ascii_letters + string.digits
_MOST_ID: Final = 1_000_000
_LONGEST_REASON: Final = 2_000
_LONGEST_CODE: Final = 64

Reason = Annotated[str, Field(max_length=_LONGEST_REASON)]
Digest = Annotated[str, StringConstraints(pattern=r"^(sha256:[0-9a-f]{64})?$")]
"""``sha256:…``, or nothing."""
MessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{16}$")]
TurnStatus = Literal["negotiating", "rejected", "accepted"]


class _Wire(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        strict=True,
    )
    kept: ClassVar[frozenset[str]] = frozenset()
    """Texts that are sent even where they are empty."""

    def wire(self) -> JsonObject:
        """The message as JSON; what is empty and may be left out is left out."""
        said = self.model_dump(mode="json", by_alias=True)
        fields = type(self).model_fields.items()
        optional = {to_camel(name) for name, field in fields if field.default == "" and name not in self.kept}
        return {key: value for key, value in said.items() if value or key not in optional}


class ProtocolNegotiation(_Wire):
    """A proposal, or the answer to one (row META-WIRE-02).

    Attributes:
        sequence_id: from 1 (0 is accepted); each message of either side adds one.
        candidate_protocols: the whole text, always.
        status: of the negotiation, as the sender sees it.
        modification_summary: what the sender changed.
        protocol_hash: of the text; optional.
        reason: why it is rejected; ours.
    """

    action: Literal["protocolNegotiation"] = "protocolNegotiation"
    sequence_id: Annotated[int, Field(ge=0, le=_MOST_ID)]
    candidate_protocols: str = Field(repr=False)
    status: Annotated[NegotiationStatus, Field(strict=False)]
    modification_summary: str = ""
    protocol_hash: Digest = ""
    reason: Reason = ""

    @classmethod
    def of(cls, result: NegotiationResult, sequence_id: int) -> Self:
        """The message that says a result."""
        return cls(
            sequence_id=sequence_id,
            candidate_protocols=result.candidate_protocols,
            status=result.status,
            modification_summary=result.modification_summary,
            protocol_hash=protocol_hash(result.candidate_protocols),
            reason=result.reason[:_LONGEST_REASON],
        )

    @property
    def result(self) -> NegotiationResult:
        """What the message says (row META-NEG-06)."""
        return NegotiationResult(self.status, self.candidate_protocols, self.modification_summary, self.reason)

    @property
    def digest(self) -> str:
        """``sha256:…`` of the text that it holds, whatever it says itself."""
        return protocol_hash(self.candidate_protocols)


class CodeGeneration(_Wire):
    """Whether the sender's code is ready (row META-WIRE-03)."""

    action: Literal["codeGeneration"] = "codeGeneration"
    status: Literal["generated", "error"]
    protocol_hash: Digest = ""
    reason: Reason = ""


class TestCasesNegotiation(_Wire):
    """Test cases for the agreed protocol: markdown with one fenced JSON list (row META-WIRE-04)."""

    kept: ClassVar[frozenset[str]] = frozenset({"modification_summary"})

    action: Literal["testCasesNegotiation"] = "testCasesNegotiation"
    test_cases: str = Field(repr=False)
    status: TurnStatus
    modification_summary: str = ""
    reason: Reason = ""


class FixErrorNegotiation(_Wire):
    """An error that the sender saw, or what it makes of one (row META-WIRE-05)."""

    action: Literal["fixErrorNegotiation"] = "fixErrorNegotiation"
    error_description: Annotated[str, StringConstraints(pattern=r"\S")]
    status: TurnStatus
    reason: Reason = ""


class NaturalLanguageNegotiation(_Wire):
    """A question or its answer in words (row META-WIRE-06)."""

    action: Literal["naturalLanguageNegotiation"] = "naturalLanguageNegotiation"
    type: Literal["REQUEST", "RESPONSE"]
    message_id: MessageId
    message: str = Field(repr=False)


class ErrorReply(_Wire):
    """What was received could not be used; after a fatal one the sender is through with the negotiation."""

    action: Literal["error"] = "error"
    code: Annotated[str, StringConstraints(pattern=rf"^[a-z_]{{1,{_LONGEST_CODE}}}$")]
    reason: Reason = ""
    fatal: bool = False


class TranscriptSignature(_Wire):
    """The sender's signature over the whole conversation (row META-SESS-05)."""

    action: Literal["transcriptSignature"] = "transcriptSignature"
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    token: Annotated[str, StringConstraints(min_length=1, max_length=16_384)] = Field(repr=False)


Message = (
    ProtocolNegotiation
    | CodeGeneration
    | TestCasesNegotiation
    | FixErrorNegotiation
    | NaturalLanguageNegotiation
    | ErrorReply
    | TranscriptSignature
)

ACTIONS: Final = (
    "protocolNegotiation",
    "codeGeneration",
    "testCasesNegotiation",
    "fixErrorNegotiation",
    "naturalLanguageNegotiation",
    "error",
    "transcriptSignature",
)

_READER: Final[TypeAdapter[Message]] = TypeAdapter(Annotated[Message, Field(discriminator="action")])


def read(body: object) -> Message:
    """Read a message.

    Raises:
        ProtocolViolation: it is none; `details` has ``code`` (``bad_json``, ``unknown_action``, ``missing_field``,
            ``bad_field``), the ``action``, and the ``field``, each only where it is one that we know.
    """
    if not isinstance(body, dict):
        raise _violation("bad_json", "agreeing.no_object")
    action = body.get("action")
    if action not in ACTIONS:
        raise _violation("unknown_action", "agreeing.unknown_action")
    try:
        return _READER.validate_python(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = [part for part in first["loc"] if part not in ACTIONS]
        code = "missing_field" if first["type"] == "missing" else "bad_field"
        raise _violation(code, f"agreeing.{code}", str(action), str(place[0]) if place else "") from error


def new_message_id() -> str:
    """A fresh id of a question in words."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(MESSAGE_ID_LENGTH))


def schema_of(message: type[Any]) -> JsonObject:
    """JSON Schema of one kind of message, as it travels."""
    found: JsonObject = TypeAdapter(message).json_schema(by_alias=True, mode="serialization")
    return found


def _violation(code: str, why: str, action: str = "", field: str = "") -> ProtocolViolation:
    told = Told(why, {"field": field} if field or code.endswith("_field") else {})
    details = {"code": code, "action": action, "field": field}
    return ProtocolViolation("the message cannot be read", told=told, details=details)
