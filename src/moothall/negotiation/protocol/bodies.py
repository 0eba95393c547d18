"""What is said at the front door: the bodies of ``anp.negotiate`` and ``anp.get_capabilities`` (ANP-06 1.2). Pure.

The names are the draft's, with its mix of both spellings. What it does not know is kept out of the models and stays
under its proof; members of our own are `NegotiateBody.received`, `NegotiationReply.candidate_protocols` and
`NegotiationReply.transcript_signature`, all of drafting.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic import ValidationError as Misfit
from pydantic.alias_generators import to_camel

from moothall.errors import Told, ValidationError
from moothall.negotiation.protocol.needs import JsonObject

PROFILE: Final = "anp.meta.negotiation.v1"
NEGOTIATE: Final = "anp.negotiate"
GET_CAPABILITIES: Final = "anp.get_capabilities"
METHODS: Final = (GET_CAPABILITIES, NEGOTIATE)
"""The methods of the interface, in the order in which a caller needs them."""

SELECTION: Final = "structured_selection"
DRAFTING: Final = "natural_language_protocol_drafting"
MODES: Final = (SELECTION, DRAFTING)

ExecutionMode = Literal[
    "direct_structured_call",
    "direct_message",
    "group_message",
    "async_task",
    "stream",
    "natural_language",
    "natural_language_protocol_drafting",
]
"""How what was agreed is carried out (row WIRE-NEGO-06)."""

Status = Literal["accepted", "rejected", "needs_more_information"]

MOST_LISTED: Final = 64
"""Entries of each list."""

MOST_MESSAGES: Final = 32
"""Messages of spec A in one request."""

Short = Annotated[str, Field(max_length=512)]
Long = Annotated[str, Field(max_length=16_384)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[tuple[Short, ...], Field(max_length=MOST_LISTED)]

_SNAKE: Final = ConfigDict(frozen=True, extra="ignore")
_CAMEL: Final = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Addressee(BaseModel):
    """Whom a request is for."""

    model_config = _SNAKE

    kind: Literal["agent"]
    did: Id


class NegotiateMeta(BaseModel):
    """The head of a request (row WIRE-NEGO-02); every member is needed.

    Attributes:
        profile: of the negotiation.
        security_profile: under which the request travels.
        sender_did: who negotiates, as the proof has to show.
        target: whom it is for.
        operation_id: the same request has the same one, and is answered once.
        created_at: RFC 3339.
        content_type: of the body.
    """

    model_config = _SNAKE

    profile: Short
    security_profile: Short
    sender_did: Id
    target: Addressee
    operation_id: Id
    created_at: Short
    content_type: Short


class Intent(BaseModel):
    """What the caller wants."""

    model_config = _CAMEL

    name: Short = ""
    description: Long = ""
    intent_tags: Names = ()
    input_summary: JsonObject | Long = ""


class CallerCapabilities(BaseModel):
    """What the caller can do; an empty list says nothing, so that everything is possible."""

    model_config = _CAMEL

    supported_profiles: Names = ()
    supported_security_profiles: Names = ()
    supported_content_types: Names = ()
    supported_execution_modes: Names = ()
    limits: JsonObject = Field(default_factory=dict)


class Constraints(BaseModel):
    """Under which conditions.

    Attributes:
        preferred_interface_types: the first that there is; another where there is none of them.
        requires_human_authorization: a person has to agree before anything is accepted.
        max_latency_ms: no direct call may take longer.
        allow_natural_language_fallback: where no interface fits, the reply may propose drafting.
        required_security_profile: this one or none.
        preferred_content_types: the first that there is.
    """

    model_config = _CAMEL

    preferred_interface_types: Names = ()
    requires_human_authorization: bool = False
    max_latency_ms: Annotated[int, Field(gt=0, le=86_400_000)] | None = None
    allow_natural_language_fallback: bool = False
    required_security_profile: Short = ""
    preferred_content_types: Names = ()


class NegotiateBody(BaseModel):
    """A request (row WIRE-NEGO-03).

    Attributes:
        negotiation_id: of the conversation; empty: the operation's.
        mode: one of `MODES`; checked by whoever answers, since each other one has its own error.
        required_capabilities: names without which there is no agreement.
        candidate_interface_refs: ids or addresses; only what is reached through one of them is looked at.
        candidate_protocols: in drafting messages of spec A (``{"message": …}``), or hashes of known protocols.
        received: how many messages of the other side the caller has (our extension).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    negotiation_id: Short = ""
    mode: Short = SELECTION
    intent: Intent
    required_capabilities: Names = Field((), alias="requiredCapabilities")
    caller: CallerCapabilities = Field(default_factory=CallerCapabilities, alias="callerCapabilities")
    constraints: Constraints = Field(default_factory=Constraints)
    candidate_interface_refs: Names = Field((), alias="candidateInterfaceRefs")
    candidate_protocols: Annotated[tuple[Any, ...], Field(max_length=MOST_MESSAGES)] = Field(
        (), alias="candidateProtocols"
    )
    received: Annotated[int, Field(ge=0, le=1_000_000)] = Field(0, alias="receivedMessages")


class Selected(BaseModel):
    """What the business call goes to."""

    model_config = _CAMEL

    capability: str
    interface: str
    protocol: str
    profile: str
    security_profile: str
    content_type: str
    url: str
    protocol_artifact: Any = None


class Execution(BaseModel):
    """How it is carried out; ``timeout_ms``: how long it may take at most."""

    model_config = _CAMEL

    mode: ExecutionMode
    requires_human_authorization: bool = False
    timeout_ms: int = 0


class Schemas(BaseModel):
    """JSON Schemas of the arguments, an object, and of the value."""

    model_config = _CAMEL

    request_schema: JsonObject
    response_schema: JsonObject


class NegotiationReply(BaseModel):
    """A result (row WIRE-NEGO-05).

    It is never an authorization: the call that follows is decided anew, with all that it needs.

    Attributes:
        valid_until: RFC 3339; after it a call that quotes the digest gets 1608.
        negotiation_digest: over everything that was agreed (`agreed_terms.digest_of`).
        alternatives: what could have been chosen, or done, in place of it.
        candidate_protocols: in drafting the provider's messages that the caller does not have yet:
            ``{"n": …, "message": …}`` (our extension).
        transcript_signature: the provider's, over the conversation that led to a drafted protocol (our extension).
    """

    model_config = _CAMEL

    negotiation_id: str
    status: Status
    selected: Selected | None = None
    execution: Execution | None = None
    schemas: Schemas | None = None
    valid_until: str = ""
    negotiation_digest: str = ""
    alternatives: tuple[JsonObject, ...] = ()
    reason: str = ""
    candidate_protocols: tuple[JsonObject, ...] = ()
    transcript_signature: str = ""

    def wire(self) -> JsonObject:
        """As it is sent: members that say nothing are left out."""
        said: JsonObject = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        needed = ("negotiationId", "status")
        return {name: value for name, value in said.items() if value or name in needed}


class CapabilitiesReply(BaseModel):
    """What an endpoint can do (row WIRE-NEGO-10); numbers of ``limits`` are real ones."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    service_did: str
    supported_profiles: tuple[str, ...]
    supported_security_profiles: tuple[str, ...]
    supported_content_types: tuple[str, ...]
    limits: dict[str, int]


M = TypeVar("M", bound=BaseModel)


def read(model: type[M], value: object, place: str) -> M:
    """Read one of the bodies.

    Args:
        model: which.
        value: JSON of a stranger.
        place: the member of ``params`` that it is.

    Raises:
        ValidationError: it does not have the form; ``details`` say where, and nothing of what stood there.
    """
    try:
        return model.model_validate(value)
    except Misfit as misfit:
        faults = [
            {"loc": [place, *fault["loc"]], "type": fault["type"]} for fault in misfit.errors(include_input=False)
        ]
    where = ", ".join(".".join(map(str, fault["loc"])) for fault in faults[:5])
    told = Told("agreeing.front_body", {"where": where})
    raise ValidationError("a member of the request has another form", told=told, details={"errors": faults})
