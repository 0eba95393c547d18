"""The caller and the crawler by their parts: every kind of target, and every part in place of the node's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from moothall.calls.caller import UnifiedCaller
from moothall.calls.hub import using
from moothall.calls.named_callers import A2AServiceCaller, LocalMethodCaller, MCPServiceCaller, RemoteAgentCaller
from moothall.calls.reply import Reply
from moothall.directory.crawler import UnifiedCrawler
from moothall.directory.intent.evidence import Evidence
from moothall.directory.intent.matcher import IntelligentMatcher, Matched
from moothall.directory.listing import Listing
from moothall.directory.orchestration.executing import CallOrchestrator
from moothall.directory.search.cache import CacheManager
from moothall.directory.searching import Breakdown, Filters, Found, Hit
from moothall.errors import UsageError
from moothall.identity.principal import Principal
from tests.calls.hall import Remote
from tests.directory.intent.hall import ALICE, opened
from tests.directory.intent.town import distractors, weather

TARGETS = {
    "local:sky.get_weather": "",
    "did:wba:sky.example#get_weather": "did",
    "mcp:sky.get_weather": "mcp",
    "a2a:https://sky.example/a2a#get_weather": "a2a",
    "auto:获取城市当前的天气": "",
}


class Everywhere(Remote):
    """Whatever is elsewhere gives the same value."""

    schemes = ("did", "http", "https", "mcp", "a2a")


@pytest.mark.requirement("CAL-01")
async def test_one_caller_reaches_every_kind_of_target_and_gives_one_kind_of_reply(tmp_path: Path) -> None:
    remote = Everywhere({"city": "Rome", "celsius": 4})
    async with opened(tmp_path, weather(), distractors(5), connectors=[remote]) as hall:
        with using(hall.path):
            for caller in (UnifiedCaller(hall.path), UnifiedCaller()):
                for target, scheme in TARGETS.items():
                    remote.seen.clear()
                    reply = await caller.try_call(target, city="Rome")
                    assert isinstance(reply, Reply)
                    assert reply.data == {"city": "Rome", "celsius": 4}, (target, reply.error)
                    assert [outgoing.target.scheme for outgoing in remote.seen] == ([scheme] if scheme else [])
            assert (await LocalMethodCaller().call("sky.get_weather", city="Rome"))["celsius"] == 4
            assert (await RemoteAgentCaller().call("did:wba:sky.example", "get_weather", city="Rome"))["celsius"] == 4
            assert (await MCPServiceCaller().call("sky", "get_weather", city="Rome"))["celsius"] == 4
            assert (await A2AServiceCaller().call("https://sky.example/a2a", "get_weather", city="Rome"))[
                "celsius"
            ] == 4
        with pytest.raises(UsageError):
            UnifiedCaller()
        with pytest.raises(UsageError):
            UnifiedCaller(object())


@pytest.mark.requirement("CAL-01")
async def test_a_target_is_split_at_the_first_colon(tmp_path: Path) -> None:
    remote = Everywhere("ok")
    async with opened(tmp_path, connectors=[remote]) as hall:
        await hall.caller.call("a2a:https://sky.example:8443/a2a#get_weather")
    assert remote.seen[0].target.address == "https://sky.example:8443/a2a"
    assert remote.seen[0].target.operation == "get_weather"


class Bookshelf:
    """A discoverer of one's own."""

    def __init__(self) -> None:
        self.listing = Listing(target="local:sky.get_weather", name="shelf.read_book", description="read a book")

    async def discover(self, query: str, principal: Principal, filters: Filters, limit: int) -> Found:
        return Found((Hit(self.listing, 1.0, Breakdown()),), 1, (), "1")

    async def get(self, target: str, principal: Principal) -> Listing | None:
        return self.listing if target == self.listing.target else None


class Backwards:
    """A matcher of one's own."""

    async def match(self, evidence: Evidence, hits: Sequence[Hit]) -> Matched:
        matched = await IntelligentMatcher().match(evidence, hits)
        groups = tuple(reversed(matched.groups))
        return Matched(groups, groups[0], (), "rules")


@pytest.mark.requirement("CRW-01")
async def test_every_part_of_a_crawler_can_be_replaced(tmp_path: Path) -> None:
    made: list[str] = []

    async def call(target: str, _arguments: Mapping[str, Any], _key: str) -> Any:
        made.append(target)

    async with opened(tmp_path, weather(), distractors(3)) as hall:
        own = UnifiedCrawler(hall.path)
        assert next(iter(await own.search_resources("获取天气"))).listing.target == "local:sky.get_weather"
        with using(hall.path):
            assert await UnifiedCrawler().search_resources("获取天气") == await own.search_resources("获取天气")
        with pytest.raises(UsageError):
            UnifiedCrawler()

        shelf = UnifiedCrawler(hall.path, discoverer=Bookshelf())
        assert [hit.listing.name for hit in await shelf.search_resources("read a book")] == ["shelf.read_book"]
        await shelf.orchestrator.run([{"target": "local:sky.get_weather", "arguments": {"city": "Rome"}}])
        called = await shelf.intelligent_call("read a book shelf.read_book", city="Rome")
        assert called.value == {"city": "Rome", "celsius": 4}
        assert (await shelf.execute("describe", "local:sky.get_weather"))["name"] == "shelf.read_book"

        backwards = UnifiedCrawler(hall.path, matcher=Backwards())
        assert [hit.listing.target for hit in await backwards.search_resources("获取天气")][
            -1
        ] == "local:sky.get_weather"

        planned = UnifiedCrawler(hall.path, orchestrator=CallOrchestrator(call))
        report = await planned.orchestrator.run([{"target": "local:one"}])
        assert (report.status, made) == ("completed", ["local:one"])

        cache = CacheManager(hall.index, hall.clock)
        cached = UnifiedCrawler(hall.path, cache=cache)
        first, second = await cached.search_resources("获取天气"), await cached.search_resources("获取天气")
        assert first == second
        assert (cache.counts.hits, cache.counts.misses) == (1, 1)
        assert (await UnifiedCrawler(hall.path, ALICE, cache=cache).search_resources("获取天气"))[0] == first[0]
        assert cache.counts.misses == 2
