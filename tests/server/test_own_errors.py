"""Errors that a node's author derives: their own code, the status of their base, at every door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from moothall import Conflict, capability
from moothall.node import Node
from moothall.settings import Settings


class OutOfStock(Conflict):
    """There is nothing left of it."""

    code = "OUT_OF_STOCK"


@capability(access="public")
async def buy() -> str:
    """Buy the last one."""
    raise OutOfStock("none left", details={"left": 0})


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    node = Node(Settings(data=tmp_path, demo_agents=False))
    node.include(buy)
    async with node:
        transport = httpx.ASGITransport(node.app(), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=node.url) as client:
            yield client


async def test_over_http_it_has_the_status_of_its_base_and_a_code_of_its_own(shop: httpx.AsyncClient) -> None:
    answer = await shop.post("/api/v1/capabilities/buy", json={}, headers={"Accept-Language": "en"})
    told = answer.json()["error"]
    assert (answer.status_code, told["code"], told["details"]) == (409, "OUT_OF_STOCK", {"left": 0})
    assert "none left" in told["message"]


async def test_over_anp_it_has_the_json_rpc_code_of_its_base(shop: httpx.AsyncClient) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "buy", "params": {}}
    told = (await shop.post("/agents/node/rpc", json=asked)).json()["error"]
    assert (told["code"], told["data"]["code"]) == (Conflict("x").appearance.jsonrpc, "OUT_OF_STOCK")
