"""Agents elsewhere are asked again what they are: nobody comes back by that who was disabled or removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.clock import SystemClock
from moothall.directory.registry import AgentRegistry
from moothall.errors import AgentNotFound
from moothall.negotiation.demand.remote.guests import Guests
from moothall.negotiation.demand.remote.participant import Question
from moothall.negotiation.demand.remote.store import Places
from moothall.storage.store import Store
from tests.support.demand import profile

TARGET = "https://far.example/api/v1/capabilities/hall"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    found = await Store.open(tmp_path)
    yield found
    await found.close()


class Far:
    """The agent elsewhere: what it says, and what happens while it is asked."""

    def __init__(self) -> None:
        self.tags = ["场地提供"]
        self.meanwhile: Any = None

    async def __call__(self, question: Question) -> Any:
        if self.meanwhile is not None:
            await self.meanwhile()
        return profile("hall", *self.tags).public()


async def test_who_was_disabled_stays_so_when_it_is_asked_again(store: Store) -> None:
    registry, far = AgentRegistry(store), Far()
    guests = Guests(registry, Places(store, SystemClock()), far)
    guest = await guests.add("owner", TARGET)
    await registry.disable(guest.agent_id)
    far.tags = ["场地提供", "摄影"]
    again = await guests.refresh("owner", guest.agent_id)
    assert (again.status, again.tags) == ("disabled", ["场地提供", "摄影"])
    assert again.digest != guest.digest


async def test_who_is_removed_while_it_is_asked_does_not_come_back(store: Store) -> None:
    registry, far = AgentRegistry(store), Far()
    guests = Guests(registry, Places(store, SystemClock()), far)
    guest = await guests.add("owner", TARGET)

    async def removed() -> None:
        await guests.remove(guest.agent_id)

    far.meanwhile = removed
    with pytest.raises(AgentNotFound):
        await guests.refresh("owner", guest.agent_id)
    assert await guests.all() == []
    assert await registry.list(origin="remote") == []
