"""The error of a schema that is not taken, without a word of the schema itself."""

from __future__ import annotations

from typing import Final

from moothall.errors import InvalidInput, Told

_WHY: Final = {
    "large": "the schema is larger or deeper than is taken",
    "json": "the schema is no JSON Schema: it has to be a JSON object or a boolean",
    "dialect": "the schema is written in another dialect than JSON Schema 2020-12",
    "keyword": "the value of the schema's keyword {keyword} has not the form that JSON Schema 2020-12 prescribes",
    "unsupported": "the schema's keyword {keyword} is not supported here",
    "ref": "the schema refers to something that it does not hold itself",
    "pattern": "a pattern of the schema cannot be matched within bounds",
}


def refused(reason: str, keyword: str = "") -> InvalidInput:
    """What to raise; ``reason`` is one of ours, ``keyword`` a name of JSON Schema, never text of the schema."""
    told = Told(f"codegen.schema.{reason}", {"keyword": keyword})
    return InvalidInput("the schema is refused", why=_WHY[reason].format(keyword=keyword), told=told)
