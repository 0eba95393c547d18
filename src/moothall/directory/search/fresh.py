"""Words of the listings that came last, in memory, until there are enough of them to be written to the text index.

Writing there takes as long for one listing as for a thousand, since a disk has to be waited for. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MOST: Final = 500
"""Listings that are held so: they are compared one by one."""

_K1, _B = 1.2, 0.75
"""How the text index weighs how often a word occurs, and in how long a text."""

Uses = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """The words of a listing, a space between two, and their stems."""

    words: str
    stems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Fresh:
    """Texts by the ids of their listings; immutable.

    Attributes:
        texts: of each.
        uses: by stem, in which it occurs and how often.
    """

    texts: Mapping[int, Text] = field(default_factory=dict)
    uses: Mapping[str, Uses] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.texts)

    def changed(self, texts: Mapping[int, Text], gone: Collection[int]) -> Fresh:
        """With more of them, and without some."""
        uses = dict(self.uses)
        out = {number for number in gone if number in self.texts}
        for stem in {stem for number in out for stem in self.texts[number].stems}:
            uses[stem] = tuple(use for use in uses[stem] if use[0] not in out)
            if not uses[stem]:
                del uses[stem]
        for number, text in texts.items():
            for stem, times in Counter(text.stems).items():
                uses[stem] = (*uses.get(stem, ()), (number, times))
        kept = {number: text for number, text in self.texts.items() if number not in out}
        return Fresh({**kept, **texts}, uses)

    def count(self, stem: str) -> int:
        """In how many a stem occurs."""
        return len(self.uses.get(stem, ()))

    def having(self, stems: Iterable[str]) -> set[int]:
        """Those in which one of the stems occurs."""
        return {number for stem in stems for number, _ in self.uses.get(stem, ())}

    def scores(self, worth: Mapping[str, float], usual: float) -> dict[int, float]:
        """What the stems that are worth something give to each text, as BM25 does; `usual`: words of a usual text."""
        found: dict[int, float] = {}
        for stem, much in worth.items():
            for number, times in self.uses.get(stem, ()):
                norm = _K1 * (1 - _B + _B * len(self.texts[number].stems) / max(usual, 1.0))
                found[number] = found.get(number, 0.0) + much * times * (1 + _K1) / (times + norm)
        return found
