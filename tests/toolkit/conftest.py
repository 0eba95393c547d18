"""One node with tools for the tests of a module: capabilities of its own, an MCP server that it uses, agents elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from moothall import Node
from tests.doors.doubles import mcp_server
from tests.doors.house import served
from tests.toolkit.town import agents, forecast, get_current


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    ready: asyncio.Future[Node] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    running = asyncio.create_task(_run(tmp_path_factory.mktemp("town"), ready, stop))
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
    yield ready.result()
    stop.set()
    await running


async def _run(data: Path, ready: asyncio.Future[Node], stop: asyncio.Event) -> None:
    """Open the node and close it in one task: the SDK's server asks for that."""
    async with (
        mcp_server("weather", get_current) as weather,
        served(data, *agents(), mcp={"weather": {"url": weather}}) as opened,
    ):
        opened.include(forecast)
        ready.set_result(opened)
        await stop.wait()
