"""Services are looked for again and again (row MCA-09)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import pytest_asyncio

from moothall import ANPUser, Node
from moothall.calls.hub import using
from moothall.capability.service_registry import ServiceInfo
from moothall.errors import InvalidInput, StorageError, UpstreamError
from moothall.groups.master.agent import MasterControlAgent
from moothall.groups.master.discovery import Discovery
from moothall.groups.master.ground import Elsewhere, MasterGround
from moothall.groups.master.services import Service, UnifiedServiceRegistry
from tests.groups.master.quarters import GROUP, Weather, caller, settings, weather
from tests.support.clock import ManualClock

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAR, FOUND = "did:wba:far.example:far", "did:wba:found.example:found"


@dataclass
class Network:
    """Which agents elsewhere answer, and what was found."""

    node: Node
    away: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    listed: list[Elsewhere] = field(default_factory=list)
    read: int = 0

    async def visit(self, did: str, agent: str) -> None:
        assert agent == "control"
        self.asked.append(did)
        if did in self.away:
            raise UpstreamError("it does not answer")

    async def found(self, *, afresh: bool) -> Iterable[Elsewhere]:
        self.read += afresh
        return self.listed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    async with Node(settings(tmp_path_factory.mktemp("node"))) as node:
        with using(node):
            await MasterControlAgent("control").setup_permission_group(GROUP)
        yield node


class Registry(UnifiedServiceRegistry):
    """Tells when it was written."""

    written: asyncio.Event

    async def add_service(self, agent_id: str, info: Mapping[str, Any], **given: Any) -> Service:
        added = await super().add_service(agent_id, info, **given)
        self.written.set()
        return added


@dataclass
class Scene:
    network: Network
    registry: Registry
    ground: MasterGround
    clock: ManualClock

    @property
    def discovery(self) -> Discovery:
        return Discovery(self.ground, self.registry, lambda: "control")

    async def names(self) -> list[str]:
        return [service.name for service in await self.registry.services()]


@pytest_asyncio.fixture(loop_scope="module")
async def scene(_node: Node) -> AsyncIterator[Scene]:
    network, clock = Network(_node), ManualClock()
    found: Any = _node.host.path.parts[MasterGround]
    ground = replace(found, visit=network.visit, found=network.found, clock=clock)
    registry = Registry(ground.store, clock)
    registry.written = asyncio.Event()
    yield Scene(network, registry, ground, clock)
    for agent in {service.agent_id for service in await registry.services(gone=True)}:
        await registry.remove(agent)


@pytest.mark.requirement("MCA-09")
async def test_a_new_agent_appears_within_one_refresh_interval(scene: Scene) -> None:
    discovery = scene.discovery
    await discovery.start(10)
    try:
        assert await scene.names() == []
        await scene.network.node.join(weather())
        scene.registry.written.clear()
        await scene.clock.sleeping(2)
        await scene.clock.advance(10)
        async with asyncio.timeout(5):
            await scene.registry.written.wait()
        await scene.clock.sleeping(2)
        assert await scene.names() == ["forecast", "history", "owners"]  # and neither `secret` nor the master's own
    finally:
        await discovery.aclose()


async def test_slow_places_elsewhere_hold_up_nobody_here(scene: Scene) -> None:
    discovery, reading = scene.discovery, asyncio.Event()

    async def found(*, afresh: bool) -> Iterable[Elsewhere]:
        if afresh:
            reading.set()
            await asyncio.Event().wait()
        return ()

    discovery._ground = replace(scene.ground, found=found)
    await discovery.start(10)
    try:
        await scene.clock.sleeping(2)
        await scene.clock.advance(10)
        await reading.wait()
        for _ in range(2):
            await scene.clock.sleeping()
            scene.registry.written.clear()
            await scene.clock.advance(10)
            async with asyncio.timeout(5):
                await scene.registry.written.wait()
    finally:
        await discovery.aclose()


@pytest.mark.requirement("MCA-09")
async def test_a_dead_agent_drops_out_and_comes_back(scene: Scene) -> None:
    await scene.registry.add_service(FAR, {"name": "fly"})
    await scene.discovery.refresh()
    assert "fly" in await scene.names()
    assert scene.network.asked == [FAR]
    scene.network.away.add(FAR)
    await scene.discovery.refresh()
    assert "fly" not in await scene.names()
    assert await scene.registry.get_service(f"{FAR}#fly") is None
    scene.network.away.clear()
    await scene.discovery.refresh()
    assert "fly" in await scene.names()


@pytest.mark.requirement("MCA-09")
async def test_what_was_found_elsewhere_is_listed_as_long_as_it_is_found(scene: Scene) -> None:
    def info(name: str) -> ServiceInfo:
        return ServiceInfo(name=name, description="", parameters={}, tags=[], capabilities=["net"])

    await scene.registry.add_service(FOUND, {"name": "sing", "description": "its own words"})
    scene.network.listed = [Elsewhere(FOUND, info(name)) for name in ("sing", "dance", "#odd")]
    await scene.discovery.refresh()
    assert {"sing", "dance"} <= set(await scene.names())
    sing = await scene.registry.get_service(f"{FOUND}#sing")
    assert sing is not None
    assert (sing.origin, sing.description) == ("registered", "its own words")
    asked = len(scene.network.asked)
    scene.network.listed = [replace(one, sure=False) for one in scene.network.listed]  # nobody answers there now
    await scene.discovery.refresh()
    assert {"sing", "dance"} <= set(await scene.names())
    scene.network.away.add(FOUND)
    await scene.discovery.refresh()
    assert not {"sing", "dance"} & set(await scene.names())
    assert scene.network.asked[asked:] == [FOUND, FOUND]
    scene.network.away.clear()
    scene.network.listed = []
    await scene.discovery.refresh()
    assert "dance" not in await scene.names()
    assert "sing" in await scene.names()


async def test_a_failure_while_looking_is_no_end_of_it(scene: Scene) -> None:
    discovery, failing = scene.discovery, {"once": True}

    async def found(*, afresh: bool) -> Iterable[Elsewhere]:
        if failing.pop("once", False):
            raise StorageError("away")
        scene.registry.written.set()
        return ()

    discovery._ground = replace(scene.ground, found=found)
    with pytest.raises(StorageError):
        await discovery.refresh()
    failing["once"] = False
    await discovery.start(10)
    failing["once"] = True
    scene.registry.written.clear()
    try:
        for _ in range(2):
            await scene.clock.sleeping(2)
            await scene.clock.advance(10)
        async with asyncio.timeout(5):
            await scene.registry.written.wait()
    finally:
        await discovery.aclose()


async def test_the_master_agent_looks_until_its_node_stops(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with Node(settings(tmp_path_factory.mktemp("node"))) as node:
        with using(node):
            master = MasterControlAgent("control")
            await master.setup_permission_group(GROUP)
            for interval in (0, -1, float("nan"), float("inf")):
                with pytest.raises(InvalidInput):
                    await master.start_service_discovery(interval)
            agent = ANPUser("weather")
            await master.register_service_agent(agent)
            agent.include(Weather())
            await master.start_service_discovery(3_600)
            assert len(await master.service_registry.services()) == 3
        looking = [task for task in asyncio.all_tasks() if task.get_name() == "moothall-services"]
        assert len(looking) == 2
    assert all(task.done() for task in looking)
    assert caller("ann").verified


async def test_a_full_registry_holds_up_nobody_who_is_in_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.registry.add_service(FAR, {"name": "fly"})
    monkeypatch.setattr("moothall.groups.master.services.MOST_OF_ALL", 1)
    info = ServiceInfo(name="dance", description="", parameters={}, tags=[], capabilities=["net"])
    scene.network.listed = [Elsewhere(FOUND, info)]
    scene.network.away.add(FAR)
    await scene.discovery.refresh()
    assert await scene.registry.get_service(f"{FAR}#fly") is None, "it was asked, and does not answer"
    assert await scene.registry.get_service(f"{FOUND}#dance") is None


async def test_who_does_not_come_back_is_forgotten(scene: Scene) -> None:
    await scene.registry.add_service(FAR, {"name": "fly"})
    scene.network.away.add(FAR)
    for days, left in ((29, 1), (2, 0)):
        await scene.clock.advance(days * 86_400)
        await scene.discovery.refresh()
        assert len(await scene.registry.services(agent_id=FAR, gone=True)) == left
