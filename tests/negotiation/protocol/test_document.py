"""The document of a protocol: what can be read is what was written, and nothing else is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moothall.errors import InvalidInput
from moothall.negotiation.protocol import document
from moothall.negotiation.protocol.document import ErrorCode
from moothall.negotiation.protocol.markdown import blocks, sections
from moothall.negotiation.protocol.needs import Example
from moothall.negotiation.protocol.results import protocol_hash

REQUEST = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
RESPONSE = {
    "type": "object",
    "properties": {"code": {"type": "integer"}, "sky": {"type": "string"}},
    "required": ["code", "sky"],
}


def text(**more: Any) -> str:
    return document.write(**{"requirements": "Tell the weather.", "request": REQUEST, "response": RESPONSE, **more})


@pytest.mark.requirement("META-NEG-03")
def test_a_document_has_the_headings_of_the_specification_and_two_schemas() -> None:
    written = text()
    headings = [line for line in written.splitlines() if line.startswith("#")]
    assert headings == [
        "# Requirements",
        "# Protocol Flow",
        "# Data Format",
        "## Request",
        "## Response",
        "# Error Handling",
    ]
    assert [json.loads(block.text) for block in blocks(written)] == [REQUEST, RESPONSE]


def test_what_was_written_is_read() -> None:
    errors = (ErrorCode(404, "no such city"), ErrorCode(429, "too often"))
    example = Example(request={"city": "Oslo"}, response={"code": 200, "sky": "grey"})
    read = document.read(text(errors=errors, flow="One request,\none response.", examples=[example]))
    assert (read.requirements, read.flow) == ("Tell the weather.", "One request,\none response.")
    assert (read.request, read.response, read.errors, read.examples) == (REQUEST, RESPONSE, errors, (example,))
    assert read.digest == protocol_hash(read.text)
    assert read.name == f"protocol.{read.digest[7:23]}"


@settings(max_examples=60, deadline=None)
@given(requirements=st.text(min_size=1, max_size=200).filter(lambda value: value.strip() and value.isprintable()))
def test_no_words_in_a_document_can_be_taken_for_its_headings_or_schemas(requirements: str) -> None:
    evil = f"{requirements}\n# Data Format\n## Request\n```json\n{{}}\n```\n~~~\n# Error Handling"
    read = document.read(text(requirements=evil, flow="# Requirements\n```"))
    assert (read.request, read.response) == (REQUEST, RESPONSE)
    assert "# Data Format" in read.requirements


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("# Data Format", "# 3. **Data Format**:"),
        lambda t: t.replace("# Requirements", "## requirements"),
        lambda t: t.replace("```json", "~~~~ JSON").replace("```", "~~~~"),
        lambda t: "Some words before.\n\n" + t.replace("\n", "\r\n"),
        lambda t: t + "\n# Notes\n\nmore\n",
    ],
    ids=["numbered", "second-level", "tildes", "crlf", "more-headings"],
)
def test_documents_of_others_are_read_where_their_meaning_is_clear(change: Any) -> None:
    read = document.read(change(text()))
    assert (read.request, read.response) == (REQUEST, RESPONSE)
    assert [error.code for error in read.errors] == [400, 404, 500]


@pytest.mark.requirement("META-PROTO-17")
@pytest.mark.parametrize(
    "change",
    [
        lambda t: "",
        lambda t: "Let us use JSON.",
        lambda t: t.replace("# Requirements", "# Wishes"),
        lambda t: t.replace("# Protocol Flow", "# Error Handling"),
        lambda t: t.replace("> Tell the weather.", ""),
        lambda t: t.replace("## Response", "## Reply"),
        lambda t: t.replace("## Response", "## Request"),
        lambda t: t.replace("```json", "```python"),
        lambda t: t.replace("## Response", "```json\n{}\n```\n## Response"),
        lambda t: t[: t.rindex("```")],
        lambda t: t.replace('"object"', '"array"', 1),
        lambda t: t.replace('"object"', '"objekt"', 1),
        lambda t: t.replace('"string"', '"string", "$ref": "https://example.com/x"', 1),
        lambda t: t.replace('"type": "integer"', '"type": "string"'),
        lambda t: t.replace('"type": "integer"', '"const": 500'),
        lambda t: t.replace('"type": "integer"', '"description": "any"'),
        lambda t: t.replace('"code",', '"sky",'),
        lambda t: t.replace('"city"', '"city": 1, "city"', 1),
        lambda t: t + "x" * 70_000,
    ],
    ids="empty words no-heading twice no-requirements no-response request-twice no-json two-blocks cut array no-type remote-ref code-text code-500 code-any code-optional key-twice long".split(),
)
def test_what_is_no_such_document_is_refused_with_a_reason(change: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        document.read(change(text()))
    assert caught.value.told or "schema" in str(caught.value)


def test_examples_that_do_not_fit_the_schemas_make_no_document() -> None:
    with pytest.raises(InvalidInput):
        text(examples=[Example(request={}, response={"code": 200, "sky": "x"})])
    with pytest.raises(InvalidInput):
        text(examples=[Example(request={"city": "x"}, response={"code": 200})])
    written = text(examples=[Example(request={"city": "x"}, response={"code": 200, "sky": "x"})])
    with pytest.raises(InvalidInput):
        document.read(written.replace('"response": {', '"reply": {'))


def test_a_good_response_fits_the_schema_and_any_other_needs_its_code_only() -> None:
    read = document.read(text())
    assert read.response_problems({"code": 200, "sky": "grey"}) == []
    assert read.response_problems({"code": 404}) == []
    assert read.response_problems({"code": 500, "message": "no"}) == []
    for wrong in (
        {"code": 200},
        {"code": 200, "sky": 5},
        {"sky": "x"},
        {"code": "200", "sky": "x"},
        {},
        [],
        None,
        {"code": 404, "message": 1},
    ):
        assert read.response_problems(wrong), wrong
    assert read.request_problems({"city": "x"}) == []
    assert read.request_problems({"city": 1})


def test_the_schema_of_every_response_takes_good_ones_and_others() -> None:
    from moothall.codegen.schemas.validation import compiled

    read = document.read(text())
    schema = compiled(read.returns)
    assert schema.accepts({"code": 200, "sky": "x"})
    assert schema.accepts({"code": 404, "message": "x"})
    assert not schema.accepts({"code": 200})
    assert read.good == {"type": "object", "properties": {"sky": {"type": "string"}}, "required": ["sky"]}


@pytest.mark.parametrize("ref", ["#/$defs/sky", "#/properties/code"])
def test_schemas_with_references_stay_usable(ref: str) -> None:
    from moothall.codegen.schemas.validation import compiled

    response = {
        **RESPONSE,
        "properties": {"code": {"type": "integer"}, "sky": {"$ref": ref}},
        "$defs": {"sky": {"type": "integer"}},
    }
    read = document.read(text(response=response))
    assert compiled(read.returns).accepts({"code": 200, "sky": 1})
    assert compiled(read.returns).accepts({"code": 404})
    assert read.response_problems({"code": 200, "sky": "x"})


def test_sections_of_a_text_keep_blocks_apart_from_words() -> None:
    found = sections("a\n# One #\nb\n```py x\n# no heading\n```\n### Two\n~~~\n```\n~~~\n    # code\n#no\n")
    assert [(s.level, s.title) for s in found] == [(0, ""), (1, "One"), (3, "Two")]
    assert [(b.tag, b.text) for s in found for b in s.blocks] == [("py", "# no heading"), ("", "```")]
    assert found[1].text == "b"


@pytest.mark.parametrize(
    "sign", ["\x00", "\x0b", "\x85", "\u2028", "\u202e", "\u2066", "\ud800"], ids=lambda sign: f"U+{ord(sign):04X}"
)
@pytest.mark.requirement("META-LIMIT-05")
def test_signs_that_one_reader_sees_and_another_does_not_stand_in_no_document(sign: str) -> None:
    written = text(requirements="Get the schools.")
    with pytest.raises(InvalidInput) as refused:
        document.read(written.replace("Get the", f"Get{sign}the"))
    assert refused.value.told is not None
    assert refused.value.told.why == "agreeing.document_unseen"


def test_what_is_written_has_no_such_signs_and_schemas_keep_theirs_as_escapes() -> None:
    words = "one\u2028# Data Format\x85two\u202ethree\x00"
    request = {**REQUEST, "description": words}
    found = document.read(text(requirements=words, request=request, flow=words))
    assert found.request == request
    assert "\u202e" not in found.text
    assert found.requirements == "one\n# Data Format\ntwothree"
