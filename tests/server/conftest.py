"""Served nodes for the tests of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.server.door import Door, served, shared


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with served(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def firm(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """One for all tests of a module that are `refused`: nothing they do changes it."""
    async with shared(tmp_path_factory.mktemp("firm")) as opened:
        yield opened
