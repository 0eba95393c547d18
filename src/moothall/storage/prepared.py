"""Statements that are run again and again for an answer that somebody waits for.

SQLAlchemy's own work for a statement takes several times as long as an indexed look-up in SQLite, and building one anew
longer still. So these are built and compiled once, and SQLite's driver runs them. On PostgreSQL SQLAlchemy does: there
the way to the server takes longer than all of that.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.engine import Connection

from moothall.storage.sqlite import driver

FEW: Final = 8
"""Ids for which a statement is compiled by their number; with more of them SQLAlchemy runs it everywhere."""

_MANY: Final[sa.BindParameter[Any]] = sa.bindparam("ids", expanding=True)
_LITE: Final = dialect()


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement for SQLite: its text, its parameters in their order, those for ids, and those that have a value."""

    text: str
    names: tuple[str, ...]
    ids: tuple[str, ...]
    known: dict[str, Any]


class Prepared:
    """A statement.

    Args:
        make: makes it from what stands after ``IN`` for the ids that it is run with. Other parameters have names; what
            they are given is a text or a whole number.
    """

    def __init__(self, make: Callable[[Any], sa.Select[Any]]) -> None:
        self._make = make
        self._query = make(_MANY)
        self._compiled: dict[int, _Compiled] = {}
        columns = list(self._query.selected_columns)
        self._row: Any = namedtuple("_Row", [column.key for column in columns])  # type: ignore[misc]  # noqa: PYI024
        readers = [column.type.result_processor(_LITE, None) for column in columns]
        self._readers = [(place, read) for place, read in enumerate(readers) if read is not None]

    def rows(self, connection: Connection, ids: Sequence[str] | None = None, **values: str | int) -> Sequence[Any]:
        """Run it; the rows have the names of its columns. Without any id there are none."""
        if ids is not None and not ids:
            return ()
        if connection.dialect.name != "sqlite" or (ids is not None and len(ids) > FEW):
            return connection.execute(self._query, values if ids is None else {**values, "ids": ids}).all()
        few = ids or ()
        found = self._compiled.get(len(few)) or self._compile(len(few))
        given = {**found.known, **values, **dict(zip(found.ids, few, strict=True))}
        raw = driver(connection).execute(found.text, [given[name] for name in found.names])
        return [self._row(*self._read(row)) for row in raw]

    def _compile(self, number: int) -> _Compiled:
        ids = tuple(f"id{place}" for place in range(number))
        made = self._make([sa.bindparam(id_) for id_ in ids]).compile(dialect=_LITE)
        found = self._compiled[number] = _Compiled(str(made), tuple(made.positiontup or ()), ids, dict(made.params))
        return found

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self._readers:
            return row
        read = list(row)
        for place, reader in self._readers:
            read[place] = reader(read[place])
        return read
