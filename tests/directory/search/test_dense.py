"""Vectors of a provider, where there is one: they add to what is found, and nothing stops where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from moothall.directory.listing import Listing
from moothall.directory.places import load_gazetteer
from moothall.directory.search.engine import SearchIndex
from moothall.directory.search.words_known import load_search_vocabulary
from moothall.directory.searching import Filters
from moothall.errors import ModelUnavailable

BREWER = Listing(target="local:brew", name="brewery", description="We make ale and stout.")
SMITH = Listing(target="local:smith", name="forge", description="We shoe horses. We never make ale.")
HOUSE = Listing(target="local:house", name="shop", description="We sell keys.")


class Provider:
    """Knows three meanings, each a direction of its own."""

    name = "three"
    size = 3
    meanings = (("ale", "stout", "beer", "啤酒"), ("horses", "farrier"), ("keys",))

    def __init__(self) -> None:
        self.failing = False
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        if self.failing:
            raise ModelUnavailable("out of order")
        self.asked += texts
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        counts = [float(sum(word in text for word in words)) for words in self.meanings]
        length = sum(count**2 for count in counts) ** 0.5 or 1.0
        return [count / length for count in counts]


def everybody(listing: Listing) -> bool:
    return True


async def opened(folder: Path, provider: Provider | None) -> SearchIndex:
    index = SearchIndex(folder / "search", load_search_vocabulary(), load_gazetteer(), embedder=provider)
    await index.open()
    return index


async def ask(index: SearchIndex, query: str) -> list[str]:
    return [hit.listing.target for hit in (await index.search(query, Filters(), everybody)).hits]


async def test_what_no_word_finds_is_found_by_nearness(tmp_path: Path) -> None:
    index = await opened(tmp_path, Provider())
    await index.put([BREWER, SMITH, HOUSE])
    await index.settled()
    found = await index.search("啤酒", Filters(), everybody)
    assert [hit.listing.target for hit in found.hits] == [BREWER.target]
    assert found.hits[0].breakdown.dense > 0.9
    assert await ask(index, "farrier") == [SMITH.target]
    await index.remove([BREWER.target])
    assert await ask(index, "啤酒") == []
    await index.aclose()


async def test_an_index_keeps_its_vectors_and_asks_for_no_others(tmp_path: Path) -> None:
    index = await opened(tmp_path, Provider())
    await index.put([BREWER, SMITH])
    await index.settled()
    await index.aclose()
    again = Provider()
    index = await opened(tmp_path, again)
    await index.settled()
    assert again.asked == []
    assert await ask(index, "啤酒") == [BREWER.target]
    await index.aclose()


@pytest.mark.parametrize("when", ["taking in", "asking"])
async def test_words_do_where_the_provider_fails(tmp_path: Path, when: str) -> None:
    provider = Provider()
    provider.failing = when == "taking in"
    index = await opened(tmp_path, provider)
    await index.put([BREWER])
    await index.settled()
    provider.failing = True
    assert await ask(index, "ale") == [BREWER.target]
    provider.failing = False
    await index.put([SMITH])
    await index.settled()
    assert await ask(index, "啤酒") == [BREWER.target]
    await index.aclose()


async def test_vectors_of_another_model_are_made_anew(tmp_path: Path) -> None:
    index = await opened(tmp_path, Provider())
    await index.put([BREWER, SMITH])
    await index.settled()
    await index.aclose()
    other = Provider()
    other.name = "also three"
    index = await opened(tmp_path, other)
    await index.settled()
    assert len(other.asked) == 2
    assert await ask(index, "啤酒") == [BREWER.target]
    await index.aclose()


async def test_vectors_without_a_provider_are_of_no_use(tmp_path: Path) -> None:
    index = await opened(tmp_path, Provider())
    await index.put([BREWER])
    await index.settled()
    await index.aclose()
    index = await opened(tmp_path, None)
    assert await ask(index, "啤酒") == []
    assert await ask(index, "ale") == [BREWER.target]
    await index.aclose()
