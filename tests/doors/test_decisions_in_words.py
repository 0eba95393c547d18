"""One decision where calls are searched for: what one may not call is no candidate, and refused by name as at any door."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from moothall import capability
from moothall.calls.caller import UnifiedCaller
from moothall.directory.crawler import UnifiedCrawler
from moothall.directory.intent.discovering import ResourceDiscoverer
from moothall.directory.intent.intents import Intents
from moothall.directory.listing import Listing
from moothall.directory.searching import Filters, Found
from moothall.errors import Ambiguous, MoothallError, PermissionDeniedError, ServiceNotFoundError, Unavailable
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from tests.doors.house import ANNA, BEN, Door, House, Local, Mcp, house
from tests.doors.refusals import denied, text_of
from tests.doors.socket_door import EVERY

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "pressure"
"""What ben may not call, and anna may; it stands in its name alone."""

WEATHER = "auto:获取北京天气"
RAN: list[str] = []


@capability(permissions=["read"], read_only=True)
def pressure(city: str) -> str:
    """获取城市当前的天气 current weather of a city"""
    RAN.append(city)
    return f"high in {city}"


@capability(permissions=["read"])
def wipe(city: str) -> str:
    """清空城市记录 wipe the records of a city"""
    RAN.append(city)
    return city


@capability(access="authenticated", read_only=True)
def river(name: str) -> str:
    """测量河流水位 measure the level of a river"""
    return f"river {name}"


@capability(permissions=["read"], read_only=True)
def brook(name: str, deep: bool = False) -> str:
    """测量河流水位 measure the level of a river"""
    RAN.append(name)
    return f"brook {name} {deep}"


@capability(permissions=["read"], read_only=True)
def tides(port: str) -> str:
    """涨潮时间 time of high tide at a port"""
    RAN.append(port)
    return f"noon at {port}"


@capability(source="auto", access="authenticated")
def anywhere(port: str) -> str:  # type: ignore[empty-body]
    """time of high tide at a port"""


MORE = (pressure, wipe, river, brook, tides, anywhere)
FACADE: tuple[Door, ...] = (Local(), Mcp())
"""Where the tools of the node are."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(tmp_path_factory.mktemp("words"), *MORE) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hidden(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The same at a node that conceals what its callers may not call."""
    async with house(tmp_path_factory.mktemp("hidden"), *MORE, conceal=True) as opened:
        yield opened


@pytest.fixture(params=FACADE, ids=lambda door: door.name)
def door(request: pytest.FixtureRequest) -> Door:
    found: Door = request.param
    return found


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


async def tool(place: House, door: Door, name: str, who: str, **params: Any) -> Any:
    """What one of the node's tools gives, as JSON."""
    return json.loads(text_of(await door.caller(place, who).call(door.target(place, name, "node"), params)))


async def refused(place: House, door: Door, name: str, who: str = BEN, **params: Any) -> MoothallError:
    with pytest.raises(MoothallError) as raised:
        await tool(place, door, name, who, **params)
    return raised.value


async def both(
    place: House, door: Door, name: str, given: Mapping[str, Any], other: str
) -> tuple[MoothallError, MoothallError]:
    """The refusal of what is said of the secret, and of the same said of a name that nobody has."""
    told = [json.loads(json.dumps(given).replace("NAME", each)) for each in (SECRET, other)]
    return await refused(place, door, name, **told[0]), await refused(place, door, name, **told[1])


def words_of(error: MoothallError) -> tuple[object, ...]:
    """All that an error says, without the names like the one that was asked for: those are of what one may call."""
    assert SECRET not in f"{error} {error.details} {error.told}"
    details = {name: value for name, value in error.details.items() if name != "similar"}
    told = error.told if not error.details.get("similar") else None
    return type(error), error.code, error.message, details, told


def principal(place: House, who: str) -> Principal:
    caller = Local().caller(place, who)
    assert isinstance(caller, UnifiedCaller)
    return caller._principal


async def test_who_names_a_target_to_a_tool_is_refused_as_at_every_door(place: House, door: Door) -> None:
    keys = {(await denied(place, each, SECRET)).details["decision"] for each in EVERY}
    target = f"local:hall.{SECRET}"
    told = [
        await refused(place, door, "unified_caller", target=target, parameters={"city": "Rome"}),
        await refused(place, door, "unified_caller", target="local:hall", method=SECRET),
        await refused(place, door, "unified_crawler", action="call", query=target),
    ]
    for error in told:
        assert isinstance(error, PermissionDeniedError)
        keys.add(error.details["decision"])
    assert len(keys) == 1
    other = await refused(place, door, "unified_caller", target="local:hall.brook", parameters={"name": "x"})
    assert other.details["decision"] not in keys
    assert RAN == []
    arguments = {"target": target, "parameters": {"city": "Rome"}}
    assert await tool(place, door, "unified_caller", ANNA, **arguments) == "high in Rome"


async def test_words_that_only_what_one_may_not_call_does_are_words_that_nothing_does(place: House, door: Door) -> None:
    nobody = await refused(place, door, "unified_caller", target="auto:烤一个蛋糕 bake a cake")
    for request in (
        {"target": WEATHER},
        {"target": "auto:清空北京城市记录"},  # it would have to be confirmed
    ):
        error = await refused(place, door, "unified_caller", **request)
        assert isinstance(error, ServiceNotFoundError)
        assert words_of(error) == words_of(nobody)
    error = await refused(place, door, "unified_crawler", action="intelligent_call", query=WEATHER[5:])
    assert words_of(error) == words_of(nobody)
    for words in ("auto:hall.NAME 北京", "auto:local:hall.NAME city=Rome", "auto:call NAME for Rome"):
        there, nothing = await both(place, door, "unified_caller", {"target": words}, "presture")
        assert words_of(there) == words_of(nothing)
    assert RAN == []
    assert await tool(place, door, "unified_caller", ANNA, target=WEATHER) == "high in 北京"


async def test_a_request_that_several_fit_names_those_alone_that_one_may_call(place: House, door: Door) -> None:
    words = "auto:测量河流水位"
    several = await refused(place, door, "unified_caller", ANNA, target=words, parameters={"name": "Rhein"})
    assert isinstance(several, Ambiguous)
    again = await refused(place, door, "unified_crawler", ANNA, action="intelligent_call", query=words[5:])
    assert isinstance(again, Ambiguous)
    assert await tool(place, door, "unified_caller", BEN, target=words, parameters={"name": "Rhein"}) == "river Rhein"
    assert RAN == []
    if door.name == "local":
        listed = {each["target"] for each in several.details["candidates"]}  # type: ignore[union-attr]
        assert listed == {"local:hall.river", "local:hall.brook"}


@pytest.mark.parametrize("at", EVERY, ids=lambda each: each.name)
async def test_what_finds_its_work_by_words_finds_it_for_its_caller(place: House, at: Door) -> None:
    target = at.target(place, "anywhere")
    assert await at.caller(place, ANNA).call(target, {"port": "Brest"}) == "noon at Brest"
    RAN.clear()
    with pytest.raises(Unavailable) as raised:
        await at.caller(place, BEN).call(target, {"port": "Brest"})
    assert "tides" not in f"{raised.value} {raised.value.details} {raised.value.told}"
    assert RAN == []


async def test_what_one_may_not_call_is_neither_described_nor_planned(place: House, door: Door) -> None:
    for name, given in (
        ("unified_crawler", {"action": "describe", "query": "local:hall.NAME"}),
        ("resource_manager", {"action": "describe", "resource": "hall.NAME"}),
        ("orchestration", {"action": "submit", "steps": [{"id": "a", "target": "local:hall.NAME"}]}),
        ("orchestration", {"action": "submit", "request": "local:hall.NAME 北京"}),
    ):
        there, nobody = await both(place, door, name, given, "presture")
        assert not isinstance(there, PermissionDeniedError), name
        assert words_of(there) == words_of(nobody), name


async def test_no_search_shows_what_one_may_not_call_however_it_is_asked(place: House, door: Door) -> None:
    for query in (f"hall.{SECRET}", "获取城市当前的天气", "current weather of a city"):
        for name, given in (
            ("search", {"query": query, "limit": 100}),
            ("unified_crawler", {"action": "search", "query": query, "parameters": {"limit": 100}}),
            ("unified_crawler", {"action": "discover", "query": query, "parameters": {"size": 100}}),
            ("resource_manager", {"action": "list", "resource": query}),
        ):
            target = f"local:hall.{SECRET}"
            found = text_of(await tool(place, door, name, BEN, **given))
            assert target not in found, (name, query)
            assert f"hall.{SECRET}" not in found.replace(query, ""), (name, query)
            if name != "resource_manager" or query.startswith("hall"):
                assert target in text_of(await tool(place, door, name, ANNA, **given)), (name, query)


async def test_how_well_something_fits_says_nothing_of_what_one_may_not_call(place: House, door: Door) -> None:
    for words in ("measure the level of a NAME", "hall NAME", "NAME"):
        there, nobody = [
            await tool(place, door, "search", BEN, query=words.replace("NAME", each)) for each in (SECRET, "presture")
        ]
        assert (there["total"], there["hits"]) == (nobody["total"], nobody["hits"])
    assert there["hits"] == []


class Everything:
    """Finds what anybody may find, for everybody: a part of somebody's own that looks at no rights."""

    def __init__(self, own: ResourceDiscoverer) -> None:
        self._own = own

    async def discover(self, query: str, principal: Principal, filters: Filters, limit: int) -> Found:
        return await self._own.discover(query, OWNER, filters, limit)

    async def get(self, target: str, principal: Principal) -> Listing | None:
        return await self._own.get(target, OWNER)


def careless(place: House, who: str) -> UnifiedCrawler:
    path = place.near.host.path
    own = path.parts[Intents].ground.discoverer
    return UnifiedCrawler(path, principal(place, who), discoverer=Everything(own))


async def test_what_a_careless_search_finds_is_refused_when_it_is_called(place: House, hidden: House) -> None:
    assert (await careless(place, ANNA).intelligent_call(WEATHER[5:])).value == "high in 北京"
    RAN.clear()
    with pytest.raises(PermissionDeniedError) as raised:
        await careless(place, BEN).intelligent_call(WEATHER[5:])
    assert raised.value.details["decision"] == (await denied(place, Local(), SECRET)).details["decision"]
    with pytest.raises(ServiceNotFoundError) as absent:
        await careless(hidden, BEN).intelligent_call(WEATHER[5:])
    assert SECRET not in f"{absent.value} {absent.value.details} {absent.value.told}"
    assert RAN == []


async def test_where_denials_are_concealed_a_tool_says_of_it_what_it_says_of_a_missing_name(
    hidden: House, door: Door
) -> None:
    for name, given in (
        ("unified_caller", {"target": "local:hall.NAME"}),
        ("unified_crawler", {"action": "call", "query": "local:hall.NAME"}),
        ("unified_crawler", {"action": "describe", "query": "local:hall.NAME"}),
        ("unified_caller", {"target": "auto:hall.NAME 北京"}),
        ("resource_manager", {"action": "describe", "resource": "hall.NAME"}),
    ):
        there, nobody = await both(hidden, door, name, given, "presture")
        assert not isinstance(there, PermissionDeniedError), name
        assert words_of(there) == words_of(nobody), name
    assert RAN == []
    assert await tool(hidden, door, "unified_caller", ANNA, target=WEATHER) == "high in 北京"


async def test_a_stranger_has_no_tools_and_finds_nothing(place: House) -> None:
    caller = UnifiedCaller(place.near.host.path, ANONYMOUS)
    for name, given in (
        ("unified_caller", {"target": f"local:hall.{SECRET}"}),
        ("unified_crawler", {"action": "search", "query": "weather"}),
        ("search", {"query": "weather"}),
    ):
        reply = await caller.try_call(f"local:node.{name}", given)
        assert reply.error is not None
        assert (reply.error.envelope_code, "decision" in reply.error.details) == ("UNAUTHENTICATED", False)
    for path, body in (
        ("/search", {"query": {"text": "weather"}}),
        ("/api/v1/capabilities/search", {"query": "weather"}),
    ):
        answer = await place.client.post(path, json=body)
        assert answer.status_code == 401
        assert "sha-256:" not in answer.text
        assert SECRET not in answer.text
