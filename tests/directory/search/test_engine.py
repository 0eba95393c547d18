"""The index of a node: what is put in is found, what is taken out is not, and nothing that a caller may not see."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from moothall.directory.concepts import Vocabulary
from moothall.directory.listing import Listing, Provenance
from moothall.directory.places import load_gazetteer
from moothall.directory.search import shelf
from moothall.directory.search.engine import SearchIndex
from moothall.directory.search.words_known import load_search_vocabulary
from moothall.directory.searching import Filters, Found
from moothall.errors import InvalidInput, StorageError

PHOTO = Listing(
    target="local:photos",
    name="wedding.photos",
    description="我们提供摄影，不提供餐饮。",
    tags=("摄影",),
    place="北京",
    trust=3,
    owner="did:wba:a.example",
    agent="anna",
    offers_from="2026-05-01",
    offers_until="2026-05-31",
)
FOOD = Listing(
    target="a2a:https://food.example#cater",
    kind="agent",
    way="a2a",
    name="Caterer",
    description="Catering in Shanghai; we do not do photography.",
    tags=("catering", "Late Night"),
    place="Shanghai",
    trust=6,
    provenance=Provenance(source="https://food.example/"),
)
TOOL = Listing(
    target="mcp:sky.cooperage", way="mcp", name="cooperageReport", description="Barrels by region", public=True
)
ALL = (PHOTO, FOOD, TOOL)


def everybody(listing: Listing) -> bool:
    return True


def nobody(listing: Listing) -> bool:
    return False


def targets(found: Found) -> list[str]:
    return [hit.listing.target for hit in found.hits]


async def ask(index: SearchIndex, query: str, filters: Filters | None = None, limit: int = 20) -> list[str]:
    return targets(await index.search(query, filters or Filters(), everybody, limit=limit))


async def again(index: SearchIndex, folder: Path) -> SearchIndex:
    await index.aclose()
    found = SearchIndex(folder, load_search_vocabulary(), load_gazetteer())
    await found.open()
    return found


async def test_what_was_put_is_found_when_put_returns(index: SearchIndex) -> None:
    before = index.version
    await index.put(ALL)
    assert index.version != before
    assert await ask(index, "找一位摄影师") == [PHOTO.target]
    assert await ask(index, "caterer") == [FOOD.target]
    assert await ask(index, "cooperage") == [TOOL.target]
    assert await index.get(PHOTO.target) == PHOTO


async def test_what_was_changed_is_found_by_what_it_says_now(index: SearchIndex) -> None:
    await index.put(ALL)
    await index.put([replace(TOOL, description="Sundials", name="sun")])
    assert await ask(index, "cooperage") == []
    assert await ask(index, "sundial") == [TOOL.target]
    assert len(index) == 3


async def test_what_was_removed_is_not_found(index: SearchIndex) -> None:
    await index.put(ALL)
    await index.remove([TOOL.target, "local:never"])
    assert await ask(index, "cooperage") == []
    assert await index.get(TOOL.target) is None
    assert sorted(await index.targets()) == sorted((PHOTO.target, FOOD.target))


async def test_what_is_the_same_changes_nothing(index: SearchIndex) -> None:
    await index.put(ALL)
    version = index.version
    seen = Provenance(source="https://food.example/", seen_at=datetime(2026, 1, 1, tzinfo=UTC))
    await index.put([PHOTO, replace(FOOD, provenance=seen)])
    assert index.version == version


async def test_of_equal_targets_in_one_put_the_last_counts(index: SearchIndex) -> None:
    await index.put([PHOTO, replace(PHOTO, name="dials", tags=(), description="Sundials")])
    assert await ask(index, "sundials") == [PHOTO.target]
    assert await ask(index, "摄影") == []


async def test_many_writers_and_readers_at_once(index: SearchIndex) -> None:
    listings = [replace(TOOL, target=f"mcp:sky.t{number}") for number in range(40)]
    await asyncio.gather(
        *(index.put([listing]) for listing in listings),
        *(index.search("cooperage", Filters(), everybody) for _ in listings),
    )
    assert len(await ask(index, "cooperage", limit=100)) == 40


async def test_what_it_says_it_does_not_do_is_no_reason_to_find_it(index: SearchIndex) -> None:
    await index.put(ALL)
    assert FOOD.target not in await ask(index, "photography")
    assert PHOTO.target not in await ask(index, "餐饮")
    await index.put([replace(TOOL, description="Dials. We never do cooperage work.", name="dials")])
    assert await ask(index, "cooperage") == []


async def test_a_query_rules_out(index: SearchIndex) -> None:
    await index.put(ALL)
    assert PHOTO.target not in await ask(index, "不要摄影")
    assert await ask(index, "餐饮，不要摄影") == [FOOD.target]
    both = replace(FOOD, target="local:both", tags=("catering", "photography"))
    await index.put([both])
    assert await ask(index, "catering without photography") == [FOOD.target]
    assert (await index.search("catering without photography", Filters(), everybody)).concepts == (
        "catering",
        "-photography",
    )


async def test_who_serves_both_of_two_concepts_comes_first(index: SearchIndex) -> None:
    both = replace(FOOD, target="local:both", tags=("catering", "photography"), trust=0)
    await index.put([*ALL, both])
    for query in ("摄影和餐饮", "catering and photography", "photography 加餐饮"):
        assert (await ask(index, query))[0] == both.target, query


async def test_the_place_that_was_named_comes_first(index: SearchIndex) -> None:
    far = replace(PHOTO, target="local:far", place="Chengdu", trust=9)
    anywhere = replace(PHOTO, target="local:anywhere", place="", trust=0)
    await index.put([far, anywhere, PHOTO])
    assert await ask(index, "北京的摄影师") == [PHOTO.target, "local:anywhere", "local:far"]
    assert await ask(index, "photographer in Beijing") == [PHOTO.target, "local:anywhere", "local:far"]


async def test_of_what_serves_alike_the_more_trusted_comes_first(index: SearchIndex) -> None:
    await index.put([replace(PHOTO, target=f"local:{trust}", trust=trust) for trust in (2, 9, 5)])
    found = await index.search("摄影", Filters(), everybody)
    assert targets(found) == ["local:9", "local:5", "local:2"]
    assert [hit.breakdown.trust for hit in found.hits] == [0.9, 0.5, 0.2]
    assert all(0 <= hit.score <= 1 and hit.breakdown.concept == 1 for hit in found.hits)


async def test_trust_does_not_outweigh_what_is_asked_for(index: SearchIndex) -> None:
    loud = replace(FOOD, trust=10, target="local:loud")
    await index.put([PHOTO, loud, replace(loud, target="local:louder", tags=("video",), description="摄像")])
    assert (await ask(index, "摄影"))[0] == PHOTO.target


async def test_a_listing_that_claims_everything_comes_after_one_that_means_it(index: SearchIndex) -> None:
    greedy = replace(
        PHOTO, target="local:greedy", tags=(*(concept.zh for concept in load_search_vocabulary().all()[:60]), "摄影")
    )
    await index.put([greedy, PHOTO])
    assert (await ask(index, "摄影"))[0] == PHOTO.target


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(kinds=frozenset({"agent"})), {FOOD.target}),
        (Filters(ways=frozenset({"mcp", "a2a"})), {FOOD.target, TOOL.target}),
        (Filters(tags=frozenset({"photography"})), {PHOTO.target}),
        (Filters(tags=frozenset({"late night"})), {FOOD.target}),
        (Filters(tags=frozenset({"late night", "摄影"})), set()),
        (Filters(owner="did:wba:a.example"), {PHOTO.target}),
        (Filters(agent="anna"), {PHOTO.target}),
        (Filters(place="上海"), {FOOD.target}),
        (Filters(place="Peking"), {PHOTO.target}),
        (Filters(day="2026-05-31"), {PHOTO.target, FOOD.target, TOOL.target}),
        (Filters(day="2026-06-01"), {FOOD.target, TOOL.target}),
        (Filters(source="https://food.example/"), {FOOD.target}),
        (Filters(source="local"), {PHOTO.target, TOOL.target}),
        (Filters(min_trust=3), {PHOTO.target, FOOD.target}),
    ],
)
async def test_filters(index: SearchIndex, filters: Filters, wanted: set[str]) -> None:
    await index.put(ALL)
    found = await index.search("", filters, everybody)
    assert set(targets(found)) == wanted
    assert found.total == len(wanted)


async def test_what_may_not_be_called_is_listed_only_when_asked_for(index: SearchIndex) -> None:
    await index.put([replace(PHOTO, standing="changed"), FOOD])
    assert await ask(index, "摄影") == []
    assert await ask(index, "摄影", Filters(standing=False)) == [PHOTO.target]


async def test_what_has_expired_is_not_found(index: SearchIndex) -> None:
    gone = Provenance(source="https://x.example/", expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    await index.put([replace(PHOTO, provenance=gone)])
    assert await ask(index, "摄影", Filters(standing=False)) == []


async def test_what_a_caller_may_not_see_is_neither_ranked_nor_counted(index: SearchIndex) -> None:
    hidden = [replace(PHOTO, target=f"local:hidden{number}", trust=10) for number in range(700)]
    await index.put([*hidden, PHOTO, replace(PHOTO, target="local:open", public=True, trust=0)])
    found = await index.search("摄影", Filters(), lambda listing: listing.target == PHOTO.target)
    assert targets(found) == [PHOTO.target, "local:open"]
    assert found.total == 2
    alone = await index.search("摄影 提供", Filters(), nobody, limit=1)
    assert targets(alone) == ["local:open"]
    assert alone.total == 1


async def test_words_find_what_is_visible_however_much_that_is_not_stands_before_it(index: SearchIndex) -> None:
    hidden = [
        replace(TOOL, target=f"mcp:sky.h{number}", public=False, description="cooperage") for number in range(600)
    ]
    await index.put([*hidden, TOOL])
    assert targets(await index.search("cooperage", Filters(), nobody)) == [TOOL.target]


async def test_words_of_no_listing_find_nothing(index: SearchIndex) -> None:
    await index.put(ALL)
    found = await index.search("zymurgy", Filters(), everybody)
    assert (found.hits, found.total) == ((), 0)


async def test_an_index_that_was_closed_is_there_again(index: SearchIndex, tmp_path: Path) -> None:
    await index.put(ALL)
    version = index.version
    reopened = await again(index, tmp_path / "search")
    try:
        assert reopened.version == version
        assert await ask(reopened, "摄影") == [PHOTO.target]
        assert await ask(reopened, "cooperage") == [TOOL.target]
    finally:
        await reopened.aclose()


async def test_a_torn_text_index_is_made_again_out_of_the_tables(index: SearchIndex, tmp_path: Path) -> None:
    await index.put(ALL)
    await index.aclose()
    for file in (tmp_path / "search" / "texts").iterdir():
        if file.suffix in {".term", ".idx", ".fast", ".store"} or file.name == "meta.json":
            file.write_bytes(file.read_bytes()[:3])
    reopened = SearchIndex(tmp_path / "search", load_search_vocabulary(), load_gazetteer())
    await reopened.open()
    try:
        assert await ask(reopened, "cooperage") == [TOOL.target]
    finally:
        await reopened.aclose()


async def test_a_text_index_without_the_last_change_is_made_again(index: SearchIndex, tmp_path: Path) -> None:
    await index.put(ALL)
    await index.aclose()
    with sqlite3.connect(tmp_path / "search" / "listings.db") as tables:
        tables.execute("UPDATE fact SET value = 'another' WHERE name = 'stamp'")
    tables.close()
    reopened = SearchIndex(tmp_path / "search", load_search_vocabulary(), load_gazetteer())
    await reopened.open()
    try:
        assert await ask(reopened, "cooperage") == [TOOL.target]
        assert len(await ask(reopened, "")) == 3
    finally:
        await reopened.aclose()


async def test_a_search_shows_a_listing_that_is_changed_while_it_looks(index: SearchIndex) -> None:
    """The old words are gone from the tables by then, and the new ones came after it began."""
    await index.put([PHOTO, FOOD])
    began, go_on = threading.Event(), threading.Event()

    def slow(_listing: Listing) -> bool:
        began.set()
        return go_on.wait(10)

    async with asyncio.TaskGroup() as group:
        asked = group.create_task(index.search("", Filters(), slow, limit=1))
        assert await asyncio.to_thread(began.wait, 10)
        await index.put([replace(PHOTO, trust=9), replace(FOOD, trust=9)])
        go_on.set()
    assert asked.result().total == 2


async def test_an_index_that_is_read_with_half_of_a_vocabulary_is_made_anew(
    index: SearchIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = load_search_vocabulary()
    others = Vocabulary(
        replace(each, synonyms_en=(*each.synonyms_en, "heliography")) if each.id == "photography" else each
        for each in words.all()
    )
    more = replace(PHOTO, target="local:more")
    await index.put([PHOTO, more])
    monkeypatch.setattr(shelf, "_PORTION", 1)
    with sqlite3.connect(tmp_path / "search" / "listings.db") as tables:
        tables.execute(
            "CREATE TRIGGER full BEFORE INSERT ON listing WHEN NEW.target = 'local:more' "
            "BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(StorageError):
        await index.relearn(others)
    with sqlite3.connect(tmp_path / "search" / "listings.db") as tables:
        tables.execute("DROP TRIGGER full")
    tables.close()
    await index.aclose()
    reopened = SearchIndex(tmp_path / "search", others, load_gazetteer())
    await reopened.open()
    try:
        assert len(reopened) == 0
    finally:
        await reopened.aclose()


@pytest.mark.parametrize("damage", ["torn", "old"])
async def test_tables_that_are_torn_or_of_another_version_begin_empty(
    index: SearchIndex, tmp_path: Path, damage: str
) -> None:
    await index.put(ALL)
    await index.aclose()
    path = tmp_path / "search" / "listings.db"
    if damage == "torn":
        path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    else:
        with sqlite3.connect(path) as tables:
            tables.execute("UPDATE fact SET value = '0' WHERE name = 'format'")
        tables.close()
    reopened = SearchIndex(tmp_path / "search", load_search_vocabulary(), load_gazetteer())
    await reopened.open()
    try:
        assert len(reopened) == 0
        await reopened.put(ALL)
        assert await ask(reopened, "摄影") == [PHOTO.target]
    finally:
        await reopened.aclose()


async def test_changes_are_told(index: SearchIndex) -> None:
    told: list[str] = []
    index.on_change(lambda: told.append(index.version))
    await index.put([PHOTO])
    await index.put([PHOTO])
    await index.remove([PHOTO.target])
    assert told[0] != told[-1]


@pytest.mark.parametrize(
    ("query", "filters", "limit"),
    [
        ("x" * 4097, Filters(), 20),
        ("x", Filters(), 0),
        ("x", Filters(), 101),
        ("x", Filters(day="tomorrow"), 20),
        ("x", Filters(kinds=frozenset({"thing"})), 20),  # type: ignore[arg-type]
    ],
)
async def test_what_makes_no_sense_is_refused(index: SearchIndex, query: str, filters: Filters, limit: int) -> None:
    with pytest.raises(InvalidInput):
        await index.search(query, filters, everybody, limit=limit)


async def test_a_closed_index_says_so(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path / "search", load_search_vocabulary(), load_gazetteer())
    with pytest.raises(StorageError):
        await index.search("x", Filters(), everybody)
    await index.aclose()


@pytest.mark.parametrize("fault", [OSError("no space left"), ValueError("torn")])
async def test_a_change_that_cannot_be_written_is_not_made(
    index: SearchIndex, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    await index.put([PHOTO])
    version = index.version

    def fails() -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(index._shelf._tables, "commit", fails)
        with pytest.raises(StorageError):
            await index.put([TOOL])
        with pytest.raises(StorageError):
            await index.remove([PHOTO.target])
    assert index.version == version
    assert await ask(index, "cooperage") == []
    assert await ask(index, "摄影") == [PHOTO.target]
    await index.put([TOOL])
    assert await ask(index, "cooperage") == [TOOL.target]


async def test_all_that_a_listing_says_is_kept(index: SearchIndex) -> None:
    full = replace(
        FOOD,
        languages=("zh", "en"),
        version="1.2.0",
        input_schema={"type": "object", "properties": {"n": {"type": "integer", "default": 3}}},
        output_schema={"type": "string"},
        read_only=True,
        idempotent=True,
        destructive=True,
        streams=True,
        standing="changed",
        why="PINNED",
        provenance=Provenance("https://x.example/", datetime(2026, 1, 1, tzinfo=UTC), "sha256:1", "sha256:2", None),
    )
    await index.put([full])
    assert await index.get(full.target) == full


async def test_many_changes_leave_what_is_there_now(index: SearchIndex) -> None:
    many = [replace(TOOL, target=f"mcp:sky.t{number}", name=f"t{number}") for number in range(1500)]
    await index.put(many)
    await index.put([replace(listing, description="Sundials") for listing in many[:1400]])
    await index.remove([listing.target for listing in many[100:]])
    assert len(index) == 100
    found = await index.search("sundials", Filters(), everybody, limit=100)
    assert {hit.listing.target for hit in found.hits} == {listing.target for listing in many[:100]}
    assert await ask(index, "barrels") == []
