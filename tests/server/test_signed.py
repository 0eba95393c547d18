"""Agents of elsewhere at the routes of spec C: their signature says who they are, a grant what they may."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall.identity.resolver import Resolver
from moothall.identity.signing import sign_request
from moothall.node import Node
from tests.identity.wire.gate import Party, Registry, party
from tests.server.door import DEMAND, SUBMIT, stream_of
from tests.support.demand import profile, running

ALICE = "alice-key-0123456789"
CALL = "/api/v1/capabilities/demand.submit"


class Town:
    """A node, and clients that reach it without a network."""

    def __init__(self, node: Node, client: httpx.AsyncClient) -> None:
        self.node = node
        self.client = client

    async def signed(
        self, who: Party, method: str, path: str, body: Any = None, *, sent: bytes | None = None
    ) -> httpx.Response:
        """Send a request that somebody signed; ``sent``: with another body than the signed one."""
        content = b"" if body is None else json.dumps(body).encode()
        now = int(self.node.clock.now().timestamp())
        headers = sign_request(who.signer, method, f"{self.node.url}{path}", content, now=now)
        headers |= {"Content-Type": "application/json"} if content else {}
        return await self.client.request(method, path, content=sent or content, headers=headers)


@pytest.fixture
def shop() -> Party:
    return party(name="shop")


@pytest.fixture
def other() -> Party:
    return party(name="other")


Opened = Callable[..., Any]


@pytest.fixture
def town(tmp_path: Path, shop: Party, other: Party, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Opens a node that finds the documents of both and has granted ``demand`` to the first."""
    known = Registry()
    known.add(shop, other)

    async def resolve(_: Resolver, did: str, *, refresh: bool = False) -> Any:
        return await known(did, refresh=refresh)

    monkeypatch.setattr(Resolver, "resolve", resolve)

    @asynccontextmanager
    async def opened(**settings: Any) -> AsyncIterator[Town]:
        settings = {"permissions": {shop.did: ("demand",)}, **settings}
        async with running(tmp_path, [profile("hall", "场地提供")], **settings) as node:
            transport = httpx.ASGITransport(app=node.app())
            async with httpx.AsyncClient(transport=transport, base_url=node.url) as client:
                yield Town(node, client)

    return opened


@pytest.mark.requirement("NEG-API-01")
async def test_an_agent_that_was_granted_demand_has_demands_of_its_own(town: Opened, shop: Party) -> None:
    async with town(api_keys=f"alice:{ALICE}") as there:
        answer = await there.signed(shop, "POST", SUBMIT, {"raw_input": DEMAND, "confirm": True})
        assert answer.status_code == 200, answer.text
        own = f"/api/v1/demand/{answer.json()['demand_id']}"
        assert (await there.signed(shop, "GET", own)).json()["requester_id"] == shop.did
        by_alice = {"Authorization": f"Bearer {ALICE}"}
        assert (await there.client.get(own, headers=by_alice)).status_code == 404
        alices = await there.client.post(SUBMIT, json={"raw_input": DEMAND, "confirm": True}, headers=by_alice)
        for method, path in (
            ("GET", f"/api/v1/demand/{alices.json()['demand_id']}"),
            ("DELETE", f"/api/v1/demand/{alices.json()['demand_id']}"),
            ("GET", stream_of(alices.json()["demand_id"])),
            ("GET", f"/api/v1/channels/{alices.json()['channel_id']}"),
        ):
            assert (await there.signed(shop, method, path)).status_code == 404, path
        listed = (await there.signed(shop, "GET", "/api/v1/demand")).json()["demands"]
        assert [row["requester_id"] for row in listed] == [shop.did]
        refused = await there.signed(shop, "POST", SUBMIT, {"raw_input": DEMAND, "user_id": "alice"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")


async def test_the_same_demand_is_there_at_the_door_of_capabilities(town: Opened, shop: Party, other: Party) -> None:
    async with town() as there:
        answer = await there.signed(shop, "POST", CALL, {"raw_input": DEMAND, "confirm": True})
        assert answer.status_code == 200, answer.text
        own = f"/api/v1/demand/{answer.json()['data']['demand_id']}"
        assert (await there.signed(shop, "GET", own)).json()["requester_id"] == shop.did
        assert (await there.signed(other, "POST", CALL, {"raw_input": DEMAND})).status_code == 403
        assert (await there.client.post(CALL, json={"raw_input": DEMAND})).status_code == 401


@pytest.mark.parametrize("keys", ["", f"alice:{ALICE}"])
async def test_a_signature_that_does_not_hold_opens_nothing(town: Opened, shop: Party, keys: str) -> None:
    async with town(api_keys=keys) as there:
        body, swapped = {"raw_input": DEMAND}, json.dumps({"raw_input": "另一个需求"}).encode()
        answer = await there.signed(shop, "POST", SUBMIT, body, sent=swapped)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
        schemes = [value.split()[0].rstrip(",") for value in answer.headers.get_list("www-authenticate")]
        assert schemes == ["Bearer", "DIDWba"]
        assert "@target-uri" in answer.headers["accept-signature"]
        now = int(there.node.clock.now().timestamp())
        once = sign_request(shop.signer, "GET", f"{there.node.url}/api/v1/demand", b"", now=now)
        answers = [(await there.client.get("/api/v1/demand", headers=once)).status_code for _ in range(2)]
        assert answers == [200, 401]
        assert not await there.node.log.runs(kind="demand")


@pytest.mark.parametrize("keys", ["", f"alice:{ALICE}"])
async def test_an_agent_without_a_grant_is_refused_and_told_which(town: Opened, other: Party, keys: str) -> None:
    async with town(api_keys=keys) as there:
        answer = await there.signed(other, "POST", SUBMIT, {"raw_input": DEMAND})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "PERMISSION_DENIED")
        assert "demand" in answer.json()["error"]["why"]
        assert (await there.signed(other, "GET", "/metrics")).status_code == 403
        assert not await there.node.log.runs(kind="demand")


async def test_a_suspended_agent_is_refused_whatever_it_was_granted(town: Opened, shop: Party) -> None:
    async with town(suspended=(shop.did,)) as there:
        assert (await there.signed(shop, "POST", SUBMIT, {"raw_input": DEMAND})).status_code == 403
        assert (await there.signed(shop, "GET", "/api/v1/demand")).status_code == 403


async def test_no_agent_of_elsewhere_is_an_admin(town: Opened, shop: Party) -> None:
    async with town(permissions={shop.did: ("demand", "agents")}) as there:
        assert (await there.signed(shop, "GET", "/api/v1/admin/agents")).status_code == 403
        listed = await there.signed(shop, "POST", "/api/v1/capabilities/agents.list", {})
        assert [row["agent_id"] for row in listed.json()["data"]["agents"]] == ["user_agent_hall"]


async def test_a_users_key_opens_the_capabilities_of_demands_and_no_others(town: Opened) -> None:
    async with town(api_keys=f"alice:{ALICE}") as there:
        by_alice = {"Authorization": f"Bearer {ALICE}"}
        answer = await there.client.post(CALL, json={"raw_input": DEMAND, "confirm": True}, headers=by_alice)
        own = f"/api/v1/demand/{answer.json()['data']['demand_id']}"
        assert (await there.client.get(own, headers=by_alice)).json()["requester_id"] == "alice"
        agents = await there.client.post("/api/v1/capabilities/agents.list", json={}, headers=by_alice)
        assert agents.status_code == 403
