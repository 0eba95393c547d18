"""What strangers write, made harmless: characters that hide or turn words are taken out, everything has a length. Pure.

Descriptions are data. Nothing here looks for bad intentions in them; they are never obeyed by anything.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from moothall.calls.target import MOST as LONGEST_TARGET
from moothall.calls.target import Target
from moothall.capability.spec import JsonObject
from moothall.directory.listing import Listing
from moothall.errors import ValidationError

LONGEST_NAME: Final = 200
LONGEST_TEXT: Final = 2000
LONGEST_TAG: Final = 60
MOST_TAGS: Final = 50
MOST_SCHEMA: Final = 64 * 1024
"""Characters of a schema as JSON."""

DEEPEST_SCHEMA: Final = 32

_GONE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES: Final = re.compile(r"\s+")
_UNTRIED: Final = frozenset(
    {"pattern", "patternProperties", "$schema", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor"}
)
"""Of strangers' schemas left out: expressions can be made that take for ever, ids that lead elsewhere."""

_TABLES: Final = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
"""Where keys are names, and no keywords."""

_WAYS: Final = {"anp": "did", "a2a": "a2a", "mcp": "mcp"}
"""Scheme of the targets of each way. A way that is missing is none that anybody else's listing can name."""


def tamed(listing: Listing) -> Listing:
    """The same with harmless texts; what cannot be made harmless has standing ``refused``, and why."""
    made = replace(
        listing,
        name=line(listing.name, LONGEST_NAME) or "?",
        description=line(listing.description, LONGEST_TEXT),
        tags=_lines(listing.tags),
        agent=line(listing.agent, LONGEST_TARGET),
        owner=line(listing.owner, LONGEST_NAME),
        place=line(listing.place, LONGEST_TAG),
        offers_from=line(listing.offers_from, LONGEST_TAG),
        offers_until=line(listing.offers_until, LONGEST_TAG),
        languages=_lines(listing.languages),
        version=line(listing.version, LONGEST_TAG),
        trust=0,
    )
    if not _named_rightly(made):  # kept under a name that no target has
        return _refused(replace(made, target=f"?{line(made.target, LONGEST_NAME)}"), "finding.target")
    if made.standing == "refused":
        return _refused(made, made.why)
    schemas = (_schema(made.input_schema), _schema(made.output_schema))
    if None in schemas:
        return _refused(made, "finding.schema")
    return replace(made, input_schema=schemas[0] or {}, output_schema=schemas[1] or {})


def line(text: object, longest: int) -> str:
    """A text in one line, without characters that cannot be seen, or turn others around."""
    if not isinstance(text, str):
        return ""
    text = text[: 4 * longest]  # of what is left out there may be any number
    shown = "".join(char if unicodedata.category(char) not in _GONE else _space(char) for char in text)
    return _SPACES.sub(" ", unicodedata.normalize("NFC", shown)).strip()[:longest].rstrip()


def _space(char: str) -> str:
    return " " if char in "\n\r\t\v\f\x85" else ""


def _lines(texts: tuple[str, ...]) -> tuple[str, ...]:
    kept = dict.fromkeys(line(text, LONGEST_TAG) for text in texts[:MOST_TAGS])
    return tuple(text for text in kept if text)


def _named_rightly(listing: Listing) -> bool:
    """Whether the target can be read, and is none of this node's own."""
    try:
        target = Target.parse(listing.target)
    except ValidationError:
        return False
    if len(listing.target) > LONGEST_TARGET or str(target) != listing.target:
        return False
    return _WAYS.get(listing.way) == target.scheme


def _refused(listing: Listing, why: str) -> Listing:
    return replace(listing, standing="refused", why=why, input_schema={}, output_schema={})


def _schema(schema: Mapping[str, Any]) -> JsonObject | None:
    """A schema with harmless texts; None where it is none that is taken."""
    try:
        if len(json.dumps(schema, ensure_ascii=False)) > MOST_SCHEMA:
            return None
        made = _harmless(schema, DEEPEST_SCHEMA)
    except (TypeError, ValueError, RecursionError):
        return None
    return made if isinstance(made, dict) else None


def _harmless(value: Any, room: int, *, names: bool = False) -> Any:  # noqa: ANN401 - JSON of any shape
    """A schema, or a table of schemas by their ``names``, with harmless texts.

    Raises:
        ValueError: it is too deep, refers to something that is not in it, or has names that cannot be read.
    """
    if room < 0:
        raise ValueError("too deep")
    if isinstance(value, list | tuple):
        return [_harmless(each, room - 1) for each in value]
    if not isinstance(value, Mapping):
        return line(value, LONGEST_TEXT) if isinstance(value, str) else value
    if names:
        if any(line(name, LONGEST_NAME) != name for name in value):
            raise ValueError("a name that cannot be read")
        return {name: _harmless(each, room - 1) for name, each in value.items()}
    reference = value.get("$ref")
    if reference is not None and not (isinstance(reference, str) and reference.startswith("#")):
        raise ValueError("it refers elsewhere")
    return {
        line(key, LONGEST_NAME): _harmless(each, room - 1, names=key in _TABLES)
        for key, each in value.items()
        if key not in _UNTRIED
    }
