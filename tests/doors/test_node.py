"""The HTTP door of a whole node: proofs of identity, tokens, its description, its figures."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from openapi_spec_validator import validate

from moothall import Agent, CallContext, api_service, capability
from moothall.errors import Conflict
from moothall.identity.agent import AgentIdentity
from moothall.identity.signing import sign_request
from moothall.node import Node
from moothall.settings import Settings
from tests.doors.house import ANNA, BEN, House, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO = "/api/v1/capabilities/node.who"
KEY = "k" * 20


@capability(access="authenticated")
async def who(ctx: CallContext) -> list[str]:
    """Who calls."""
    return [ctx.principal.id, ctx.principal.kind]


@capability(access="authenticated", binding="request")
async def bound() -> str:
    """Only for signed requests."""
    return "bound"


@capability()
async def owned() -> str:
    """Only for the owner."""
    return "mine"


@capability(access="public")
async def fails(kind: str) -> str:
    """Fail."""
    raise Conflict("no")


@capability(access="public", version="0.1.0")
async def greet(name: str = "world") -> str:
    """Greet somebody."""
    return f"hello {name}"


@capability(access="public", version="0.2.0", name="greet")
async def greet_anew(name: str = "world") -> str:
    """Greet somebody anew."""
    return f"hi {name}"


@api_service(path="/calculate", methods=["POST"], access="public")
async def calculate(a: int) -> int:
    """Double a number."""
    return a * 2


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("node")
    node = Agent("node")
    async with served(folder / "far", Agent(ANNA), Agent(BEN)) as far:
        ben = far.host.office.agent(BEN)
        assert ben is not None
        settings = {"suspended": (ben.did.text,), "api_keys": f"cleo:{KEY}"}
        async with served(folder / "near", **settings) as near, httpx.AsyncClient(
            base_url=near.url, trust_env=False, timeout=20
        ) as client:  # fmt: skip
            near.include(who, bound, owned, fails, greet, greet_anew, calculate)
            near.agent.join(near.host.capabilities) if not near.host.capabilities.snapshot.of_agent(node.name) else None
            yield House(near, far, client)


def signer(place: House, agent: str = ANNA) -> AgentIdentity:
    identity = place.far.host.office.agent(agent)
    assert identity is not None
    return identity


def signed(place: House, body: bytes = b"{}", *, agent: str = ANNA, path: str = WHO, **more: Any) -> dict[str, str]:
    """The headers that prove who sends this body to this path."""
    given = {"method": "POST", "now": int(time.time()), **more}
    proof = sign_request(
        signer(place, agent).signer, given["method"], f"{place.near.url}{path}", body, now=given["now"]
    )
    return {"Content-Type": "application/json", **proof}


async def sent(place: House, headers: dict[str, str], body: bytes = b"{}", path: str = WHO) -> tuple[int, Any]:
    answer = await place.client.post(path, content=body, headers=headers)
    return answer.status_code, answer.json()


async def test_a_signed_request_is_its_signers(place: House) -> None:
    status, envelope = await sent(place, signed(place))
    assert (status, envelope["data"]) == (200, [signer(place).did.text, "did"])


@pytest.mark.requirement("AUT-02")
async def test_a_signature_counts_once_and_only_for_what_it_was_made_for(place: House) -> None:
    once = signed(place)
    assert (await sent(place, once))[0] == 200
    wrong = {
        "replayed": (once, b"{}", WHO),
        "another body": (signed(place), b'{"a":1}', WHO),
        "another path": (signed(place, path="/api/v1/capabilities/node.owned"), b"{}", WHO),
        "another method": (signed(place, method="PUT"), b"{}", WHO),
        "another query": (signed(place), b"{}", f"{WHO}?a=1"),
        "too old": (signed(place, now=int(time.time()) - 4000), b"{}", WHO),
        "too early": (signed(place, now=int(time.time()) + 4000), b"{}", WHO),
    }
    other = sign_request(signer(place).signer, "POST", f"http://elsewhere.example{WHO}", b"{}", now=int(time.time()))
    wrong["another host"] = ({"Content-Type": "application/json", **other}, b"{}", WHO)
    for name, (headers, body, path) in wrong.items():
        status, envelope = await sent(place, headers, body, path)
        assert (status, envelope["error"]["code"]) == (401, "UNAUTHENTICATED"), name
        assert envelope["challenge"]["nonce"], name


@pytest.mark.requirement("AUT-01")
async def test_who_is_suspended_is_told_so(place: House) -> None:
    status, envelope = await sent(place, signed(place, agent=BEN))
    assert (status, envelope["challenge"]["error"]) == (403, "forbidden_did")


async def test_a_token_comes_with_the_answer_and_stands_for_its_signer(place: House) -> None:
    answer = await place.client.post(WHO, content=b"{}", headers=signed(place))
    token = re.search(r'access_token="([^"]+)"', answer.headers["Authentication-Info"])
    assert token is not None
    bearer = {"Authorization": f"Bearer {token[1]}"}
    assert (await place.client.post(WHO, json={}, headers=bearer)).json()["data"][0] == signer(place).did.text
    bound = await place.client.post("/api/v1/capabilities/node.bound", json={}, headers=bearer)
    assert (bound.status_code, bound.json()["error"]["code"]) == (403, "PERMISSION_DENIED")
    broken = {"Authorization": f"Bearer {token[1][:-3]}xxx"}
    assert (await place.client.post(WHO, json={}, headers=broken)).status_code == 401


async def test_keys_and_the_owners_token_are_proofs_too(place: House) -> None:
    of_a_user = await place.client.post(WHO, json={}, headers={"Authorization": f"Bearer {KEY}"})
    assert of_a_user.json()["data"] == ["user:cleo", "user"]
    token = {"Authorization": f"Bearer {place.near.owner_token}"}
    assert (await place.client.post("/api/v1/capabilities/node.owned", json={}, headers=token)).json()["data"] == "mine"


@pytest.mark.requirement("DEC-38", "DEC-58")
async def test_the_description_has_the_nodes_routes_and_its_capabilities(place: House) -> None:
    answer = await place.client.get("/openapi.json")
    document = answer.json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": place.near.url}]
    assert "/api/v1/demand/submit" in document["paths"]
    called = {
        operation["operationId"]: (path, verb)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
        if "capabilities" in operation.get("tags", ())
    }
    snapshot = place.near.host.capabilities.snapshot
    everybody = {"public", "authenticated"}  # whoever proves who it is
    exposed = {e.id for e in snapshot.newest if "net" in e.spec.exposure and e.spec.access in everybody}
    assert set(called) == exposed | {"capabilities", "node.greet@0.1.0"}
    for name, greeting in (("node.greet", "hi anna"), ("node.greet@0.1.0", "hello anna")):
        path, verb = called[name]
        assert (await place.client.request(verb, path, json={"name": "anna"})).json()["data"] == greeting
    assert called["node.calculate"] == ("/calculate", "post")
    again = await place.client.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.requirement("DEC-38")
async def test_the_description_follows_the_registry(place: House) -> None:
    place.near.host.capabilities.disable("node.calculate")
    assert "/calculate" not in (await place.client.get("/openapi.json")).json()["paths"]
    place.near.host.capabilities.enable("node.calculate")
    assert "/calculate" in (await place.client.get("/openapi.json")).json()["paths"]


async def test_the_description_that_is_committed_has_no_capabilities(place: House) -> None:
    assert "node.greet" not in json.dumps(place.near.app().describe())


@pytest.mark.requirement("TPL-45", "TPL-46")
async def test_every_call_is_counted_and_logged_under_its_id(place: House, caplog: pytest.LogCaptureFixture) -> None:
    async def counted(outcome: str, name: str) -> float:
        text = (await place.client.get("/metrics", headers={"Authorization": f"Bearer {KEY}"})).text
        wanted = f'capability_calls_total{{capability="node.{name}",door="http",outcome="{outcome}"}}'
        return next((float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(wanted)), 0.0)

    before = [await counted("ok", "greet"), await counted("CONFLICT", "fails")]
    with caplog.at_level(logging.INFO, "moothall"):
        good = await place.client.post("/api/v1/capabilities/greet", json={})
        bad = await place.client.post("/api/v1/capabilities/fails", json={"kind": "x"})
    after = [await counted("ok", "greet"), await counted("CONFLICT", "fails")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1]
    for answer in (good, bad):
        lines = [record.getMessage() for record in caplog.records]
        assert any(answer.headers["X-Request-ID"] in line for line in lines)


@pytest.mark.requirement("TPL-47")
@pytest.mark.parametrize(
    "path", ["/", "/health", "/api/v1/demand/submit", "/openapi.json", "/metrics", "/agents/node/rpc"]
)
async def test_no_capability_takes_an_address_of_the_node(tmp_path: Path, path: str) -> None:
    @api_service(path=path, methods=["GET", "POST"], access="public")
    async def grab() -> str:
        return "mine"

    node = Node(Settings(data=tmp_path, demo_agents=False))
    node.include(grab)
    async with node:
        with pytest.raises(Conflict):
            node.app()


@pytest.mark.requirement("TPL-47")
async def test_two_capabilities_with_one_address_stop_the_start(tmp_path: Path) -> None:
    @api_service(path="/calculate", methods=["POST"], access="public")
    async def rival(a: int) -> int:
        return a

    node = Node(Settings(data=tmp_path, demo_agents=False))
    node.include(calculate)
    node.add(Agent("other").include(rival))
    with pytest.raises(Conflict):
        await node.start()


async def test_what_no_door_claims_is_the_apis(place: House) -> None:
    answer = await place.client.get("/api/v1/nothing", headers={"Authorization": f"Bearer {KEY}"})
    assert (answer.status_code, set(answer.json())) == (404, {"error"})
    assert (await place.client.get("/health")).status_code == 200
