"""Services are kept, on each kind of database (rows MCA-02, MCA-06)."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall.errors import InvalidInput, PayloadTooLarge
from moothall.groups.master.services import UnifiedServiceRegistry, offered, service_id
from moothall.storage.store import Store
from tests.support.clock import ManualClock

FAR = "did:wba:far.example:far"


@pytest.mark.requirement("MCA-06")
async def test_services_outlive_the_process_and_only_those_that_are_there_are_found(
    database_url: str, tmp_path: Path
) -> None:
    for start in range(2):
        store = await Store.open(tmp_path / "node", database_url)
        try:
            registry = UnifiedServiceRegistry(store, ManualClock())
            if not start:
                for name in ("fly", "swim"):
                    await registry.add_service(FAR, {"name": name, "description": name, "tags": ["x"]}, action="read")
            fly = await registry.get_service(service_id(FAR, "fly"))
            assert fly is not None
            assert (fly.agent_id, fly.name, fly.tags, fly.action, fly.origin) == (
                FAR,
                "fly",
                ("x",),
                "read",
                "registered",
            )
            assert await registry.get_service(service_id(FAR, "walk")) is None
            assert [one.name for one in await registry.services(after=fly.id)] == ["swim"]
            assert await registry.mark(FAR, alive=False) is True
            assert await registry.mark(FAR, alive=False) is False
            assert await registry.services() == []
            assert len(await registry.services(gone=True)) == 2
            assert await registry.mark(FAR, alive=True) is True
            await registry.keep_only(FAR, [], origin="found")
            assert len(await registry.services(agent_id=FAR)) == 2
            assert (await registry.agents()).keys() == {FAR}
            with pytest.raises(PayloadTooLarge):
                await registry.add_service(FAR, {"name": "long", "parameters": {"x": "y" * 70_000}})
        finally:
            await store.close()


def test_only_what_others_can_call_is_offered() -> None:
    infos: list[dict[str, object]] = [
        {"name": "a", "capabilities": ["net"]},
        {"name": "b", "capabilities": ["local", "llm"]},
        {"name": "c"},
    ]
    assert [info["name"] for info in offered(infos)] == ["a"]
    oddities: list[dict[str, object]] = [{}, {"name": ""}, {"name": "a#b"}, {"name": 5}]
    for odd in oddities:
        with pytest.raises(InvalidInput):
            offered([odd])
