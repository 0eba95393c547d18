"""The texts of the tables: those in the text index, and the last ones, which wait in memory to be written there.

Tables and text index are two stores, so a crash may leave one without the other: the tables note the stamp of the text
index that belongs to them, up to which listing it holds all, and which of these are gone since; what came after that is
read from the tables. Where the stamps differ the text index is made again out of the tables.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moothall.directory.search.fresh import MOST, Fresh, Text
from moothall.directory.search.textual import TextIndex, TextView
from moothall.storage import private
from moothall.telemetry import logger

if TYPE_CHECKING:
    from moothall.directory.search.tables import Tables

_log = logger("search")
_PORTION: Final = 10_000
"""Documents that are read at once."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What is where.

    Attributes:
        fresh: texts that are in memory alone.
        upto: the last listing that is in the text index, or was when it was gone.
        leaving: how many are gone that are still in the text index.
        texts, words: that were ever taken in, to know how long a text usually is.
    """

    fresh: Fresh
    upto: int
    leaving: int
    texts: int
    words: int

    def more(self, texts: Iterable[Text]) -> tuple[int, int]:
        """How many texts and words there were with these."""
        lengths = [len(text.stems) for text in texts]
        return self.texts + len(lengths), self.words + sum(lengths)


class Texts:
    """Of one directory and the tables beside it; `load` them first. Raises as the two stores do."""

    def __init__(self, folder: Path, tables: Tables, words_of: Callable[[str], str]) -> None:
        """`words_of` says the words of a document."""
        self._folder = folder
        self._tables = tables
        self._words_of = words_of
        self._index: TextIndex
        self._held = self._next = _Held(Fresh(), 0, 0, 0, 0)

    @property
    def crowded(self) -> bool:
        """Whether it is time to `write` what waits."""
        return len(self._held.fresh) > MOST // 2 or self._held.leaving > MOST

    def load(self) -> None:
        """Open the text index; where it is torn, or is not that of the tables, it is made again."""
        self._index = self._open()
        if self._tables.fact("stamp") != self._index.stamp:
            self._fill()
            return
        texts, words = (int(number) for number in self._tables.fact("lengths").split())
        upto = int(self._tables.fact("upto"))
        fresh = {number: self._text(self._words_of(document)) for number, document in self._tables.written(upto, MOST)}
        leaving = len(self._tables.leaving())
        self._held = self._next = _Held(Fresh().changed(fresh, ()), upto, leaving, texts, words)

    def view(self) -> TextView:
        """What is found."""
        return self._index.view(self._held.fresh, self._held.words / max(self._held.texts, 1))

    def change(self, gone: Iterable[int], words: Mapping[int, str]) -> None:
        """Take texts in and out within a change of the tables; `settle` once that is made, or else `restore`."""
        held, gone = self._held, set(gone)
        texts = {number: self._text(said) for number, said in words.items()}
        fresh = held.fresh.changed(texts, gone) if len(held.fresh) + len(texts) <= MOST else None
        left = [number for number in gone if number <= held.upto]
        self._tables.leave(left)
        count, length = held.more(texts.values())
        self._tables.note(lengths=f"{count} {length}")
        if fresh is None:
            kept = {number: text for number, text in held.fresh.texts.items() if number not in gone}
            self._next = _Held(Fresh(), self._written({**kept, **texts}), 0, count, length)
        else:
            self._next = _Held(fresh, held.upto, held.leaving + len(left), count, length)

    def write(self) -> None:
        """Write what waits, within a change of the tables; then as after `change`."""
        held = self._held
        self._next = _Held(Fresh(), self._written(held.fresh.texts), 0, held.texts, held.words)

    def settle(self) -> None:
        """The change of the tables was made."""
        self._held = self._next

    def restore(self) -> None:
        """It was not: go back to what the tables say."""
        self._index.rollback()
        if self._tables.fact("stamp") != self._index.stamp:
            self._fill()
        self._next = self._held

    def close(self) -> None:
        """Close the text index; what waits is read from the tables the next time."""
        if "_index" in self.__dict__:
            self._index.close()

    def _text(self, words: str) -> Text:
        return Text(words, self._index.stems(words))

    def _written(self, texts: Mapping[int, Text]) -> int:
        """Bring the text index to where the tables are, with texts that it does not have; the last listing in it."""
        self._index.remove(self._tables.leaving())
        for number, text in texts.items():
            self._index.add(number, text.words)
        self._index.commit()
        upto = max([self._held.upto, *texts])
        self._tables.left()
        self._tables.note(stamp=self._index.stamp, upto=str(upto))
        return upto

    def _open(self) -> TextIndex:
        try:
            private.directory(self._folder)
            return TextIndex(self._folder)
        except (OSError, ValueError) as error:
            _log.warning("the text index is made anew: %s", error)
            shutil.rmtree(self._folder, ignore_errors=True)
            private.directory(self._folder)
            return TextIndex(self._folder)

    def _fill(self) -> None:
        """Make the text index out of the tables."""
        self._index.clear()
        last = count = length = 0
        while portion := self._tables.written(last, _PORTION):
            for number, document in portion:
                words = self._words_of(document)
                self._index.add(number, words)
                count, length = count + 1, length + words.count(" ") + 1
            last = portion[-1][0]
        self._index.commit()
        self._tables.left()
        self._tables.note(stamp=self._index.stamp, upto=str(last), lengths=f"{count} {length}")
        self._held = self._next = _Held(Fresh(), last, 0, count, length)
