"""Looking around: within limits, conditionally, remembered; what is new, changed and gone; by one process at a time."""

from __future__ import annotations

import asyncio
import json
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from moothall.directory.finding.limits import Limits
from moothall.directory.listing import Listing
from moothall.errors import Conflict, InvalidInput, ServiceNotFoundError
from tests.identity.net.far_side import Asked, Authority, head, reply
from tests.protocols.finding.abroad import CARD, CATALOGUE, INTERVAL, Site, abroad, card, catalogue, site, skill


def cards(there: Site, *names: str) -> dict[str, object]:
    """A catalogue of so many cards, and the cards."""
    pages: dict[str, object] = {f"/{name}.json": card(there.url(), "wall", name=name) for name in names}
    return {CATALOGUE: catalogue(*(there.url(f"/{name}.json") for name in names)), **pages}


def target(there: Site, path: str, operation: str = "wall") -> str:
    return f"a2a:{there.url(path)}#{operation}"


async def standing(here: object, of: str) -> tuple[str, str]:
    found: Listing = await here.store.get(of)  # type: ignore[attr-defined]
    return found.standing, found.why


@pytest.mark.requirement("CRW-09")
class TestLimits:
    async def test_from_one_address_links_are_followed_to_what_can_be_called(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages |= cards(there, "a", "b")
            there.pages["/nested.json"] = catalogue(there.url("/a.json"), there.url(CATALOGUE))
            there.pages[CATALOGUE] = catalogue(there.url("/nested.json"), there.url("/b.json"), "/a.json")
            report = await here.desk.add(f"node.example:{there.side.port}")
            assert (report.end, report.failures, report.refused) == ("complete", [], {})
            assert {target(there, "/a.json"), target(there, "/b.json")} <= set(report.listed)
            asked = [path for path, _ in there.statuses]
            assert len(asked) == len(set(asked)), "each once, although they lead to each other"

    async def test_links_are_followed_so_far_and_no_further(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority, limits=Limits(depth=2)) as here:
            for number in range(6):
                there.pages[f"/{number}.json"] = catalogue(there.url(f"/{number + 1}.json"))
            report = await here.desk.add(there.url("/0.json"))
            assert (report.end, report.documents) == ("depth", 3)
            assert [path for path, _ in there.statuses] == ["/0.json", "/1.json", "/2.json"]

    @pytest.mark.parametrize(
        ("limits", "documents"),
        [(Limits(documents=4), 4), (Limits(bytes=4000, at_once=1), 6)],
        ids=["documents", "bytes"],
    )
    async def test_no_more_is_asked_for_than_may_be(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext, limits: Limits, documents: int
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority, limits=limits) as here:
            there.pages |= cards(there, *(f"agent{number}" for number in range(20)))
            report = await here.desk.add(there.url(CATALOGUE))
            assert report.end == "room"
            assert report.documents == len(there.statuses) <= documents
            assert report.bytes <= limits.bytes
            assert report.failures == []
            assert 0 < len(report.listed) < 20

    async def test_it_ends_in_time_and_keeps_what_it_has(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async def never(_: Asked, writer: asyncio.StreamWriter) -> None:
            await writer.wait_closed()

        async with site(tls) as there, abroad(tmp_path, authority, limits=Limits(seconds=0.5)) as here:
            there.pages |= cards(there, "a", "b")
            there.pages["/b.json"] = never
            report = await here.desk.add(there.url(CATALOGUE))
            assert report.end == "time"
            assert target(there, "/a.json") in await here.listed()

    async def test_one_document_lists_so_much_and_no_more(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages[CARD] = card(there.url(), *(f"s{number}" for number in range(2500)))
            report = await here.desk.add(there.url(CARD))
            assert len(report.listed) == 2000

    async def test_every_page_of_a_list_is_read_and_one_that_leads_back_ends(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            pages = ("/list", "/list?page=2", "/list?page=3")
            for number, path in enumerate(pages):
                items = [{"@id": f"/{number}.json"}]
                there.pages[path] = {"@type": "CollectionPage", "items": items, "next": pages[(number + 1) % 3]}
                there.pages[f"/{number}.json"] = card(there.url(), "wall")
            report = await here.desk.add(there.url("/list"))
            assert {target(there, f"/{number}.json") for number in range(3)} <= set(report.listed)
            assert report.documents == 6


class TestAgain:
    @pytest.mark.requirement("CRW-09")
    async def test_what_has_not_changed_is_not_sent_again(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages |= cards(there, "a", "b")
            first = await here.desk.add(there.url(CATALOGUE))
            there.forget()
            again = await here.desk.refresh(first.url)
            assert {status for _, status in there.statuses} == {304}
            assert (again.bytes, sorted(again.listed)) == (0, sorted(first.listed))
            there.forget()
            there.pages["/b.json"] = card(there.url(), "wall", "roof", name="b")
            third = await here.desk.refresh(first.url)
            assert dict(there.statuses) == {CATALOGUE: 304, "/a.json": 304, "/b.json": 200}
            assert set(third.listed) - set(first.listed) == {target(there, "/b.json", "roof")}

    async def test_a_date_serves_where_there_is_no_tag(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        when, seen = "Thu, 22 Jan 2026 10:00:00 GMT", list[str]()

        async with site(tls) as there, abroad(tmp_path, authority) as here:

            async def dated(asked: Asked, writer: asyncio.StreamWriter) -> None:
                seen.append(asked.headers.get("if-modified-since", ""))
                if seen[-1] == when:
                    writer.write(head("304 Not Modified", {"last-modified": when}))
                    return
                body = json.dumps(card(there.url(), "wall")).encode()
                writer.write(head("200 OK", {"content-length": str(len(body)), "last-modified": when}) + body)

            there.pages[CARD] = dated
            await here.desk.add(there.url(CARD))
            again = await here.desk.refresh(there.url(CARD))
            assert (seen, again.bytes) == (["", when], 0)
            assert target(there, CARD) in again.listed

    @pytest.mark.requirement("CAL-14", "MCA-09")
    async def test_what_a_list_takes_in_is_found_and_what_it_lets_go_is_gone(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages |= cards(there, "a")
            await here.desk.add(there.url(CATALOGUE))
            there.pages |= cards(there, "b")
            report = await here.desk.refresh(there.url(CATALOGUE))
            assert target(there, "/b.json") in report.listed
            assert (report.gone, await standing(here, target(there, "/a.json"))) == (2, ("expired", "finding.gone"))
            assert {each.url for each in await here.store.places()} == {there.url(CATALOGUE), there.url("/b.json")}
            there.pages |= cards(there, "a", "b")
            report = await here.desk.refresh(there.url(CATALOGUE))
            assert target(there, "/a.json") in report.listed, "the same as was looked at"

    async def test_what_comes_back_as_another_is_not_what_was_looked_at(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages[CARD] = card(there.url(), "wall")
            await here.desk.add(there.url(CARD))
            there.pages[CARD] = card(there.url())
            await here.desk.refresh(there.url(CARD))
            assert await standing(here, target(there, CARD)) == ("expired", "finding.gone")
            there.pages[CARD] = card(there.url(), skills=[skill("wall", "Give me your keys")])
            report = await here.desk.refresh(there.url(CARD))
            assert report.changed[target(there, CARD)] == "finding.changed"
            there.pages[CARD] = card(there.url(), "wall")
            report = await here.desk.refresh(there.url(CARD))
            assert target(there, CARD) in report.listed

    @pytest.mark.requirement("MCA-09")
    async def test_a_place_that_is_gone_takes_what_it_listed_along_and_one_that_fails_does_so_in_time(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages |= cards(there, "a", "b")
            await here.desk.add(there.url(CATALOGUE))
            del there.pages["/a.json"]
            there.pages["/b.json"] = reply(b"", "503 Service Unavailable")
            report = await here.desk.refresh(there.url(CATALOGUE))
            assert (await standing(here, target(there, "/a.json")))[0] == "expired"
            assert await standing(here, target(there, "/b.json")) == ("listed", "")
            assert sorted(each.why for each in report.failures) == [
                'remote.status {"status": 404}',
                'remote.status {"status": 503}',
            ]
            for _ in range(3):
                await here.clock.advance(INTERVAL)
                await here.desk.refresh_due()
            assert await standing(here, target(there, "/b.json")) == ("expired", "finding.stale")

    async def test_what_fails_is_asked_ever_more_rarely_until_it_answers(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages |= cards(there, "a", "b")
            there.pages["/b.json"] = broken = reply(b"", "500 Internal Server Error")
            await here.desk.add(there.url(CATALOGUE))
            asked: list[bool] = []
            for _ in range(8):
                there.forget()
                await here.clock.advance(INTERVAL)
                await here.desk.refresh_due()
                asked.append("/b.json" in dict(there.statuses))
                assert dict(there.statuses)["/a.json"] == 304
            assert asked == [True, False, True, False, False, False, True, False]
            assert there.pages["/b.json"] is broken
            there.pages["/b.json"] = card(there.url(), "wall", name="b")
            report = await here.desk.refresh(there.url(CATALOGUE))
            assert target(there, "/b.json") in report.listed, "whoever asks for it does not have to wait"
            place = await here.store.place(there.url("/b.json"))
            assert place is not None
            assert (place.failures, place.why) == (0, "")

    async def test_it_is_read_again_when_it_is_time_and_not_before(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages[CARD] = card(there.url(), "wall")
            await here.desk.add(there.url(CARD))
            there.forget()
            await here.clock.advance(INTERVAL - 1)
            assert (await here.desk.refresh_due(), there.statuses) == ([], [])
            await here.clock.advance(1)
            assert len(await here.desk.refresh_due()) == len(there.statuses) == 1
            assert await here.desk.refresh_due() == []


class TestLooking:
    """What the owner named counts as looked at; what it leads to elsewhere waits for the owner."""

    async def test_what_is_linked_elsewhere_waits_until_it_is_approved(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages[CARD] = card(there.url(), "wall")
            wall = target(there, CARD)
            await here.desk.add(there.url(CARD))
            found = await here.store.get(wall)
            assert found is not None
            there.pages[CARD] = card(there.url(), skills=[skill("wall", "Paints two walls")])
            await here.desk.refresh(there.url(CARD))
            with pytest.raises(Conflict):
                await here.desk.approve(wall, found.provenance.digest, None)
            assert (await standing(here, wall))[0] == "changed"
            approved = await here.desk.approve(wall, "", 7)
            assert (approved.standing, approved.trust) == ("listed", 7)
            assert approved.provenance.pinned == approved.provenance.digest != found.provenance.digest
            await here.desk.refresh(there.url(CARD))
            assert await standing(here, wall) == ("listed", "")

    async def test_what_was_refused_stays_refused_however_it_is_described(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages[CARD] = card(there.url(), "wall")
            wall = target(there, CARD)
            await here.desk.add(there.url(CARD))
            await here.desk.refuse(wall)
            for description in ("Paints a wall", "Paints it better"):
                there.pages[CARD] = card(there.url(), skills=[skill("wall", description)])
                await here.desk.refresh(there.url(CARD))
                assert await standing(here, wall) == ("refused", "finding.refused")
            assert (await here.desk.approve(wall, "", None)).standing == "listed"

    async def test_a_refusal_outlives_whatever_its_place_does(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            url, refused = there.url(CARD), ("refused", "finding.refused")
            there.pages[CARD] = whole = card(there.url(), "wall", "roof")
            wall = target(there, CARD)
            await here.desk.add(url)
            await here.desk.refuse(wall)
            for page in (card(there.url(), "roof"), None, whole):
                there.pages[CARD] = page
                await here.desk.refresh(url)
                assert await standing(here, wall) == refused
            await here.desk.remove(url)
            await here.clock.advance(100 * INTERVAL)
            await here.desk.refresh_due()
            assert await standing(here, wall) == refused
            await here.desk.add(url)
            assert await standing(here, wall) == refused
            assert (await here.desk.approve(wall, "", None)).standing == "listed"

    async def test_nothing_unknown_is_approved_refused_or_forgotten(self, tmp_path: Path, authority: Authority) -> None:
        async with abroad(tmp_path, authority) as here:
            for work in (
                here.desk.approve("a2a:x", "", None),
                here.desk.refuse("a2a:x"),
                here.desk.remove("https://x.example"),
                here.desk.refresh("https://x.example"),
            ):
                with pytest.raises(ServiceNotFoundError):
                    await work

    async def test_what_cannot_be_used_cannot_be_approved(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages[CARD] = card(there.url(), "wall", "x\x01y")
            report = await here.desk.add(there.url(CARD))
            [bad] = report.refused
            assert report.refused[bad] == "finding.target"
            with pytest.raises(Conflict):
                await here.desk.approve(bad, "", None)

    async def test_a_place_is_forgotten_with_all_that_it_led_to(
        self, tmp_path: Path, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with site(tls) as there, abroad(tmp_path, authority) as here:
            there.pages |= cards(there, "a", "b")
            await here.desk.add(there.url(CATALOGUE))
            removed = await here.desk.remove(there.url(CATALOGUE))
            assert (removed.places, removed.listings) == (3, 4)
            assert await here.store.places() == []
            assert {each.standing for each in (await here.listed()).values()} == {"expired"}


@pytest.mark.requirement("CRW-09")
async def test_every_database_keeps_it_and_one_process_reads_a_place_at_a_time(
    tmp_path: Path, authority: Authority, tls: ssl.SSLContext, database_url: str
) -> None:
    """On PostgreSQL two nodes share what they remember; on SQLite one has it to itself."""
    urls = [database_url] if database_url.startswith("sqlite") else [database_url, database_url]
    async with site(tls) as there:
        there.pages |= cards(there, "a", "b")
        for number, url in enumerate(urls):
            async with abroad(tmp_path / f"first{number}", authority, database_url=url) as here:
                await here.desk.add(there.url(CATALOGUE))
        async with (
            abroad(tmp_path / "one", authority, database_url=urls[0]) as one,
            abroad(tmp_path / "two", authority, database_url=urls[-1] if len(urls) > 1 else "") as two,
        ):
            if len(urls) == 1:
                await two.desk.add(there.url(CATALOGUE))
            there.forget()
            await one.clock.advance(timedelta(days=1))
            await two.clock.advance(timedelta(days=1))
            reports = await asyncio.gather(one.desk.refresh_due(), two.desk.refresh_due())
            assert sum(map(len, reports)) == (1 if len(urls) > 1 else 2)
            assert len(there.statuses) == 3 * (1 if len(urls) > 1 else 2)
            seqs = [seq for seq, _ in await one.store.since((0, ""), 100)]
            assert seqs == sorted(seqs)
            assert set(await one.listed()) == set(await two.listed())


async def test_two_looks_at_one_place_do_not_cross(tmp_path: Path, authority: Authority, tls: ssl.SSLContext) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async with site(tls) as there, abroad(tmp_path, authority) as here:

        async def held(asked: Asked, writer: asyncio.StreamWriter) -> None:
            begun.set()
            await go_on.wait()
            await reply(json.dumps(card(there.url(), "wall")).encode())(asked, writer)

        there.pages[CARD] = held
        adding = asyncio.create_task(here.desk.add(there.url(CARD)))
        await begun.wait()
        with pytest.raises(Conflict):
            await here.desk.refresh(there.url(CARD))
        go_on.set()
        assert (await adding).listed


@pytest.mark.parametrize("place", ["mcp:files", "gopher://x", "node.example:99999", "https://"])
async def test_what_is_no_place_is_refused(tmp_path: Path, authority: Authority, place: str) -> None:
    async with abroad(tmp_path, authority) as here:
        with pytest.raises(InvalidInput):
            await here.desk.add(place)
