"""Test cases as they travel: markdown with one fenced JSON list of ``{name, request, expected}`` (row META-WIRE-04)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from moothall.canonical import canonical, sha256, strict_json
from moothall.errors import InvalidInput, Told
from moothall.negotiation.protocol.limits import MAX_PROTOCOL_BYTES
from moothall.negotiation.protocol.markdown import blocks
from moothall.negotiation.protocol.needs import JsonObject

MOST_CASES: Final = 50

_MOST_VALUES: Final = 20_000


class AgreedCase(BaseModel):
    """A request, and the response that it has to get."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    request: JsonObject
    expected: JsonObject


_CASES: Final = TypeAdapter(Annotated[tuple[AgreedCase, ...], Field(max_length=MOST_CASES)])


def cases_text(cases: Sequence[JsonObject]) -> str:
    """Test cases as markdown."""
    listed = json.dumps(list(cases), ensure_ascii=False, indent=2)
    return f"# Test Cases\n\n```json\n{listed}\n```\n"


def cases_in(text: str) -> tuple[JsonObject, ...]:
    """The test cases of a markdown text, each with exactly its three members.

    Raises:
        InvalidInput: there is not exactly one JSON list, or what it holds are no test cases, or two have one name.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_PROTOCOL_BYTES:
        raise _refused("cases_long")
    lists = [block.text for block in blocks(text) if block.tag in {"json", ""}]
    if len(lists) != 1:
        raise _refused("cases_list")
    value = strict_json(lists[0].encode("utf-8", "surrogatepass"), _MOST_VALUES)
    try:
        cases = _CASES.validate_python(value)
    except ValidationError as error:
        raise _refused("cases_form") from error
    if len({case.name for case in cases}) != len(cases):
        raise _refused("cases_twice")
    return tuple(case.model_dump(mode="json") for case in cases)


def cases_digest(cases: Sequence[JsonObject]) -> str:
    """``sha256:…`` of test cases in their order: two sides that agree on them have the same one.

    Raises:
        InvalidInput: they have no canonical form.
    """
    return sha256(canonical(list(cases)))


def _refused(why: str) -> InvalidInput:
    return InvalidInput("the test cases cannot be read", told=Told(f"agreeing.{why}"))
