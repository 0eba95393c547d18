"""What can be agreed on by comparing schemas, with no model: needs, capabilities, documents for both. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moothall.canonical import strict_json
from moothall.codegen.schemas.describe import described
from moothall.codegen.schemas.mapping import Mapping, map_fields
from moothall.codegen.schemas.validation import compiled
from moothall.errors import InvalidInput
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.needs import Example, JsonObject, Need, Text
from moothall.negotiation.protocol.wording import comparable, content

_MOST_OFFERED: Final = 200
_MOST_VALUES: Final = 100_000
_TARGET_WEIGHT: Final = 2
"""A shared word of target or description counts as many of fields."""
NOTHING: Final[JsonObject] = {"type": "object", "properties": {}}
CODE: Final[JsonObject] = {"type": "integer", "description": "200: good; any other: an error"}
RESULT: Final = "result"
"""Where a value stands in a response that is no object, or has a ``code`` of another meaning."""
VALUE: Final = "value"
"""Where an argument stands in a request that is no object."""


class Offered(BaseModel):
    """Something that a provider is able to.

    Attributes:
        target: what the provider's code calls for it.
        description: in words.
        input: JSON Schema of what it is given: an object.
        output: JSON Schema of what it gives.
        examples: requests with what they are answered.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    target: Annotated[str, Field(max_length=2_048)] = ""
    description: Text = ""
    input: JsonObject = Field(default_factory=lambda: dict(NOTHING))
    output: JsonObject = Field(default_factory=dict)
    examples: tuple[Example, ...] = ()


class _Capabilities(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    capabilities: Annotated[tuple[Offered, ...], Field(max_length=_MOST_OFFERED)]


@dataclass(frozen=True, slots=True)
class Settled:
    """A document that a need and a capability both fit, and the capability's target."""

    document: ProtocolDocument = field(repr=False)
    target: str


def capabilities_in(text: str) -> tuple[Offered, ...]:
    """The capabilities that a provider's information names with schemas that can be used; none where it is words."""
    try:
        found = _Capabilities.model_validate(strict_json(text.encode("utf-8", "surrogatepass"), _MOST_VALUES))
    except (ValidationError, InvalidInput):
        return ()
    return tuple(each for each in found.capabilities if _usable(each))


def need_schemas(need: Need) -> tuple[JsonObject | None, JsonObject | None]:
    """JSON Schemas of what a requester can give and wants to get; None where it does not say it clearly enough."""
    given = need.input_schema or _described(need.input_description)
    wanted = need.output_schema or _described(need.output_description)
    return given, wanted


def explicit(need: Need) -> bool:
    """Whether a need says both by schemas, not in words."""
    return need.input_schema is not None and need.output_schema is not None


def request_of(given: JsonObject) -> JsonObject:
    """JSON Schema of a request that holds what a requester can give."""
    if given.get("type") == "object":
        return given
    return _lifted(given, lambda inner: {"type": "object", "properties": {VALUE: inner}, "required": [VALUE]})


def response_of(output: JsonObject) -> JsonObject:
    """JSON Schema of a good response that holds an output."""
    properties = output.get("properties", {})
    code = properties.get("code", CODE)
    if output.get("type") == "object" and _numeric(code):
        required = [name for name in output.get("required", ()) if name != "code"]
        return {**output, "properties": {"code": code, **properties}, "required": ["code", *required]}
    return _lifted(
        output,
        lambda inner: {"type": "object", "properties": {"code": CODE, RESULT: inner}, "required": ["code", RESULT]},
    )


def mapped(source: JsonObject, target: JsonObject) -> Mapping | None:
    """How values of one schema become values of another; None: they do not, or nothing of them arrives."""
    found = map_fields(source, target)
    if not isinstance(found, Mapping):
        return None
    return found if found.identity or found.moves or not target.get("properties") else None


def arguments_of(given: JsonObject, request: JsonObject) -> JsonObject:
    """What a requester can give, with those of its optional fields required that an agreed request requires.

    A protocol may need what the requester can but need not give: whoever uses it then has to give it.
    """
    properties = given.get("properties", {})
    needed = [name for name in request.get("required", ()) if name in properties]
    required = list(dict.fromkeys([*given.get("required", ()), *needed]))
    return {**given, "required": required} if required else given


def gives(document: ProtocolDocument, output: JsonObject) -> bool:
    """Whether a good response can be filled from a capability's output."""
    return any(mapped(source, document.good) for source in (output, _wrapped(output)))


def yields(document: ProtocolDocument, wanted: JsonObject) -> bool:
    """Whether what a requester wants can be taken from a good response."""
    sources: list[JsonObject] = [document.response, document.good]
    inner = document.response.get("properties", {}).get(RESULT)
    sources += [inner] if isinstance(inner, dict) and "$ref" not in str(inner) else []
    return any(mapped(source, wanted) for source in sources)


class Likely(NamedTuple):
    """A capability that may be meant, and how much it is about what is required; 0: words tell nothing."""

    offered: Offered
    overlap: int


def ranked(requirement: str, offered: Sequence[Offered]) -> list[Likely]:
    """The capabilities that may be meant by a requirement, the likeliest first.

    Those are the ones that share a word with it, and those that words cannot be compared of.
    """
    wanted = content(requirement)
    found = [Likely(each, _overlap(wanted, each)) for each in offered]
    may = [each for each in found if each.overlap or not wanted or not comparable(requirement, _said(each.offered))]
    return sorted(may, key=lambda each: -each.overlap)


def served_by(document: ProtocolDocument, offered: Sequence[Offered]) -> Offered | None:
    """The capability that answers the requests of a document; None where none does, or it would be a guess."""
    return serving(document, ranked(document.requirements, offered))


def serving(document: ProtocolDocument, likely: Sequence[Likely]) -> Offered | None:
    """The likeliest of capabilities, if its schemas can be mapped to a document's.

    Where words tell nothing, it has to be the only one whose schemas can.
    """
    most = likely[0].overlap if likely else 0
    fit = [
        each.offered
        for each in likely
        if each.overlap == most
        and mapped(document.request, each.offered.input)
        and gives(document, each.offered.output)
    ]
    return fit[0] if fit and (most or len(fit) == 1) else None


def settle(need: Need, offered: Sequence[Offered]) -> Settled | None:
    """A document for a need and one of a provider's capabilities, where their schemas can be mapped; else None."""
    given, wanted = need_schemas(need)
    if given is None or wanted is None:
        return None
    document = draft(need, given, wanted)
    found = served_by(document, offered)
    return Settled(document, found.target) if found else None


def draft(need: Need, given: JsonObject, wanted: JsonObject) -> ProtocolDocument:
    """The document that a requester would propose.

    Raises:
        InvalidInput: the schemas make none.
    """
    request, response = request_of(given), response_of(wanted)
    text = documents.write(
        requirements=need.requirement,
        request=request,
        response=response,
        examples=fitting(need.examples, request, response),
    )
    return documents.read(text)


def fitting(examples: Sequence[Example], request: JsonObject, response: JsonObject) -> list[Example]:
    """The examples that fit both schemas, a ``code`` of 200 put in where there is none."""
    asked, answered = compiled(request), compiled(response)
    whole = [Example(request=each.request, response={"code": documents.GOOD, **each.response}) for each in examples]
    return [each for each in whole if asked.accepts(each.request) and answered.accepts(each.response)]


def _said(offered: Offered) -> str:
    return f"{offered.target.rpartition(':')[2].replace('.', ' ').replace('_', ' ')} {offered.description}"


def _overlap(wanted: frozenset[str], offered: Offered) -> int:
    named = content(_said(offered))
    fields = content(" ".join(_names(offered.input) | _names(offered.output)).replace("_", " "))
    return _TARGET_WEIGHT * len(wanted & named) + len(wanted & (fields - named))


def _described(text: str) -> JsonObject | None:
    return described(text) if text.strip() else dict(NOTHING)


def _usable(offered: Offered) -> bool:
    try:
        compiled(offered.input)
        compiled(offered.output)
    except InvalidInput:
        return False
    return offered.input.get("type") == "object"


def _numeric(code: object) -> bool:
    if not isinstance(code, dict) or "$ref" in code:
        return False
    return compiled(code).accepts(documents.GOOD) and not compiled(code).accepts("200")


def _wrapped(output: JsonObject) -> JsonObject:
    """An output as the value of a response that is not an object by itself."""
    return _lifted(output, lambda inner: {"type": "object", "properties": {RESULT: inner}, "required": [RESULT]})


def _lifted(schema: JsonObject, around: Callable[[JsonObject], JsonObject]) -> JsonObject:
    """A schema within another; its definitions stay where references look for them."""
    shared: JsonObject = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    inner = {key: value for key, value in schema.items() if key not in shared and key != "$schema"}
    return {**around(inner), **shared}


def _names(schema: JsonObject) -> set[str]:
    """The names of all fields within a schema."""
    names: set[str] = set()
    level: list[object] = [schema]
    while level:
        node = level.pop()
        if isinstance(node, dict):
            properties = node.get("properties")
            names |= set(properties) if isinstance(properties, dict) else set()
            level += list(node.values())
        elif isinstance(node, list):
            level += node
    return names
