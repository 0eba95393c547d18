"""The concept vocabulary: what agents can do, in Chinese and English, with synonyms and neighbours.

Tags of profiles and of demands are brought to concept ids here: `场地`, `meeting rooms` and `场地提供` are one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from moothall.directory.lexicon import Lexicon, fold
from moothall.directory.source import read_rows

if TYPE_CHECKING:
    from moothall.messages import Lang


@dataclass(frozen=True, slots=True)
class Concept:
    """One capability. `on_site`: somebody or something has to be at the place; else it can be done from afar.

    `listed` are words that mean it only where they stand alone, as a tag or as an item of a list: a host, to host.
    """

    id: str
    category: str
    zh: str
    en: str
    synonyms_zh: tuple[str, ...]
    synonyms_en: tuple[str, ...]
    related: tuple[str, ...]
    on_site: bool
    listed: tuple[str, ...] = ()

    def label(self, lang: Lang) -> str:
        """The tag shown to people."""
        return self.zh if lang == "zh" else self.en

    @property
    def surfaces(self) -> tuple[str, ...]:
        """Every word that means this concept: both labels first, then the synonyms."""
        return (self.zh, self.en, *self.synonyms_zh, *self.synonyms_en)


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept named in a text; `text[start:end] == surface`."""

    concept: Concept
    start: int
    end: int
    surface: str


class Vocabulary:
    """All concepts, immutable. An unknown id raises `KeyError`; unknown text never does."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        """Index the concepts. Two of them claiming one word, or a neighbour that does not exist, raise `ValueError`."""
        self._concepts: Mapping[str, Concept] = {concept.id: concept for concept in concepts}
        self._lexicon = Lexicon((word, concept) for concept in self._concepts.values() for word in concept.surfaces)
        self._alone = Lexicon((word, concept) for concept in self._concepts.values() for word in concept.listed)
        self._check()

    def __contains__(self, concept_id: object) -> bool:
        """Whether that is the id of a concept."""
        return concept_id in self._concepts

    def concept(self, concept_id: str) -> Concept:
        """The concept with that id."""
        return self._concepts[concept_id]

    def label(self, concept_id: str, lang: Lang) -> str:
        """The tag of a concept in a language; a free tag (see `key`) is its own label."""
        concept = self._concepts.get(concept_id)
        return concept.label(lang) if concept else concept_id

    def normalise(self, tag: str) -> str | None:
        """The id of the concept that `tag` names: an id, a label or any of its words in either language."""
        if tag in self._concepts:
            return tag
        found = self._lexicon.get(tag) or self._alone.get(tag)
        return found[0].id if found else None

    def key(self, tag: str) -> str:
        """What tags are compared by: the concept id, or for a tag outside the vocabulary its folded text."""
        return self.normalise(tag) or fold(tag)

    def find(self, text: str) -> list[Mention]:
        """The concepts named in a text, in its order; where two overlap the longer word wins."""
        return [Mention(hit.values[0], hit.start, hit.end, hit.surface) for hit in self._lexicon.find(text)]

    def related(self, concept_id: str) -> tuple[str, ...]:
        """The ids of neighbouring concepts; of a free tag none."""
        concept = self._concepts.get(concept_id)
        return concept.related if concept else ()

    def all(self) -> tuple[Concept, ...]:
        """Every concept, in the order of the file."""
        return tuple(self._concepts.values())

    def _check(self) -> None:
        for concept in self._concepts.values():
            if missing := [other for other in concept.related if other not in self._concepts]:
                raise ValueError(f"concept {concept.id} is related to unknown {missing}")
            for word in concept.surfaces:
                if len(owners := self._lexicon.get(word)) != 1:
                    raise ValueError(f"{word!r} belongs to {[owner.id for owner in owners]}")
            for word in concept.listed:
                if len(owners := (*self._alone.get(word), *self._lexicon.get(word))) != 1:
                    raise ValueError(f"{word!r} belongs to {[owner.id for owner in owners]}")


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    """The vocabulary that travels with the package (`data/concepts.json`)."""
    return Vocabulary(read_concepts("concepts.json"))


def read_concepts(name: str) -> list[Concept]:
    """The concepts of a file in `moothall/data`."""
    return [
        Concept(
            id=row["id"],
            category=row["category"],
            zh=row["zh"],
            en=row["en"],
            synonyms_zh=tuple(row["synonyms_zh"]),
            synonyms_en=tuple(row["synonyms_en"]),
            related=tuple(row["related"]),
            on_site=row["on_site"],
            listed=tuple(row.get("listed", ())),
        )
        for row in read_rows(name)
    ]
