"""The vocabulary of a node grows and is edited, and what is listed is read with it at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from moothall.clock import SystemClock
from moothall.directory.concepts import Concept, Vocabulary
from moothall.directory.listing import Listing
from moothall.directory.search.engine import SearchIndex
from moothall.directory.search.words_known import load_search_vocabulary
from moothall.directory.searching import Filters
from moothall.directory.vocabulary_capabilities import ConceptInput, VocabularyCapabilities
from moothall.directory.vocabulary_store import VocabularyStore
from moothall.errors import Conflict, InvalidInput, ServiceNotFoundError, StorageError
from moothall.storage.store import Store

COOPER = ConceptInput(
    id="cooperage", zh="箍桶", en="cooperage", synonyms_zh=("木桶制作",), synonyms_en=("barrel making",)
)
BARRELS = Listing(target="local:barrels", name="casks", description="我们擅长木桶制作")
DENIES = Listing(target="local:none", name="wood", description="Carpentry, but we never do barrel making.")


def everybody(listing: Listing) -> bool:
    return True


@pytest.fixture
async def vocabulary(tmp_path: Path, index: SearchIndex) -> AsyncIterator[VocabularyStore]:
    store = await Store.open(tmp_path / "node")
    found = VocabularyStore(store, SystemClock(), load_search_vocabulary)
    found.on_change(index.relearn)
    yield found
    await store.close()


async def ask(index: SearchIndex, query: str) -> list[str]:
    return [hit.listing.target for hit in (await index.search(query, Filters(), everybody)).hits]


async def test_an_imported_concept_finds_what_was_listed_before_in_both_languages(
    vocabulary: VocabularyStore, index: SearchIndex
) -> None:
    await index.put([BARRELS, DENIES])
    assert await ask(index, "cooperage") == []
    version = index.version
    done = await VocabularyCapabilities(vocabulary).import_((COOPER,), "guild list")
    assert done.imported == 1
    assert await ask(index, "cooperage") == [BARRELS.target]
    assert index.version != version


async def test_a_concept_that_is_taken_away_finds_nothing_any_more(
    vocabulary: VocabularyStore, index: SearchIndex
) -> None:
    doors = VocabularyCapabilities(vocabulary)
    await index.put([BARRELS])
    await doors.edit(COOPER)
    await doors.remove("cooperage")
    assert await ask(index, "cooperage") == []
    with pytest.raises(ServiceNotFoundError):
        await doors.remove("cooperage")


async def test_a_concept_of_the_package_can_be_edited_and_comes_back(
    vocabulary: VocabularyStore, index: SearchIndex
) -> None:
    doors = VocabularyCapabilities(vocabulary)
    await index.put([replace(BARRELS, description="We gladly snapsmith.")])
    mine = next(each for each in (await doors.list("photography")).concepts if each.id == "photography")
    assert not mine.added
    given = mine.model_dump(exclude={"added", "origin"})
    await doors.edit(ConceptInput(**{**given, "synonyms_en": [*mine.synonyms_en, "snapsmith"]}))
    assert await ask(index, "摄影") == [BARRELS.target]
    assert (await doors.list("photography", added=True)).concepts[0].added
    await doors.remove("photography")
    assert await ask(index, "摄影") == []


async def test_the_list_goes_on_where_it_ended(vocabulary: VocabularyStore) -> None:
    doors = VocabularyCapabilities(vocabulary)
    seen: list[str] = []
    after = ""
    while True:
        page = await doors.list(after=after, limit=100)
        seen += [each.id for each in page.concepts]
        if not (after := page.next):
            break
    assert seen == sorted(each.id for each in load_search_vocabulary().all())


@pytest.mark.parametrize(
    ("concepts", "error"),
    [
        ([COOPER, COOPER], InvalidInput),
        ([COOPER.model_copy(update={"synonyms_en": ("a",)})], InvalidInput),
        ([COOPER.model_copy(update={"zh": "- "})], InvalidInput),
        ([COOPER.model_copy(update={"related": ("nothing_such",)})], InvalidInput),
        ([COOPER.model_copy(update={"synonyms_en": ("photographer",)})], Conflict),
        ([COOPER, COOPER.model_copy(update={"id": "other"})], Conflict),
        ([], InvalidInput),
    ],
)
async def test_what_does_not_fit_is_refused_as_a_whole(
    vocabulary: VocabularyStore, concepts: list[ConceptInput], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await VocabularyCapabilities(vocabulary).import_(tuple(concepts))
    assert await vocabulary.added() == []


async def test_a_concept_that_another_needs_is_not_taken_away(vocabulary: VocabularyStore) -> None:
    doors = VocabularyCapabilities(vocabulary)
    other = ConceptInput(id="stave_cutting", zh="桶板切割", en="stave cutting", related=("cooperage",))
    await doors.import_((COOPER, other))
    with pytest.raises(Conflict):
        await doors.remove("cooperage")
    assert [each.concept.id for each in await vocabulary.added()] == ["cooperage", "stave_cutting"]


async def test_a_change_by_another_process_is_seen_when_looked_for(vocabulary: VocabularyStore, tmp_path: Path) -> None:
    told: list[Vocabulary] = []

    async def listener(now: Vocabulary) -> None:
        told.append(now)

    other = VocabularyStore(vocabulary._store, SystemClock(), load_search_vocabulary)
    await other.current()
    other.on_change(listener)
    await other.look()
    assert told == []
    await vocabulary.put([Concept("cooperage", "", "箍桶", "cooperage", (), (), (), on_site=True)])
    await other.look()
    assert "cooperage" in told[0]
    assert await other.current() is told[0]


async def test_who_failed_to_hear_of_a_change_is_told_again(vocabulary: VocabularyStore) -> None:
    told: list[Vocabulary] = []
    full = [True]

    async def listener(now: Vocabulary) -> None:
        if full[0]:
            raise StorageError("the disk is full")
        told.append(now)

    vocabulary.on_change(listener, await vocabulary.current())
    concept = Concept("cooperage", "", "箍桶", "cooperage", (), (), (), on_site=True)
    with pytest.raises(StorageError):
        await vocabulary.put([concept])
    assert await vocabulary.current(), "whoever asks has the new one, and hides nothing from the listener by that"
    full[0] = False
    for _ in range(2):
        await vocabulary.look()
    assert ["cooperage" in now for now in told] == [True]
