"""The house of each test of the event log, on each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.events.house import House


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield House(database_url, tmp_path, stack)


@pytest.fixture
async def shared(postgres_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A house of several nodes on one PostgreSQL."""
    async with AsyncExitStack() as stack:
        yield House(postgres_url, tmp_path, stack)
