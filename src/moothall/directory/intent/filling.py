"""Arguments from what a request names, by the schema of the parameters: rules that do not guess. Pure.

A parameter is filled where one thing in the text fits it, and nothing else does. What is left open is left out: the
caller hears which parameters are missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from moothall.directory.intent.evidence import Evidence, Number, Place, Unit
from moothall.directory.intent.schemas import Field, fields_of
from moothall.directory.lexicon import fold

_SPLIT: Final = re.compile(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")

_PLACE: Final = ("city", "location", "place", "town", "where", "destination", "origin", "departure", "arrival")
_PLACE_ZH: Final = ("城市", "地点", "地区", "位置", "目的地", "出发地")
_DAY: Final = ("date", "day", "when", "start", "end", "begin", "until", "since")
_DAY_ZH: Final = ("日期", "哪天", "何时")
_TEXT: Final = (
    *("query", "text", "q", "question", "content", "message", "input", "prompt", "keyword", "keywords", "expression"),
    *("sentence", "description", "request", "demand", "topic", "title", "body"),
)
_TEXT_ZH: Final = ("问题", "内容", "文本", "关键词", "原文", "请求")
_ID: Final = ("symbol", "ticker", "code", "id", "sku", "isbn", "number", "no", "account", "order")
_FROM: Final = ("from", "origin", "departure", "source", "start", "begin", "since")
_TO: Final = ("to", "destination", "arrival", "target", "end", "until")
_UNITS: Final[Mapping[Unit, tuple[str, ...]]] = {
    "days": ("days", "day", "duration", "period", "天", "日"),
    "hours": ("hours", "hour", "duration", "小时"),
    "money": ("amount", "price", "cost", "income", "budget", "money", "cents", "fee", "金额", "价格", "预算", "收入"),
    "people": ("people", "guests", "attendees", "persons", "size", "人数"),
    "percent": ("rate", "percent", "percentage", "ratio", "比例", "税率"),
    "items": ("limit", "top", "n", "count", "number", "数量", "个数"),
}
_NUMERIC: Final = ("integer", "number")


@dataclass(slots=True)
class _Filling:
    evidence: Evidence
    arguments: dict[str, Any] = field(default_factory=dict)
    used: set[object] = field(default_factory=set)

    def put(self, name: str, value: object, *found: object) -> None:
        self.arguments[name] = value
        self.used.update(found)


def filled(schema: Mapping[str, Any], evidence: Evidence, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a request names, beside those that are given by name."""
    filling = _Filling(evidence)
    left = [each for each in fields_of(schema) if each.name not in given]
    for take in (_written, _chosen, _formatted, _placed, _dated, _numbered, _identified):
        left = [each for each in left if each.name not in filling.arguments]
        take(filling, left)
    _spoken(filling, [each for each in left if each.name not in filling.arguments])
    return filling.arguments


def _written(filling: _Filling, fields: Sequence[Field]) -> None:
    """``name=value`` in the text itself."""
    said = {fold(name): value for name, value in filling.evidence.given}
    for each in fields:
        value = said.get(fold(each.name))
        if value is None:
            continue
        if each.kind in _NUMERIC:
            number = _number(value)
            if number is not None:
                filling.put(each.name, _measured(each, number))
        elif each.kind == "boolean":
            if value.lower() in {"true", "false"}:
                filling.put(each.name, value.lower() == "true")
        elif each.kind in {"string", ""}:
            filling.put(each.name, value)


def _chosen(filling: _Filling, fields: Sequence[Field]) -> None:
    """One of the values that a parameter may have."""
    text = fold(filling.evidence.text)
    for each in fields:
        found = [choice for choice in each.choices if isinstance(choice, str) and _says(text, fold(choice))]
        if len(found) == 1:
            filling.put(each.name, found[0])


def _formatted(filling: _Filling, fields: Sequence[Field]) -> None:
    evidence = filling.evidence
    for each in fields:
        if each.kind != "string":
            continue
        fits = evidence.mails if _is(each, ("email", "mail"), ("邮箱", "邮件")) or each.format == "email" else ()
        if not fits and (each.format == "uri" or _is(each, ("url", "uri", "link"), ("网址", "链接"))):
            fits = evidence.urls
        if len(fits) == 1:
            filling.put(each.name, fits[0])


def _placed(filling: _Filling, fields: Sequence[Field]) -> None:
    wanted = [each for each in fields if each.kind in {"string", ""} and _place_like(each)]
    for each in wanted:
        free = [place for place in filling.evidence.places if place not in filling.used]
        place = _place_for(each, free, alone=len(wanted) == 1)
        if place is not None:
            filling.put(each.name, place.name, place)


def _place_like(each: Field) -> bool:
    return not each.choices and not each.format and _is(each, _PLACE, _PLACE_ZH)


def _place_for(each: Field, free: Sequence[Place], *, alone: bool) -> Place | None:
    names = _parts(each.name)
    way = "from" if names & {*_FROM} else "to" if names & {*_TO} else ""
    fits = [place for place in free if way and place.way == way]
    if len(fits) == 1:
        return fits[0]
    return free[0] if len(free) == 1 and (alone or not way or free[0].way in {"", way}) else None


def _dated(filling: _Filling, fields: Sequence[Field]) -> None:
    wanted = [each for each in fields if each.kind in {"string", ""} and _day_like(each)]
    days = filling.evidence.days
    for each in wanted:
        names = _parts(each.name)
        if len(days) == 1 and (len(wanted) == 1 or names & {*_FROM} or not names & {*_TO}):
            filling.put(each.name, days[0].day.isoformat())
        elif len(days) == 2 and names & {*_FROM, *_TO}:  # noqa: PLR2004 - a period
            pick = min if names & {*_FROM} else max
            filling.put(each.name, pick(mention.day for mention in days).isoformat())


def _day_like(each: Field) -> bool:
    return each.format == "date" or (not each.format and not each.choices and _is(each, _DAY, _DAY_ZH))


def _numbered(filling: _Filling, fields: Sequence[Field]) -> None:
    wanted = [each for each in fields if each.kind in _NUMERIC and not each.choices]
    numbers = filling.evidence.numbers
    for each in wanted:
        free = [number for number in numbers if number not in filling.used]
        fits = [number for number in free if number.unit and _is(each, _UNITS[number.unit], _UNITS[number.unit])]
        if len(fits) == 1 and _whole(each, fits[0]):
            filling.put(each.name, _measured(each, _value(fits[0])), fits[0])
    open_ones = [each for each in wanted if each.required and each.name not in filling.arguments]
    free = [number for number in numbers if number not in filling.used and not _unit_of_others(number, open_ones)]
    if open_ones and len(open_ones) == len(free):
        for each, number in zip(open_ones, free, strict=True):
            if _whole(each, number):
                filling.put(each.name, _measured(each, _value(number)), number)


def _unit_of_others(number: Number, fields: Iterable[Field]) -> bool:
    """Whether a number has a unit that none of the parameters is counted in, though they say what they are."""
    return number.unit not in {"", "items"} and not any(
        _is(each, _UNITS[number.unit], _UNITS[number.unit]) or not _unit_names(each) for each in fields
    )


def _unit_names(each: Field) -> bool:
    return any(_is(each, words, words) for words in _UNITS.values())


def _identified(filling: _Filling, fields: Sequence[Field]) -> None:
    wanted = [each for each in fields if each.required and each.kind == "string" and _is(each, _ID, ())]
    if len(wanted) == 1 and len(filling.evidence.ids) == 1:
        filling.put(wanted[0].name, filling.evidence.ids[0])


def _spoken(filling: _Filling, fields: Sequence[Field]) -> None:
    """The request itself, or what it quotes, as the one text that is still needed."""
    wanted = [
        each for each in fields if each.required and each.kind == "string" and not each.format and not each.choices
    ]
    if len(wanted) != 1:
        return
    quotes = filling.evidence.quotes
    if len(quotes) == 1:
        filling.put(wanted[0].name, quotes[0])
    elif _is(wanted[0], _TEXT, _TEXT_ZH):
        filling.put(wanted[0].name, filling.evidence.text)


def _is(each: Field, names: Iterable[str], words: Iterable[str]) -> bool:
    """Whether a parameter is one of these, by the parts of its name or by what is said of it in Chinese."""
    if _parts(each.name) & set(names):
        return True
    described = f"{each.name} {each.words}"
    return any(word in described for word in words if _HAN.search(word))


def _parts(name: str) -> set[str]:
    return {part.lower() for part in _SPLIT.split(name) if part}


def _says(text: str, word: str) -> bool:
    if not word:
        return False
    if _HAN.search(word):
        return word in text
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _value(number: Number) -> float:
    return number.value / 100 if number.unit == "percent" else number.value


def _whole(each: Field, number: Number) -> bool:
    return each.kind == "number" or float(_value(number)).is_integer()


def _measured(each: Field, value: float) -> int | float:
    return int(value) if each.kind == "integer" or float(value).is_integer() else value


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
