"""Proofs of every strength at a whole node: what each opens there, and what it does not."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from moothall import Agent, CallContext, capability
from moothall.identity.keys import Signer
from moothall.identity.signing import sign_request
from moothall.node import Node
from tests.doors.house import ANNA, served
from tests.identity.wire.gate import older_header, older_proof

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO, BOUND = "/api/v1/capabilities/node.who", "/api/v1/capabilities/node.bound"
CHANGE, THROUGH = "/api/v1/capabilities/node.change", "/api/v1/capabilities/node.through"
CHANGES: list[str] = []
OWN_CHANGES = ["node.relay.call", "node.relay.stream", "node.tokens.revoke"] + [
    f"node.agents.{name}" for name in ("new", "load", "edit", "disable", "enable", "remove")
]


@capability(access="authenticated", read_only=True)
async def who(ctx: CallContext) -> str:
    """Who calls."""
    return ctx.principal.id


@capability(access="authenticated", binding="request")
async def bound(ctx: CallContext) -> str:
    """Who calls, if the whole request is signed."""
    return ctx.principal.id


@capability(access="authenticated")
async def change(ctx: CallContext) -> str:
    """Change something, and say who did."""
    CHANGES.append(ctx.principal.id)
    return ctx.principal.id


@capability(access="authenticated", read_only=True)
async def through(ctx: CallContext) -> Any:
    """What the caller gets of a capability that changes something."""
    return await ctx.call("local:node.change", {})


class Street:
    """A node that accepts the older header, and somebody who has a DID elsewhere."""

    def __init__(self, node: Node, signer: Signer, client: httpx.AsyncClient) -> None:
        self.node, self.signer, self.client = node, signer, client
        self.did = signer.keyid.partition("#")[0]

    async def sent(self, path: str, headers: dict[str, str]) -> httpx.Response:
        return await self.client.post(path, content=b"{}", headers={"Content-Type": "application/json", **headers})

    def signed(self, path: str) -> dict[str, str]:
        return sign_request(self.signer, "POST", f"{self.node.url}{path}", b"{}", now=int(time.time()))

    def older(self, audience: str = "localhost") -> dict[str, str]:
        return {"Authorization": older_header(older_proof(self.signer, datetime.now(UTC), audience))}

    async def token(self) -> str:
        answer = await self.sent(WHO, self.signed(WHO))
        found = re.fullmatch(
            r'access_token="([^"]+)", token_type="Bearer", expires_in=3600', answer.headers["Authentication-Info"]
        )
        assert found is not None
        return found[1]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def street(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    async with (
        served(folder / "far", Agent(ANNA)) as far,
        served(folder / "near", Agent("other"), allow_didwba_header=True) as near,
        httpx.AsyncClient(base_url=near.url, trust_env=False, timeout=20) as client,
    ):
        near.include(who, bound, change, through)
        if not near.host.capabilities.snapshot.of_agent("node"):
            near.agent.join(near.host.capabilities)
        anna = far.host.office.agent(ANNA)
        assert anna is not None
        yield Street(near, anna.signer, client)


def _refused(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.requirement("WIRE-SIG-05")
async def test_the_same_request_twice_is_answered_and_then_refused(street: Street) -> None:
    once = street.signed(BOUND)
    assert (await street.sent(BOUND, once)).json()["data"] == street.did
    again = await street.sent(BOUND, once)
    assert again.status_code == 401
    assert again.json()["challenge"]["error"] == "invalid_nonce"
    assert 'error="invalid_nonce"' in again.headers["WWW-Authenticate"]


@pytest.mark.requirement("WIRE-TOKEN-01", "WIRE-TOKEN-06")
async def test_a_token_opens_what_asks_for_no_signed_request(street: Street) -> None:
    bearer = {"Authorization": f"Bearer {await street.token()}"}
    assert (await street.sent(WHO, bearer)).json()["data"] == street.did
    assert _refused(await street.sent(BOUND, bearer)) == (403, "PERMISSION_DENIED")


@pytest.mark.requirement("WIRE-LEGACY-01", "WIRE-LEGACY-03")
async def test_the_older_header_opens_what_asks_for_no_signed_request(street: Street) -> None:
    answer = await street.sent(WHO, street.older())
    assert answer.json()["data"] == street.did
    assert "Authentication-Info" not in answer.headers
    assert _refused(await street.sent(BOUND, street.older())) == (403, "PERMISSION_DENIED")
    assert _refused(await street.sent(WHO, street.older("elsewhere.example"))) == (401, "UNAUTHENTICATED")


@pytest.mark.requirement("WIRE-LEGACY-03")
@pytest.mark.parametrize("path", [CHANGE, THROUGH])
async def test_the_older_header_changes_nothing_not_even_through_what_only_reads(street: Street, path: str) -> None:
    before = len(CHANGES)
    answer = await street.sent(path, street.older())
    assert answer.status_code == (403 if path == CHANGE else 502)
    assert len(CHANGES) == before
    assert (await street.sent(path, street.signed(path))).json()["data"] == street.did
    assert CHANGES[before:] == [street.did]


@pytest.mark.requirement("WIRE-LEGACY-03")
@pytest.mark.parametrize("name", OWN_CHANGES)
async def test_what_changes_the_node_asks_even_its_own_agents_for_a_signed_request(street: Street, name: str) -> None:
    path = f"/api/v1/capabilities/{name}"
    own = street.node.host.office.agent("other")
    assert own is not None
    older = {"Authorization": older_header(older_proof(own.signer, datetime.now(UTC), "localhost"))}
    signed = sign_request(own.signer, "POST", f"{street.node.url}{WHO}", b"{}", now=int(time.time()))
    info = (await street.sent(WHO, signed)).headers["Authentication-Info"]
    bearer = {"Authorization": f"Bearer {info.split(chr(34))[1]}"}
    for weaker in (older, bearer):
        assert _refused(await street.sent(path, weaker)) == (403, "PERMISSION_DENIED")


async def test_the_owners_token_calls_for_its_owner_and_so_does_what_it_calls(street: Street) -> None:
    token = street.node.owner_token
    answer = await street.client.post(
        "/api/v1/capabilities/relay.call",
        json={"target": "local:relay.call", "parameters": {"target": "local:node.bound", "parameters": {}}},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["data"]) == (200, "owner")


@pytest.mark.requirement("WIRE-TOKEN-03")
async def test_a_bad_bearer_beside_a_good_signature_is_passed_over(street: Street) -> None:
    answer = await street.sent(BOUND, street.signed(BOUND) | {"Authorization": "Bearer nonsense"})
    assert (answer.status_code, answer.json()["data"]) == (200, street.did)


@pytest.mark.requirement("WIRE-TOKEN-04")
async def test_a_revoked_token_is_refused_on_the_next_request(street: Street) -> None:
    bearer = {"Authorization": f"Bearer {await street.token()}"}
    assert (await street.sent(WHO, bearer)).status_code == 200
    await street.node.host.office.gatehouse.revocations.revoke_did(street.did)
    refused = await street.sent(WHO, bearer)
    assert _refused(refused) == (401, "UNAUTHENTICATED")
    assert refused.json()["challenge"]["error"] == "invalid_access_token"


@pytest.mark.requirement("WIRE-CHAL-01")
@pytest.mark.parametrize("proof", ["none", "unresolvable"])
async def test_who_proves_nothing_gets_all_three_headers(street: Street, proof: str) -> None:
    nobody = Signer("did:wba:nobody.invalid#key-1", street.signer.key)
    headers = sign_request(nobody, "POST", f"{street.node.url}{WHO}", b"{}", now=int(time.time()))
    answer = await street.sent(WHO, headers if proof == "unresolvable" else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("DIDWba realm=")
    assert answer.headers["Accept-Signature"].startswith('sig1=("@method" "@target-uri"')
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("WIRE-SIG-08")
@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Original-Host", "Forwarded"])
async def test_a_signature_for_another_host_is_refused_whatever_the_headers_say(street: Street, header: str) -> None:
    proof = sign_request(street.signer, "POST", f"http://elsewhere.example{WHO}", b"{}", now=int(time.time()))
    told = "host=elsewhere.example" if header == "Forwarded" else "elsewhere.example"
    answer = await street.sent(WHO, proof | {header: told})
    assert answer.json()["challenge"]["error"] == "invalid_signature"
