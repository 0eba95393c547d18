"""The door of a whole node: real identities, real signatures, its place beside the other doors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from a2a.client.card_resolver import A2ACardResolver
from a2a.utils.signing import create_signature_verifier
from jwt import PyJWK

from moothall import Agent, Node
from moothall.identity.jwk import encode
from tests.doors.capabilities import add, who
from tests.doors.house import ANNA, BEN, served
from tests.protocols.a2a.hall import call, code_of, message, value_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADERS = {"Content-Type": "application/json", "A2A-Version": "1.0"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    hall = Agent("hall").include(add, who)
    async with served(tmp_path_factory.mktemp("node"), hall, Agent(ANNA), Agent(BEN)) as opened:
        yield opened


async def signed(node: Node, caller: str, method: str, params: Any) -> dict[str, Any]:
    """A call that one of the node's agents signs as any stranger would."""
    body = json.dumps(call(method, params)).encode()
    session = node.host.office.session(caller)
    assert session is not None
    got = await session.request("POST", f"{node.url}/agents/hall/a2a", content=body, headers=HEADERS)
    found: dict[str, Any] = json.loads(got.body)
    return found


async def test_a_signature_says_who_calls_and_whose_a_task_is(node: Node) -> None:
    task = (await signed(node, ANNA, "SendMessage", message("who")))["result"]["task"]
    anna = node.host.office.agent(ANNA)
    assert anna is not None
    assert value_of(task) == anna.did.text
    assert (await signed(node, ANNA, "GetTask", {"id": task["id"]}))["result"]["id"] == task["id"]
    for method in ("GetTask", "CancelTask", "SubscribeToTask"):
        assert (await signed(node, BEN, method, {"id": task["id"]}))["error"]["code"] == -32001
    assert (await signed(node, BEN, "ListTasks", {}))["result"]["tasks"] == []


async def test_the_card_is_signed_with_the_key_of_the_agents_did(node: Node) -> None:
    hall = node.host.office.agent("hall")
    assert hall is not None

    def key(kid: str | None, _jku: str | None) -> PyJWK:
        assert kid == hall.signer.keyid
        return PyJWK({**encode(hall.signer.key.public), "alg": "EdDSA"})

    async with httpx.AsyncClient(trust_env=False) as client:
        resolver = A2ACardResolver(client, f"{node.url}/agents/hall")
        card = await resolver.get_agent_card(signature_verifier=create_signature_verifier(key, ["EdDSA"]))
        whole = await client.get(f"{node.url}/.well-known/agent-card.json")
        described = await client.get(f"{node.url}/agents/hall/ad.json")
        elsewhere = await client.post(
            f"{node.url}/agents/hall/a2a", headers={**HEADERS, "Host": "other.example"}, json=call("ListTasks")
        )
    assert [skill.id for skill in card.skills] == ["add"]
    assert whole.json()["name"] == "node"
    assert described.status_code == 200
    assert elsewhere.status_code == 421


async def test_a_call_without_proof_is_asked_for_one(node: Node) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{node.url}/agents/hall/a2a", headers=HEADERS, json=call("ListTasks"))
    assert (answer.status_code, code_of(answer.json()["error"])) == (401, "UNAUTHENTICATED")
    assert "www-authenticate" in answer.headers


async def test_a_skill_that_is_taken_away_and_comes_back_changes_the_card(node: Node) -> None:
    path = f"{node.url}/agents/hall/.well-known/agent-card.json"
    async with httpx.AsyncClient(trust_env=False) as client:
        first = await client.get(path)
        node.host.capabilities.disable("hall.add")
        second = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        node.host.capabilities.enable("hall.add")
        third = await client.get(path)
    assert (second.status_code, second.json()["skills"]) == (200, [])
    assert second.json()["version"] != first.json()["version"] == third.json()["version"]
    assert [skill["id"] for skill in third.json()["skills"]] == ["add"]
