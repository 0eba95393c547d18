"""Filters over rows of numbers. Pure."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from moothall.directory.search.columns import Mask, Positions, State
from moothall.directory.search.meaning import DECLARED, KINDS, LOCAL, WAYS, mark
from moothall.errors import InvalidInput, Told

if TYPE_CHECKING:
    from moothall.directory.concepts import Vocabulary
    from moothall.directory.places import Gazetteer
    from moothall.directory.searching import Filters


class Sieve:
    """One set of filters, at one time of day.

    Raises:
        InvalidInput: a filter makes no sense.
    """

    def __init__(self, filters: Filters, vocabulary: Vocabulary, gazetteer: Gazetteer, now: int) -> None:
        """`now` in seconds since 1970."""
        self._filters = filters
        self._now = now
        kinds, ways = _codes(filters.kinds, KINDS, "kinds"), _codes(filters.ways, WAYS, "ways")
        self._among = [(name, codes) for name, codes in (("kind", kinds), ("way", ways)) if codes]
        self._equal = [
            (name, mark(text)) for name, text in (("owner", filters.owner), ("agent", filters.agent)) if text
        ]
        if filters.source:
            self._equal.append(("source", 0 if filters.source == LOCAL else mark(filters.source)))
        if filters.place.strip():
            self._equal.append(("place", mark(gazetteer.key(filters.place))))
        self._tags = tuple(sorted({vocabulary.key(tag) for tag in filters.tags if tag.strip()}))
        self._day = _day(filters.day)

    def passes(self, state: State, rows: Positions) -> Mask:
        """Which of some rows have what is asked for."""
        numbers = state.rows
        found: Mask = state.alive[rows]
        if self._filters.standing:
            found &= numbers["standing"][rows] == 0
        expires = numbers["expires"][rows]
        if expires.any():
            found &= (expires == 0) | (expires > self._now)
        if self._filters.min_trust > 0:
            found &= numbers["trust"][rows] >= self._filters.min_trust
        for name, wanted in self._among:
            found &= np.isin(numbers[name][rows], wanted)
        for name, value in self._equal:
            found &= numbers[name][rows] == value
        if self._day:
            found &= (numbers["first"][rows] <= self._day) & (numbers["last"][rows] >= self._day)
        for tag in self._tags:
            posting = state.holders(tag)
            found &= np.isin(rows, posting.rows[posting.weights == DECLARED])
        return found


def _codes(wanted: frozenset[str] | frozenset[object], known: tuple[str, ...], name: str) -> list[int]:
    if unknown := sorted(str(value) for value in wanted if value not in known):
        told = Told("search.filter", {"filter": name, "value": unknown[0][:80], "known": ", ".join(known)})
        raise InvalidInput(f"{name}: {unknown[0][:80]!r} is none of {', '.join(known)}", told=told)
    return [known.index(str(value)) for value in wanted]


def _day(day: str) -> int:
    if not day:
        return 0
    try:
        return date.fromisoformat(day).toordinal()
    except ValueError:
        told = Told("search.day", {"value": day[:40]})
        raise InvalidInput(f"day: {day[:40]!r} is no date as YYYY-MM-DD", told=told) from None
