"""The house of each test of the approvals, on each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.approvals.hall import Hall
from tests.events.house import House
from tests.support.clock import ManualClock


@pytest.fixture
async def hall(database_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    async with AsyncExitStack() as stack:
        yield Hall(House(database_url, tmp_path, stack), ManualClock())


@pytest.fixture
async def shared(postgres_url: str, tmp_path: Path) -> AsyncIterator[Hall]:
    """Several nodes on one PostgreSQL."""
    async with AsyncExitStack() as stack:
        yield Hall(House(postgres_url, tmp_path, stack), ManualClock())
