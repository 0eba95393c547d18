from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from moothall.clock import SystemClock
from moothall.errors import InvalidInput, UpstreamError, UpstreamInvalid
from moothall.identity.allowed import Allowed
from moothall.identity.document import DidDocument
from moothall.identity.egress import Egress
from moothall.identity.resolver import Resolver
from moothall.protocols.anp.acquaintances import Acquaintances
from moothall.protocols.anp.crawler import Crawler, Limits, Listed
from moothall.protocols.anp.fetched import FetchedDocuments
from tests.identity.net.far_side import Answer, Asked, FarSide, far_side, head, reply, silence
from tests.protocols.anp import hall
from tests.protocols.anp.town import house, loopback

LIST = "/.well-known/agent-descriptions"


@pytest.fixture
async def crawler() -> AsyncIterator[Crawler]:
    egress = Egress(Allowed.parsed("http://localhost"), lookup=loopback)

    def nobody(_did: str) -> DidDocument | None:
        return None

    resolver = Resolver(egress, nobody, SystemClock())
    documents = FetchedDocuments(egress, lambda _agent: None, SystemClock())
    yield Crawler(egress, Acquaintances(documents, resolver))
    await documents.aclose()
    await resolver.aclose()
    await egress.aclose()


def page(names: list[str], following: str = "") -> dict[str, Any]:
    items = [{"@type": "ad:AgentDescription", "name": name, "@id": f"https://{name}.example/ad.json"} for name in names]
    return {"@type": "CollectionPage", "items": items, **({"next": following} if following else {})}


def listing(make: Any) -> Answer:
    """Answer with the page that ``make`` gives for the number asked for."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        target = asked.line.split(" ")[1]
        body = json.dumps(make(int(target.partition("page=")[2] or 1))).encode()
        fields = {"content-type": "application/json", "content-length": str(len(body))}
        writer.write(head("200 OK", fields) + body)

    return answer


@asynccontextmanager
async def stranger(answer: Answer) -> AsyncIterator[tuple[FarSide, str]]:
    async with far_side(answer) as side:
        yield side, f"localhost:{side.port}"


@pytest.mark.requirement("WIRE-AD-06")
async def test_from_a_domain_name_an_agent_is_found_and_called(tmp_path: Path) -> None:
    async with (
        house(tmp_path / "there", {"bob": (hall.add,), "quiet": (hall.secret,)}) as there,
        house(tmp_path / "here", {"alice": ()}, names=["alice"]) as here,
    ):
        crawl = await here.room.crawler.crawl(there.base.partition("://")[2])
        assert crawl.complete
        assert [each.name for each in crawl.agents] == ["bob"]
        agent = await here.room.crawler.meet(crawl.agents[0], "alice")
        assert (agent.proof, agent.confirmed, agent.did) == ("signed", True, there.did("bob"))
        assert await here.call(f"{agent.did}#{next(iter(agent.methods))}", {"a": 40, "b": 2}) == 42


@pytest.mark.requirement("WIRE-AD-04", "WIRE-AD-05")
async def test_every_page_is_followed(tmp_path: Path, crawler: Crawler) -> None:
    names = [f"agent-{number:03}" for number in range(250)]
    async with house(tmp_path, dict.fromkeys(names, (hall.hello,)), names=names, identities=shared_identity) as there:
        crawl = await crawler.crawl(there.base.partition("://")[2])
    assert (crawl.complete, crawl.pages) == (True, 3)
    assert [each.name for each in crawl.agents] == names
    assert len({each.url for each in crawl.agents}) == 250


def shared_identity(agent: str, base: str) -> Any:
    """One key for many agents, whose DIDs do not matter here."""
    from dataclasses import replace

    return replace(hall.identity("alice"), agent=agent)


@pytest.mark.requirement("WIRE-AD-05")
@pytest.mark.parametrize("following", [LIST, "?page=1", ""])
async def test_a_list_that_links_to_itself_ends(crawler: Crawler, following: str) -> None:
    async with stranger(listing(lambda number: page(["a", "b"], following or f"{LIST}?page={3 - number}"))) as (
        side,
        domain,
    ):
        crawl = await crawler.crawl(domain)
    assert crawl.end == "loop"
    assert [each.name for each in crawl.agents] == ["a", "b"]
    assert side.hits <= 3


@pytest.mark.requirement("WIRE-AD-05")
@pytest.mark.parametrize(
    ("limits", "end", "pages", "agents"),
    [
        (Limits(pages=7), "pages", 7, 14),
        (Limits(agents=5), "agents", 3, 5),
        (Limits(bytes=900), "bytes", 4, 6),
    ],
)
async def test_an_endless_list_ends_at_the_limit(
    crawler: Crawler, limits: Limits, end: str, pages: int, agents: int
) -> None:
    def endless(number: int) -> dict[str, Any]:
        return page([f"x{number:05}", f"y{number:05}"], f"?page={number + 1}")

    async with stranger(listing(endless)) as (_, domain):
        crawl = await crawler.crawl(domain, limits)
    assert (crawl.end, crawl.pages, len(crawl.agents)) == (end, pages, agents)
    assert not crawl.complete


@pytest.mark.requirement("WIRE-AD-05")
async def test_a_slow_list_ends_in_time(crawler: Crawler) -> None:
    pages = listing(lambda number: page([f"a{number}"], "?page=2"))

    async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (silence if "page=2" in asked.line else pages)(asked, writer)

    async with stranger(slow) as (_, domain):
        crawl = await crawler.crawl(domain, Limits(seconds=0.2))
    assert (crawl.end, [each.name for each in crawl.agents]) == ("time", ["a1"])


@pytest.mark.requirement("WIRE-AD-05")
async def test_a_list_does_not_lead_elsewhere(crawler: Crawler) -> None:
    async with stranger(listing(lambda _: page(["a"], "https://localhost:1/.well-known/agent-descriptions"))) as (
        _,
        domain,
    ):
        assert (await crawler.crawl(domain)).end == "elsewhere"


async def test_a_later_page_that_fails_leaves_what_was_found(crawler: Crawler) -> None:
    async with stranger(listing(lambda number: page(["a"], "?page=2") if number == 1 else [])) as (_, domain):
        crawl = await crawler.crawl(domain)
    assert (crawl.end, len(crawl.agents), type(crawl.error)) == ("failed", 1, UpstreamInvalid)


@pytest.mark.parametrize(
    "body", [b"[]", b"no json", b'{"@type": "Page"}', b'{"@type":"CollectionPage","next":"","next":"/x"}']
)
async def test_what_is_no_list_is_refused(crawler: Crawler, body: bytes) -> None:
    async with stranger(reply(body)) as (_, domain):
        with pytest.raises(UpstreamInvalid):
            await crawler.crawl(domain)
    async with stranger(reply(status="404 Not Found")) as (_, domain):
        with pytest.raises(UpstreamError):
            await crawler.crawl(domain)


async def test_entries_that_make_no_sense_are_passed_over(crawler: Crawler) -> None:
    items = [5, {}, {"@id": 7}, {"@id": "javascript:alert(1)"}, {"@id": "/ad.json", "name": 3}, {"@id": "/ad.json"}]
    async with stranger(reply(json.dumps({"@type": "CollectionPage", "items": items}).encode())) as (side, domain):
        crawl = await crawler.crawl(domain)
    assert crawl.agents == (Listed("", f"http://localhost:{side.port}/ad.json"),)


@pytest.mark.parametrize(
    "domain", ["", "127.0.0.1", "a/b", "user@host.example", "host.example:0", "http://host.example", "x y"]
)
async def test_only_names_of_domains_are_crawled(crawler: Crawler, domain: str) -> None:
    with pytest.raises(InvalidInput):
        await crawler.crawl(domain)
