"""Which names look like one that nobody has: a cheap choice of the likeliest, for a closer look at few. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest
from typing import Final, Self

from moothall.capability.entry import Entry

CLOSER: Final = 24
"""Of so many names it is worth while to look closer; a look at a thousand takes a tenth of a second."""

_LONGEST: Final = 200
_Pairs = frozenset[str]


class Likeness:
    """Capabilities by the pairs of letters in their names."""

    def __init__(self, pairs: tuple[tuple[_Pairs, _Pairs, Entry], ...]) -> None:
        """Use `of`."""
        self._pairs = pairs

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """Take the names of these apart: that with the agent, and that without."""
        return cls(tuple((_pairs(entry.id), _pairs(entry.spec.name), entry) for entry in entries))

    def likeliest(self, name: str, most: int = CLOSER) -> list[Entry]:
        """Those whose names share the most pairs with this one, for their length."""
        wanted = _pairs(name[:_LONGEST])
        alike = ((max(_share(wanted, whole), _share(wanted, short)), entry) for whole, short, entry in self._pairs)
        return [entry for _, entry in nlargest(most, alike, key=lambda one: one[0])]


def _pairs(name: str) -> _Pairs:
    padded = f" {name} "
    return frozenset(padded[place : place + 2] for place in range(len(padded) - 1))


def _share(one: _Pairs, other: _Pairs) -> float:
    return len(one & other) / (len(one) + len(other))
