"""The last texts wait in memory and are found there as on disk, whatever becomes of the process meanwhile."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from moothall.directory.listing import Listing
from moothall.directory.places import load_gazetteer
from moothall.directory.search import fresh, texts
from moothall.directory.search.engine import SearchIndex
from moothall.directory.search.textual import TextIndex
from moothall.directory.search.words_known import load_search_vocabulary
from moothall.directory.searching import Filters, Found

MANY = [
    Listing(target=f"mcp:sky.t{number}", way="mcp", name=f"t{number}", description=description, public=True)
    for number, description in enumerate(
        [
            "Cooperage of barrels",
            "Barrels, barrels and cooperage for every cellar in this valley and the next",
            "Sundials",
            "Sundials and barrels",
        ]
        * 5
    )
]
QUERIES = ("cooperage", "barrels", "sundials", "barrels for the cellar", "sundials without barrels")


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stamps of what was written to the text index."""
    found: list[str] = []
    commit = TextIndex.commit

    def noted(self: TextIndex) -> None:
        commit(self)
        found.append(self.stamp)

    monkeypatch.setattr(TextIndex, "commit", noted)
    return found


def everybody(listing: Listing) -> bool:
    return True


async def ask(index: SearchIndex, query: str) -> Found:
    return await index.search(query, Filters(), everybody)


async def answers(index: SearchIndex) -> list[set[str]]:
    return [{hit.listing.target for hit in (await ask(index, query)).hits} for query in QUERIES]


async def opened(folder: Path) -> SearchIndex:
    found = SearchIndex(folder, load_search_vocabulary(), load_gazetteer())
    await found.open()
    return found


async def settled(index: SearchIndex) -> None:
    """Wait for what is done after a change, by one that changes nothing."""
    await index.remove(["local:never"])


def few(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Let no more than these wait."""
    monkeypatch.setattr(texts, "MOST", most)


async def test_one_listing_more_writes_nothing_to_the_text_index(index: SearchIndex, writes: list[str]) -> None:
    for listing in MANY:
        await index.put([listing])
    await index.remove([MANY[0].target])
    assert writes == []
    assert [len(found) for found in await answers(index)] == [9, 14, 10, 14, 5]


async def test_many_are_written_at_once(index: SearchIndex, writes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch, 8)
    await index.put(MANY[:3])
    await index.put(MANY[3:])
    assert len(writes) == 1
    assert [len(found) for found in await answers(index)] == [10, 15, 10, 15, 5]


async def test_what_waits_is_written_when_it_has_become_much(
    index: SearchIndex, writes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, 8)
    for listing in MANY:
        await index.put([listing])
    await settled(index)
    assert 2 <= len(writes) <= 4
    assert [len(found) for found in await answers(index)] == [10, 15, 10, 15, 5]
    await index.remove([listing.target for listing in MANY[:16]])
    assert [len(found) for found in await answers(index)] == [2, 3, 2, 3, 1]
    await settled(index)
    texts_here = index._shelf._texts
    assert texts_here._index.view(fresh.Fresh(), 1)._searcher.num_docs == 4, "what is gone does not stay on disk"


async def test_texts_in_memory_count_as_those_on_disk(
    index: SearchIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which index a text is in changes neither the order nor, but for what rounding does to lengths, the score."""
    few(monkeypatch, 1)
    other = await opened(tmp_path / "other")
    await other.put(MANY)
    few(monkeypatch, 100)
    await index.put(MANY)
    assert len(index._shelf._texts._held.fresh) == len(MANY)
    assert len(other._shelf._texts._held.fresh) == 0
    for query in QUERIES:
        here, there = await ask(index, query), await ask(other, query)
        assert [hit.listing.target for hit in here.hits] == [hit.listing.target for hit in there.hits], query
        for mine, its in zip(here.hits, there.hits, strict=True):
            assert mine.breakdown.text == pytest.approx(its.breakdown.text, abs=0.02)
    await other.aclose()


@pytest.mark.parametrize("written", [0, 12])
async def test_a_process_that_ends_at_any_time_loses_no_text(
    index: SearchIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    few(monkeypatch, written or 8)
    await index.put(MANY[:13])
    few(monkeypatch, 100)
    await index.put(MANY[13:])
    await index.put([replace(MANY[0], description="Sundials"), replace(MANY[19], description="Cooperage")])
    await index.remove([MANY[1].target, MANY[18].target])
    before = await answers(index)
    shutil.copytree(tmp_path / "search", tmp_path / "copy")
    again = await opened(tmp_path / "copy")
    assert len(again) == 18
    assert await answers(again) == before
    few(monkeypatch, 1)
    await again.put([MANY[1], MANY[18]])
    assert [len(found) for found in await answers(again)] == [10, 13, 10, 13, 6]
    await again.aclose()


@pytest.mark.parametrize("fault", [OSError("no space left"), ValueError("torn")])
async def test_what_cannot_be_written_now_is_found_and_written_later(
    index: SearchIndex, writes: list[str], monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fails(_self: TextIndex) -> None:
        raise fault

    few(monkeypatch, 4)
    with monkeypatch.context() as patch:
        patch.setattr(TextIndex, "commit", fails)
        for listing in MANY[:4]:
            await index.put([listing])
        await settled(index)
        assert [len(found) for found in await answers(index)] == [2, 3, 2, 3, 1]
    assert writes == []
    await index.put([MANY[4]])
    assert len(writes) == 1
    assert [len(found) for found in await answers(index)] == [3, 4, 2, 4, 1]


def test_a_text_that_is_gone_leaves_no_words() -> None:
    here = fresh.Fresh().changed({1: fresh.Text("a b a", ("a", "b", "a")), 2: fresh.Text("b", ("b",))}, ())
    assert (here.count("a"), here.count("b"), len(here)) == (1, 2, 2)
    gone = here.changed({}, {1, 7})
    assert (gone.count("a"), gone.count("b"), len(gone)) == (0, 1, 1)
    assert "a" not in gone.uses
    assert here.having(["a", "c"]) == {1}, "what was there before stays as it is"
