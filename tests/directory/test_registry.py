"""The registry: durable, edits reach the next snapshot, snapshots given out never change. On both databases."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from moothall.directory.registry import AgentRegistry, init_mock_agents
from moothall.errors import AgentNotFound, Conflict, StorageError
from moothall.storage.schema import agent
from moothall.storage.store import Store
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from moothall.directory.index import RegistrySnapshot
    from tests.directory.conftest import MakeAgent

START = datetime(2027, 1, 20, 8, 0, tzinfo=UTC)
SECRET = 612.25


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    opened = await Store.open(tmp_path / "node", database_url)
    yield opened
    await opened.close()


@pytest.fixture
def registry(store: Store) -> AgentRegistry:
    return AgentRegistry(store, ManualClock(START))


def names(snapshot: RegistrySnapshot) -> list[str]:
    return [profile.agent_id.removeprefix("user_agent_") for profile in snapshot.profiles]


async def test_a_registered_agent_is_active_and_found(registry: AgentRegistry, make_agent: MakeAgent) -> None:
    profile = make_agent("anna", "摄影", fields={"reservation": {"floors": {"摄影": SECRET}}})
    record = await registry.register(profile)
    assert (record.profile, record.status, record.origin, record.revision) == (profile, "active", "user", 1)
    assert record.updated_at == START
    assert await registry.get("user_agent_anna") == record


async def test_an_id_is_registered_once(registry: AgentRegistry, make_agent: MakeAgent) -> None:
    await registry.register(make_agent("anna", "摄影"))
    with pytest.raises(Conflict, match="user_agent_anna"):
        await registry.register(make_agent("anna", "航拍"))
    assert (await registry.get("user_agent_anna")).profile.tags == ("摄影",)


async def test_two_registrations_at_once_make_one_agent(registry: AgentRegistry, make_agent: MakeAgent) -> None:
    results = await asyncio.gather(
        *(registry.register(make_agent("anna", "摄影")) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(result, Conflict) for result in results) == 4
    assert len(await registry.list()) == 1


async def test_an_unknown_agent_is_an_error_everywhere(registry: AgentRegistry, make_agent: MakeAgent) -> None:
    for attempt in (
        registry.get("user_agent_nobody"),
        registry.update(make_agent("nobody")),
        registry.disable("user_agent_nobody"),
        registry.remove("user_agent_nobody"),
    ):
        with pytest.raises(AgentNotFound, match="user_agent_nobody"):
            await attempt


async def test_an_edit_names_the_revision_it_was_made_from(registry: AgentRegistry, make_agent: MakeAgent) -> None:
    first = await registry.register(make_agent("anna", "摄影"))
    second = await registry.update(make_agent("anna", "航拍"), revision=first.revision)
    assert (second.revision, second.profile.tags) == (2, ("航拍",))
    with pytest.raises(Conflict, match="edited meanwhile"):
        await registry.update(make_agent("anna", "插画绘制"), revision=first.revision)
    assert (await registry.update(make_agent("anna", "插画绘制"))).revision == 3


async def test_every_edit_reaches_the_next_snapshot_and_no_earlier_one(
    registry: AgentRegistry, make_agent: MakeAgent
) -> None:
    seen: list[tuple[RegistrySnapshot, list[str]]] = []

    async def expect(*expected: str) -> RegistrySnapshot:
        snapshot = await registry.snapshot()
        seen.append((snapshot, list(expected)))
        assert names(snapshot) == list(expected)
        return snapshot

    await expect()
    await registry.register(make_agent("anna", "摄影"))
    first = await expect("anna")
    await registry.register(make_agent("bao", "摄影"))
    await expect("anna", "bao")
    await registry.update(make_agent("anna", "航拍"))
    assert [entry.profile.agent_id for entry in (await expect("anna", "bao")).holders("drone_filming")] == [
        "user_agent_anna"
    ]
    await registry.disable("user_agent_bao")
    await expect("anna")
    await registry.enable("user_agent_bao")
    await expect("anna", "bao")
    await registry.remove("user_agent_anna")
    await registry.register(make_agent("cy", "摄影"))
    await expect("bao", "cy")
    assert all(names(snapshot) == expected for snapshot, expected in seen)
    assert first.holders("photography")[0].profile.agent_id == "user_agent_anna"
    assert len({snapshot.version for snapshot, _ in seen}) == len(seen)


async def test_a_snapshot_is_kept_until_an_edit(registry: AgentRegistry, make_agent: MakeAgent) -> None:
    await registry.register(make_agent("anna", "摄影"))
    first = await registry.snapshot()
    assert await registry.snapshot() is first
    with pytest.raises(Conflict):
        await registry.register(make_agent("anna", "摄影"))
    assert (await registry.snapshot()).version == first.version


async def test_edits_by_another_registry_on_the_same_database_are_seen(
    store: Store, registry: AgentRegistry, make_agent: MakeAgent
) -> None:
    other = AgentRegistry(store, ManualClock(START))
    await registry.register(make_agent("anna", "摄影"))
    assert names(await other.snapshot()) == ["anna"]
    await registry.register(make_agent("bao", "摄影"))
    assert names(await other.snapshot()) == ["anna", "bao"]
    await registry.disable("user_agent_anna")
    assert names(await other.snapshot()) == ["bao"]
    await registry.update(make_agent("bao", "航拍"))
    assert (await other.snapshot()).concepts == {"drone_filming"}
    await registry.remove("user_agent_bao")
    assert names(await other.snapshot()) == []


async def test_the_list_filters_by_status_origin_and_text(registry: AgentRegistry, make_agent: MakeAgent) -> None:
    await registry.register(make_agent("anna", "摄影", fields={"location": "上海"}))
    await registry.register(make_agent("bao", "meeting room"), origin="demo")
    await registry.disable("user_agent_bao")

    async def listed(**query: str) -> list[str]:
        return [record.profile.agent_id.removeprefix("user_agent_") for record in await registry.list(**query)]  # type: ignore[arg-type]

    assert await listed() == ["anna", "bao"]
    assert await listed(status="active") == ["anna"]
    assert await listed(origin="demo") == ["bao"]
    assert await listed(text="Photographer") == ["anna"]
    assert await listed(text="场地") == ["bao"]
    assert await listed(text="Shanghai") == ["anna"]
    assert await listed(text="BAO") == ["bao"]
    assert await listed(text="社区聚会") == ["anna", "bao"]
    assert await listed(text="nothing of the kind") == []
    assert await listed(text=" ") == ["anna", "bao"]


async def test_loading_adds_and_replaces_all_or_nothing(
    store: Store, registry: AgentRegistry, make_agent: MakeAgent
) -> None:
    await registry.register(make_agent("anna", "摄影"))
    await registry.disable("user_agent_anna")
    assert await registry.load([make_agent("anna", "航拍"), make_agent("bao", "摄影")]) == 2
    assert [(record.profile.tags, record.status) for record in await registry.list()] == [
        (("航拍",), "active"),
        (("摄影",), "active"),
    ]
    broken = AgentRegistry(store, _ClockThatStops(2))
    with pytest.raises(RuntimeError, match="stopped"):
        await broken.load([make_agent("cy", "摄影"), make_agent("di", "摄影")])
    assert len(await registry.list()) == 2


async def test_the_reservation_is_stored_but_never_shown(
    registry: AgentRegistry, make_agent: MakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="moothall")
    await registry.register(make_agent("anna", "摄影", fields={"reservation": {"floors": {"摄影": SECRET}}}))
    records = await registry.list()
    snapshot = await registry.snapshot()
    assert records[0].profile.reservation.floors == {"摄影": SECRET}
    shown = [str(records[0].public()), repr(records), repr(snapshot.profiles), str(snapshot.holders("photography"))]
    shown += [record.getMessage() for record in caplog.records if record.name.startswith("moothall")]
    assert all("612.25" not in text and "reservation" not in text for text in shown)


async def test_a_stored_profile_that_is_not_valid_names_its_agent(
    store: Store, registry: AgentRegistry, make_agent: MakeAgent
) -> None:
    await registry.register(make_agent("anna", "摄影"))
    await store.write(lambda connection: connection.execute(sa.update(agent).values(profile='{"tags": []}')).close())
    with pytest.raises(StorageError, match="user_agent_anna"):
        await registry.snapshot()


async def test_a_card_that_was_stored_before_its_limit_is_read_shown_and_changed_in_status(
    store: Store, registry: AgentRegistry, make_agent: MakeAgent
) -> None:
    old = (await registry.register(make_agent("anna", "场地提供"))).profile.private()
    said = {"kind": "theme", "texts": ["绝不会出现的主题"], "text": "余款活动当天结清，" * 20}
    old["capabilities"]["offers"][0]["conditions"] = [said] * 20
    heavy = json.dumps(old, ensure_ascii=False)
    await store.write(lambda connection: connection.execute(sa.update(agent).values(profile=heavy)).close())
    (profile,) = (await registry.snapshot()).profiles
    assert len(profile.capabilities.offers[0].conditions) == 20
    assert (await registry.disable("user_agent_anna")).profile == profile


async def test_the_demonstration_agents_are_loaded_once(
    registry: AgentRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="moothall.directory")
    count = await init_mock_agents(registry)
    assert count == len(await registry.list("active", origin="demo")) >= 120
    assert f"已初始化 {count} 个 Mock Agent" in caplog.text
    first = (await registry.list())[0].profile
    await registry.remove(first.agent_id)
    assert await init_mock_agents(registry) == 0
    assert len(await registry.list()) == count - 1
    assert await init_mock_agents(registry, reset=True) == count
    assert (await registry.get(first.agent_id)).profile == first


class _ClockThatStops(ManualClock):
    def __init__(self, after: int) -> None:
        super().__init__(START)
        self._left = after

    def now(self) -> datetime:
        self._left -= 1
        if self._left < 0:
            message = "the clock stopped"
            raise RuntimeError(message)
        return super().now()
