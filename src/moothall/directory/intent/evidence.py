"""What a request names that can be an argument: places, days, numbers, quotations, ids, ``name=value``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from moothall.directory.intent.days import DayMention, days_in
from moothall.directory.places import Gazetteer

Way = Literal["from", "to", ""]
Unit = Literal["days", "hours", "money", "people", "percent", "items", ""]

_UNITS: Final[tuple[tuple[Unit, str], ...]] = (
    ("days", r"天|日(?!元)|days?\b"),
    ("hours", r"小时|个小时|hours?\b|hrs?\b"),
    ("money", r"元|块|人民币|美元|欧元|rmb\b|cny\b|usd\b|eur\b|yuan\b|dollars?\b|euros?\b"),
    ("people", r"人|位|名|people\b|persons?\b|guests?\b"),
    ("percent", r"[%％]|percent\b"),
    ("items", r"个|条|项|次|份|张|items?\b|results?\b|times\b"),
)
_UNIT: Final = "|".join(f"(?P<{name}>{pattern})" for name, pattern in _UNITS)
_NUMBER: Final = re.compile(
    rf"(?P<sign>[¥￥$€])?\s*(?<![A-Za-z0-9_.])(?P<number>-?\d+(?:,\d{{3}})*(?:\.\d+)?)(?P<wan>万)?\s*(?:{_UNIT})?",
    re.IGNORECASE,
)
_HAN: Final = re.compile(rf"(?P<number>十?[一二两三四五六七八九]?十?[一二三四五六七八九]?)(?:{_UNIT})")
_DIGITS: Final = "零一二三四五六七八九"
_QUOTED: Final = re.compile(r"[\"“「『《]([^\"”」』》]{1,1000})[\"”」』》]|(?<!\w)'([^']{1,1000})'(?!\w)")
_GIVEN: Final = re.compile(r"(?<![\w/])([A-Za-z_]\w{0,60})\s*[=＝:：](?!//)\s*(\"[^\"]*\"|[^\s,，;；、。]+)")
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_URL: Final = re.compile(r"https?://[^\s,，。）)]+", re.ASCII)
_ID: Final = re.compile(r"(?<![\w@./-])(?:[A-Z]{2,6}|[A-Za-z]{0,8}[-_]?\d{2,18}[\w-]*|\d{6})(?![\w@-])", re.ASCII)
_NAMED_PLACE: Final = re.compile(r"\b(?:in|at|for|near|from|to)\s+([A-Z][\w'-]+(?:\s[A-Z][\w'-]+){0,3})")
_FROM: Final = re.compile(r"(?:从|由|自|\bfrom|\bleaving)\s*$", re.IGNORECASE)
_TO: Final = re.compile(r"(?:到|至|去|往|飞|\bto|\btowards|\binto)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """A place as the text writes it, and whether it is where something begins or where it goes."""

    name: str
    way: Way
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number:
    """A number and its unit."""

    value: float
    unit: Unit
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a text names, each kind in the order of the text; `rest` is the text without places, days and numbers."""

    text: str
    places: tuple[Place, ...]
    days: tuple[DayMention, ...]
    numbers: tuple[Number, ...]
    quotes: tuple[str, ...]
    given: tuple[tuple[str, str], ...]
    mails: tuple[str, ...]
    urls: tuple[str, ...]
    ids: tuple[str, ...]
    rest: str


def read(text: str, gazetteer: Gazetteer, today: date) -> Evidence:
    """Look through a text."""
    days = tuple(days_in(text, today))
    places = tuple(_places(text, gazetteer))
    taken = [(day.start, day.end) for day in days] + [(place.start, place.end) for place in places]
    given = [(match[1], match[2].strip('"')) for match in _GIVEN.finditer(text)]
    spans = [match.span() for match in (*_GIVEN.finditer(text), *_URL.finditer(text), *_MAIL.finditer(text))]
    numbers = tuple(each for each in _numbers(text) if not _inside((each.start, each.end), taken + spans))
    counted = taken + [(number.start, number.end) for number in numbers if number.unit]
    return Evidence(
        text=text,
        places=places,
        days=days,
        numbers=numbers,
        quotes=tuple(match[1] or match[2] for match in _QUOTED.finditer(text)),
        given=tuple(given),
        mails=tuple(_MAIL.findall(text)),
        urls=tuple(_URL.findall(text)),
        ids=tuple(dict.fromkeys(match[0] for match in _ID.finditer(text) if not _inside(match.span(), counted))),
        rest=_without(text, [*taken, *spans, *((number.start, number.end) for number in numbers)]),
    )


def _places(text: str, gazetteer: Gazetteer) -> Iterator[Place]:
    found = [(mention.surface, mention.start, mention.end) for mention in gazetteer.find(text)]
    if not found:
        found = [(match[1], match.start(1), match.end(1)) for match in _NAMED_PLACE.finditer(text)]
    for surface, start, end in found:
        before = text[:start]
        way: Way = "from" if _FROM.search(before) else "to" if _TO.search(before) else ""
        yield Place(surface, way, start, end)


def _numbers(text: str) -> Iterator[Number]:
    for match in _NUMBER.finditer(text):
        value = float(match["number"].replace(",", "")) * (10_000 if match["wan"] else 1)
        yield Number(value, "money" if match["sign"] else _unit(match), match.start("number"), match.end())
    for match in _HAN.finditer(text):
        if match["number"]:
            yield Number(float(_han(match["number"])), _unit(match), match.start(), match.end())


def _unit(match: re.Match[str]) -> Unit:
    return next((name for name, _ in _UNITS if match.groupdict().get(name)), "")


def _han(written: str) -> int:
    """A Chinese number below a hundred."""
    tens, ten, ones = written.replace("两", "二").rpartition("十")
    if not ten:
        return _DIGITS.index(ones[-1])
    return (_DIGITS.index(tens[-1]) if tens else 1) * 10 + (_DIGITS.index(ones[-1]) if ones else 0)


def _inside(span: tuple[int, int], spans: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in spans)


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    kept = list(text)
    for start, end in spans:
        kept[start:end] = " " * (end - start)
    return " ".join("".join(kept).split())
