"""Negotiations between whole nodes: errors as they travel, people who have to agree, tasks that were agreed on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.clock import rfc3339
from moothall.errors import AuthorizationRequired
from moothall.identity.carriage import agent_uri, sign_payload
from moothall.identity.limited_body import Caps
from moothall.node import Node
from moothall.protocols.anp.negotiating import quoting
from tests.protocols.anp import hall
from tests.protocols.anp.weather import CITY, WEATHER, forecast
from tests.protocols.frames.town import did, served

CAPS = Caps(most_bytes=1_000_000, head_seconds=20.0, idle_seconds=20.0)


@capability(access="authenticated")
def double(number: int) -> int:
    """Double a number."""
    return 2 * number


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Node]:
    async with served(tmp_path / "there") as node:
        node.add(Agent("bob", double, hall.transfer, hall.count))
        yield node


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Node]:
    async with served(tmp_path / "here") as node:
        yield node


def bob(there: Node) -> str:
    identity = there.host.office.agent("bob")
    assert identity is not None
    return identity.did.text


def request(here: Node, target: str, meta: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The signed ``params`` of a request."""
    now = datetime.now(UTC)
    head = {
        "profile": "anp.meta.negotiation.v1",
        "security_profile": "transport-protected",
        "sender_did": did(here),
        "target": {"kind": "agent", "did": target},
        "operation_id": "op",
        "created_at": rfc3339(now),
        "content_type": "application/json",
        **meta,
    }
    wanted = {"negotiation_id": "n-1", "intent": {"name": "double"}, **body}
    signer = here.host.office.signer(did(here))
    assert signer is not None
    payload = {"method": "anp.negotiate", "meta": head, "body": wanted}
    made = sign_payload(signer, payload, method="anp.negotiate", target=agent_uri(target), now=int(now.timestamp()))
    return {"meta": head, "body": wanted, "auth": {"origin_proof": made["auth"]}}


async def negotiate(here: Node, there: Node, **body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await here.call(f"{bob(there)}#anp.negotiate", request(here, bob(there), {}, body))
    return answer


async def sent(here: Node, there: Node, method: str, params: Any) -> dict[str, Any]:
    """The whole response of JSON-RPC to a signed call."""
    message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    session = here.host.office.session("node")
    made = session.stream(
        "POST",
        f"{there.url}/agents/bob/rpc",
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        content=json.dumps(message).encode(),
        caps=CAPS,
    )
    async with made as answer:
        response: dict[str, Any] = json.loads((await answer.read()).body)
    return response


REFUSALS: tuple[tuple[int, str, bool, dict[str, Any], dict[str, Any]], ...] = (
    (1601, "meta.no_matching_interface", False, {}, {"intent": {"name": "tides"}}),
    (1602, "meta.unsupported_negotiation_mode", False, {}, {"mode": "telepathy"}),
    (1603, "meta.unsupported_candidate_profile", False, {"profile": "anp.other.v1"}, {}),
    (1604, "meta.unsupported_security_profile", False, {}, {"constraints": {"requiredSecurityProfile": "e2ee"}}),
    (1605, "meta.unsupported_content_type", False, {"content_type": "text/plain"}, {}),
    (1606, "meta.more_information_required", True, {}, {"intent": {}}),
    (1607, "meta.authorization_required", True, {}, {"intent": {"name": "transfer"}}),
)


@pytest.mark.requirement("WIRE-NEGO-07", "WIRE-NEGO-08", "WIRE-NEGO-02", "WIRE-NEGO-03")
async def test_each_refusal_has_its_number_and_data(here: Node, there: Node) -> None:
    for code, anp_code, retryable, meta, body in REFUSALS:
        response = await sent(here, there, "anp.negotiate", request(here, bob(there), meta, body))
        error = response["error"]
        assert (error["code"], error["data"]["anp_code"], error["data"]["retryable"]) == (code, anp_code, retryable)
        assert isinstance(error["data"]["details"], dict)
    reply = await negotiate(here, there)
    response = await sent(here, there, "double", quoting(reply | {"negotiationDigest": "sha256:0"}, {"number": 1}))
    assert response["error"]["code"] == 1600
    assert response["error"]["data"]["anp_code"] == "meta.negotiation_rejected"
    for part, name in (("meta", "operation_id"), ("body", "intent")):
        params = request(here, bob(there), {}, {})
        del params[part][name]
        assert (await sent(here, there, "anp.negotiate", params))["error"]["code"] == -32602


@pytest.mark.requirement("WIRE-NEGO-14", "WIRE-NEGO-07")
@pytest.mark.parametrize("decision", ["approved", "rejected"])
async def test_a_person_decides_and_the_same_negotiation_ends_so(here: Node, there: Node, decision: str) -> None:
    with pytest.raises(AuthorizationRequired) as waiting:
        await negotiate(here, there, intent={"name": "transfer"})
    approval = waiting.value.details["approval_id"]
    with pytest.raises(AuthorizationRequired) as again:
        await negotiate(here, there, intent={"name": "transfer"})
    assert again.value.details["approval_id"] == approval
    await there.call("local:approvals.decide", approval_id=approval, decision=decision)
    await there.host.authority.desk.ended(approval, there.clock.monotonic() + 20)
    reply = await negotiate(here, there, intent={"name": "transfer"})
    assert reply["status"] == ("accepted" if decision == "approved" else "rejected")
    with pytest.raises(AuthorizationRequired):
        await negotiate(here, there, negotiation_id="n-2", constraints={"requiresHumanAuthorization": True})
    if decision == "approved":
        assert reply["execution"]["requiresHumanAuthorization"] is True


@pytest.mark.requirement("WIRE-NEGO-06")
async def test_what_was_agreed_on_is_carried_out_in_the_mode_that_was_agreed_on(here: Node, there: Node) -> None:
    for name, mode, arguments, value in (
        ("double", "direct_structured_call", {"number": 3}, 6),
        ("count", "stream", {"to": 3}, [1, 2, 3]),
    ):
        reply = await negotiate(
            here,
            there,
            negotiation_id=mode,
            intent={"name": name},
            callerCapabilities={"supportedExecutionModes": [mode]},
        )
        assert reply["execution"]["mode"] == mode
        assert await here.call(f"{bob(there)}#{reply['selected']['capability']}", quoting(reply, arguments)) == value
    reply = await negotiate(here, there, callerCapabilities={"supportedExecutionModes": ["async_task"]})
    assert (reply["execution"]["mode"], reply["selected"]["protocol"]) == ("async_task", "A2A")
    target = f"a2a:{reply['selected']['url']}#{reply['selected']['capability']}"
    assert await here.call(target, number=21) == 42


@pytest.mark.requirement("WIRE-NEGO-10", "WIRE-NEGO-01")
async def test_the_endpoint_tells_the_real_limits(here: Node, there: Node) -> None:
    told = await here.call(f"{bob(there)}#anp.get_capabilities", {})
    limits = there.host.agreeing.limits
    assert told["service_did"] == bob(there)
    assert told["limits"]["max_rounds"] == limits.max_rounds
    assert told["limits"]["max_protocol_bytes"] == limits.max_protocol_bytes


async def test_agents_of_one_node_negotiate_without_a_request_to_themselves(there: Node) -> None:
    target = bob(there)
    call = there.host.agreeing.call
    reply = await call("node", f"{target}#anp.negotiate", request(there, target, {}, {}))
    assert await call("node", f"{target}#double", quoting(reply, {"number": 4})) == 8


@pytest.mark.requirement("WIRE-NEGO-01", "WIRE-NEGO-04", "WIRE-NEGO-12")
async def test_nodes_without_a_model_draft_a_protocol_and_speak_it(here: Node, there: Node) -> None:
    there.add(Agent("weather", forecast))
    identity = there.host.office.agent("weather")
    assert identity is not None
    peer = identity.did.text
    need = {"requirement": "Tell the weather forecast of a city", "input_schema": CITY, "output_schema": WEATHER}
    spoken = await here.call("local:protocols.negotiate", peer=peer, **need)
    assert spoken.source == "negotiated"
    asked = {"peer": peer, "protocol": spoken.protocol, "arguments": {"city": "Turin"}}
    assert await here.call("local:protocols.ask", **asked) == {"temperature": 5, "sky": "clear"}
    assert (await here.call("local:protocols.negotiate", peer=peer, **need)).source == "kept"
    shown = await here.call("local:protocols.show", protocol=spoken.protocol)
    assert set(shown["transcript"]["signatures"]) == {"requester", "provider"}
    assert [each["protocol"] for each in await here.call("local:protocols.list")] == [spoken.protocol]
