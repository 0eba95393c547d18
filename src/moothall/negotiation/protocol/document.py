"""The document of a protocol: what two sides agree on, byte for byte (rows META-NEG-03, META-WIRE-08). Pure.

Markdown with the headings of the specification; JSON Schemas (2020-12) of request and response, in fenced blocks::

    # Requirements        # Protocol Flow        # Data Format        # Error Handling
                                                 ## Request           a table: | code | meaning |
                                                 ## Response
                                                 ## Examples (if any)

The response's schema is that of a good one, whose ``code`` is 200. A response with another code needs no more than
that ``code``, and may have a ``message``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from moothall.canonical import strict_json
from moothall.codegen.schemas.validation import Schema, compiled
from moothall.errors import InvalidInput, Told
from moothall.negotiation.protocol.limits import MAX_PROTOCOL_BYTES
from moothall.negotiation.protocol.markdown import Section, quoted, sections, unquoted
from moothall.negotiation.protocol.needs import MOST_EXAMPLES, Example, JsonObject
from moothall.negotiation.protocol.results import protocol_hash

HEADINGS: Final = ("Requirements", "Protocol Flow", "Data Format", "Error Handling")
GOOD: Final = 200

_NAME_DIGITS: Final = 16
_DEEPEST: Final = 2
"""Of a heading of the specification."""
_MOST_VALUES: Final = 20_000
_NUMBERED: Final = re.compile(r"^[\d.]+[.)、:]?\s+|[:：]\s*$")
_CODE: Final = re.compile(r"`?(\d{1,9})`?\Z")
_CELLS: Final = 3
"""Parts that the bars of a row with two cells cut it into, less the last."""
_LONGEST_TITLE: Final = 100
_UNSEEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What stands in no document: signs that end a line for one reader only, or that show people another order or nothing,
and halves of characters. In the JSON of a document they are written as escapes."""
_EXAMPLES: Final = TypeAdapter(list[Example])

BAD_RESPONSE: Final[JsonObject] = {
    "type": "object",
    "properties": {"code": {"type": "integer", "not": {"const": GOOD}}, "message": {"type": "string"}},
    "required": ["code"],
}
"""A response that is not good."""

ANY_RESPONSE: Final[JsonObject] = {"type": "object", "properties": {"code": {"type": "integer"}}, "required": ["code"]}

_SHARED: Final = ("$defs", "definitions")


class ErrorCode(NamedTuple):
    """A row of the table of errors."""

    code: int
    meaning: str


STANDARD_ERRORS: Final = (
    ErrorCode(400, "the request does not fit its schema"),
    ErrorCode(404, "what is asked for does not exist"),
    ErrorCode(500, "the request could not be answered"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolDocument:
    """A document that was read.

    Attributes:
        text: all of it, as it travels.
        requirements: what the protocol is for.
        flow: who says what when.
        request: JSON Schema of a request: an object.
        response: JSON Schema of a good response: an object with the integer ``code``.
        errors: the other codes and what they mean.
        examples: requests with their responses.
    """

    text: str = field(repr=False)
    requirements: str = field(repr=False)
    flow: str = field(repr=False)
    request: JsonObject = field(repr=False)
    response: JsonObject = field(repr=False)
    errors: tuple[ErrorCode, ...] = ()
    examples: tuple[Example, ...] = field(default=(), repr=False)
    _checks: dict[str, Schema] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Schemas as they were compiled first: every request and response is checked."""

    @property
    def digest(self) -> str:
        """``sha256:…`` of the text."""
        return protocol_hash(self.text)

    @property
    def name(self) -> str:
        """What the capability is called that speaks it."""
        return f"protocol.{self.digest.partition(':')[2][:_NAME_DIGITS]}"

    @property
    def good(self) -> JsonObject:
        """JSON Schema of what a good response tells: it without its ``code``."""
        said = dict(self.response)
        said["properties"] = {name: each for name, each in said.get("properties", {}).items() if name != "code"}
        said["required"] = [name for name in said.get("required", ()) if name != "code"]
        return said

    @property
    def returns(self) -> JsonObject:
        """JSON Schema of every response, good or not."""
        parts = {key: value for key, value in self.response.items() if key not in _SHARED}
        if not all(ref.startswith(("#/$defs/", "#/definitions/")) for ref in references(self.response)):
            return dict(ANY_RESPONSE)  # what refers to its own root cannot be moved below another
        schema: JsonObject = {"anyOf": [parts, dict(BAD_RESPONSE)]}
        return schema | {key: value for key, value in self.response.items() if key in _SHARED}

    def request_problems(self, value: object) -> list[str]:
        """What is wrong with a request; nothing of it is repeated."""
        return self._check("request", self.request).problems(value)

    def response_problems(self, value: object) -> list[str]:
        """What is wrong with a response; nothing of it is repeated."""
        good = isinstance(value, dict) and value.get("code") == GOOD
        check = self._check("good", self.response) if good else self._check("bad", BAD_RESPONSE)
        return check.problems(value)

    def _check(self, name: str, schema: JsonObject) -> Schema:
        found = self._checks.get(name)
        if found is None:
            found = self._checks[name] = compiled(schema)
        return found


def read(text: str, most: int = MAX_PROTOCOL_BYTES) -> ProtocolDocument:
    """Read a document.

    Raises:
        InvalidInput: it is longer than ``most`` bytes, or not what the specification asks for; says what.
    """
    if len(text.encode("utf-8", "surrogatepass")) > most:
        raise _refused("document_long", most=most)
    if _UNSEEN.search(text):
        raise _refused("document_unseen")
    places = _places(sections(text))
    inside = places["Data Format"]
    request, response = (_schema(inside, title) for title in ("Request", "Response"))
    _check_response(response)
    examples = _examples(inside)
    document = ProtocolDocument(
        text=text,
        requirements=_words(places["Requirements"], "# Requirements"),
        flow=_words(places["Protocol Flow"], "# Protocol Flow"),
        request=request,
        response=response,
        errors=_errors(places["Error Handling"]),
        examples=examples,
    )
    if any(document.request_problems(e.request) or document.response_problems(e.response) for e in examples):
        raise _refused("document_example")
    return document


def write(
    *,
    requirements: str,
    request: JsonObject,
    response: JsonObject,
    errors: Sequence[ErrorCode] = STANDARD_ERRORS,
    flow: str = "",
    examples: Sequence[Example] = (),
) -> str:
    """A document. The words in it are quoted, so that they cannot be taken for headings or schemas.

    Raises:
        InvalidInput: what it is made of makes no document that can be read.
    """
    parts = [
        f"# Requirements\n\n{_said(requirements)}",
        f"# Protocol Flow\n\n{_said(flow or _FLOW)}",
        "# Data Format\n\nAll messages are JSON objects in UTF-8; the schemas are JSON Schema 2020-12.",
        f"## Request\n\n{_fenced(request)}",
        f"## Response\n\n{_fenced(response)}",
    ]
    if examples:
        parts.append(f"## Examples\n\n{_fenced([each.model_dump(mode='json') for each in examples])}")
    rows = "\n".join(f"| {each.code} | {_cell(each.meaning)} |" for each in errors)
    parts.append(f"# Error Handling\n\n| code | meaning |\n| --- | --- |\n{rows}")
    text = "\n\n".join(parts) + "\n"
    read(text)
    return text


_FLOW: Final = (
    "1. The requester sends one request.\n"
    "2. The provider answers it with exactly one response; its code is 200, or one of the codes below.\n"
    "3. Requests are independent of each other; a request and its response have the same message id."
)


def _fenced(value: Any) -> str:  # noqa: ANN401 - any JSON
    return f"```json\n{escaped(json.dumps(value, ensure_ascii=False, indent=2))}\n```"


def escaped(text: str) -> str:
    """JSON whose strings have escapes in place of characters that stand in no document."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _cell(text: str) -> str:
    return _UNSEEN.sub("", " ".join(text.replace("|", "/").split()))


def _said(text: str) -> str:
    return _UNSEEN.sub("", quoted(text))


def _plain(title: str) -> str:
    title = " ".join(title[:_LONGEST_TITLE].replace("*", "").split())
    return _NUMBERED.sub("", title).strip().casefold()


def _places(found: Iterable[Section]) -> dict[str, list[Section]]:
    """The sections below each heading of the specification, its own one first."""
    wanted = {each.casefold(): each for each in HEADINGS}
    places: dict[str, list[Section]] = {}
    current: list[Section] = []
    for section in found:
        name = wanted.get(_plain(section.title)) if 1 <= section.level <= _DEEPEST else None
        if name in places:
            raise _refused("document_heading", heading=f"# {name}")
        if name:
            current = places[name] = []
        current.append(section)
    for heading in HEADINGS:
        if heading not in places:
            raise _refused("document_heading", heading=f"# {heading}")
    return places


def references(value: object) -> Iterator[str]:
    """Every reference within a schema."""
    if isinstance(value, dict):
        ref = value.get("$ref")
        if isinstance(ref, str):
            yield ref
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references(each)


def _below(inside: Iterable[Section], title: str) -> list[Section]:
    return [section for section in inside if _plain(section.title) == title.casefold()]


def _schema(inside: Sequence[Section], title: str) -> JsonObject:
    heading = f"## {title}"
    found = _below(inside, title)
    blocks = [block.text for section in found for block in section.blocks if block.tag in {"json", "jsonschema", ""}]
    if len(found) != 1 or len(blocks) != 1:
        raise _refused("document_schema", heading=heading)
    value = _json(blocks[0], heading)
    if not isinstance(value, dict) or value.get("type") != "object":
        raise _refused("document_schema", heading=heading)
    _compiled(value, heading)
    return value


def _compiled(schema: JsonObject, heading: str) -> Schema:
    try:
        return compiled(schema)
    except InvalidInput as error:
        raise _refused("document_schema_refused", heading=heading) from error


def _check_response(schema: JsonObject) -> None:
    code = schema.get("properties", {}).get("code")
    if not isinstance(code, dict) or "code" not in schema.get("required", ()) or not compiled(code).accepts(GOOD):
        raise _refused("document_code")
    if compiled(code).accepts("200"):
        raise _refused("document_code")


def _examples(inside: Sequence[Section]) -> tuple[Example, ...]:
    found = [block.text for section in _below(inside, "Examples") for block in section.blocks]
    if not found:
        return ()
    try:
        examples = _EXAMPLES.validate_python(_json(found[0], "## Examples"))
    except ValidationError as error:
        raise _refused("document_example") from error
    return tuple(examples[:MOST_EXAMPLES])


def _words(inside: Sequence[Section], heading: str) -> str:
    found = "\n\n".join(section.text for section in inside if section.text)
    if not found:
        raise _refused("document_empty", heading=heading)
    return unquoted(found)


def _errors(inside: Sequence[Section]) -> tuple[ErrorCode, ...]:
    """The rows of the tables, whose first cell is a code and whose second one says what it means."""
    codes: dict[int, str] = {}
    for line in (line.strip() for section in inside for line in section.text.splitlines()):
        cells = [cell.strip() for cell in line.split("|")]
        code = _CODE.match(cells[1]) if len(cells) > _CELLS and not cells[0] else None
        if code and int(code[1]) != GOOD:
            codes[int(code[1])] = cells[2]
    return tuple(ErrorCode(code, meaning) for code, meaning in codes.items())


def _json(text: str, heading: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return strict_json(text.encode("utf-8", "surrogatepass"), _MOST_VALUES)
    except InvalidInput as error:
        raise _refused("document_schema", heading=heading) from error


def _refused(why: str, **values: object) -> InvalidInput:
    return InvalidInput("the protocol cannot be read", told=Told(f"agreeing.{why}", values))
