"""The tables of the index: a SQLite file of its own, from which all the rest of the index can be made again.

It is a cache: the truth of what is listed stands elsewhere, so a file that is torn or of another version is thrown
away.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

FORMAT: Final = "2"
"""Of the tables and of how listings are read into them; another one makes every index anew."""

COLUMNS: Final = (
    "id", "place", "owner", "agent", "source", "expires", "first", "last", "kind", "way", "trust", "standing", "public",
    "breadth",
)  # fmt: skip

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listing (
    id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, document TEXT NOT NULL,
    place INTEGER NOT NULL, owner INTEGER NOT NULL, agent INTEGER NOT NULL, source INTEGER NOT NULL,
    expires INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, kind INTEGER NOT NULL,
    way INTEGER NOT NULL, trust INTEGER NOT NULL,
    standing INTEGER NOT NULL, public INTEGER NOT NULL, breadth REAL NOT NULL, held TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS concept (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS held (
    concept INTEGER NOT NULL, listing INTEGER NOT NULL, weight INTEGER NOT NULL, PRIMARY KEY (concept, listing)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leaving (id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS vector (listing INTEGER PRIMARY KEY, numbers BLOB NOT NULL);
"""
_WHERE_IN: Final = 500
_CACHE_KIB: Final = 16_384
"""Of pages that a reader keeps: room for the upper levels of a table with millions of listings."""


class Row:
    """One listing on its way into the tables."""

    __slots__ = ("digest", "document", "held", "numbers", "target")

    def __init__(
        self, target: str, digest: str, document: str, numbers: tuple[int | float, ...], held: Mapping[str, int]
    ) -> None:
        """`numbers` are those of `COLUMNS` after the id."""
        self.target, self.digest, self.document, self.numbers, self.held = target, digest, document, numbers, held


class Tables:
    """The open file, of one thread at a time; failures raise `sqlite3.Error`."""

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        """Open it, and make what is missing in it unless only `reading`."""
        if reading:
            self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
            self._db.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            return
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)
        self._ids: dict[str, int] = {key: number for number, key in self._db.execute("SELECT id, key FROM concept")}

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def begin(self) -> None:
        """Begin a change."""
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make the change last."""
        self._db.execute("COMMIT")

    def rollback(self) -> None:
        """Forget the change."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._ids = {key: number for number, key in self._db.execute("SELECT id, key FROM concept")}

    def fact(self, name: str) -> str:
        """What was noted under a name; empty: nothing."""
        row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def note(self, **facts: str) -> None:
        """Note facts."""
        self._db.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", facts.items())

    def known(self, targets: Sequence[str]) -> dict[str, tuple[int, str]]:
        """The id and the digest of those of the targets that are listed."""
        return {str(row[0]): (int(row[1]), str(row[2])) for row in self._in("target, id, digest", "target", targets)}

    def digests(self) -> dict[str, str]:
        """The digest of everything that is listed, by its target."""
        return dict(self._db.execute("SELECT target, digest FROM listing"))

    def documents(self, ids: Sequence[int]) -> dict[int, str]:
        """The documents of some listings."""
        return {int(row[0]): str(row[1]) for row in self._in("id, document", "id", ids)}

    def document(self, target: str) -> str | None:
        """The document that a target names."""
        row = self._db.execute("SELECT document FROM listing WHERE target = ?", (target,)).fetchone()
        return str(row[0]) if row else None

    def take_out(self, ids: Sequence[int]) -> None:
        """Remove listings."""
        for number, held in list(self._in("id, held", "id", ids)):
            pairs = [(int(concept), number) for concept in str(held).split()]
            self._db.executemany("DELETE FROM held WHERE concept = ? AND listing = ?", pairs)
        self._db.executemany("DELETE FROM listing WHERE id = ?", [(number,) for number in ids])
        self._db.executemany("DELETE FROM vector WHERE listing = ?", [(number,) for number in ids])

    def take_in(self, rows: Sequence[Row]) -> list[int]:
        """Add listings, none of whose targets is there; return their ids."""
        names = ", ".join(COLUMNS[1:])
        marks = ", ".join("?" * (len(COLUMNS) + 3))
        insert = f"INSERT INTO listing (target, digest, document, {names}, held) VALUES ({marks})"  # noqa: S608 - names are ours
        ids: list[int] = []
        held: list[tuple[int, int, int]] = []
        for row in rows:
            concepts = {self._id(key): weight for key, weight in row.held.items()}
            values = (row.target, row.digest, row.document, *row.numbers, " ".join(map(str, concepts)))
            number = self._db.execute(insert, values).lastrowid or 0
            ids.append(number)
            held.extend((concept, number, weight) for concept, weight in concepts.items())
        self._db.executemany("INSERT INTO held VALUES (?, ?, ?)", sorted(held))
        return ids

    def leave(self, ids: Iterable[int]) -> None:
        """Note listings that are no longer here, but still in the text index."""
        self._db.executemany("INSERT OR IGNORE INTO leaving VALUES (?)", [(number,) for number in ids])

    def leaving(self) -> list[int]:
        """What was noted by `leave`."""
        return [int(row[0]) for row in self._db.execute("SELECT id FROM leaving")]

    def left(self) -> None:
        """Forget what was noted by `leave`: the text index has none of it any more."""
        self._db.execute("DELETE FROM leaving")

    def numbers(self) -> Iterator[list[tuple[int | float, ...]]]:
        """The numbers of all listings in the order of their ids, in portions."""
        yield from self._portions(f"SELECT {', '.join(COLUMNS)} FROM listing ORDER BY id")  # noqa: S608 - names are ours

    def holdings(self) -> Iterator[list[tuple[int, int, int]]]:
        """Concept, listing and weight, in the order of the first two, in portions."""
        yield from self._portions("SELECT concept, listing, weight FROM held ORDER BY concept, listing")  # type: ignore[misc]

    def concepts(self) -> dict[str, int]:
        """The number of each concept key."""
        return dict(self._ids)

    def written(self, after: int, most: int) -> list[tuple[int, str]]:
        """Ids and documents of listings after an id."""
        query = "SELECT id, document FROM listing WHERE id > ? ORDER BY id LIMIT ?"
        return [(int(row[0]), str(row[1])) for row in self._db.execute(query, (after, most))]

    def saying(self, phrases: Iterable[str]) -> set[int]:
        """Ids of the listings in whose documents one of the phrases occurs, whatever its case."""
        return {
            int(row[0])
            for phrase in phrases
            for row in self._db.execute("SELECT id FROM listing WHERE document LIKE ? ESCAPE '\\'", (_like(phrase),))
        }

    def holding(self, keys: Iterable[str]) -> set[int]:
        """Ids of the listings that hold one of the concepts."""
        numbers = [(self._ids[key],) for key in keys if key in self._ids]
        return {
            int(row[0])
            for number in numbers
            for row in self._db.execute("SELECT listing FROM held WHERE concept = ?", number)
        }

    def vectors(self) -> Iterator[tuple[int, bytes]]:
        """Every vector that is kept, by the id of its listing."""
        yield from self._db.execute("SELECT listing, numbers FROM vector ORDER BY listing")

    def forget_vectors(self) -> None:
        """Keep none of them."""
        self._db.execute("DELETE FROM vector")

    def keep(self, vectors: Iterable[tuple[int, bytes]]) -> None:
        """Keep vectors."""
        self._db.executemany("INSERT OR REPLACE INTO vector VALUES (?, ?)", vectors)

    def _id(self, key: str) -> int:
        if (known := self._ids.get(key)) is None:
            known = self._db.execute("INSERT INTO concept (key) VALUES (?)", (key,)).lastrowid or 0
            self._ids[key] = known
        return known

    def _in(self, columns: str, column: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(values), _WHERE_IN):
            some = values[start : start + _WHERE_IN]
            marks = ", ".join("?" * len(some))
            yield from self._db.execute(f"SELECT {columns} FROM listing WHERE {column} IN ({marks})", some)  # noqa: S608 - names are ours

    def _portions(self, query: str) -> Iterator[list[tuple[int | float, ...]]]:
        cursor = self._db.execute(query)
        while rows := cursor.fetchmany(20_000):
            yield rows


def _like(phrase: str) -> str:
    escaped = phrase.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
