"""A served node with groups, and two agents of another node who prove themselves at its door."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from moothall import Agent
from moothall.identity.signing import sign_request
from moothall.node import Node
from tests.doors.house import ANNA, BEN, served


@dataclass(slots=True)
class Street:
    """`near` has the groups; `anna` and `ben` are the DIDs of agents of `far`."""

    near: Node
    far: Node
    client: httpx.AsyncClient

    def far_did(self, agent: str) -> str:
        found = self.far.host.office.did(agent)
        assert found is not None
        return found

    def near_did(self, agent: str) -> str:
        found = self.near.host.office.did(agent)
        assert found is not None
        return found

    @property
    def anna(self) -> str:
        return self.far_did(ANNA)

    @property
    def ben(self) -> str:
        return self.far_did(BEN)

    async def post(self, agent: str, name: str, /, **params: Any) -> tuple[int, Any]:
        """Call a capability at the HTTP door, signed by an agent of the other node; status and data, or the error."""
        path, body = f"/api/v1/capabilities/{name}", json.dumps(params).encode()
        identity = self.far.host.office.agent(agent)
        assert identity is not None
        proof = sign_request(identity.signer, "POST", f"{self.near.url}{path}", body, now=int(time.time()))
        answer = await self.client.post(path, content=body, headers={"Content-Type": "application/json", **proof})
        said = answer.json()
        return answer.status_code, said["data"] if said["success"] else said["error"]

    async def done(self, agent: str, name: str, /, **params: Any) -> Any:
        """The same, where it works."""
        status, data = await self.post(agent, name, **params)
        assert status == 200, data
        return data


@asynccontextmanager
async def street(folder: Path, *agents: Agent) -> AsyncIterator[Street]:
    async with (
        served(folder / "far", Agent(ANNA), Agent(BEN)) as far,
        served(folder / "near", *agents) as near,
        httpx.AsyncClient(base_url=near.url, trust_env=False, timeout=20) as client,
    ):
        yield Street(near, far, client)


__all__ = ["ANNA", "BEN", "Street", "street"]
