"""What a node tells of its capabilities to readers who prove nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall import Agent, capability
from moothall.node import Node
from tests.doors.house import ANNA, served

DOCUMENTS = ("/agents/node/ad.json", "/agents/node/interface.json", "/.well-known/agent-descriptions")


@capability(access="authenticated")
async def known_to_few(secret_name: str) -> str:
    """Do something that strangers need not know of."""
    return secret_name


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[Node]:
    async with served(tmp_path / "far", Agent(ANNA)) as node:
        yield node


async def asked(node: Node, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    async with httpx.AsyncClient(base_url=node.url, trust_env=False, timeout=20) as client:
        return await client.get(path, headers=headers)


async def test_descriptions_that_are_not_public_tell_strangers_of_no_capability(tmp_path: Path, far: Node) -> None:
    reader = far.host.office.session(ANNA)
    async with served(tmp_path / "near", public_descriptions=False) as near:
        near.include(known_to_few)
        for path in DOCUMENTS:
            refused = await asked(near, path)
            assert refused.status_code == 401, path
            assert "www-authenticate" in refused.headers
            assert (await reader.request("GET", f"{near.url}{path}")).status == 200
        seen = await asked(near, "/openapi.json")
        assert seen.status_code == 200
        assert "/api/v1/demand/submit" in seen.json()["paths"]
        assert "known_to_few" not in seen.text
        assert "relay.call" not in seen.text
        assert (await asked(near, "/openapi.json", {"Authorization": "Bearer wrong"})).status_code == 401
        proved = await reader.request("GET", f"{near.url}/openapi.json")
        assert b"known_to_few" in proved.body
        assert proved.headers["etag"] != seen.headers["etag"]
        for told in (seen.headers, proved.headers):
            assert {"Authorization", "Signature-Input"} <= set(told["vary"].split(", "))
        assert "private" in proved.headers["cache-control"]
        known: dict[str, Any] = {"If-None-Match": proved.headers["etag"]}
        assert (await asked(near, "/openapi.json", known)).status_code == 200
        assert (await reader.request("GET", f"{near.url}/openapi.json", headers=known)).status == 304


async def test_descriptions_that_are_public_are_read_by_everybody_as_far_as_they_may_call(tmp_path: Path) -> None:
    async with served(tmp_path) as near:
        near.include(known_to_few)
        seen = await asked(near, "/openapi.json", {"Authorization": "Bearer wrong"})
        assert seen.status_code == 200
        assert "Authorization" in seen.headers["vary"]
        assert "known_to_few" in seen.text  # whoever proves who it is may call it
        assert "relay.call" not in seen.text
