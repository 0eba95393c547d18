"""Saying things in the demand's language, and making other people's text harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.profiles import TURNS
from moothall.messages import text

if TYPE_CHECKING:
    from moothall.directory.activities import Activities
    from moothall.directory.concepts import Vocabulary
    from moothall.directory.places import Gazetteer
    from moothall.events.model import JsonValue
    from moothall.messages import Lang

TITLE_CAP = 60
TEXT_CAP = 160


@dataclass(frozen=True, slots=True)
class Lexica:
    """The vocabularies every rule reads with."""

    vocabulary: Vocabulary
    gazetteer: Gazetteer
    activities: Activities

    def voice(self, lang: Lang) -> Voice:
        """These words in one language."""
        return Voice(lang, self)


@dataclass(frozen=True, slots=True)
class Voice:
    """One language: texts of the room ``demand``, and names of concepts, cities, days and sums."""

    lang: Lang
    lexica: Lexica

    def say(self, key: str, /, **values: object) -> str:
        """The text ``demand.<key>`` with its values filled in."""
        return text(f"demand.{key}", self.lang, **values)

    def label(self, concept: str) -> str:
        """The tag of a concept as people read it; a free tag is somebody's text."""
        return clean(self.lexica.vocabulary.label(concept, self.lang), TITLE_CAP)

    def labels(self, concepts: Iterable[str]) -> str:
        """Several tags as one phrase."""
        return self.join(self.label(concept) for concept in concepts)

    def city(self, city: str) -> str:
        """The name of a city; an unknown place is its own name, and somebody's text."""
        return clean(self.lexica.gazetteer.name(city, self.lang), TITLE_CAP)

    def knows_city(self, city: str) -> bool:
        """Whether that is the id of a city, not a place by somebody's own name."""
        return self.lexica.gazetteer.normalise(city) == city

    def day(self, day: date) -> str:
        """A calendar day."""
        if self.lang == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {day:%B} {day.year}"

    def money(self, amount: float, currency: str) -> str:
        """A sum; a currency without a name of its own stands by its ISO code."""
        figure = f"{amount:.0f}" if self.lang == "zh" else f"{amount:,.0f}"
        if amount != round(amount):
            figure = f"{amount:.2f}" if self.lang == "zh" else f"{amount:,.2f}"
        if currency in _NAMED:
            return self.say(f"money.{currency}", amount=figure)
        return f"{figure} {currency}"

    def join(self, parts: Iterable[str]) -> str:
        """Several names as one phrase."""
        items = [part for part in parts if part]
        if self.lang == "zh":
            return "、".join(items)
        return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""

    def either(self, parts: Iterable[str]) -> str:
        """Several names of which one is meant."""
        items = [part for part in parts if part]
        if self.lang == "zh":
            return "或".join(["、".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)
        return " or ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)

    def sentences(self, parts: Iterable[str]) -> str:
        """Whole sentences one after the other."""
        return ("" if self.lang == "zh" else " ").join(part for part in parts if part)


_NAMED = frozenset({"CNY", "USD", "EUR", "GBP", "JPY", "HKD", "TWD", "SGD"})


def clean(value: str, cap: int = TEXT_CAP) -> str:
    """Somebody's text as data: no control or invisible formatting characters, one line, at most ``cap`` characters."""
    plain = "".join(" " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char for char in value)
    plain = "".join(char for char in plain if unicodedata.category(char) not in {"Cf", "Co", "Cs", "Cn"})
    line = " ".join(plain.split())
    return line if len(line) <= cap else line[: cap - 1] + "…"


def upright(value: JsonValue) -> JsonValue:
    """A JSON value whose texts turn no other words around and hide nothing: no marks of direction, no controls."""
    if isinstance(value, str):
        return "".join(char for char in value if char not in TURNS and (char in "\n\t" or not _controls(char)))
    if isinstance(value, dict):
        return {upright(name): upright(item) for name, item in value.items()}
    return [upright(item) for item in value] if isinstance(value, list | tuple) else value


def _controls(char: str) -> bool:
    return unicodedata.category(char) == "Cc"
