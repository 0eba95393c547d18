"""What filters and ranking compare, in memory: one row of numbers per listing, and who holds which concept. Immutable.

A change makes a new state out of the old one; a search keeps the one that it began with. A listing that was changed is
a new row, and the old one is not alive any more; such rows are left out once there are many. New rows stand behind the
old ones in the same memory, so that one listing more does not copy a million.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from moothall.directory.search.tables import COLUMNS

Rows = Mapping[str, npt.NDArray[Any]]
"""By column, each by itself in memory: a search looks at few columns of very many rows."""

Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_TYPES: Final = {
    "id": "i8", "place": "i8", "owner": "i8", "agent": "i8", "source": "i8", "expires": "i8",
    "first": "i4", "last": "i4",
    "kind": "i1", "way": "i1", "trust": "i1", "standing": "i1", "public": "i1", "breadth": "f4",
}  # fmt: skip
ROW: Final = np.dtype([(name, _TYPES[name]) for name in COLUMNS])
_DEAD: Final = 1_000
"""Rows that are no longer alive before any is left out."""

_ROOM: Final = 1_000
"""Rows that there is room for behind those that are there, at least; else for one in eight."""


@dataclass(frozen=True, slots=True)
class Posting:
    """Who holds one concept: rows, ascending, and how much."""

    rows: npt.NDArray[np.int32]
    weights: npt.NDArray[np.uint8]


class Room:
    """Columns with room for more rows; what is written stays as it is, and may be looked at meanwhile."""

    def __init__(self, rows: Rows, more: int = 0) -> None:
        """Begin with some rows, which are copied; `more` are to come at once."""
        self._used = len(rows["id"])
        size = self._used + more + max(_ROOM, self._used // 8)
        self._columns = {name: np.empty(size, column.dtype) for name, column in rows.items()}
        for name, column in self._columns.items():
            column[: self._used] = rows[name]

    def rows(self, count: int) -> Rows:
        """The first so many."""
        return {name: column[:count] for name, column in self._columns.items()}

    def added(self, rows: Rows, more: Rows) -> tuple[Room, Rows]:
        """`rows`, which are here, with more behind them: here, or where there is no room for them in another one."""
        count, size = len(rows["id"]), len(more["id"])
        if self._used != count or count + size > len(self._columns["id"]):
            return Room(rows, size).added(rows, more)
        for name, column in self._columns.items():
            column[count : count + size] = more[name]
        self._used = count + size
        return self, self.rows(self._used)


NOBODY: Final = Posting(np.empty(0, np.int32), np.empty(0, np.uint8))


@dataclass(frozen=True, slots=True)
class State:
    """All that is indexed at one moment.

    Attributes:
        rows: numbers by their columns, in the order of their ids.
        ids: of the rows, side by side.
        alive: which of them count.
        postings: by concept key.
        version: names this state.
        room: what the rows are the beginning of.
    """

    rows: Rows
    ids: npt.NDArray[np.int64]
    alive: Mask
    postings: Mapping[str, Posting]
    version: str
    room: Room

    @property
    def count(self) -> int:
        """How many listings count."""
        return int(np.count_nonzero(self.alive))

    def holders(self, key: str) -> Posting:
        """Who holds a concept."""
        return self.postings.get(key, NOBODY)

    def of(self, ids: npt.NDArray[np.int64]) -> Positions:
        """The rows of ids; -1 for one that is not here."""
        known = self.ids
        if not len(known):
            return np.full(len(ids), -1, np.int64)
        found = np.searchsorted(known, ids)
        found[found == len(known)] = 0
        return np.where(known[found] == ids, found, -1)

    def changed(
        self,
        numbers: Sequence[tuple[int | float, ...]],
        held: Iterable[tuple[str, int, int]],
        gone: Sequence[int],
        version: str,
    ) -> State:
        """With listings added (`held`: key, id, weight), and those with the ids in `gone` taken out."""
        room, rows = self.room.added(self.rows, _apart(np.array(list(numbers), ROW)))
        alive = np.concatenate([self.alive, np.ones(len(numbers), np.bool_)])
        out = self.of(np.array(gone, np.int64))
        alive[out[out >= 0]] = False
        at = {int(row[0]): len(self.ids) + number for number, row in enumerate(numbers)}
        added: dict[str, list[tuple[int, int]]] = {}
        for key, number, weight in held:
            added.setdefault(key, []).append((at[number], weight))
        postings = dict(self.postings)
        for key, entries in added.items():
            entries.sort()
            old = postings.get(key, NOBODY)
            postings[key] = Posting(
                np.concatenate([old.rows, np.array([row for row, _ in entries], np.int32)]),
                np.concatenate([old.weights, np.array([weight for _, weight in entries], np.uint8)]),
            )
        changed = State(rows, rows["id"], alive, postings, version, room)
        return changed.tidied()

    def tidied(self) -> State:
        """Without the rows that do not count, if these are many."""
        dead = len(self.alive) - self.count
        if dead < max(_DEAD, len(self.alive) // 4):
            return self
        place = np.cumsum(self.alive) - 1
        postings = {}
        for key, posting in self.postings.items():
            kept = self.alive[posting.rows]
            if kept.any():
                postings[key] = Posting(place[posting.rows[kept]].astype(np.int32), posting.weights[kept])
        rows = {name: column[self.alive] for name, column in self.rows.items()}
        return _state(rows, postings, self.version)


def empty(version: str) -> State:
    """With nothing in it."""
    return _state(_apart(np.empty(0, ROW)), {}, version)


def loaded(
    numbers: Iterable[list[tuple[int | float, ...]]],
    holdings: Iterable[list[tuple[int, int, int]]],
    concepts: Mapping[str, int],
    version: str,
) -> State:
    """Out of the tables."""
    rows = _apart(np.concatenate([np.empty(0, ROW), *(np.array(portion, ROW) for portion in numbers)]))
    triples = [np.array(portion, np.int64).reshape(-1, 3) for portion in holdings]
    held = np.concatenate([np.empty((0, 3), np.int64), *triples])
    ids = rows["id"]
    at = np.searchsorted(ids, np.ascontiguousarray(held[:, 1])).astype(np.int32)
    keys = {number: key for key, number in concepts.items()}
    starts = np.flatnonzero(np.diff(held[:, 0], prepend=-1)) if len(held) else np.empty(0, np.int64)
    ends = np.append(starts[1:], len(held))[: len(starts)]
    postings = {
        keys[int(held[start, 0])]: Posting(at[start:end].copy(), held[start:end, 2].astype(np.uint8))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    }
    return _state(rows, postings, version)


def _state(rows: Rows, postings: Mapping[str, Posting], version: str) -> State:
    """One in which every row counts."""
    room = Room(rows)
    mine = room.rows(len(rows["id"]))
    return State(mine, mine["id"], np.ones(len(mine["id"]), np.bool_), postings, version, room)


def _apart(rows: npt.NDArray[Any]) -> Rows:
    return {name: np.ascontiguousarray(rows[name]) for name in COLUMNS}
