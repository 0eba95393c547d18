"""The text index: tantivy on disk, over words that were cut before; Latin ones are brought to their stems.

What came last is found in memory beside it (`fresh`). Every call blocks; writing is for one thread, reading for any.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import tantivy

from moothall.directory.search.fresh import Fresh

Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

_HEAP: Final = 32_000_000
"""Bytes in which documents are gathered before they are written."""

_ANALYZER: Final = "moothall"
_BODY, _NUMBER = "body", "number"


@dataclass(frozen=True, slots=True)
class Weighed:
    """Words to look for.

    Attributes:
        worth: of each word, by how rare it is and how much it was asked for.
        boosts: how much each was asked for.
        rarity: of each of these, from 0 (in every text) to 1 (in one).
        ceiling: the score of a text of usual length with all of them.
    """

    worth: Mapping[str, float]
    boosts: Mapping[str, float]
    rarity: Mapping[str, float]
    ceiling: float


NOTHING: Final = Weighed({}, {}, {}, 0.0)


@dataclass(frozen=True, slots=True)
class Matches:
    """Ids of listings, and how well they match: 1 with every word in a text of usual length.

    `whole`: whether these are all that there are.
    """

    ids: Ids
    scores: Scores
    whole: bool = True


class TextView:
    """The index at one moment, for any thread."""

    def __init__(
        self,
        searcher: tantivy.Searcher,
        schema: tantivy.Schema,
        analyzer: tantivy.TextAnalyzer,
        fresh: Fresh,
        usual: float,
    ) -> None:
        """See `TextIndex.view`."""
        self._searcher, self._schema, self._analyzer = searcher, schema, analyzer
        self._fresh, self._usual = fresh, usual

    def weigh(self, boosts: Mapping[str, float]) -> Weighed:
        """What words count for in this index; one that does not occur, as much as one that occurs in a single text.

        Scores would tell otherwise whether a word stands in something that the caller may not know of.
        """
        total = self._searcher.num_docs + len(self._fresh)
        found: dict[str, float] = {}
        idf: dict[str, float] = {}
        for word, boost in boosts.items():
            stem = self._stem(word)
            if stem:
                found[stem] = max(boost, found.get(stem, 0.0))
                idf[stem] = _idf(total, max(1, self._count(stem)))
        most = _idf(total, 1) or 1.0
        rarity = {word: min(1.0, value / most) for word, value in idf.items()}
        worth = {word: found[word] * idf[word] for word in found}
        return Weighed(worth, found, rarity, sum(worth.values()))

    def find(self, asked: Weighed, most: int) -> Matches:
        """The best listings, `most` of those on disk and all that match of the last ones."""
        if not asked.boosts or asked.ceiling <= 0:
            return Matches(np.empty(0, np.int64), np.empty(0, np.float32))
        hits = self._hits([self._term(word, boost) for word, boost in asked.boosts.items()], max(1, most))
        last = self._fresh.scores(asked.worth, self._usual)
        scores = np.fromiter((score for score, _ in hits), np.float32, len(hits))
        scores = np.concatenate([scores, np.fromiter(last.values(), np.float32, len(last))])
        ids = np.concatenate([self._numbers(hits), np.fromiter(last, np.int64, len(last))])
        return Matches(ids, np.minimum(scores / np.float32(asked.ceiling), np.float32(1.0)), len(hits) < most)

    def having(self, words: Iterable[str]) -> Ids:
        """The ids of listings in which one of the words occurs."""
        stems = {stem for word in words if (stem := self._stem(word))}
        last = self._fresh.having(stems)
        most = sum(self._searcher.doc_freq(_BODY, stem) for stem in stems)
        hits = self._hits([self._term(stem, 1.0) for stem in stems], most) if most else []
        return np.concatenate([self._numbers(hits), np.fromiter(last, np.int64, len(last))])

    def _hits(self, terms: Iterable[tantivy.Query], most: int) -> list[tuple[float, tantivy.DocAddress]]:
        clauses = [(tantivy.Occur.Should, term) for term in terms]
        return self._searcher.search(tantivy.Query.boolean_query(clauses), limit=most, count=False).hits

    def _numbers(self, hits: Sequence[tuple[float, tantivy.DocAddress]]) -> Ids:
        numbers = self._searcher.fast_field_values(_NUMBER, [address for _, address in hits])
        return np.fromiter((int(number or 0) for number in numbers), np.int64, len(hits))

    def _count(self, stem: str) -> int:
        return self._searcher.doc_freq(_BODY, stem) + self._fresh.count(stem)

    def _term(self, word: str, boost: float) -> tantivy.Query:
        query = tantivy.Query.term_query(self._schema, _BODY, word, "freq")
        return query if boost == 1.0 else tantivy.Query.boost_query(query, boost)

    def _stem(self, word: str) -> str:
        stems = self._analyzer.analyze(word)
        return stems[0] if stems else ""


class TextIndex:
    """The index in one directory; its faults are `ValueError` and `OSError`.

    Attributes:
        stamp: of the last commit; another after each.
    """

    def __init__(self, folder: Path) -> None:
        """Open it, or make it where there is none."""
        builder = tantivy.SchemaBuilder()
        builder.add_integer_field(_NUMBER, stored=False, indexed=True, fast=True)
        builder.add_text_field(_BODY, stored=False, tokenizer_name=_ANALYZER, index_option="freq")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema, path=str(folder), reuse=True)
        self._analyzer = (
            tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
            .filter(tantivy.Filter.stemmer("english"))
            .build()
        )
        self._index.register_tokenizer(_ANALYZER, self._analyzer)
        self._index.config_reader("manual")
        self._writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        self.stamp = str(self._writer.commit_opstamp)
        self._searcher = self._index.searcher()

    def stems(self, words: str) -> Sequence[str]:
        """Words as they are held here."""
        return self._analyzer.analyze(words)

    def add(self, number: int, words: str) -> None:
        """Add the words of a listing."""
        self._writer.add_document(tantivy.Document.from_dict({_NUMBER: number, _BODY: words}, self._schema))

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove listings."""
        for number in numbers:
            self._writer.delete_documents_by_term(_NUMBER, number)

    def clear(self) -> None:
        """Remove everything."""
        self._writer.delete_all_documents()

    def commit(self) -> None:
        """Make what was added and removed last; the next `view` shows it."""
        self.stamp = str(self._writer.commit())
        self._index.reload()
        self._searcher = self._index.searcher()

    def view(self, fresh: Fresh, usual: float) -> TextView:
        """What is committed now and what came after that; `usual`: words of a usual text."""
        return TextView(self._searcher, self._schema, self._analyzer, fresh, usual)

    def rollback(self) -> None:
        """Forget what was added and removed since the last commit."""
        self._writer.rollback()

    def close(self) -> None:
        """Wait until nothing is written any more."""
        self._writer.wait_merging_threads()


def _idf(total: int, count: int) -> float:
    """As the index itself weighs a word."""
    return math.log(1 + (max(total - count, 0) + 0.5) / (count + 0.5))
