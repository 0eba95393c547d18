"""The vocabulary of search, for the node's owner and whoever was granted ``finding``."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from moothall.capability.decorators import capability
from moothall.directory.concepts import Concept
from moothall.directory.lexicon import fold
from moothall.directory.vocabulary_store import VocabularyStore
from moothall.errors import InvalidInput, Told

PERMISSION: Final = ("finding",)
_SECONDS: Final = 600.0
"""For a change that makes very many listings be read again."""

Word = Annotated[str, Field(min_length=1, max_length=80)]
Words = Annotated[tuple[Word, ...], Field(max_length=100)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]


class ConceptInput(BaseModel):
    """A capability as a concept; `listed` are words that mean it only where they stand alone."""

    model_config = ConfigDict(extra="forbid")

    id: Id
    category: str = Field("", max_length=80)
    zh: Word
    en: Word
    synonyms_zh: Words = ()
    synonyms_en: Words = ()
    related: Annotated[tuple[Id, ...], Field(max_length=100)] = ()
    on_site: bool = False
    listed: Words = ()


class ConceptView(ConceptInput):
    """A concept; `added`: it was added or changed on this node, out of `origin`."""

    added: bool = False
    origin: str = ""


class ConceptList(BaseModel):
    """Concepts; `next`: of the following ones, empty at the end."""

    concepts: list[ConceptView]
    next: str = ""


class Imported(BaseModel):
    """How many concepts were added or replaced."""

    imported: int


class VocabularyCapabilities:
    """The capabilities ``concepts.*`` of a node."""

    def __init__(self, vocabulary: VocabularyStore) -> None:
        self._vocabulary = vocabulary

    @capability(name="concepts.list", permissions=PERMISSION, read_only=True, idempotent=True)
    async def list(
        self,
        text: Annotated[str, Field(max_length=200)] = "",
        added: bool = False,  # noqa: FBT001, FBT002 - its name for callers
        after: Annotated[str, Field(max_length=64)] = "",
        limit: Annotated[int, Field(ge=1, le=500)] = 100,
    ) -> ConceptList:
        """The concepts that search knows, in order of id.

        Args:
            text: only those that a text names, or one of whose words contains it
            added: only what was added or changed on this node
            after: only what comes after this id
            limit: so many at most
        """
        vocabulary = await self._vocabulary.current()
        here = {each.concept.id: each.origin for each in await self._vocabulary.added()}
        named = {mention.concept.id for mention in vocabulary.find(text)} | {vocabulary.normalise(text)}
        wanted = fold(text)
        found = [
            each
            for each in sorted(vocabulary.all(), key=lambda each: each.id)
            if each.id > after
            and (not added or each.id in here)
            and (not wanted or each.id in named or any(wanted in fold(word) for word in each.surfaces))
        ]
        following = found[limit - 1].id if len(found) > limit else ""
        return ConceptList(concepts=[_view(each, here) for each in found[:limit]], next=following)

    @capability(name="concepts.import", permissions=PERMISSION, binding="request", timeout=_SECONDS, idempotent=True)
    async def import_(
        self,
        concepts: Annotated[tuple[ConceptInput, ...], Field(max_length=5_000)],
        origin: Annotated[str, Field(max_length=200)] = "",
    ) -> Imported:
        """Add concepts or replace those with the same ids, all or none; listings are read again with them.

        Args:
            concepts: each with its words in both languages
            origin: where they come from
        """
        if not concepts:
            raise InvalidInput("there is nothing to import", told=Told("search.import_empty"))
        await self._vocabulary.put([_concept(each) for each in concepts], origin)
        return Imported(imported=len(concepts))

    @capability(name="concepts.edit", permissions=PERMISSION, binding="request", timeout=_SECONDS, idempotent=True)
    async def edit(self, concept: ConceptInput) -> ConceptView:
        """Add a concept, or put it in place of the one with its id; listings are read again with it."""
        await self._vocabulary.put([_concept(concept)])
        return _view(_concept(concept), {concept.id: ""})

    @capability(name="concepts.remove", permissions=PERMISSION, binding="request", timeout=_SECONDS, destructive=True)
    async def remove(self, concept_id: Id) -> None:
        """Take away what was added on this node; a concept of the package is again as the package has it."""
        await self._vocabulary.remove(concept_id)


def _concept(given: ConceptInput) -> Concept:
    return Concept(**given.model_dump())


def _view(concept: Concept, here: dict[str, str]) -> ConceptView:
    fields = {name: getattr(concept, name) for name in ConceptInput.model_fields}
    return ConceptView(**fields, added=concept.id in here, origin=here.get(concept.id, ""))
