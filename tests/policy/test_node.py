"""A served node whose policies, settings and people change while its callers keep their proofs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from moothall import Node, capability
from moothall.settings import Settings

KEY = "alice-key-0123456789"
ALICE = {"Authorization": f"Bearer {KEY}"}
GREET, EXPLAIN, RELOAD = (f"/api/v1/capabilities/node.{name}" for name in ("greet", "policy.explain", "policy.reload"))
NO = '@id("closed") @needs("purpose") forbid (principal == Moothall::Agent::"user:alice", action, resource);'


@capability(access="authenticated")
def greet() -> str:
    """Greet whom the node knows."""
    return "hello"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(Settings(data=tmp_path, demo_agents=False, api_keys=f"alice:{KEY}", address_limit=0, caller_limit=0))
    made.include(greet)
    async with made:
        yield made


@pytest.fixture
async def client(node: Node) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(node.app()), base_url=node.url) as opened:
        yield opened


@pytest.mark.requirement("AUT-03", "AUT-05")
async def test_a_policy_that_changes_counts_at_the_next_call_with_the_same_token(
    node: Node, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    owner = {"Authorization": f"Bearer {node.owner_token}"}
    for _ in range(2):
        assert (await client.post(GREET, json={}, headers=ALICE)).status_code == 200
    folder = tmp_path / "policy"
    folder.mkdir(exist_ok=True)
    (folder / "own.cedar").write_text(NO)
    assert (await client.post(RELOAD, json={}, headers=ALICE)).status_code == 403
    assert (await client.post(RELOAD, json={}, headers=owner)).status_code == 200
    refused = await client.post(GREET, json={}, headers=ALICE)
    assert refused.status_code == 403
    told = await client.post(EXPLAIN, json={"who": "user:alice", "resource": "node.greet"}, headers=owner)
    assert told.json()["data"]["lacking"] == ["needs_purpose"]
    (folder / "own.cedar").write_text("forbid")
    assert (await client.post(RELOAD, json={}, headers=owner)).status_code >= 400
    assert (await client.post(GREET, json={}, headers=ALICE)).status_code == 403
    (folder / "own.cedar").unlink()
    assert (await client.post(RELOAD, json={}, headers=owner)).status_code == 200
    assert (await client.post(GREET, json={}, headers=ALICE)).status_code == 200
