"""One way to write a date rule: a pattern and what it means on a given day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.dates.period import Hit, Period, Refusal
from moothall.negotiation.demand.extract.folding import rule

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable
    from datetime import date

    Meaning = Callable[[re.Match[str], date], Period | Refusal]


@dataclass(frozen=True, slots=True)
class Atom:
    """A single date expression of one language."""

    pattern: re.Pattern[str]
    meaning: Meaning


def atom(pattern: str, meaning: Meaning) -> Atom:
    """Compile one rule of a grammar."""
    return Atom(rule(pattern), meaning)


def find_atoms(atoms: Iterable[Atom], folded: str, today: date) -> list[Hit]:
    """Return the expressions of a sentence from left to right; where two overlap, the longer one counts."""
    spans = [(match.start(), match.end(), match, each) for each in atoms for match in each.pattern.finditer(folded)]
    spans.sort(key=lambda found: (found[0] - found[1], found[0]))
    taken: list[tuple[int, int, re.Match[str], Atom]] = []
    used = bytearray(len(folded))
    for found in spans:
        if not any(used[found[0] : found[1]]):
            used[found[0] : found[1]] = b"\x01" * (found[1] - found[0])
            taken.append(found)
    taken.sort(key=lambda found: found[0])
    return [Hit(start, end, each.meaning(match, today)) for start, end, match, each in taken]
