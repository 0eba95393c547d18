"""A street of nodes for each test, on each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.grants.lending import Lender, Street


@pytest.fixture
async def street(database_url: str, tmp_path: Path) -> AsyncIterator[Street]:
    async with AsyncExitStack() as stack:
        yield Street(database_url, tmp_path, stack)


@pytest.fixture
async def lender(street: Street) -> Lender:
    return await street.lender()


@pytest.fixture
async def shared(postgres_url: str, tmp_path: Path) -> AsyncIterator[Street]:
    """Several nodes on one PostgreSQL."""
    async with AsyncExitStack() as stack:
        yield Street(postgres_url, tmp_path, stack)
