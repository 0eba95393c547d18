"""A provider's counter-proposal without a model: the other side's document, changed until a capability fits. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from moothall.codegen.schemas.mapping import Unmapped, map_fields
from moothall.messages import Lang, text
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.structured import Offered, fitting, gives, mapped, response_of

_MOST_NAMED: Final = 12
_CODE_AND_ONE: Final = 2
"""Fields of a response that tells anything."""
_NAME: Final = re.compile(r"[\w.\[\]-]{1,100}\Z")


@dataclass(frozen=True, slots=True)
class Counter:
    """A whole text in answer to a proposal, and what is different in it."""

    text: str
    summary: str


def counter(proposal: ProtocolDocument, offered: Offered, lang: Lang) -> Counter:
    """What a provider with this capability can agree to, as near to the proposal as it gets.

    Raises:
        InvalidInput: the schemas make no document.
    """
    request, asked = _request(proposal.request, offered.input, lang)
    response, answered = _response(proposal, offered.output, lang)
    written = documents.write(
        requirements=proposal.requirements,
        request=request,
        response=response,
        errors=proposal.errors or documents.STANDARD_ERRORS,
        flow=proposal.flow,
        examples=fitting([*proposal.examples, *offered.examples], request, response),
    )
    return Counter(written, "; ".join(asked + answered))


def _request(asked: JsonObject, needed: JsonObject, lang: Lang) -> tuple[JsonObject, list[str]]:
    """What is asked for with what it lacks; the capability's own where no field of it is used.

    Else each value would stand in the request twice, under the names of both sides.
    """
    found = map_fields(asked, needed)
    if not isinstance(found, Unmapped):
        return asked, []
    names = _tops(found.missing)
    more = _with(asked, needed, names)
    moved = mapped(more, needed) if more is not None else None
    if more is not None and moved is not None and not _properties(asked).keys() <= _tops(moved.unused):
        return more, [text("agreeing.rules_added", lang, fields=listed(sorted(names)))]
    return needed, [text("agreeing.rules_own_request", lang)]


def _response(proposal: ProtocolDocument, output: JsonObject, lang: Lang) -> tuple[JsonObject, list[str]]:
    own = response_of(output)
    missing = lacking(proposal, output)
    if not missing and gives(proposal, output):
        return proposal.response, []
    kept = {name: each for name, each in _properties(proposal.response).items() if name not in missing}
    if len(kept) < _CODE_AND_ONE or _refers(proposal.response) or _refers(output):
        return own, [text("agreeing.rules_own_response", lang)]
    required = [name for name in proposal.response.get("required", ()) if name in kept]
    left = {**proposal.response, "properties": kept, "required": required}
    rest = mapped(output, {**left, "required": [name for name in required if name != "code"]})
    new = [name for name in _properties(own) if rest and name in rest.unused and name not in kept]
    given = {name: _properties(own)[name] for name in new}
    response = {
        **left,
        "properties": kept | given,
        "required": [*required, *(name for name in own["required"] if name in given)],
    }
    if not gives(replace(proposal, response=response), output):
        return own, [text("agreeing.rules_own_response", lang)]
    said = [text("agreeing.rules_left_out", lang, fields=listed(sorted(missing)))]
    return response, said + ([text("agreeing.rules_given", lang, fields=listed(new))] if new else [])


def lacking(proposal: ProtocolDocument, output: JsonObject) -> set[str]:
    """The fields of a proposed response, required or not, that a capability does not give."""
    found = map_fields(output, proposal.good)
    if isinstance(found, Unmapped):
        return _tops(found.missing)
    return {path for path in found.absent if path in _properties(proposal.good)}


def _tops(paths: Iterable[str]) -> set[str]:
    return {path.split(".")[0].removesuffix("[]") for path in paths}


def _with(asked: JsonObject, needed: JsonObject, names: set[str]) -> JsonObject | None:
    """A request that has these fields, too, and always; None where they cannot be moved."""
    properties = _properties(asked)
    found = {name: _properties(needed)[name] for name in sorted(names) if name in _properties(needed)}
    if len(found) != len(names) or _refers(needed):
        return None
    required = [*asked.get("required", ()), *(name for name in found if name not in asked.get("required", ()))]
    return {**asked, "properties": {**properties, **found}, "required": required}


def _properties(schema: JsonObject) -> JsonObject:
    found = schema.get("properties", {})
    return dict(found) if isinstance(found, dict) else {}


def _refers(schema: object) -> bool:
    return any(True for _ in documents.references(schema))


def listed(names: Iterable[str]) -> str:
    """Names of fields, for people; what is no name is not repeated."""
    shown = [name if _NAME.match(name) else "…" for name in names]
    return ", ".join(shown[:_MOST_NAMED])
