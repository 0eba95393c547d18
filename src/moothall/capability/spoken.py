"""Calls in words: a capability that is ``ai_enhanced`` also takes its arguments as one sentence (row DEC-21). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from moothall.capability.spec import CapabilitySpec, JsonObject

QUERY: Final = "query"
"""The name of the sentence. A parameter of the capability's own that is called so stays that parameter."""

_SAID: Final[JsonObject] = {
    "type": "string",
    "description": "what is wanted, in words, in place of the other arguments",
}


def spoken_schema(schema: JsonObject, spec: CapabilitySpec) -> JsonObject:
    """The schema of the arguments, with the sentence beside them; nothing is required then."""
    properties = schema.get("properties", {})
    if not spec.ai_enhanced or QUERY in properties:
        return schema
    rest = {key: value for key, value in schema.items() if key != "required"}
    return {**rest, "properties": {**properties, QUERY: _SAID}}


def sentence_in(
    spec: CapabilitySpec, schema: JsonObject, params: Mapping[str, Any] | Sequence[Any]
) -> tuple[str, dict[str, Any]] | None:
    """The sentence of a call and the arguments beside it; None where the call has none."""
    if not spec.ai_enhanced or not isinstance(params, Mapping) or schema["properties"].get(QUERY) != _SAID:
        return None
    said = params.get(QUERY)
    if not isinstance(said, str) or not said.strip():
        return None
    return said, {name: value for name, value in params.items() if name != QUERY}
