"""What a query in words asks for: concepts, a place, words that are no concept, and what it rules out. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moothall.directory.search.negation import denied, inside
from moothall.directory.search.words import telling, words

if TYPE_CHECKING:
    from moothall.directory.concepts import Vocabulary
    from moothall.directory.places import Gazetteer

_ITEM: Final = re.compile(r"[^,，、;；/|\n]+")
_MOST: Final = 16
"""Concepts of one query that count."""

_WORDS: Final = 48
"""Words of one query that count."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, understood.

    Attributes:
        wanted, without: ids of concepts that it names, and that it rules out.
        place: the key of the place that it names; empty: none.
        loose: its words that are part of neither.
        covered: words of the concepts that it names.
        refused: words that it rules out and that are no concept.
    """

    wanted: tuple[str, ...]
    without: tuple[str, ...]
    place: str
    loose: tuple[str, ...]
    covered: tuple[str, ...]
    refused: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing by words: then everything serves, apart from what it rules out."""
        return not (self.wanted or self.loose or self.covered)

    @property
    def concepts(self) -> tuple[str, ...]:
        """As an answer names them."""
        return (*self.wanted, *(f"-{concept}" for concept in self.without))


def understand(query: str, vocabulary: Vocabulary, gazetteer: Gazetteer) -> Asked:
    """Read a query."""
    named = list(_named(query, vocabulary))
    spans = [_narrowed(query, span, named) for span in denied(query)]
    wanted: dict[str, None] = {}
    without: dict[str, None] = {}
    cover: list[tuple[int, int]] = []
    for concept, start, end in named:
        (without if inside(start, end, spans) else wanted)[concept] = None
        cover.append((start, end))
    places = [place for place in gazetteer.find(query) if not _covered(place.start, place.end, cover)]
    sure = [place for place in places if place.city_id and not inside(place.start, place.end, spans)]
    aside = [*cover, *((place.start, place.end) for place in places)]
    rest = _blank(query, cover)
    refused = [word for start, end in spans for word in words(rest[start:end])]
    covered = " . ".join(query[start:end] for start, end in cover if not inside(start, end, spans))
    return Asked(
        wanted=tuple(concept for concept in wanted if concept not in without)[:_MOST],
        without=tuple(without)[:_MOST],
        place=sure[0].city_id or "" if sure else "",
        loose=tuple(telling(words(_blank(query, [*aside, *spans]))))[:_WORDS],
        covered=tuple(telling(words(covered)))[:_WORDS],
        refused=tuple(word for word in telling(refused) if len(word) > 1 and word not in _DENIALS)[:_WORDS],
    )


_DENIALS: Final = frozenset(
    "without no not excluding exclude except don't dont do does never other than instead rather 不要 "
    "不用 不需要 不想 不含 不带 "
    "没有 不做 不会 不能 除了 除外 排除 非 别 任何 any include including involve 包含 包括 涉及".split()
)


def _named(query: str, vocabulary: Vocabulary) -> Iterable[tuple[str, int, int]]:
    """Concepts and where they stand; such as are some only where they stand alone, as items of a list."""
    found = [(mention.concept.id, mention.start, mention.end) for mention in vocabulary.find(query)]
    for item in _ITEM.finditer(query):
        concept = vocabulary.normalise(item.group().strip())
        if concept and not any(item.start() <= start < item.end() for _, start, _ in found):
            found.append((concept, *item.span()))
    return sorted(found, key=lambda entry: entry[1])


def _narrowed(query: str, span: tuple[int, int], named: Sequence[tuple[str, int, int]]) -> tuple[int, int]:
    """`不含餐饮的场地` asks for a place: what is denied ends with the word that says of what it is denied."""
    start, stop = span
    for at in range(bisect_right(named, start, key=_end), len(named)):
        _, begin, end = named[at]
        if begin >= stop:
            break
        if end < stop and query.startswith("的", end):
            return start, end + 1
    return span


def _end(entry: tuple[str, int, int]) -> int:
    return entry[2]


def _blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    letters = list(text)
    for start, end in spans:
        if start < len(letters):
            letters[start:end] = " " * (min(end, len(letters)) - start)
    return "".join(letters)


def _covered(start: int, end: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(begin < end and start < stop for begin, stop in spans)
