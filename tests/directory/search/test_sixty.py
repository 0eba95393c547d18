"""Rows CRW-08, CRW-02 and DEC-30: forty questions in two languages about sixty capabilities, without any network.

The questions paraphrase and cross languages; the vocabulary was written before them and without looking at them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from moothall.directory.listing import Listing
from moothall.directory.places import load_gazetteer
from moothall.directory.search.engine import SearchIndex
from moothall.directory.search.words_known import load_search_vocabulary
from moothall.directory.searching import Filters

DATA: dict[str, Any] = json.loads((Path(__file__).parent / "sixty.json").read_text(encoding="utf-8"))
LISTINGS = [
    Listing(target=f"local:{name}", name=name, description=text, tags=tuple(tags))
    for name, text, tags in DATA["listings"]
]


def everybody(listing: Listing) -> bool:
    return True


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sixty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SearchIndex]:
    index = SearchIndex(tmp_path_factory.mktemp("sixty") / "search", load_search_vocabulary(), load_gazetteer())
    await index.open()
    await index.put(LISTINGS)
    yield index
    await index.aclose()


async def best(index: SearchIndex, query: str, most: int) -> list[str]:
    found = await index.search(query, Filters(), everybody, limit=most)
    return [hit.listing.name for hit in found.hits]


@pytest.mark.requirement("CRW-08")
@pytest.mark.asyncio(loop_scope="module")
async def test_nine_of_ten_are_among_the_first_five(sixty: SearchIndex) -> None:
    queries = DATA["queries"]
    assert len(queries) == 40
    assert len(LISTINGS) >= 60
    missed = [query for query, wanted in queries if not set(wanted) <= set(await best(sixty, query, 5))]
    assert 1 - len(missed) / len(queries) >= 0.9, missed


@pytest.mark.requirement("CRW-02")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("query", ["天气预报", "weather forecast", "天气 forecast"])
async def test_hits_are_ranked_and_say_what_they_are(sixty: SearchIndex, query: str) -> None:
    found = await sixty.search(query, Filters(), everybody)
    first = found.hits[0]
    assert (first.listing.target, first.listing.tags) == ("local:weather.forecast", ("weather",))
    assert first.listing.description
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert 0 < first.score <= 1
    hidden = await sixty.search(query, Filters(), lambda listing: listing.name != "weather.forecast")
    assert first.listing not in [hit.listing for hit in hidden.hits]
    assert hidden.total == found.total - 1


@pytest.mark.requirement("DEC-30")
@pytest.mark.asyncio(loop_scope="module")
async def test_a_tag_finds_what_has_it_in_either_language(sixty: SearchIndex) -> None:
    for tag in ("ocr", "OCR", "文字识别"):
        found = await sixty.search("", Filters(tags=frozenset({tag})), everybody)
        assert [hit.listing.name for hit in found.hits] == ["photo.text"], tag
    assert (await best(sixty, "ocr", 5))[0] == "photo.text"


@pytest.mark.asyncio(loop_scope="module")
async def test_what_a_capability_says_it_does_not_do_does_not_find_it(sixty: SearchIndex) -> None:
    assert "event.venue" not in await best(sixty, "catering", 20)
    assert "event.food" not in await best(sixty, "venue", 20)
    assert {"money.pay", "flat.search"}.isdisjoint(await best(sixty, "贷款", 20))
