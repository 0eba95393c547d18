"""Every 401 of a node says which signature would do, beside the key that does (row WIRE-CHAL-01)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from moothall.errors import UpstreamError
from moothall.identity.resolver import Resolver
from moothall.identity.signing import sign_request
from tests.identity.wire.gate import party
from tests.server.door import Door, served, stream_of

OPEN = {"/health", "/health/ready"}
PLACES = {"channel_id": "collab-00000000"}
CALLS = "/api/v1/capabilities/demand.list"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    keys = {"api_keys": "alice:alice-key-0123456789", "admin_api_key": "admin-key-0123456789"}
    async with served(tmp_path_factory.mktemp("node"), agents=False, settings=keys) as opened:
        yield opened


def routes(door: Door) -> list[tuple[str, str]]:
    """Verb and address of everything that the node describes and does not show to everybody."""
    described = [(verb.upper(), path) for path, verbs in door.app.describe()["paths"].items() for verb in verbs]
    return [
        (verb, re.sub(r"\{(\w+)\}", lambda name: PLACES.get(name[1], "x"), path))
        for verb, path in described
        if path not in OPEN
    ]


def challenged(answer: httpx.Response, *schemes: str) -> bool:
    """Whether it has all three headers, and asks for one nonce of its own."""
    shown = answer.headers.get_list("www-authenticate")
    return (
        answer.status_code == 401
        and [value.split()[0] for value in shown] == list(schemes)
        and len(re.findall(r'error="\w+", error_description="[^"]+", nonce="mh-[^"]+"', shown[-1])) == 1
        and answer.headers["accept-signature"].startswith('sig1=("@method" "@target-uri" "@authority"')
        and answer.headers["cache-control"] == "no-store"
    )


BODIES: dict[str, Any] = {
    "offer": {"decision": "decline"},
    "feedback": {"feedback_type": "accept"},
}


def body_for(verb: str, path: str) -> dict[str, Any]:
    return {"json": BODIES.get(path.rpartition("/")[2], {})} if verb in {"POST", "PUT"} else {}


@pytest.mark.requirement("WIRE-CHAL-01")
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong", "X-Participant-Token": "wrong"}])
async def test_every_route_that_asks_who_calls_says_what_a_signature_must_show(
    door: Door, headers: dict[str, str]
) -> None:
    found = routes(door)
    assert len(found) > 30
    assert {"/metrics", stream_of("x"), "/api/v1/events/stream"} <= {path for _, path in found}
    faults = []
    for verb, path in found:
        if "/admin" in path and headers:
            continue  # a wrong key is 403 there
        answer = await door.client.request(verb, path, headers=headers, **body_for(verb, path))
        if not challenged(answer, "Bearer", "DIDWba") or set(answer.json()) != {"error"}:
            faults.append((verb, path, answer.status_code, answer.headers.get_list("www-authenticate"), answer.text))
    assert faults == []


@pytest.mark.requirement("WIRE-CHAL-01")
@pytest.mark.parametrize("path", [CALLS, "/api/v1/demand", "/api/v1/admin/health", "/metrics", stream_of("x")])
async def test_who_signs_with_a_did_that_nobody_finds_is_told_the_same(
    door: Door, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(_: Resolver, did: str, *, refresh: bool = False) -> Any:
        raise UpstreamError("nobody answers")

    monkeypatch.setattr(Resolver, "resolve", nobody)
    verb = "POST" if path == CALLS else "GET"
    now = int(door.node.clock.now().timestamp())
    headers = sign_request(party(name="nobody").signer, verb, f"{door.address.url}{path}", b"", now=now)
    answer = await door.client.request(verb, path, headers=headers)
    assert challenged(answer, *(["DIDWba"] if path == CALLS else ["Bearer", "DIDWba"])), answer.headers
    assert 'error="invalid_did"' in answer.headers["www-authenticate"]


@pytest.mark.requirement("WIRE-CHAL-01")
async def test_a_node_without_keys_challenges_as_well(tmp_path: Path) -> None:
    async with served(tmp_path, agents=False) as keyless:
        channel = "/api/v1/channels/collab-00000000/invitation"
        assert (await keyless.client.get(channel)).status_code == 404
        headers = {"Authorization": 'DIDWba did="did:wba:nobody.invalid"'}
        assert challenged(await keyless.client.get("/api/v1/demand", headers=headers), "Bearer", "DIDWba")
