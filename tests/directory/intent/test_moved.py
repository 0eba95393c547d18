"""Services that are at other nodes, in other processes: code that moves nowhere, providers that are killed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from moothall import Agent, capability
from moothall.calls.caller import UnifiedCaller, unified_caller
from moothall.calls.hub import using
from moothall.calls.reply import Reply
from moothall.node import Node
from moothall.settings import Settings
from tests.protocols.finding.nodes import listening, node, served
from tests.support.program import Served, serving

pytestmark = pytest.mark.timeout(180)  # processes begin with seconds of imports, on a machine that others use

FAR = '''
"""A provider that writes down what it is asked to do."""

import os
import signal

from moothall import Agent, Node, capability


def note(what: str) -> None:
    with open(os.environ["DIARY"], "a", encoding="utf-8") as diary:
        diary.write(what + "\\n")


@capability(access="public", auth=False, read_only=True)
def get_weather(city: str) -> dict:
    """获取城市当前的天气 current weather of a city"""
    return {"city": city, "celsius": 4, "days": [{"wind": 3}]}


@capability(access="authenticated")
def book_seat(seat: int) -> str:
    """预订座位 book a seat"""
    note(f"{os.environ['NAME']} {seat}")
    if seat == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"seat {seat}"


node = Node()
node.add(Agent("sky", get_weather, book_seat))
'''


class Two:
    """Two providers of the same, and what they did."""

    def __init__(self, folder: Path, east: Served, west: Served) -> None:
        self.folder, self.east, self.west = folder, east, west

    @property
    def diary(self) -> list[str]:
        file = self.folder / "diary"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def target(self, of: Served, name: str) -> str:
        return f"{of.did('sky')}#{name}"

    @asynccontextmanager
    async def near(self, data: Path, *agents: Agent) -> AsyncIterator[Node]:
        """A node that has found both, and trusts the eastern one more: all calls go there while it is well."""
        with listening() as at:
            ports = (int(each.url.rpartition(":")[2]) for each in (self.east, self.west))
            near = node(data, at, *ports, mcp={"west": {"url": f"{self.west.url}/mcp"}})
            near.add(*agents)
            async with served(near, at):
                for each, trust in ((self.east, 5), (self.west, 1)):
                    report = await near.host.finding.crawl(each.url)
                    for target in report.listed:
                        await near.call("local:node.listings.approve", target=target, trust=trust)
                yield near


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    (folder / "far.py").write_text(FAR, encoding="utf-8")
    shared = {"DIARY": str(folder / "diary"), "MOOTHALL_EGRESS_ALLOW": "http://localhost"}
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        both = [serving(folder / "far.py", cwd=folder, data=name, NAME=name, **shared) for name in ("east", "west")]
        east, west = pool.map(stack.enter_context, both)
        for each in (east, west):
            each.url = each.url.replace("127.0.0.1", "localhost")  # the name in their DIDs
        yield Two(folder, east, west)


def trips() -> Agent:
    """Code that knows targets, and nobody who is behind them."""

    @capability
    async def plan(city: str, target: str) -> Any:
        """Plan a trip."""
        return await unified_caller(target, city=city)

    return Agent("trips", plan)


def own_sky() -> Agent:
    @capability(read_only=True)
    def get_weather(city: str) -> dict[str, Any]:
        """获取城市当前的天气 current weather of a city"""
        return {"city": city, "celsius": 4, "days": [{"wind": 3}]}

    return Agent("sky", get_weather)


def moved_sky(did: str) -> Agent:
    """The same service, whose work is done elsewhere."""

    @capability(source="did", did=did, read_only=True)
    def get_weather(city: str) -> dict[str, Any]:  # type: ignore[empty-body]
        """获取城市当前的天气 current weather of a city"""

    return Agent("sky", get_weather)


async def asked(near: Node, *targets: str) -> list[Any]:
    with using(near):
        direct = [await unified_caller(target, city="Oslo") for target in targets]
    inside = [await near.call("local:trips.plan", city="Oslo", target=target) for target in targets]
    return direct + inside


@pytest.mark.requirement("CAL-01")
async def test_one_caller_reaches_what_is_here_and_what_is_there_in_every_way(two: Two, tmp_path: Path) -> None:
    targets = (
        "local:sky.get_weather",
        two.target(two.west, "get_weather"),
        "mcp:west.sky_get_weather",
        f"a2a:{two.west.url}/agents/sky#get_weather",
        "auto:获取当前的天气",
    )
    async with two.near(tmp_path, own_sky()) as near:
        with using(near):
            for caller in (UnifiedCaller(near), UnifiedCaller()):
                replies = [await caller.try_call(target, city="Oslo") for target in targets]
                assert [type(reply) for reply in replies] == [Reply] * 5
                assert [reply.error for reply in replies] == [None] * 5
                assert [reply.data for reply in replies] == [replies[0].data] * 5


@pytest.mark.requirement("CAL-11")
async def test_code_stays_as_it_is_when_a_service_moves_to_another_node(two: Two, tmp_path: Path) -> None:
    local, auto, moved = "local:sky.get_weather", "auto:获取当前的天气", two.target(two.west, "get_weather")
    async with Node(Settings(data=tmp_path / "alone", demo_agents=False)) as alone:
        alone.add(own_sky(), trips())
        here = await asked(alone, local, auto)
    async with two.near(tmp_path / "near", trips()) as near:
        assert await asked(near, moved, auto) == here, "only the text that names the target is another"
        near.add(moved_sky(moved))
        assert await asked(near, local, auto) == here, "not even that"
    assert here == [{"city": "Oslo", "celsius": 4, "days": [{"wind": 3}]}] * 4


@pytest.mark.requirement("CAL-13")
async def test_where_the_active_provider_is_killed_nothing_is_done_twice_and_the_next_one_answers(
    two: Two, tmp_path: Path
) -> None:
    async with two.near(tmp_path) as near:

        async def weather() -> tuple[str, str]:
            reply = await near.try_call("auto:获取北京天气")
            assert reply.error is None
            assert reply.metadata is not None
            assert reply.metadata.chosen is not None
            return reply.data["city"], reply.metadata.chosen["target"]

        for _ in range(2):
            assert await weather() == ("北京", two.target(two.east, "get_weather"))
        reply = await near.try_call("auto:预订座位", seat=13, confirmed="*")
        two.east.kill()  # it has done so itself, in the middle of the booking
        assert reply.error is not None
        assert reply.error.code == "UPSTREAM_ERROR"
        assert two.diary == ["east 13"], "it was asked for once, and nobody knows more"
        for _ in range(2):
            assert await weather() == ("北京", two.target(two.west, "get_weather"))
        reply = await near.try_call("auto:预订座位", seat=8, confirmed="*")
        assert reply.data == "seat 8", reply.error
        assert two.diary == ["east 13", "west 8"], "nothing of it could be sent to who is away"
