"""What a listing means: the concepts that it holds, its words, and the numbers that filters compare. Pure.

A concept counts by where it stands: as a tag, in the name, or said in the description; what the description says it
does not do counts for nothing, in concepts and in words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from moothall.directory.lexicon import fold
from moothall.directory.search.negation import affirmed, denied, inside
from moothall.directory.search.words import words

if TYPE_CHECKING:
    from moothall.directory.concepts import Vocabulary
    from moothall.directory.listing import Listing
    from moothall.directory.places import Gazetteer

SAID: Final = 1
NAMED: Final = 2
DECLARED: Final = 3
KINDS: Final = ("capability", "agent", "resource")
WAYS: Final = ("local", "http", "mcp", "a2a", "anp")
STANDINGS: Final = ("listed", "changed", "refused", "expired")
LOCAL: Final = "local"
"""As a source: this node."""

_READ: Final = 8_000
"""Characters of a description that are read."""

_TAGS: Final = 64
_TAG: Final = 120
_BROAD: Final = 12
"""Concepts that one listing may claim in full; of more each counts for less."""

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_./:#@-]+")
_NEVER: Final = 0
_EVER: Final = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Meaning:
    """Of one listing; ``words`` are those of the text index, a space between two."""

    held: Mapping[str, int]
    words: str
    breadth: float
    place: int
    first: int
    last: int


def meaning(listing: Listing, vocabulary: Vocabulary, gazetteer: Gazetteer) -> Meaning:
    """Read a listing."""
    held = _held(listing, vocabulary)
    name = spread(listing.name)
    tags = " . ".join(listing.tags[:_TAGS])[: _READ // 2]
    said = affirmed(listing.description[:_READ])
    text = [
        *words(name),
        *words(name),
        *words(tags),
        *words(said),
        *words(spread(listing.agent)),
        *words(listing.place),
    ]
    return Meaning(
        held=held,
        words=" ".join(text),
        breadth=min(1.0, _BROAD / len(held)) if held else 1.0,
        place=mark(gazetteer.key(listing.place)) if listing.place else 0,
        first=day_of(listing.offers_from, _NEVER),
        last=day_of(listing.offers_until, _EVER),
    )


def spread(name: str) -> str:
    """A name of a program as words: ``getWeather`` and ``get_weather`` are ``get weather``."""
    return _CAMEL.sub(" ", name)


def day_of(moment: str, otherwise: int) -> int:
    """The number of the day that a moment begins with; `otherwise` where it names none."""
    try:
        return date.fromisoformat(moment[:10]).toordinal()
    except ValueError:
        return otherwise


@lru_cache(maxsize=65_536)
def mark(text: str) -> int:
    """A number that stands for a text in comparisons, the same in every process; never 0, which stands for none."""
    found = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)
    return found or 1


def _held(listing: Listing, vocabulary: Vocabulary) -> Mapping[str, int]:
    held: dict[str, int] = {}
    text = listing.description[:_READ]
    spans = denied(text)
    for mention in vocabulary.find(text):
        if not inside(mention.start, mention.end, spans):
            held[mention.concept.id] = SAID
    for words_of in (spread(listing.name), *(tag[:_TAG] for tag in listing.tags[:_TAGS])):
        for mention in vocabulary.find(words_of):
            held[mention.concept.id] = NAMED
    for tag in listing.tags[:_TAGS]:
        if fold(tag[:_TAG]):
            held[vocabulary.key(tag[:_TAG])] = DECLARED
    return held
