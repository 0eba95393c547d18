"""The routes call the node's own capabilities, whatever agents and capabilities bear similar names."""

from __future__ import annotations

from pathlib import Path

import httpx

from moothall import Agent, capability
from moothall.node import Node
from moothall.settings import Settings
from tests.server.door import DEMAND, SUBMIT


@capability(name="demand.submit", version="9.0.0", access="public")
def newer(raw_input: str) -> str:
    """Take the place of the node's own."""
    return raw_input


@capability(name="submit", version="9.0.0", access="public")
def other(raw_input: str) -> str:
    """Belong to an agent whose name begins like the node's own capabilities."""
    return raw_input


async def test_nothing_takes_the_place_of_the_nodes_own_capability_at_its_route(tmp_path: Path) -> None:
    node = Node(Settings(data=tmp_path, demo_agents=False))
    node.include(newer)
    node.add(Agent("demand", other))
    async with node:
        transport = httpx.ASGITransport(node.app(), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=node.url) as client:
            answer = await client.post(SUBMIT, json={"raw_input": DEMAND, "confirm": True})
            assert answer.json()["awaiting_confirmation"] is True
            named = await client.post("/api/v1/capabilities/node.demand.submit", json={"raw_input": DEMAND})
            assert named.json()["data"] == DEMAND
