"""What a served node tells those who look around leads somewhere, and tells strangers no more than it may."""

from __future__ import annotations

from pathlib import Path

import httpx
from a2a.types import AgentCard
from google.protobuf.json_format import ParseDict
from mcp_types.version import SUPPORTED_PROTOCOL_VERSIONS

from moothall import Agent, capability
from tests.doors.house import ANNA, MODERN, served

CATALOGUE = "/.well-known/ai-catalog.json"
ABOUT_MCP = "application/mcp-server-card+json"
ABOUT_A2A = "application/a2a-agent-card+json"


@capability(access="public")
async def greet(name: str) -> str:
    """Greet somebody."""
    return f"hello {name}"


async def test_every_link_of_the_catalogue_is_answered(tmp_path: Path) -> None:
    agents = [Agent("porter", greet, description="Greets"), Agent("hidden", greet, listed=False), Agent("idle")]
    async with (
        served(tmp_path, *agents) as node,
        httpx.AsyncClient(base_url=node.url, trust_env=False, timeout=20) as client,
    ):
        assert (await client.get("/")).headers["Link"] == f'<{CATALOGUE}>; rel="ai-catalog"'
        document = (await client.get(CATALOGUE)).json()
        assert document["host"]["identifier"] == node.host.office.agent("node").did.text  # type: ignore[union-attr]
        names = {entry["displayName"] for entry in document["entries"] if entry["type"] == ABOUT_A2A}
        assert names == {"node", "porter"}
        assert len(document["entries"]) == 6, "and where to search"
        for entry in document["entries"]:
            answer = await client.get(entry["url"], headers={"Accept": entry["type"]})
            assert answer.status_code == 200, entry
            if entry["type"] == ABOUT_A2A:
                card = ParseDict(answer.json(), AgentCard(), ignore_unknown_fields=True)
                assert card.name == entry["displayName"]
        [card_url] = [entry["url"] for entry in document["entries"] if entry["type"] == ABOUT_MCP]
        card = (await client.get(card_url)).json()
        remote = card["remotes"][0]
        assert set(remote["supportedProtocolVersions"]) <= set(SUPPORTED_PROTOCOL_VERSIONS)
        for version in remote["supportedProtocolVersions"]:
            hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
            if version == MODERN:
                continue  # it has no handshake; the contract test of the doors speaks it
            answer = await client.post(
                remote["url"],
                json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
                headers={"Accept": "application/json, text/event-stream"},
            )
            assert answer.json()["result"]["protocolVersion"] == version
        server = answer.json()["result"]["serverInfo"]
        assert card["name"].endswith(f"/{server['name']}")
        assert card["version"] == server["version"]


async def test_an_agent_that_joins_is_in_the_catalogue_at_once(tmp_path: Path) -> None:
    async with (
        served(tmp_path) as node,
        httpx.AsyncClient(base_url=node.url, trust_env=False, timeout=20) as client,
    ):
        before = await client.get(CATALOGUE)
        await node.join(Agent("porter", greet))
        after = await client.get(CATALOGUE, headers={"If-None-Match": before.headers["ETag"]})
        assert (after.status_code, "porter" in after.text) == (200, True)


async def test_descriptions_that_are_not_public_are_for_proved_callers(tmp_path: Path) -> None:
    async with (
        served(tmp_path / "far", Agent(ANNA)) as far,
        served(tmp_path / "near", Agent("porter", greet), public_descriptions=False) as near,
        httpx.AsyncClient(base_url=near.url, trust_env=False, timeout=20) as client,
    ):
        for path in (CATALOGUE, "/mcp/server-card", "/agents/porter/.well-known/agent-card.json"):
            refused = await client.get(path)
            assert (refused.status_code, "porter" in refused.text) == (401, False), path
            assert (await far.host.office.session(ANNA).request("GET", f"{near.url}{path}")).status == 200
