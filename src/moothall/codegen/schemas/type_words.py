"""The types that people name in a list of fields, in English and Chinese. Pure."""

from __future__ import annotations

import re
from typing import Final

from moothall.codegen.schemas.admission import JsonObject

_WORDS: Final[tuple[tuple[str, JsonObject], ...]] = (
    (r"date[- ]?time|timestamp|日期时间|时间戳", {"type": "string", "format": "date-time"}),
    (r"booleans?|bools?|true/false|yes/no|布尔值?|布林|是否", {"type": "boolean"}),
    (r"integers?|ints?|whole numbers?|整数|整型", {"type": "integer"}),
    (r"numbers?|floats?|doubles?|decimals?|数字|数值|小数|浮点数?", {"type": "number"}),
    (r"strings?|strs?|texts?|字符串|字串|文本|文字", {"type": "string"}),
    (r"objects?|dicts?|dictionary|maps?|对象|字典", {"type": "object"}),
    (r"dates?|日期", {"type": "string", "format": "date"}),
)
_LATIN: Final = re.compile(r"[a-z]")
_LIST: Final = re.compile(r"\b(?:arrays?|lists?)\b|列表|数组|\[\]", re.IGNORECASE)
_OPTIONAL: Final = re.compile(
    r"\boptional\b|\bnot required\b|\bmay be (?:missing|absent|omitted)\b|可选(?!值)|选填|非必填|可省略", re.IGNORECASE
)
_CHOICE: Final = re.compile(
    r"(?:\bone of\b|\benum\b|\beither\b|可选值|取值|枚举)\s*(?:为|是)?\s*[:：]?\s*[\[(（]?\s*"
    r"((?:[\"'“]?[\w.-]{1,40}[\"'”]?\s*(?:[,，、|/]|\bor\b|或)\s*){1,30}[\"'“]?[\w.-]{1,40}[\"'”]?)",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(r"\s*(?:[,，、|/]|\bor\b|或)\s*")


def _pattern(words: str) -> re.Pattern[str]:
    parts = [rf"\b(?:{part})\b" if _LATIN.match(part) else part for part in words.split("|")]
    return re.compile("|".join(parts), re.IGNORECASE)


_TYPES: Final = [(_pattern(words), schema) for words, schema in _WORDS]


def type_of(text: str) -> JsonObject | None:
    """The schema of the type that a text names first; None where it names none."""
    if choice := _CHOICE.search(text):
        values = [value.strip("\"'“” ") for value in _BETWEEN.split(choice[1])]
        return {"type": "string", "enum": list(dict.fromkeys(value for value in values if value))}
    listed = _LIST.search(text)
    found = [(match.start(), -match.end(), schema) for regex, schema in _TYPES if (match := regex.search(text))]
    plain = dict(min(found, key=lambda each: each[:2])[2]) if found else None
    if listed and _goes_first(listed, found):
        return {"type": "array", "items": plain or {}}
    return plain


def _goes_first(listed: re.Match[str], found: list[tuple[int, int, JsonObject]]) -> bool:
    """Whether a word for a list is about the type: it stands before that, or right behind it."""
    first = min(found, key=lambda each: each[:2], default=None)
    return first is None or listed.start() < first[0] or listed.start() - -first[1] <= 1


_NO_WORDS: Final = re.compile(
    r"\b(?:required|mandatory|optional|an?|of|yes|no|type)\b|必填|必选|可选|选填|必需|类型|[\W_\d]", re.IGNORECASE
)


def says_more(text: str) -> bool:
    """Whether a text says more than a type and whether the field may be missing."""
    for regex, _schema in (*_TYPES, (_LIST, None)):
        text = regex.sub("", text)
    return bool(_NO_WORDS.sub("", text))


def is_optional(text: str) -> bool:
    """Whether a text says that a field may be missing."""
    return bool(_OPTIONAL.search(text))
