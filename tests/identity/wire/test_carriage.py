"""A proof inside JSON: it survives the way, and nothing of the message can be changed on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moothall.errors import InvalidInput, Unauthenticated
from moothall.identity.carriage import agent_uri, prove_payload, sign_payload
from moothall.identity.keys import Algorithm
from tests.identity.wire.gate import Gate, Party, Registry, bare_party, party

pytestmark = pytest.mark.requirement("WIRE-SIG-11")

PAYLOAD = {"b": [1, 2.50, "中文"], "a": {"z": None, "y": True}}
METHOD, TARGET = "anp.negotiate", agent_uri("did:wba:node.example%3A8420:agents:node")


def _sent(who: Party, gate: Gate, **changes: Any) -> dict[str, Any]:
    return sign_payload(who.signer, PAYLOAD, method=METHOD, target=TARGET, now=gate.now) | changes


async def _prove(gate: Gate, message: object, *, method: str = METHOD, target: str = TARGET) -> str:
    proven = await prove_payload(gate.house.verification, message, method=method, target=target)
    return proven.did.text


async def _reason(gate: Gate, message: object, **where: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await _prove(gate, message, **where)
    return caught.value.reason


async def test_a_payload_that_is_nested_without_end_is_refused(gate: Gate, alice: Party) -> None:
    message = _sent(alice, gate)
    for _ in range(100_000):
        message["payload"] = [message["payload"]]
    assert await _reason(gate, message) == "invalid_content_digest"


@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1", "P-256"])
async def test_a_message_proves_who_sent_it(gate: Gate, registry: Registry, algorithm: Algorithm) -> None:
    who = bare_party(algorithm) if algorithm == "P-256" else party(algorithm)
    registry.add(who)
    assert await _prove(gate, _sent(who, gate)) == who.did


def test_the_message_has_the_form_of_the_specification() -> None:
    message = sign_payload(party().signer, PAYLOAD, method=METHOD, target=TARGET, now=1_795_191_468)
    assert message.keys() == {"auth", "payload"}
    assert message["payload"] == PAYLOAD
    assert message["auth"].keys() == {"contentDigest", "signatureInput", "signature"}
    assert message["auth"]["signatureInput"].startswith('sig1=("@method" "@target-uri" "content-digest");created=')


def test_the_address_of_an_agent_is_its_did_escaped() -> None:
    assert TARGET == "anp://agent/did%3Awba%3Anode.example%253A8420%3Aagents%3Anode"


async def test_a_message_may_be_written_anew_on_its_way(gate: Gate, alice: Party) -> None:
    message = json.loads(json.dumps(_sent(alice, gate), ensure_ascii=True, indent=2, sort_keys=True))
    assert await _prove(gate, message) == alice.did


@pytest.mark.parametrize("payload", [PAYLOAD | {"a": 1}, {}, None, [], "x", {"n": float("nan")}, {"n": 2**60}])
async def test_a_changed_payload_is_refused(gate: Gate, alice: Party, payload: object) -> None:
    assert await _reason(gate, _sent(alice, gate, payload=payload)) == "invalid_content_digest"


async def test_a_message_is_for_one_target_and_one_method(gate: Gate, alice: Party) -> None:
    message = _sent(alice, gate)
    assert await _reason(gate, message, target=agent_uri("did:wba:other.example")) == "invalid_signature"
    assert await _reason(gate, message, method="anp.other") == "invalid_signature"


async def test_a_message_counts_once(gate: Gate, alice: Party) -> None:
    message = _sent(alice, gate)
    await _prove(gate, message)
    assert await _reason(gate, message) == "invalid_nonce"


async def test_a_message_grows_old(gate: Gate, alice: Party) -> None:
    message = _sent(alice, gate)
    await gate.clock.advance(301)
    assert await _reason(gate, message) == "invalid_timestamp"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda message: None,
        lambda message: [message],
        lambda message: {"payload": message["payload"]},
        lambda message: {"auth": message["auth"]},
        lambda message: message | {"auth": "x"},
        lambda message: message | {"auth": {}},
        lambda message: message | {"auth": message["auth"] | {"signature": 7}},
        lambda message: message | {"auth": message["auth"] | {"signatureInput": "("}},
        lambda message: message | {"auth": message["auth"] | {"signature": "é"}},
    ],
)
async def test_what_does_not_have_the_form_is_refused(gate: Gate, alice: Party, spoil: Any) -> None:
    assert await _reason(gate, spoil(_sent(alice, gate))) == "invalid_request"


async def test_a_method_with_a_line_feed_forges_no_line(gate: Gate, alice: Party) -> None:
    message = _sent(alice, gate)
    assert await _reason(gate, message, method=f'{METHOD}\n"@target-uri": x') == "invalid_request"


def test_what_has_no_canonical_form_is_not_signed() -> None:
    with pytest.raises(InvalidInput):
        sign_payload(party().signer, {"n": float("inf")}, method=METHOD, target=TARGET, now=0)
