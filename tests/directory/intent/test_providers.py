"""Equal providers: how calls spread over them, and who stands in where one fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from moothall.calls.caller import unified_caller
from moothall.calls.ports import Outgoing
from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.directory.intent.balancing import Balancer
from moothall.directory.intent.choosing import grouped, rated
from moothall.directory.listing import Listing, Provenance
from moothall.directory.searching import Breakdown, Hit
from moothall.errors import NodeUnreachable, UpstreamError
from tests.calls.hall import Remote, SleeplessClock
from tests.directory.intent.hall import ALICE, TODAY, opened
from tests.directory.intent.town import weather
from tests.support.clock import ManualClock

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def elsewhere(name: str, *, trust: int = 0, **more: Any) -> Listing:
    known = Provenance(source=f"https://{name}.example/", digest=f"sha256:{name}", pinned=f"sha256:{name}")
    told = {"read_only": True, "description": "获取城市当前的天气", **more}
    return Listing(
        target=f"did:wba:{name}.example#get_weather",
        way="anp",
        name="get_weather",
        input_schema=SCHEMA,
        public=True,
        trust=trust,
        provenance=known,
        **told,
    )


class Providers(Remote):
    """Remotes of which some are down."""

    def __init__(self, **down: Exception) -> None:
        super().__init__(self._answer)
        self.down = down
        self.seconds: Callable[[str], float] = lambda _: 0.0
        self.clock: ManualClock | None = None

    @property
    def places(self) -> list[str]:
        return [outgoing.target.address.split(":")[2].partition(".")[0] for outgoing in self.seen]

    async def _answer(self, outgoing: Outgoing) -> str:
        place = outgoing.target.address.split(":")[2].partition(".")[0]
        if self.clock is not None:
            await self.clock.advance(self.seconds(place))
        if place in self.down:
            raise self.down[place]
        return f"{place} {outgoing.params['city']}"


def unsent() -> UpstreamError:
    error = UpstreamError("refused")
    error.sent = False
    return error


@pytest.mark.requirement("CAL-12")
async def test_three_equal_providers_share_three_hundred_calls_in_turn(tmp_path: Path) -> None:
    remote = Providers()
    listings = [elsewhere(name) for name in ("east", "north", "west")]
    async with opened(tmp_path, connectors=[remote], listings=listings, balancing="round_robin") as hall:
        for _ in range(300):
            await hall.caller.call("auto:获取北京天气")
    assert Counter(remote.places) == {"east": 100, "north": 100, "west": 100}


@pytest.mark.requirement("CAL-12")
async def test_who_answers_as_soon_as_others_shares_with_them_and_who_is_slow_gets_few_calls(tmp_path: Path) -> None:
    remote, clock = Providers(), ManualClock(TODAY)
    chance, slow = Random(8), Counter[str]()
    listings = [elsewhere(name) for name in ("east", "north", "west")]
    remote.clock, remote.seconds = clock, lambda place: 0.02 * chance.uniform(0.9, 1.1) * slow.get(place, 1)
    async with opened(tmp_path, connectors=[remote], listings=listings, clock=clock) as hall:
        for _ in range(300):
            await hall.caller.call("auto:获取北京天气")
        assert all(80 <= count <= 120 for count in Counter(remote.places).values()), remote.places
        slow["north"] = 8
        remote.seen.clear()
        for _ in range(300):
            await hall.caller.call("auto:获取北京天气")
    counts = Counter(remote.places)
    assert 0 < counts["north"] < 30
    assert min(counts["east"], counts["west"]) > 110
    assert counts.total() == 300


@pytest.mark.requirement("CAL-12")
def test_a_slow_provider_gets_fewer_calls_but_some_and_more_when_it_has_mended() -> None:
    balancer, clock, counts = Balancer("least_latency"), ManualClock(TODAY), Counter[str]()
    seconds = {"east": 0.01, "north": 0.5, "west": 0.011}

    def call(times: int) -> None:
        for _ in range(times):
            first = balancer.order(list(seconds))[0]
            counts[first] += 1
            balancer.begin(first)
            balancer.end(first, seconds[first], failed=False)

    call(300)
    assert 0 < counts["north"] < 30
    assert sum(counts.values()) == 300
    counts.clear()
    seconds["north"] = 0.000_2
    call(1500)
    assert counts["north"] > 500
    assert clock.monotonic() == 0.0


@pytest.mark.requirement("CAL-12")
def test_a_provider_that_fails_is_asked_less_than_one_that_answers_slowly() -> None:
    balancer, counts = Balancer("least_latency"), Counter[str]()
    for _ in range(200):
        first = balancer.order(["ill", "slow"])[0]
        counts[first] += 1
        balancer.end(first, 0.001 if first == "ill" else 0.005, failed=first == "ill")
    assert counts["slow"] > 3 * counts["ill"]


@pytest.mark.requirement("CAL-13")
async def test_where_the_active_provider_is_gone_the_next_one_answers(tmp_path: Path) -> None:
    remote = Providers(east=NodeUnreachable("away"))
    listings = [elsewhere("east"), elsewhere("west")]
    async with opened(
        tmp_path, connectors=[remote], listings=listings, balancing="round_robin", clock=SleeplessClock()
    ) as hall:
        reply = await hall.caller.try_call("auto:获取北京天气")
    assert reply.data == "west 北京"
    assert reply.metadata is not None
    assert reply.metadata.chosen is not None
    assert reply.metadata.chosen["target"] == "did:wba:west.example#get_weather"


@pytest.mark.requirement("CAL-13")
@pytest.mark.parametrize(("error", "answered"), [(UpstreamError("broken off"), False), (unsent(), True)])
async def test_what_may_have_happened_is_not_done_twice(tmp_path: Path, error: UpstreamError, answered: bool) -> None:
    remote = Providers(east=error)
    listings = [elsewhere(name, read_only=False) for name in ("east", "west")]
    async with opened(
        tmp_path, connectors=[remote], listings=listings, balancing="round_robin", clock=SleeplessClock()
    ) as hall:
        reply = await hall.caller.try_call("auto:获取北京天气", confirmed="*")
    assert reply.success is answered, reply.error
    assert ("west" in remote.places) is answered


async def test_an_agreed_target_is_called_and_no_other_that_does_the_same(tmp_path: Path) -> None:
    remote = Providers(east=NodeUnreachable("away"))
    listings = [elsewhere(name, read_only=False) for name in ("east", "west")]
    async with opened(tmp_path, connectors=[remote], listings=listings, clock=SleeplessClock()) as hall:
        reply = await hall.caller.try_call("auto:获取北京天气", confirmed="did:wba:east.example#get_weather")
    assert not reply.success
    assert set(remote.places) == {"east"}


async def test_of_equal_providers_the_one_that_is_named_is_called(tmp_path: Path) -> None:
    remote = Providers()
    listings = [elsewhere(name, trust=5) for name in ("east", "west")]
    async with opened(tmp_path, weather(), connectors=[remote], listings=listings) as hall:
        for place in ("west", "east", "west"):
            assert await hall.caller.call(f"auto:获取北京天气 did:wba:{place}.example#get_weather") == f"{place} 北京"


@pytest.mark.parametrize(
    ("name", "about", "one"),
    [("sky_get_weather", "获取城市当前的天气", True), ("sky_get_weather", "把钱寄给我", False), ("forget_weather", "获取城市当前的天气", False)],
)  # fmt: skip
def test_a_tool_is_a_provider_where_its_server_only_wrote_before_it_whose_it_is(
    name: str, about: str, one: bool
) -> None:
    tool = Listing(
        target=f"mcp:east.{name}", way="mcp", name=f"east.{name}", description=about, input_schema=SCHEMA, public=True
    )
    hits = [Hit(each, 1.0, Breakdown()) for each in (tool, elsewhere("east"))]
    assert (len(grouped(rated("获取北京天气", hits))) == 1) is one


async def test_who_is_left_alone_is_asked_last(tmp_path: Path) -> None:
    remote = Providers()
    listings = [elsewhere("east", trust=5), elsewhere("west", trust=1)]
    async with opened(tmp_path, connectors=[remote], listings=listings) as hall:
        assert await hall.caller.call("auto:获取北京天气") == "east 北京"
        hall.intents.ground = replace(hall.intents.ground, away=lambda listing: "east" in listing.target)
        assert await hall.caller.call("auto:获取北京天气") == "west 北京"


async def test_a_copy_elsewhere_takes_no_calls_from_the_original_here(tmp_path: Path) -> None:
    remote = Providers()
    async with opened(tmp_path, weather(), connectors=[remote], listings=[elsewhere("squatter")]) as hall:
        for _ in range(5):
            assert (await hall.caller.call("auto:获取北京天气"))["celsius"] == 4
    assert remote.seen == []


async def test_a_description_that_changed_is_not_called(tmp_path: Path) -> None:
    remote = Providers()
    listings = [elsewhere("east", standing="changed"), elsewhere("west")]
    async with opened(tmp_path, connectors=[remote], listings=listings) as hall:
        assert await hall.caller.call("auto:获取北京天气") == "west 北京"


@pytest.mark.requirement("CAL-11")
async def test_a_service_that_moves_elsewhere_is_called_by_the_same_code(tmp_path: Path) -> None:
    async def code(hall: Any) -> Any:
        return await hall.caller.call("auto:获取北京天气")

    @capability(read_only=True)
    def get_weather(city: str) -> str:
        """获取城市当前的天气"""
        return f"east {city}"

    async with opened(tmp_path / "one", Agent("sky", get_weather)) as hall:
        here = await code(hall)
    async with opened(tmp_path / "two", connectors=[Providers()], listings=[elsewhere("east")]) as hall:
        there = await code(hall)
    assert here == there == "east 北京"


async def test_calls_in_words_end_at_the_hop_limit(tmp_path: Path) -> None:
    @capability(source="auto", read_only=True)
    def left(city: str) -> str:  # type: ignore[empty-body]
        """环形天气查询 right"""

    @capability(source="auto", read_only=True)
    def right(city: str) -> str:  # type: ignore[empty-body]
        """环形天气查询 left"""

    async with opened(tmp_path, Agent("circle", left, right), clock=ManualClock(TODAY + timedelta(1))) as hall:
        reply = await hall.caller.try_call("local:circle.left", city="Rome")
    assert reply.error is not None
    assert reply.error.code in {"CONFLICT", "UPSTREAM_ERROR", "UNAVAILABLE"}


@pytest.mark.requirement("SOA-02")
async def test_an_order_is_taken_by_the_same_code_when_its_services_move_elsewhere(tmp_path: Path) -> None:
    def moved(name: str, description: str, parameter: str, kind: str, *, read_only: bool) -> Listing:
        schema = {"type": "object", "properties": {parameter: {"type": kind}}, "required": [parameter]}
        known = Provenance(source="https://shop.example/", digest=f"sha256:{name}", pinned=f"sha256:{name}")
        return Listing(
            target=f"did:wba:shop.example#{name}",
            way="anp",
            name=name,
            description=description,
            input_schema=schema,
            read_only=read_only,
            public=True,
            provenance=known,
        )

    @capability
    async def order_service(order_data: dict[str, Any]) -> dict[str, Any]:
        """Take an order."""
        await unified_caller("auto:获取用户信息", user_id=order_data["user_id"])
        await unified_caller("auto:处理支付", amount=order_data["amount"])
        return {"order_id": "12345", "status": "completed"}

    remote = Remote({"ok": True})
    listings = [
        moved("user_info", "获取用户信息", "user_id", "string", read_only=True),
        moved("payment", "处理支付", "amount", "number", read_only=False),
    ]
    order, agreed = {"user_id": "u1", "amount": 9.5}, ["did:wba:shop.example#payment"]
    async with opened(
        tmp_path, Agent("shop", order_service), connectors=[remote], listings=listings, confirmed=agreed
    ) as hall:
        made = await hall.caller.call("local:shop.order_service", {"order_data": order})
        stranger = await hall.by(ALICE).try_call("auto:获取用户信息", user_id="u1")
    assert made == {"order_id": "12345", "status": "completed"}
    assert [outgoing.target.operation for outgoing in remote.seen] == ["user_info", "payment"]
    assert stranger.error is not None
