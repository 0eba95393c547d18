"""The index on disk and its state in memory; every method blocks, and those that change it are for one thread.

Of the tables and the text index each change is made in both or in neither; see `texts`.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from moothall.canonical import digest
from moothall.directory.search import columns, dense
from moothall.directory.search.columns import State
from moothall.directory.search.dense import Vectors
from moothall.directory.search.documents import digest_of, from_document, row_of
from moothall.directory.search.meaning import meaning
from moothall.directory.search.tables import FORMAT, Tables
from moothall.directory.search.texts import Texts
from moothall.errors import StorageError
from moothall.storage import private
from moothall.telemetry import logger

if TYPE_CHECKING:
    from moothall.directory.concepts import Concept, Vocabulary
    from moothall.directory.listing import Listing
    from moothall.directory.places import Gazetteer
    from moothall.directory.search.textual import TextView

FAULTS: Final = (sqlite3.Error, OSError, ValueError)
"""What the two stores fail with."""

_log = logger("search")
_PORTION: Final = 10_000
"""Listings that are written at once."""

_HALF: Final = "half"
"""Stands for the vocabulary while only some listings are read with it: an index that is left so is made anew."""


@dataclass(frozen=True, slots=True)
class Now:
    """All that a search looks at, of one moment."""

    state: State
    texts: TextView
    vocabulary: Vocabulary
    vectors: Vectors


class Shelf:
    """An index in a directory.

    Attributes:
        now: what is found.
        leaving: documents, by their ids, that the last two changes took out: a search that began before shows them.
    """

    def __init__(
        self, folder: Path, vocabulary: Vocabulary, gazetteer: Gazetteer, model: dense.Model = dense.NO_MODEL
    ) -> None:
        """Use `open`; `model` is that of vectors."""
        self._folder = folder
        self._vocabulary = vocabulary
        self._words = _words(vocabulary)
        self._gazetteer = gazetteer
        self._tables: Tables
        self._texts: Texts
        self._birth = ""
        self._changes = 0
        self._state = columns.empty("")
        self._vectors = dense.none(model.size)
        self._model = model
        self.now: Now
        self.leaving: tuple[Mapping[int, str], Mapping[int, str]] = ({}, {})

    @property
    def path(self) -> Path:
        """Of the tables."""
        return self._folder / "listings.db"

    @property
    def count(self) -> int:
        """How many listings are found."""
        return self._state.count

    @property
    def version(self) -> str:
        """Of what is found."""
        return self._state.version

    def open(self) -> None:
        """Open both stores; what is torn or of another version is made anew.

        Raises:
            StorageError: the directory cannot be used.
        """
        private.directory(self._folder)
        try:
            try:
                self._load()
            except FAULTS as error:
                _log.warning("the search index is made anew: %s", error)
                self._start_anew()
        except FAULTS as error:
            raise StorageError(f"cannot use the search index in {self._folder}", why=str(error)) from error

    def close(self) -> None:
        """Close both stores."""
        for store in ("_texts", "_tables"):
            if store in self.__dict__:
                self.__dict__.pop(store).close()

    def change(self, wanted: Mapping[str, Listing | None]) -> None:
        """Take in listings by their targets, and take out those of which there is none; what is the same stays.

        Raises:
            StorageError: it could not be written.
        """
        targets = list(wanted)
        for start in range(0, len(targets), _PORTION):
            self._guarded({target: wanted[target] for target in targets[start : start + _PORTION]})

    def rest(self) -> None:
        """Write to disk what waits in memory for it, if it is much; what fails is tried again the next time."""
        if not self._texts.crowded:
            return
        try:
            self._tables.begin()
            try:
                self._texts.write()
                self._tables.commit()
            except BaseException:
                self._tables.rollback()
                self._texts.restore()
                raise
        except FAULTS as error:
            _log.warning("the text index was not written: %s", error)
            return
        self._texts.settle()
        self._show(self._state)

    def relearn(self, vocabulary: Vocabulary) -> None:
        """Go over to another vocabulary.

        Raises:
            StorageError: it could not be written.
        """
        changed = _difference(self._vocabulary, vocabulary)
        self._vocabulary, self._words = vocabulary, _HALF
        keys = {key for concept in changed for key in (concept.id, *map(vocabulary.key, concept.surfaces))}
        words = {word for concept in changed for word in (*concept.surfaces, *concept.listed)}
        try:
            ids = sorted(self._tables.holding(keys) | self._tables.saying(words))
            for start in range(0, max(1, len(ids)), _PORTION):
                documents = self._tables.documents(ids[start : start + _PORTION])
                listings = [from_document(document) for document in documents.values()]
                last = start + _PORTION >= len(ids)
                self._write(listings, list(documents), _words(vocabulary) if last else _HALF)
            self._words = _words(vocabulary)
        except FAULTS as error:
            raise StorageError("the search index cannot be written", why=str(error)) from error

    def _guarded(self, wanted: Mapping[str, Listing | None]) -> None:
        try:
            known = self._tables.known(list(wanted))
            listings = [
                listing
                for target, listing in wanted.items()
                if listing and (target not in known or known[target][1] != digest_of(listing))
            ]
            fresh = {listing.target for listing in listings}
            gone = [number for target, (number, _) in known.items() if target in fresh or wanted[target] is None]
            if listings or gone:
                self._write(listings, gone, self._words)
        except FAULTS as error:
            raise StorageError("the search index cannot be written", why=str(error)) from error

    def _write(self, listings: Sequence[Listing], gone: Sequence[int], words: str) -> None:
        meanings = [meaning(listing, self._vocabulary, self._gazetteer) for listing in listings]
        rows = [row_of(listing, read) for listing, read in zip(listings, meanings, strict=True)]
        self.leaving = (self._tables.documents(gone), self.leaving[0])
        self._tables.begin()
        try:
            self._tables.take_out(gone)
            ids = self._tables.take_in(rows)
            self._texts.change(gone, {number: read.words for number, read in zip(ids, meanings, strict=True)})
            self._tables.note(changes=str(self._changes + 1), words=words)
            self._tables.commit()
        except BaseException:
            self._tables.rollback()
            self._texts.restore()
            raise
        self._texts.settle()
        self._changes += 1
        held = (
            (key, number, weight) for number, row in zip(ids, rows, strict=True) for key, weight in row.held.items()
        )
        numbers = [(number, *row.numbers) for number, row in zip(ids, rows, strict=True)]
        self._show(self._state.changed(numbers, held, gone, self._version()))

    def _load(self) -> None:
        self._tables = Tables(self.path)
        if self._tables.fact("format") not in {"", FORMAT} or self._tables.fact("words") not in {"", self._words}:
            raise ValueError("it is of another version")
        if not self._tables.fact("birth"):
            self._tables.note(format=FORMAT, birth=secrets.token_hex(6), changes="0", words=self._words)
        self._birth, self._changes = self._tables.fact("birth"), int(self._tables.fact("changes"))
        self._texts = Texts(self._folder / "texts", self._tables, self._words_of)
        self._texts.load()
        self._load_vectors()
        numbers, holdings = self._tables.numbers(), self._tables.holdings()
        self._show(columns.loaded(numbers, holdings, self._tables.concepts(), self._version()))

    def _show(self, state: State) -> None:
        self._state = state
        self.now = Now(state, self._texts.view(), self._vocabulary, self._vectors)

    def without_vectors(self, most: int) -> dict[int, Listing]:
        """The first listings that have no vectors yet, by their ids.

        Raises:
            StorageError: the tables cannot be read.
        """
        alive = self._state.ids[self._state.alive][: dense.MOST]
        ids = [int(number) for number in np.setdiff1d(alive, self._vectors.ids)[:most]]
        try:
            return {number: from_document(text) for number, text in self._tables.documents(ids).items()}
        except FAULTS as error:
            raise StorageError("the search index cannot be read", why=str(error)) from error

    def keep_vectors(self, vectors: Mapping[int, Sequence[float]]) -> None:
        """Keep vectors of listings by their ids.

        Raises:
            StorageError: they could not be written.
        """
        try:
            packed = [(number, np.asarray(vector, np.float32).tobytes()) for number, vector in vectors.items()]
            self._tables.begin()
            try:
                self._tables.keep(packed)
                self._tables.note(changes=str(self._changes + 1))
                self._tables.commit()
            except BaseException:
                self._tables.rollback()
                raise
            alive = self._state.ids[self._state.alive]
            self._vectors = self._vectors.added(vectors, list(vectors.values()), alive)
        except FAULTS as error:
            raise StorageError("the search index cannot be written", why=str(error)) from error
        self._changes += 1
        self._show(replace(self._state, version=self._version()))

    def _load_vectors(self) -> None:
        """Those of the tables; of another model they are of no use any more."""
        if self._tables.fact("model") != self._model.mark:
            self._tables.forget_vectors()
            self._tables.note(model=self._model.mark)
        found = list(self._tables.vectors()) if self._model.size else []
        numbers = [np.frombuffer(packed, np.float32) for _, packed in found]
        empty = dense.none(self._model.size)
        ids = np.array([number for number, _ in found], np.int64)
        self._vectors = dense.Vectors(ids, np.stack(numbers)) if numbers else empty

    def _start_anew(self) -> None:
        self.close()
        for found in self._folder.glob("listings.db*"):
            found.unlink()
        shutil.rmtree(self._folder / "texts", ignore_errors=True)
        self._load()

    def _words_of(self, document: str) -> str:
        return meaning(from_document(document), self._vocabulary, self._gazetteer).words

    def _version(self) -> str:
        return f"{self._birth}.{self._changes}"


def _difference(old: Vocabulary, new: Vocabulary) -> list[Concept]:
    """Concepts of either that are not the same in the other."""
    before, after = ({concept.id: concept for concept in vocabulary.all()} for vocabulary in (old, new))
    found = [concept for key, concept in before.items() if after.get(key) != concept]
    return found + [concept for key, concept in after.items() if before.get(key) != concept]


def _words(vocabulary: Vocabulary) -> str:
    """The digest of a vocabulary."""
    return digest([[concept.id, *concept.surfaces, "", *concept.listed] for concept in vocabulary.all()])
