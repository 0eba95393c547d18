"""Proofs of identity at the MCP door of a whole node: for which requests they are good, and for which they are not."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import httpx

from moothall import Agent
from moothall.identity.signing import sign_request
from tests.doors.house import served
from tests.protocols.mcp.hall import ACCEPT, META, MODERN

BODY = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}).encode()
TOLD = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list", "Content-Type": "application/json", **ACCEPT}


async def sent(url: str, headers: dict[str, str], body: bytes = BODY) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        return await client.post(f"{url}/mcp", content=body, headers={**TOLD, **headers})


async def test_a_proof_is_good_for_the_request_and_the_node_that_it_was_made_for(tmp_path: Path) -> None:
    async with served(tmp_path / "far", Agent("anna")) as far, served(tmp_path / "near") as near:
        anna = far.host.office.agent("anna")
        assert anna is not None

        def signed(url: str, body: bytes = BODY, method: str = "POST") -> dict[str, str]:
            made: Any = sign_request(anna.signer, method, url, body, now=int(time.time()))
            return dict(made)

        good = await sent(near.url, signed(f"{near.url}/mcp"))
        assert good.status_code == 200
        token = re.search(r'access_token="([^"]+)"', good.headers["authentication-info"])
        assert token is not None
        bearer = {"Authorization": f"Bearer {token[1]}"}
        assert (await sent(near.url, bearer)).status_code == 200
        wrong = {
            "a token for another node": await sent(far.url, bearer),
            "another address": await sent(near.url, signed(f"{near.url}/agents/x")),
            "another host": await sent(near.url, signed("http://elsewhere.example/mcp")),
            "another body": await sent(near.url, signed(f"{near.url}/mcp"), BODY + b" "),
            "another method": await sent(near.url, signed(f"{near.url}/mcp", method="PUT")),
        }
        for name, answer in wrong.items():
            assert answer.status_code == 401, name
            assert "www-authenticate" in answer.headers
            assert answer.json()["error"]["data"]["code"] == "UNAUTHENTICATED"
