"""The older proof: off unless allowed, bound to a name and a time, and marked as the weaker one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from moothall.errors import PermissionDeniedError, Unauthenticated
from moothall.identity.keys import Algorithm, PrivateKey, Signer
from tests.identity.wire.gate import (
    Decisions,
    Gate,
    Party,
    Registry,
    bare_party,
    older_header,
    older_proof,
    party,
    request,
)

HOST = "node.example"


def _proof(who: Party, gate: Gate, *, audience: str = HOST, **more: Any) -> dict[str, str]:
    return older_proof(who.signer, gate.clock.now(), audience, **more)


async def _by_header(gate: Gate, fields: Mapping[str, str]) -> Any:
    return await gate.house.verifier.verify(request(headers={"Authorization": older_header(fields)}))


async def _by_json(gate: Gate, fields: Mapping[str, str]) -> Any:
    return await gate.house.verifier.prove_json(fields)


BOTH = pytest.mark.parametrize("carried", [_by_header, _by_json], ids=["header", "json"])


async def _reason(gate: Gate, carried: Any, fields: Mapping[str, str]) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await carried(gate, fields)
    return caught.value.reason


@pytest.mark.requirement("WIRE-LEGACY-01", "WIRE-LEGACY-04")
@BOTH
async def test_unless_it_is_allowed_it_proves_nothing_and_is_challenged(gate: Gate, alice: Party, carried: Any) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await carried(gate, _proof(alice, gate))
    challenged = gate.house.verifier.challenger.of(caught.value)
    assert challenged is not None
    assert challenged.mirror["error"] == "invalid_request"


@pytest.mark.requirement("WIRE-LEGACY-01", "WIRE-LEGACY-02", "WIRE-LEGACY-03", "WIRE-LEGACY-04")
@BOTH
@pytest.mark.parametrize("version", ["1.1", "1.0", "0.9", "2", "1.10"])
@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1", "P-256"])
async def test_where_it_is_allowed_it_proves_a_did_by_a_header_alone(
    older_gate: Gate, registry: Registry, carried: Any, version: str, algorithm: Algorithm
) -> None:
    who = bare_party(algorithm) if algorithm == "P-256" else party(algorithm)
    registry.add(who)
    principal = await carried(older_gate, _proof(who, older_gate, version=version))
    assert (principal.id, principal.binding, principal.verified) == (who.did, "header", True)


@pytest.mark.requirement("WIRE-LEGACY-03")
async def test_no_token_is_given_for_it(older_gate: Gate, alice: Party) -> None:
    assert older_gate.house.verifier.welcome(await _by_header(older_gate, _proof(alice, older_gate))) == []


@pytest.mark.requirement("WIRE-LEGACY-02")
@BOTH
async def test_another_audience_is_refused(older_gate: Gate, alice: Party, carried: Any) -> None:
    for audience in ("other.example", "node.example:8420", ""):
        fields = _proof(alice, older_gate, audience=audience)
        assert await _reason(older_gate, carried, fields) == "invalid_signature"


@pytest.mark.requirement("WIRE-LEGACY-02")
@BOTH
async def test_an_older_version_cannot_be_claimed_for_a_newer_signature(
    older_gate: Gate, alice: Party, carried: Any
) -> None:
    assert await _reason(older_gate, carried, _proof(alice, older_gate) | {"v": "1.0"}) == "invalid_signature"


@pytest.mark.requirement("WIRE-LEGACY-02")
@BOTH
async def test_a_second_time_it_is_refused(older_gate: Gate, alice: Party, carried: Any) -> None:
    fields = _proof(alice, older_gate)
    await carried(older_gate, fields)
    assert await _reason(older_gate, carried, fields) == "invalid_nonce"


@pytest.mark.requirement("WIRE-LEGACY-02")
@BOTH
@pytest.mark.parametrize("seconds", [-301, 61])
async def test_outside_its_time_it_is_refused(older_gate: Gate, alice: Party, carried: Any, seconds: int) -> None:
    assert await _reason(older_gate, carried, _proof(alice, older_gate, seconds=seconds)) == "invalid_timestamp"


@pytest.mark.requirement("WIRE-LEGACY-02")
@BOTH
@pytest.mark.parametrize("seconds", [-300, 60])
async def test_at_the_edges_of_its_time_it_counts(older_gate: Gate, alice: Party, carried: Any, seconds: int) -> None:
    await carried(older_gate, _proof(alice, older_gate, seconds=seconds))


@BOTH
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"nonce": "short"}, "invalid_nonce"),
        ({"timestamp": "yesterday"}, "invalid_timestamp"),
        ({"timestamp": "2026-01-22T10:05:00"}, "invalid_timestamp"),
        ({"did": "did:wba:nobody.example"}, "invalid_did"),
        ({"did": "did:web:far.example"}, "invalid_did"),
        ({"verification_method": "key-9"}, "invalid_verification_method"),
        ({"signature": "AAAA"}, "invalid_signature"),
        ({"signature": "AA=="}, "invalid_signature"),
        ({"signature": ""}, "invalid_request"),
        ({"v": "x"}, "invalid_request"),
        ({"v": "nan"}, "invalid_request"),
        ({"did": ""}, "invalid_request"),
    ],
)
async def test_a_field_that_is_wrong_is_refused(
    older_gate: Gate, alice: Party, carried: Any, change: dict[str, str], reason: str
) -> None:
    assert await _reason(older_gate, carried, _proof(alice, older_gate) | change) == reason


@BOTH
@pytest.mark.parametrize("field", ["did", "nonce", "timestamp", "verification_method", "signature"])
async def test_a_field_that_is_missing_is_refused(older_gate: Gate, alice: Party, carried: Any, field: str) -> None:
    fields = {name: value for name, value in _proof(alice, older_gate).items() if name != field}
    assert await _reason(older_gate, carried, fields) == "invalid_request"


async def test_another_key_than_the_dids_is_refused(older_gate: Gate, alice: Party) -> None:
    mallory = Party(Signer(alice.signer.keyid, PrivateKey.generate()), alice.document)
    assert await _reason(older_gate, _by_header, _proof(mallory, older_gate)) == "invalid_signature"


async def test_fields_of_json_that_are_no_text_are_refused(older_gate: Gate, alice: Party) -> None:
    for value in (None, 7, ["x"], {"a": 1}, True):
        fields: dict[str, Any] = _proof(alice, older_gate) | {"nonce": value}
        assert await _reason(older_gate, _by_json, fields) == "invalid_request"


@pytest.mark.parametrize(
    "credentials",
    [
        "",
        "x",
        'did="a" nonce="b"',
        'did="a", did="b"',
        'did="a\\"b"',
        "did=a",
        'did="a",,',
        'DID="a"',
        'did="' + "a" * 9000 + '"',
    ],
)
async def test_a_header_of_another_form_is_refused(older_gate: Gate, credentials: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await older_gate.house.verifier.verify(request(headers={"Authorization": f"DIDWba {credentials}"}))
    assert caught.value.reason == "invalid_request"


async def test_a_method_may_be_named_in_full(older_gate: Gate, alice: Party) -> None:
    fields = _proof(alice, older_gate) | {"verification_method": alice.signer.keyid}
    assert (await _by_header(older_gate, fields)).key == alice.signer.keyid


async def test_a_suspended_did_is_forbidden(older_gate: Gate, alice: Party, decisions: Decisions) -> None:
    decisions.suspended.add(alice.did)
    with pytest.raises(PermissionDeniedError):
        await _by_header(older_gate, _proof(alice, older_gate))


async def test_the_proof_of_one_form_cannot_be_used_again_in_the_other(older_gate: Gate, alice: Party) -> None:
    fields = _proof(alice, older_gate)
    await _by_json(older_gate, fields)
    assert await _reason(older_gate, _by_header, fields) == "invalid_nonce"
