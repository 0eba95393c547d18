"""Finding known words in running text, Chinese and Latin alike.

A lexicon is a trie over folded characters. Chinese surfaces match anywhere; Latin surfaces match whole words only, with
an optional English plural. Hits are chosen longest first, so that `活动拍摄` wins over `拍摄`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, TypeVar

T = TypeVar("T")
_GAP = re.compile(r"[\s\-\u2010-\u2014]")
_APOSTROPHES = "'\u2019\u02bc`"


def fold(text: str) -> str:
    """Return the one spelling under which a word is looked up: width, case, accents and hyphens do not matter."""
    return _fold(text)[0]


def _fold(text: str) -> tuple[str, list[int]]:
    """Fold and say, for each folded character, which original character it came from."""
    letters: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(text):
        for piece in _pieces(char):
            if piece != " " or (letters and letters[-1] != " "):
                letters.append(piece)
                origin.append(index)
    while letters and letters[-1] == " ":
        letters.pop()
        origin.pop()
    return "".join(letters), origin


@lru_cache(maxsize=8192)
def _pieces(char: str) -> str:
    """What one character folds to: nothing, a space, or letters without their accents."""
    if char in _APOSTROPHES:
        return ""
    if _GAP.fullmatch(char):
        return " "
    folded = unicodedata.normalize("NFKD", char).casefold()
    return "".join(piece for piece in folded if not unicodedata.combining(piece))


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """One known surface in a text: `text[start:end] == surface`, and everything it may stand for."""

    values: tuple[T, ...]
    start: int
    end: int
    surface: str


@dataclass(slots=True)
class _Node(Generic[T]):
    children: dict[str, _Node[T]] = field(default_factory=dict)
    values: tuple[T, ...] = ()


class Lexicon(Generic[T]):
    """Known surfaces and what each may stand for; immutable once built."""

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        """Build from pairs of surface and value; one surface may have several values, kept in the order given."""
        self._root: _Node[T] = _Node()
        for surface, value in entries:
            node = self._root
            for char in fold(surface):
                node = node.children.setdefault(char, _Node())
            if value not in node.values:
                node.values = (*node.values, value)

    def get(self, text: str) -> tuple[T, ...]:
        """Return what the whole of `text` may stand for; empty when it is not known."""
        word = fold(text)
        return next((found for form in (word, *_singulars(word)) if (found := self._exact(form))), ())

    def find(self, text: str) -> list[Hit[T]]:
        """Return the hits in `text`, without overlap, longest chosen first, in the order of the text."""
        folded, origin = _fold(text)
        spans = [span for start in range(len(folded)) for span in self._from(folded, start)]
        taken: list[tuple[int, int, tuple[T, ...]]] = []
        used = bytearray(len(folded))
        for start, end, values in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
            if not any(used[start:end]):
                used[start:end] = b"\x01" * (end - start)
                taken.append((start, end, values))
        return [_hit(text, origin, span) for span in sorted(taken, key=lambda span: span[0])]

    def _exact(self, folded: str) -> tuple[T, ...]:
        node: _Node[T] | None = self._root
        for char in folded:
            node = node.children.get(char) if node else None
        return node.values if node else ()

    def _from(self, folded: str, start: int) -> Iterable[tuple[int, int, tuple[T, ...]]]:
        """Every surface that begins at `start`, as folded positions."""
        if start and _latin(folded[start]) and _latin(folded[start - 1]):
            return
        node, index = self._root, start
        while index < len(folded) and (child := node.children.get(folded[index])):
            node, index = child, index + 1
            if node.values and (end := _word_end(folded, index)) is not None:
                yield start, end, node.values


def _word_end(folded: str, index: int) -> int | None:
    """Where the word that ends before `index` is over: there, after a plural ending, or not at all."""
    if not _latin(folded[index - 1]):
        return index
    for ending in ("", "s", "es"):
        end = index + len(ending)
        if folded.startswith(ending, index) and (end == len(folded) or not _latin(folded[end])):
            return end
    return None


def _singulars(word: str) -> Sequence[str]:
    return [word[: -len(ending)] for ending in ("s", "es") if word.isascii() and word.endswith(ending)]


def _hit(text: str, origin: Sequence[int], span: tuple[int, int, tuple[T, ...]]) -> Hit[T]:
    start, end = origin[span[0]], origin[span[1] - 1] + 1
    return Hit(span[2], start, end, text[start:end])
