"""``anp.negotiate`` between two nodes, over HTTP: from the DID to a call in the way that was agreed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from moothall.capability.decorators import capability
from moothall.clock import SystemClock
from moothall.errors import (
    MoothallError,
    NegotiationExpired,
    NegotiationRejected,
    PermissionDeniedError,
    Unauthenticated,
    UnsupportedMode,
    ValidationError,
)
from moothall.identity.limited_body import Caps
from moothall.identity.session import SignedSession
from moothall.negotiation.protocol.agreed_terms import terms_digest
from moothall.protocols.anp.negotiating import quoting
from tests.protocols.anp import hall
from tests.protocols.anp.front import LIMITS, FrontHouse, front_house, request
from tests.protocols.anp.town import House, house


@capability(access="owner", name="secret.plan")
def plan() -> str:
    """Only for the owner."""
    return "plan"


FUNCTIONS = (hall.add, hall.count, hall.hello, plan)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[FrontHouse]:
    async with front_house(tmp_path / "there", *FUNCTIONS) as found:
        yield found


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "here", {"alice": (hall.hello,), "carol": ()}, names=["alice", "carol"]) as found:
        yield found


async def ask(here: House, there: FrontHouse, agent: str = "alice", **other: Any) -> dict[str, Any]:
    """Negotiate as alice; ``agent`` sends the request."""
    params = request(here, there.did, **other)
    answer: dict[str, Any] = await here.call(f"{there.did}#anp.negotiate", params, agent=agent)
    return answer


@pytest.mark.requirement("WIRE-NEGO-01", "WIRE-NEGO-05", "WIRE-NEGO-11")
async def test_a_caller_finds_the_endpoint_agrees_and_calls(here: House, there: FrontHouse) -> None:
    reply = await ask(here, there)
    assert reply["status"] == "accepted"
    assert reply["selected"] == {
        "capability": "add",
        "interface": "interface.openrpc",
        "protocol": "openrpc",
        "profile": "anp.rpc.v1",
        "securityProfile": "transport-protected",
        "contentType": "application/json",
        "url": f"{there.house.base}/agents/bob/rpc",
    }
    assert reply["execution"]["mode"] == "direct_structured_call"
    assert set(reply["schemas"]["requestSchema"]["properties"]) == {"a", "b"}
    assert await here.call(f"{there.did}#add", quoting(reply, {"a": 2, "b": 3})) == 5
    paths = [path for method, path in there.house.asked if method == "GET"]
    assert not any(path.endswith("interface.json") for path in paths[:2])


@pytest.mark.requirement("WIRE-NEGO-11")
async def test_the_description_says_where_and_about_what_an_agent_negotiates(there: FrontHouse) -> None:
    agent = there.house.agents["bob"]
    document = json.loads(there.house.room.published.description(agent, frozenset()).body)
    assert [each for each in document["interfaces"] if each["type"] == "MetaProtocolInterface"] == [
        {
            "id": f"{there.did}#negotiation",
            "type": "MetaProtocolInterface",
            "protocol": "ANP",
            "version": "1.0",
            "profile": "anp.meta.negotiation.v1",
            "binding": "jsonrpc-2.0",
            "url": f"{there.house.base}/agents/bob/rpc",
            "methods": ["anp.get_capabilities", "anp.negotiate"],
            "security": "didwba_sc",
            "securityProfiles": ["transport-protected"],
            "negotiates": [
                "profiles",
                "interfaces",
                "schemas",
                "security_profiles",
                "content_types",
                "execution_modes",
                "protocol_artifacts",
            ],
            "description": "Agree on interface, schemas and way of execution, or draft a protocol",
        }
    ]


async def test_a_node_without_a_front_door_does_not_say_that_it_has_one(here: House) -> None:
    document = json.loads(here.room.published.description(here.agents["alice"], frozenset()).body)
    assert "MetaProtocolInterface" not in [each["type"] for each in document["interfaces"]]


@pytest.mark.requirement("WIRE-NEGO-10")
async def test_an_endpoint_tells_what_it_can(here: House, there: FrontHouse) -> None:
    meta = {"profile": "anp.core.binding.v1", "operation_id": "op"}
    told = await here.call(f"{there.did}#anp.get_capabilities", {"meta": meta, "body": {}})
    assert told["service_did"] == there.did
    assert "anp.meta.negotiation.v1" in told["supported_profiles"]
    assert told["supported_security_profiles"] == ["transport-protected"]
    assert told["supported_content_types"] == ["application/json", "text/event-stream"]
    assert told["limits"] == LIMITS


@pytest.mark.requirement("WIRE-NEGO-06")
async def test_a_stream_that_was_agreed_on_streams(here: House, there: FrontHouse) -> None:
    reply = await ask(
        here, there, body={"intent": {"name": "count"}, "callerCapabilities": {"supportedExecutionModes": ["stream"]}}
    )
    assert (reply["execution"]["mode"], reply["selected"]["contentType"]) == ("stream", "text/event-stream")
    assert await here.call(f"{there.did}#count", quoting(reply, {"to": 3})) == [1, 2, 3]


@pytest.mark.requirement("WIRE-NEGO-06")
async def test_a_task_is_agreed_on_with_the_address_that_takes_tasks(here: House, there: FrontHouse) -> None:
    reply = await ask(here, there, body={"callerCapabilities": {"supportedExecutionModes": ["async_task"]}})
    assert reply["execution"]["mode"] == "async_task"
    assert reply["selected"]["url"] == f"{there.house.base}/agents/bob/a2a"


async def test_nobody_hears_of_what_it_may_not_call(here: House, there: FrontHouse) -> None:
    with pytest.raises(NegotiationRejected) as refused:
        await ask(here, there, body={"intent": {"name": "secret.plan"}})
    assert refused.value.code == "NO_MATCHING_INTERFACE"


@pytest.mark.requirement("WIRE-NEGO-05")
async def test_what_is_not_clear_is_asked_back(here: House, there: FrontHouse) -> None:
    reply = await ask(here, there, body={"intent": {"name": "numbers"}, "requiredCapabilities": ["add", "count"]})
    assert reply["status"] == "needs_more_information"
    assert [each["capability"] for each in reply["alternatives"]] == ["add", "count"]


@pytest.mark.requirement("WIRE-NEGO-09")
async def test_the_digest_is_over_the_terms_and_both_sides_compute_it_alike(here: House, there: FrontHouse) -> None:
    reply = await ask(here, there)
    assert terms_digest(reply, agent=there.did, sender=here.did()) == reply["negotiationDigest"]
    changed = deepcopy(reply)
    changed["execution"]["timeoutMs"] += 1
    assert terms_digest(changed, agent=there.did, sender=here.did()) != reply["negotiationDigest"]


@pytest.mark.requirement("WIRE-NEGO-09")
async def test_a_call_that_quotes_something_else_is_refused(here: House, there: FrontHouse) -> None:
    reply = await ask(here, there)
    for other in ({"negotiationDigest": "sha256:00"}, {"negotiationId": "n-2"}):
        with pytest.raises(NegotiationRejected) as refused:
            await here.call(f"{there.did}#add", quoting(reply | other, {"a": 1}))
        assert refused.value.code == "NEGOTIATION_REJECTED"
    with pytest.raises(NegotiationRejected):
        await here.call(f"{there.did}#hello", quoting(reply, {}))


async def test_what_one_agreed_on_is_nothing_for_another(here: House, there: FrontHouse) -> None:
    reply = await ask(here, there)
    with pytest.raises(NegotiationRejected):
        await here.call(f"{there.did}#add", quoting(reply, {"a": 1}), agent="carol")


@pytest.mark.requirement("WIRE-NEGO-07", "WIRE-NEGO-09")
async def test_an_agreement_ends(here: House, there: FrontHouse) -> None:
    reply = await ask(here, there)
    there.clock.ahead = timedelta(minutes=11)
    with pytest.raises(NegotiationExpired):
        await here.call(f"{there.did}#add", quoting(reply, {"a": 1}))
    message = {"jsonrpc": "2.0", "id": 1, "method": "add", "params": quoting(reply, {"a": 1})}
    session = SignedSession(here.egress, here.agents["alice"].identity, SystemClock())
    headers, caps = {"Content-Type": "application/json"}, Caps(most_bytes=99_999, head_seconds=9, idle_seconds=9)
    async with session.stream(
        "POST", reply["selected"]["url"], headers=headers, content=json.dumps(message).encode(), caps=caps
    ) as answer:
        error = json.loads((await answer.read()).body)["error"]
    assert (error["code"], error["data"]["anp_code"]) == (1608, "meta.negotiation_expired")
    assert error["data"]["retryable"] is True


async def test_the_same_operation_has_the_same_answer(here: House, there: FrontHouse) -> None:
    first, second = await ask(here, there), await ask(here, there)
    assert first == second
    with pytest.raises(NegotiationRejected):
        await ask(here, there, body={"intent": {"name": "hello"}})


@pytest.mark.requirement("WIRE-NEGO-13")
async def test_a_request_that_was_passed_on_is_its_makers(here: House, there: FrontHouse) -> None:
    reply = await ask(here, there, agent="carol")
    assert reply["status"] == "accepted"
    assert await here.call(f"{there.did}#add", quoting(reply, {"a": 1, "b": 1})) == 2


@pytest.mark.requirement("WIRE-NEGO-13")
@pytest.mark.parametrize("part", ["body", "meta", "target"])
async def test_what_was_changed_on_its_way_is_refused(here: House, there: FrontHouse, part: str) -> None:
    params = request(here, there.did, sent=here.did("carol") if part == "target" else None)
    if part == "body":
        params["body"]["intent"]["name"] = "hello"
    if part == "meta":
        params["meta"]["operation_id"] = "another"
    with pytest.raises(MoothallError) as refused:
        await here.call(f"{there.did}#anp.negotiate", params, agent="carol")
    assert isinstance(refused.value, Unauthenticated)


async def test_a_proof_counts_once(here: House, there: FrontHouse) -> None:
    params = request(here, there.did)
    await here.call(f"{there.did}#anp.negotiate", params)
    with pytest.raises(Unauthenticated):
        await here.call(f"{there.did}#anp.negotiate", params)


@pytest.mark.requirement("WIRE-NEGO-02")
async def test_nobody_negotiates_in_anothers_name(here: House, there: FrontHouse) -> None:
    with pytest.raises(PermissionDeniedError):
        await ask(here, there, agent="carol", sign=False)
    assert (await ask(here, there, sign=False))["status"] == "accepted"


@pytest.mark.requirement("WIRE-NEGO-02", "WIRE-NEGO-03")
@pytest.mark.parametrize(
    "params",
    [
        {"meta": {"operation_id": 1}},
        {"meta": {"target": {"kind": "agent", "did": "did:wba:else.example:bob"}}},
        {"meta": {"created_at": "2020-01-01T00:00:00Z"}},
        {"body": {"intent": None}},
    ],
    ids=["operation", "target", "date", "intent"],
)
async def test_what_has_another_form_is_refused(here: House, there: FrontHouse, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        await ask(here, there, **params)


@pytest.mark.requirement("WIRE-NEGO-04")
async def test_another_mode_is_not_spoken(here: House, there: FrontHouse) -> None:
    with pytest.raises(UnsupportedMode):
        await ask(here, there, body={"mode": "telepathy"})
