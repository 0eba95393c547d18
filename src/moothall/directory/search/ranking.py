"""One ranking out of concepts, words, vectors and trust. Pure, apart from the text index that it asks.

What a query names as concepts is answered by who holds them; what it says in other words, by the words. Each part
counts for as much of the query as it covers, rare words for more than common ones. A place that was named lifts those
that are there over those that name none, and these over those elsewhere. Trust comes last: it orders what serves alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from moothall.directory.search.columns import Positions, State
from moothall.directory.search.meaning import DECLARED, NAMED, SAID, mark
from moothall.directory.search.textual import NOTHING, TextView, Weighed

if TYPE_CHECKING:
    from moothall.directory.search.asking import Asked
    from moothall.directory.search.filtering import Sieve
    from moothall.directory.search.shelf import Now

Numbers = npt.NDArray[np.float32]

TRUST: Final = 0.08
"""Of a score, what trust is worth."""

PLACE: Final = 0.25
"""Of the rest, what the place is worth where one was named."""

DENSE: Final = 0.25
"""Of what serves, what nearness of vectors is worth, where there are any."""

RELATED: Final = 0.35
"""Of a concept, what a neighbour of it is worth."""

CONCEPT: Final = 2.0
"""A concept that was named counts like so many rare words."""

COVERED: Final = 0.3
"""Of a word, what it is worth where it names a concept."""

_FAINT: Final = 0.02
_WORTH: Final = np.zeros(DECLARED + 1, np.float32)
_WORTH[[SAID, NAMED, DECLARED]] = (0.85, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows with what each part gives them, best first; every part from 0 to 1."""

    rows: Positions
    score: Numbers
    concept: Numbers
    text: Numbers
    dense: Numbers
    whole: bool
    """Whether these are all that there are; else a deeper look finds more."""


@dataclass(frozen=True, slots=True)
class Near:
    """Rows that one part finds, ascending, and how near each is to the query."""

    rows: Positions
    values: Numbers


_NONE: Final = np.empty(0, np.int64)
_NOTHING: Final = Near(_NONE, np.empty(0, np.float32))


def rank(
    asked: Asked,
    now: Now,
    sieve: Sieve,
    depth: int,
    near: Near | None = None,
    arms: frozenset[str] = frozenset({"concept", "text"}),
) -> Ranking:
    """Everything that the sieve lets through and that serves the query, by the best `depth` texts.

    Neighbours of what is wanted are looked at where fewer than `depth` hold it.
    """
    state, texts = now.state, now.texts
    held, every_holder = _holders(asked, now, depth) if "concept" in arms else (_NOTHING, True)
    weighed = texts.weigh(_boosts(asked)) if "text" in arms else NOTHING
    found, every_text = _matches(texts, weighed, state, depth)
    whole = every_holder and every_text
    near = near or _NOTHING
    every = _everything(asked, state) if asked.empty else _union(held.rows, found.rows, near.rows)
    if asked.without or asked.refused:
        refused = np.zeros(len(state.alive), np.bool_)
        refused[_refused(asked, state, texts)] = True
        every = every[~refused[every]]
    every = every[sieve.passes(state, every)]
    concept = _spread(every, held, len(state.alive)) * state.rows["breadth"][every]
    text, dense = (_spread(every, part, len(state.alive)) for part in (found, near))
    share = _share(asked, weighed)
    serves = (1 - share) * concept + share * text
    if len(near.rows):
        serves = (1 - DENSE) * serves + DENSE * dense
    if asked.place:
        serves = (1 - PLACE) * serves + PLACE * _here(state, every, mark(asked.place))
    score = ((1 - TRUST) * serves + TRUST * state.rows["trust"][every] / 10).astype(np.float32)
    kept = np.flatnonzero((concept + text + dense > _FAINT) | asked.empty)
    order = kept[_best_first(score[kept])]
    return Ranking(every[order], score[order], concept[order], text[order], dense[order], whole)


def _best_first(score: Numbers) -> Positions:
    """Places in the order of scores, which are sorted in one pass by their first sixteen bits."""
    steps = np.iinfo(np.uint16).max
    return np.argsort((steps - np.clip(score, 0, 1) * steps).astype(np.uint16), kind="stable")


def _boosts(asked: Asked) -> dict[str, float]:
    return {**dict.fromkeys(asked.covered, COVERED), **dict.fromkeys(asked.loose, 1.0)}


def _share(asked: Asked, weighed: Weighed) -> float:
    """Of the query, what words have to answer."""
    if not asked.wanted:
        return 1.0
    loose = sum(weighed.rarity[word] for word, boost in weighed.boosts.items() if boost >= 1)
    said = sum(COVERED * weighed.rarity[word] for word, boost in weighed.boosts.items() if boost < 1)
    words = loose + min(said, COVERED)
    return words / (CONCEPT * len(asked.wanted) + words)


def _holders(asked: Asked, now: Now, enough: int) -> tuple[Near, bool]:
    """Who holds what is wanted, and how much of it; and whether these are all, with all neighbours of it."""
    if not asked.wanted:
        return _NOTHING, True
    every = True
    rows, worth = [], []
    for concept in asked.wanted:
        posting = now.state.holders(concept)
        rows.append(posting.rows)
        worth.append(_WORTH[posting.weights])
        if len(posting.rows) < enough:
            near = _neighbours(concept, now, posting.rows)
            rows.append(near)
            worth.append(np.full(len(near), RELATED, np.float32))
        else:
            every = False
    if len(rows) == 1:
        return Near(rows[0].astype(np.int64), worth[0]), every
    total = np.zeros(len(now.state.alive), np.float32)
    any_of = np.zeros(len(now.state.alive), np.bool_)
    for some, much in zip(rows, worth, strict=True):
        total[some] += much  # no row is in one of them twice
        any_of[some] = True
    found = np.flatnonzero(any_of)
    return Near(found, total[found] / np.float32(len(asked.wanted))), every


def _neighbours(concept: str, now: Now, holders: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Who holds a neighbour of a concept, but not the concept."""
    among = np.zeros(len(now.state.alive), np.bool_)
    for other in now.vocabulary.related(concept):
        among[now.state.holders(other).rows] = True
    among[holders] = False
    return np.flatnonzero(among).astype(np.int32)


def _matches(texts: TextView, weighed: Weighed, state: State, depth: int) -> tuple[Near, bool]:
    """The best texts, and whether these are all."""
    found = texts.find(weighed, depth)
    order = np.argsort(found.ids, kind="stable")
    rows = state.of(found.ids[order])
    known = rows >= 0
    return Near(rows[known], found.scores[order][known]), found.whole


def _union(first: Positions, *others: Positions) -> Positions:
    """Rows that are in any, each of which is ascending; those of the first, which are many, stay as they are."""
    more: Positions = _NONE
    for rows in others:
        more = np.concatenate([more, rows[~_among(rows, first)]])
    return np.concatenate([first, np.unique(more)])


def _among(rows: Positions, others: Positions) -> npt.NDArray[np.bool_]:
    """Which of the rows are among others, which are ascending."""
    if not len(others):
        return np.zeros(len(rows), np.bool_)
    found: npt.NDArray[np.bool_] = others[np.minimum(np.searchsorted(others, rows), len(others) - 1)] == rows
    return found


def _everything(asked: Asked, state: State) -> Positions:
    """What a query without words is about: all, or all of a place."""
    if asked.place:
        return np.flatnonzero(state.rows["place"] == mark(asked.place))
    return np.arange(len(state.alive))


def _refused(asked: Asked, state: State, texts: TextView) -> Positions:
    parts = [state.holders(concept).rows.astype(np.int64) for concept in asked.without]
    if asked.refused:
        rows = state.of(texts.having(asked.refused))
        parts.append(rows[rows >= 0])
    return np.concatenate([_NONE, *parts])


def _spread(every: Positions, part: Near, total: int) -> Numbers:
    """What a part gives to rows, of `total`; 0 to those that it knows nothing of."""
    if not len(part.rows):
        return np.zeros(len(every), np.float32)
    values = np.zeros(total, np.float32)  # its pages are not touched before they are needed
    values[part.rows] = part.values
    return values[every]


def _here(state: State, rows: Positions, place: int) -> Numbers:
    places = state.rows["place"][rows]
    return np.where(places == place, 1.0, np.where(places == 0, 0.5, 0.0)).astype(np.float32)
