"""Lists of fields as people write them, in English and Chinese. Pure.

One field a line or in one sentence: ``user_id: string, required, who asks``, ``- 用户ID user_id（字符串）``,
``name (string, optional): …``, rows of a table; fields of an object are indented below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from moothall.codegen.schemas.admission import JsonObject
from moothall.codegen.schemas.type_words import is_optional, says_more, type_of

_MOST_FIELDS: Final = 200
_LONGEST: Final = 200
_BULLET: Final = re.compile(r"\s*(?:[-*•·+]|\d{1,3}[.)、]|[（(]\d{1,3}[)）])?\s*")
_SPLIT: Final = re.compile(
    r"(?:[,，;；、]|\band\b|以及|和)\s*(?=[^,，;；、:：()（）=\n]{0,30}?[A-Za-z_]\w{0,63}\s*[:：(（=])"
)
_FIELD: Final = re.compile(
    r"(?P<label>[\u4e00-\u9fff][^:：|()（）`\n]{0,30}?)?(?:[A-Za-z][^:：|()（）`=\n]{0,80}?\s)?"
    r"[`\"'*]{0,3}(?P<name>[A-Za-z_]\w{0,63})[`\"'*]{0,3}\s*[:：(（|—–=-]\s*(?P<rest>.*)"
)
_CHINESE: Final = re.compile(r"(?P<name>[\u4e00-\u9fff]{1,20})\s*[:：(（]\s*(?P<rest>.*)")
_ROW: Final = re.compile(r"\s*\|(.*)\|\s*")
_PIECES: Final = re.compile(r"[,，;；()（）:：|—–]+")
_TRIM: Final = " \t,，;；.。:：()（）|—–-"


@dataclass(slots=True)
class _Field:
    """A field as it was read, with those below it."""

    name: str
    schema: JsonObject
    typed: bool
    needed: bool
    indent: int
    below: list[_Field] = field(default_factory=list)


def listed(text: str) -> JsonObject | None:
    """The schema of an object with the fields that a text lists; None where no field of it has a type."""
    top: list[_Field] = []
    open_: list[_Field] = []
    for found in _fields(text):
        while open_ and open_[-1].indent >= found.indent:
            open_.pop()
        holds = bool(open_) and open_[-1].schema.get("type") in {"object", "array"}
        (open_[-1].below if holds else top).append(found)
        open_.append(found)
    return _object(top) if any(each.typed for each in top) else None


def _object(fields: list[_Field]) -> JsonObject:
    needed = [each.name for each in fields if each.needed]
    made: JsonObject = {"type": "object", "properties": {each.name: _schema(each) for each in fields}}
    return {**made, "required": list(dict.fromkeys(needed))} if needed else made


def _schema(found: _Field) -> JsonObject:
    if not found.below:
        return found.schema
    inner = _object(found.below)
    if found.schema["type"] == "array":
        return {**found.schema, "items": inner}
    return {**found.schema, **inner}


def _fields(text: str) -> Iterator[_Field]:
    lines = [line for line in text.splitlines() if line.strip()]
    parts = [part for line in lines for part in _pieces(line)]
    for part in parts[:_MOST_FIELDS]:
        if found := _field(part):
            yield found


def _pieces(line: str) -> list[str]:
    """The fields of one line, each with the indentation of the line."""
    if row := _ROW.fullmatch(line):
        return ["" if set(row[1]) <= set("-: |") else row[1].strip()]
    indent = line[: len(line) - len(line.lstrip())]
    return [indent + part.strip() for part in _SPLIT.split(line)]


def _field(part: str) -> _Field | None:
    indent = len(part) - len(part.lstrip())
    bullet = _BULLET.match(part)
    rest = part[bullet.end() if bullet else 0 :]
    named = _FIELD.match(rest) or _CHINESE.match(rest)
    if named is None:
        return None
    said = named["rest"]
    schema = type_of(said)
    label = (named.groupdict().get("label") or "").strip(_TRIM)
    if schema is None and not (bullet and bullet[0].strip() and said.strip()):
        return None
    made: JsonObject = dict(schema or {})
    if label:
        made["title"] = label
    told = [piece.strip(_TRIM) for piece in _PIECES.split(said) if says_more(piece)]
    if told:
        made["description"] = ", ".join(told)[:_LONGEST]
    return _Field(named["name"], made, schema is not None, not is_optional(said), indent)
