"""A whole node that is called in words, looked around at, and given plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.calls.caller import UnifiedCaller, unified_caller
from moothall.calls.hub import get_current_sdk, using
from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.directory.crawler import UnifiedCrawler, unified_crawler
from moothall.directory.search.cache import CacheManager
from moothall.errors import ConfirmationRequired, InvalidInput, ServiceNotFoundError, ValidationError
from moothall.identity.principal import OWNER, Principal
from moothall.node import Node
from moothall.settings import Settings
from tests.directory.intent.town import distractors, weather

ALICE = Principal(id="did:wba:a.example:e1_a", kind="did", binding="request")


def services() -> tuple[Agent, list[str]]:
    made: list[str] = []

    @capability(read_only=True, access="authenticated")
    def user_info(user_id: str) -> dict[str, Any]:
        """获取用户信息 information about a user"""
        made.append(f"user {user_id}")
        return {"id": user_id, "email": f"{user_id}@example.com"}

    @capability(access="authenticated")
    def payment(amount: float) -> dict[str, Any]:
        """处理支付 take a payment"""
        made.append(f"paid {amount}")
        return {"paid": amount}

    @capability(access="authenticated")
    async def order_service(order_data: dict[str, Any]) -> dict[str, Any]:
        """Take an order."""
        await unified_caller("auto:获取用户信息", user_id=order_data["user_id"])
        await unified_caller("auto:处理支付", amount=order_data["amount"])
        return {"order_id": "12345", "status": "completed"}

    return Agent("shop", user_info, payment, order_service), made


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[tuple[Node, list[str]]]:
    shop, made = services()
    settings = Settings(data=tmp_path, demo_agents=False, auto_confirmed=("local:shop.payment",))
    node = Node(settings)
    node.add(weather(), shop, distractors(50))
    async with node:
        yield node, made


@pytest.mark.requirement(
    "CAL-01", "CAL-02", "SOA-02", "SOA-09", "CRW-01", "CRW-02", "CRW-03", "CRW-05", "CRW-06", "CRW-07"
)
async def test_a_node_is_called_in_words_by_whoever_may(node: tuple[Node, list[str]]) -> None:
    place, made = node
    assert await place.call("auto:获取北京天气") == {"city": "北京", "celsius": 4}
    assert await UnifiedCaller(place).call("auto:weather in Rome", city="Rome") == {"city": "Rome", "celsius": 4}
    with using(place):
        assert get_current_sdk() is place
        assert await UnifiedCaller().intelligent_call("获取北京天气") == {"city": "北京", "celsius": 4}

    order = {"user_id": "u1", "amount": 9.5}
    done = {"order_id": "12345", "status": "completed"}
    assert await place.call("local:shop.order_service", {"order_data": order}) == done
    assert made == ["user u1", "paid 9.5"]
    assert await place.caller(principal=ALICE).call("local:shop.order_service", {"order_data": order}) == done

    crawler = UnifiedCrawler(place)
    hits = await crawler.search_resources("天气预报")
    assert hits[0].listing.target == "local:sky.get_weather"
    assert hits[0].listing.description == "获取城市当前的天气 current weather of a city"
    assert hits[0].score > 0
    assert (await crawler.search_resources("current weather"))[0].listing.target == "local:sky.get_weather"
    called = await crawler.intelligent_call("获取上海的天气")
    assert (called.target, called.value["city"]) == ("local:sky.get_weather", "上海")
    same = await crawler.execute("intelligent_call", "获取上海的天气")
    assert (same["target"], same["result"]) == (called.target, called.value)
    with using(place):
        assert await unified_crawler(action="intelligent_call", query="获取上海的天气") == same
    described = await crawler.execute("describe", "local:sky.get_weather")
    assert described["input_schema"]["required"] == ["city"]
    assert described["provenance"]["source"] == "local"
    assert (await crawler.execute("call", "local:sky.get_weather", parameters={"city": "Oslo"}))["result"][
        "celsius"
    ] == 4
    found = (await crawler.execute("search", "天气", limit=3))["resources"]
    assert found[0]["target"] == "local:sky.get_weather"
    assert {"description", "tags", "score"} < found[0].keys()
    assert [row["score"] for row in found] == sorted((row["score"] for row in found), reverse=True)

    everything = await crawler.execute("discover", kinds=["capability"], size=100)
    pages = [await crawler.execute("discover", kinds=["capability"], size=20, page=page) for page in (1, 2, 3)]
    assert [row["target"] for page in pages for row in page["resources"]] == [
        row["target"] for row in everything["resources"]
    ]
    theirs = await UnifiedCrawler(place, ALICE).execute("discover", kinds=["capability"], size=100)
    assert {row["target"] for row in theirs["resources"]} == {
        "local:sky.get_weather",
        "local:shop.user_info",
        "local:shop.payment",
        "local:shop.order_service",
    }
    assert theirs["total"] < everything["total"]
    seen = await UnifiedCrawler(place, ALICE).search_resources("获取订单信息 order", 100)
    assert {hit.listing.target for hit in seen if hit.listing.kind == "capability"} <= {
        row["target"] for row in theirs["resources"]
    }


@pytest.mark.requirement("CRW-04")
async def test_an_unknown_action_lists_the_actions(node: tuple[Node, list[str]]) -> None:
    crawler = UnifiedCrawler(node[0])
    with pytest.raises(ValidationError) as raised:
        await crawler.execute("destroy")
    assert raised.value.details["actions"] == ["discover", "search", "describe", "call", "intelligent_call"]
    with pytest.raises(ValidationError):
        await crawler.execute("describe", "local:sky.get_weather", colour="red")
    with pytest.raises(ValidationError):
        await crawler.execute("search", "天气", moon="full")
    with pytest.raises(ServiceNotFoundError):
        await crawler.execute("describe", "local:sky.nothing")
    for action, given in (
        ("search", {"limit": "5"}),
        ("search", {"limit": 0}),
        ("discover", {"page": 1.5}),
        ("call", {"parameters": "city"}),
        ("intelligent_call", {"parameters": [1]}),
        ("intelligent_call", {"confirmed": 5}),
        ("intelligent_call", {"parameters": {"confirmed": "x", "city": 5}}),
    ):
        with pytest.raises(InvalidInput):
            await crawler.execute(action, "获取北京天气", **given)
    with using(node[0]):
        assert (await unified_crawler("search", "天气"))["resources"]


@pytest.mark.requirement("CRW-11")
async def test_a_plan_is_shown_then_confirmed_then_done_once(node: tuple[Node, list[str]]) -> None:
    place, made = node
    submit = "local:orchestration.submit"
    shown = await place.call(submit, request="获取用户信息 user_id=u7，然后处理支付 12元")
    assert shown["status"] == "proposed"
    assert [step["target"] for step in shown["steps"]] == ["local:shop.user_info", "local:shop.payment"]
    assert shown["steps"][1]["arguments"] == {"amount": 12}
    assert made == []
    waiting = {"id": shown["id"]}
    reply = await place.try_call("local:orchestration.confirm", {**waiting, "digest": "sha256:other"})
    assert reply.error is not None
    assert made == []
    await place.call("local:orchestration.confirm", {**waiting, "digest": shown["digest"]})
    done = await place.call("local:orchestration.status", {**waiting, "wait": 20})
    assert (done["status"], made) == ("completed", ["user u7", "paid 12.0"])
    reply = await place.try_call("local:orchestration.cancel", waiting)
    assert reply.error is not None
    assert reply.error.code == "CONFLICT"
    reply = await place.caller(principal=ALICE).try_call("local:orchestration.status", waiting)
    assert reply.error is not None
    assert reply.error.code == "NOT_FOUND"

    plan = await place.call(submit, request="获取北京天气；获取上海天气")
    assert not plan["needs_confirmation"]
    done = await place.call("local:orchestration.status", id=plan["id"], wait=20)
    assert [step["value"]["city"] for step in done["steps"]] == ["北京", "上海"]

    stopped = await place.call(submit, steps=[{"target": "local:shop.payment", "arguments": {"amount": 1}}])
    await place.call("local:orchestration.cancel", id=stopped["id"])
    ended = await place.call("local:orchestration.status", id=stopped["id"], wait=20)
    assert (ended["status"], ended["steps"][0]["state"]) == ("cancelled", "cancelled")
    assert "paid 1.0" not in made


@pytest.mark.requirement("CRW-12")
async def test_a_search_is_answered_from_memory_until_something_is_registered(node: tuple[Node, list[str]]) -> None:
    place, _ = node
    cache = CacheManager(place.host.finding.search, place.clock)

    async def targets(who: Principal) -> list[str]:
        found = await UnifiedCrawler(place, who, cache=cache).search_resources("获取城市的潮汐 tides")
        return [hit.listing.target for hit in found]

    first = await targets(OWNER)
    assert await targets(OWNER) == first
    assert (cache.counts.hits, cache.counts.misses) == (1, 1)
    await targets(ALICE)
    assert (cache.counts.hits, cache.counts.misses) == (1, 2)

    @capability(read_only=True)
    def tides(city: str) -> str:
        """获取城市的潮汐 the tides of a city"""
        return city

    place.add(Agent("sea", tides))
    assert (await targets(OWNER))[0] == "local:sea.tides"
    assert "local:sea.tides" not in await targets(ALICE)
    assert (cache.counts.hits, cache.counts.misses) == (1, 4)
    place.host.capabilities.remove("sea.tides")
    assert await targets(OWNER) == first
    assert (cache.counts.hits, cache.counts.misses) == (1, 5)


@pytest.mark.requirement("CAL-14")
async def test_a_provider_that_joins_a_running_node_has_its_share_of_the_calls(tmp_path: Path) -> None:
    made: list[str] = []

    def tower(name: str) -> Agent:
        @capability(read_only=True)
        def get_weather(city: str) -> str:
            """获取城市当前的天气"""
            made.append(name)
            return city

        return Agent(name, get_weather)

    place = Node(Settings(data=tmp_path, demo_agents=False, auto_balancing="round_robin"))
    place.add(tower("east"))
    async with place:

        async def share() -> Counter[str]:
            made.clear()
            for _ in range(10):
                await place.call("auto:获取北京天气")
            return Counter(made)

        assert await share() == {"east": 10}
        place.add(tower("west"))
        assert await share() == {"east": 5, "west": 5}
        place.host.capabilities.disable("east.get_weather")
        assert await share() == {"west": 10}


async def test_without_the_operators_agreement_a_payment_asks(node: tuple[Node, list[str]]) -> None:
    place, made = node

    @capability
    def wipe(city: str) -> str:
        """清空城市记录"""
        made.append(city)
        return city

    place.add(Agent("danger", wipe))
    with pytest.raises(ConfirmationRequired):
        await place.call("auto:清空北京城市记录")
    assert made == []
