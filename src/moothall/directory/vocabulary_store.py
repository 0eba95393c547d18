"""The vocabulary of search on one node: what travels with the package, and what was added or changed here.

The table `concept` is laid over the files of the package: a row with an id of theirs stands in its place, and without
the row theirs is there again. Demands are read with the vocabulary of the package alone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.clock import Clock
from moothall.directory.concepts import Concept, Vocabulary
from moothall.directory.lexicon import fold
from moothall.errors import Conflict, InvalidInput, ServiceNotFoundError, StorageError, Told
from moothall.storage.finding import concept as table
from moothall.storage.store import Store

MOST: Final = 20_000
"""Concepts that may be added."""

_LETTERS: Final = 2
"""Of a word at least, or texts would name it all the time."""

Told_of = Callable[[Vocabulary], Awaitable[None]]
_State = tuple[int, datetime | None]


@dataclass(frozen=True, slots=True)
class Added:
    """A concept that was added or changed here; `origin` says where it comes from."""

    concept: Concept
    origin: str


@dataclass(slots=True)
class _Listener:
    """Somebody who wants to hear of changes, and the vocabulary that it heard of last."""

    tell: Told_of
    known: Vocabulary | None


class VocabularyStore:
    """Reads and changes the vocabulary; one for each process. Storage failures raise `StorageError`."""

    def __init__(self, store: Store, clock: Clock, base: Callable[[], Vocabulary]) -> None:
        """`base` gives the vocabulary of the package, and is asked once that is needed."""
        self._store, self._clock, self._base = store, clock, base
        self._cached: tuple[_State, Vocabulary] | None = None
        self._listeners: list[_Listener] = []
        self._turn = asyncio.Lock()

    def on_change(self, listener: Told_of, known: Vocabulary | None = None) -> None:
        """Have this awaited with the new vocabulary after each change, before the change is answered.

        Args:
            listener: one that fails is told again at the next look.
            known: the vocabulary that it has by now; None: the one that was asked for last.
        """
        if known is None and self._cached is not None:
            known = self._cached[1]
        self._listeners.append(_Listener(listener, known))

    async def current(self) -> Vocabulary:
        """The vocabulary now; the same object until it is changed, by whichever process."""
        state = await self._store.read(_state)
        if self._cached is None or self._cached[0] != state:
            added = [each.concept for each in await self.added()]
            self._cached = state, await asyncio.to_thread(laid_over, self._base(), added) if added else self._base()
        return self._cached[1]

    async def look(self) -> None:
        """Tell those listeners that have not heard of the last change, of another process or of this one."""
        if self._listeners:
            await self._tell()

    async def added(self) -> list[Added]:
        """What was added or changed here, in order of id."""
        rows = await self._store.read(_rows)
        return [_added(*row) for row in rows]

    async def put(self, concepts: Sequence[Concept], origin: str = "") -> None:
        """Add concepts, or put them in place of those with the same ids: all or none.

        Raises:
            InvalidInput: two of them have the same id, a word is too short, or a neighbour does not exist.
            Conflict: a word belongs to another concept already, or there would be too many.
        """
        now = self._clock.now()
        base = self._base()
        _check(concepts)

        def work(connection: Connection) -> None:
            known = {row[0]: _added(*row).concept for row in _rows(connection)}
            after = {**known, **{each.id: each for each in concepts}}
            if len(after) > MOST:
                raise Conflict(f"at most {MOST} concepts are added", told=Told("search.concepts_most", {"most": MOST}))
            _fits(base, after.values())
            for each in concepts:
                document = json.dumps(asdict(each), ensure_ascii=False)
                values = {"document": document, "origin": origin, "updated_at": now}
                if each.id in known:
                    connection.execute(sa.update(table).where(table.c.id == each.id).values(**values))
                else:
                    connection.execute(sa.insert(table).values(id=each.id, **values))

        await self._store.write(work)
        await self._changed()

    async def remove(self, concept_id: str) -> None:
        """Take away what was added here; a concept of the package is again as the package has it.

        Raises:
            ServiceNotFoundError: nothing of this id was added here.
            Conflict: another one that was added names it as its neighbour, or has a word that would be its own again.
        """
        base = self._base()

        def work(connection: Connection) -> None:
            if not connection.execute(sa.delete(table).where(table.c.id == concept_id)).rowcount:
                raise ServiceNotFoundError("no such concept was added here", told=Told("search.no_concept"))
            try:
                _fits(base, [_added(*row).concept for row in _rows(connection)])
            except InvalidInput as error:
                raise Conflict(error.message, told=error.told) from error

        await self._store.write(work)
        await self._changed()

    async def _changed(self) -> None:
        self._cached = None
        await self._tell()

    async def _tell(self) -> None:
        async with self._turn:  # nobody hears of an older one after a younger one
            now = await self.current()
            for each in self._listeners:
                if each.known is not now:
                    await each.tell(now)
                    each.known = now


def laid_over(base: Vocabulary, added: Iterable[Concept]) -> Vocabulary:
    """A vocabulary with concepts added, or in place of those with the same ids.

    Raises:
        ValueError: a word belongs to two of them, or a neighbour does not exist.
    """
    concepts = {concept.id: concept for concept in base.all()}
    concepts.update((concept.id, concept) for concept in added)
    return Vocabulary(concepts.values())


def _check(concepts: Sequence[Concept]) -> None:
    """Each by itself."""
    if len({each.id for each in concepts}) != len(concepts):
        raise InvalidInput("two concepts have the same id", told=Told("search.concept_twice"))
    for each in concepts:
        for word in (*each.surfaces, *each.listed):
            if len(fold(word)) < _LETTERS:
                told = Told("search.word_short", {"word": word, "concept": each.id})
                raise InvalidInput(f"{each.id}: {word!r} is too short for a word", told=told)


def _fits(base: Vocabulary, added: Iterable[Concept]) -> None:
    """All together, in words that say which does not fit."""
    concepts = {concept.id: concept for concept in base.all()}
    concepts.update((concept.id, concept) for concept in added)
    owners: dict[str, str] = {}
    for each in concepts.values():
        if missing := next((other for other in each.related if other not in concepts), None):
            told = Told("search.no_neighbour", {"concept": each.id, "other": missing})
            raise InvalidInput(f"{each.id}: there is no concept {missing!r}", told=told)
        for word in (*each.surfaces, *each.listed):
            if (owner := owners.setdefault(fold(word), each.id)) != each.id:
                raise _taken(word, each.id, owner)
    try:
        Vocabulary(concepts.values())
    except ValueError as error:  # one word is the plural of another's
        told = Told("search.words_clash", {"why": str(error)})
        raise Conflict("a word belongs to two concepts", why=str(error), told=told) from error


def _taken(word: str, concept: str, owner: str) -> Conflict:
    told = Told("search.word_taken", {"word": word, "concept": concept, "owner": owner})
    return Conflict(f"{concept}: {word!r} belongs to {owner} already", told=told)


def _state(connection: Connection) -> _State:
    row = connection.execute(sa.select(sa.func.count(), sa.func.max(table.c.updated_at)).select_from(table)).one()
    return int(row[0]), row[1]


def _rows(connection: Connection) -> list[tuple[str, str, str]]:
    query = sa.select(table.c.id, table.c.document, table.c.origin).order_by(table.c.id)
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def _added(concept_id: str, document: str, origin: str) -> Added:
    try:
        row = json.loads(document)
        tuples = {name: tuple(row[name]) for name in ("synonyms_zh", "synonyms_en", "related", "listed")}
        return Added(Concept(**{**row, **tuples}), origin)
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(f"the stored concept {concept_id} is not valid", why=type(error).__name__) from error
