"""Groups for each test, on each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.groups.house import GroupHouse


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[GroupHouse]:
    async with AsyncExitStack() as stack:
        yield await GroupHouse.open(database_url, tmp_path / "node", stack)
