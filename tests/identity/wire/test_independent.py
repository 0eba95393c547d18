"""Other implementations: what ours signs they verify, and what they sign ours verifies."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519
from http_message_signatures.exceptions import InvalidSignature

from moothall.errors import Unauthenticated
from moothall.identity.carriage import agent_uri, prove_payload, sign_payload
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm, PrivateKey, Signer
from moothall.identity.principal import Principal
from moothall.identity.request import HttpRequest
from moothall.identity.signing import sign_request
from tests.identity.wire.gate import (
    BODY,
    TARGET,
    URL,
    Gate,
    Party,
    Registry,
    bare_party,
    close_gate,
    open_gate,
    party,
    request,
)
from tests.support.clock import ManualClock

KINDS: list[Algorithm] = ["Ed25519", "secp256k1", "P-256"]


class Secp256k1(ECDSA_P256_SHA256):
    """The curve that RFC 9421 has no name for."""

    algorithm_id = "ecdsa-secp256k1-sha256"
    _curve = ec.SECP256K1


ALGORITHMS: dict[Algorithm, Any] = {"Ed25519": ED25519, "secp256k1": Secp256k1, "P-256": ECDSA_P256_SHA256}


@pytest.fixture
async def today(tmp_path: Path, registry: Registry) -> Any:
    """A gate that stands at the machine's time, which the others read."""
    opened = await open_gate(tmp_path / "today", registry, clock=ManualClock(datetime.now(UTC)), older=True)
    yield opened
    await close_gate(opened)


def _who(algorithm: Algorithm) -> Party:
    return bare_party(algorithm) if algorithm == "P-256" else party(algorithm)


@dataclass
class Keys(HTTPSignatureKeyResolver):  # type: ignore[misc]
    signer: Signer

    def resolve_public_key(self, key_id: str) -> Any:
        assert key_id == self.signer.keyid
        return self.signer.key.public._key

    def resolve_private_key(self, key_id: str) -> Any:
        assert key_id == self.signer.keyid
        return self.signer.key._key


@dataclass
class Message:
    method: str = "POST"
    url: str = URL + TARGET
    headers: dict[str, str] = field(default_factory=dict)

    def received(self, body: bytes = BODY) -> HttpRequest:
        return request(self.method, self.url.removeprefix(URL), body, self.headers)


def _independent(algorithm: Algorithm, who: Party) -> Any:
    return HTTPMessageVerifier(signature_algorithm=ALGORITHMS[algorithm], key_resolver=Keys(who.signer))


@pytest.mark.requirement("WIRE-SIG-01", "WIRE-SIG-02")
@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("body", [BODY, b""])
async def test_an_independent_implementation_verifies_our_request(
    today: Gate, algorithm: Algorithm, body: bytes
) -> None:
    who = _who(algorithm)
    headers = sign_request(who.signer, "POST", URL + TARGET, body, now=today.now)
    required = ["@method", "@target-uri", "@authority", *(["content-digest"] if body else [])]
    found = _independent(algorithm, who).verify(
        Message(headers=headers), body=body or None, require_components=required
    )
    assert [result.label for result in found] == ["sig1"]
    assert ("Content-Digest" in headers) is bool(body)


async def test_an_independent_implementation_refuses_our_request_for_another_url(today: Gate, alice: Party) -> None:
    headers = sign_request(alice.signer, "POST", URL + TARGET, BODY, now=today.now)
    with pytest.raises(InvalidSignature):
        _independent("Ed25519", alice).verify(Message(url=f"{URL}/other", headers=headers), body=BODY)


@pytest.mark.requirement("WIRE-SIG-02", "WIRE-SIG-07")
@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("include_alg", [True, False])
@pytest.mark.parametrize("body", [BODY, b""])
async def test_ours_verifies_the_request_of_an_independent_implementation(
    today: Gate, registry: Registry, algorithm: Algorithm, include_alg: bool, body: bytes
) -> None:
    who = _who(algorithm)
    registry.add(who)
    message = Message()
    HTTPMessageSigner(signature_algorithm=ALGORITHMS[algorithm], key_resolver=Keys(who.signer)).sign(
        message,
        key_id=who.signer.keyid,
        created=today.clock.now(),
        expires=today.clock.now() + timedelta(seconds=299),
        nonce="a-nonce-of-theirs",
        label="pyhms",
        tag="app",
        include_alg=include_alg,
        covered_component_ids=("@target-uri", "@path", "@query", "@method", "@scheme"),
        body=body or None,
    )
    assert (await today.house.verifier.verify(message.received(body))).id == who.did


def _peer() -> Any:
    return pytest.importorskip("anp.authentication", reason="the peer is not for this Python")


def _peer_document(algorithm: Algorithm) -> tuple[dict[str, Any], PrivateKey]:
    """A document as the peer makes it, and its key."""
    made, keys = _peer().create_did_wba_document(
        "far.example", path_segments=["user", "peer"], did_profile="k1" if algorithm == "secp256k1" else "e1"
    )
    return made, PrivateKey.from_pem(keys["key-1"][0])


def _p256_document() -> tuple[dict[str, Any], PrivateKey]:
    """One with a key that the peer reads but gives to nobody."""
    who = bare_party("P-256")
    method = who.document["verificationMethod"][0] | {"type": "EcdsaSecp256r1VerificationKey2019"}
    return who.document | {"verificationMethod": [method]}, who.signer.key


def _party_of_peer(algorithm: Algorithm) -> Party:
    document, key = _p256_document() if algorithm == "P-256" else _peer_document(algorithm)
    return Party(Signer(document["authentication"][0], key), document)


def _der(who: Party) -> Any:
    """The peer's way to sign: DER for curves."""

    def sign(content: bytes, _fragment: str) -> bytes:
        key = who.signer.key._key
        return (
            key.sign(content, ec.ECDSA(hashes.SHA256()))
            if isinstance(key, ec.EllipticCurvePrivateKey)
            else key.sign(content)
        )

    return sign


@pytest.mark.requirement("WIRE-SIG-02")
@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("body", [BODY, b""])
def test_the_peer_verifies_our_request(algorithm: Algorithm, body: bytes) -> None:
    who = _party_of_peer(algorithm)
    headers = sign_request(who.signer, "POST", URL + TARGET, body, now=int(datetime.now(UTC).timestamp()))
    held, why, _ = _peer().verify_http_message_signature(who.document, "POST", URL + TARGET, headers, body)
    assert held, why
    held, _, _ = _peer().verify_http_message_signature(who.document, "POST", f"{URL}/other", headers, body)
    assert not held


@pytest.mark.requirement("WIRE-SIG-02")
@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("body", [BODY, b""])
async def test_ours_verifies_the_request_of_the_peer(
    today: Gate, registry: Registry, algorithm: Algorithm, body: bytes
) -> None:
    who = _party_of_peer(algorithm)
    registry.add(who)
    headers = _peer().generate_http_signature_headers(who.document, URL + TARGET, "POST", _der(who), body=body)
    principal: Principal = await today.house.verifier.verify(request(body=body, headers=headers))
    assert (principal.id, principal.binding) == (who.did, "request")


@pytest.mark.requirement("WIRE-SIG-03")
async def test_what_the_peer_lets_pass_ours_refuses(today: Gate, registry: Registry) -> None:
    who = _party_of_peer("Ed25519")
    registry.add(who)
    weak = _peer().generate_http_signature_headers(
        who.document, f"{URL}/other", "POST", _der(who), covered_components=["@method"]
    )
    held, why, _ = _peer().verify_http_message_signature(who.document, "POST", URL + TARGET, weak, b"")
    assert held, why
    with pytest.raises(Unauthenticated):
        await today.house.verifier.verify(request(body=b"", headers=weak))


@pytest.mark.requirement("WIRE-LEGACY-02")
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("algorithm", KINDS)
async def test_ours_verifies_the_older_header_of_the_peer(
    today: Gate, registry: Registry, algorithm: Algorithm, version: str
) -> None:
    who = _party_of_peer(algorithm)
    registry.add(who)
    header = _peer().generate_auth_header(who.document, "node.example", _der(who), version=version)
    principal: Principal = await today.house.verifier.verify(request(headers={"Authorization": header}))
    assert (principal.id, principal.binding) == (who.did, "header")


@pytest.mark.requirement("WIRE-LEGACY-04")
@pytest.mark.parametrize("algorithm", KINDS)
async def test_ours_verifies_the_older_json_of_the_peer(today: Gate, registry: Registry, algorithm: Algorithm) -> None:
    from anp.authentication.did_wba import generate_auth_json

    who = _party_of_peer(algorithm)
    registry.add(who)
    fields = json.loads(generate_auth_json(who.document, "node.example", _der(who)))
    assert (await today.house.verifier.prove_json(fields)).id == who.did


META = {"target": {"kind": "agent", "did": "did:wba:node.example"}, "sender_did": "x"}


@pytest.mark.requirement("WIRE-SIG-11")
async def test_the_peer_verifies_our_proof_inside_json_and_ours_its(today: Gate, registry: Registry) -> None:
    _peer()
    from anp.proof import rfc9421_origin as peer

    who = _party_of_peer("Ed25519")
    registry.add(who)
    body = {"a": [1, "x"]}
    payload = {"method": "anp.negotiate", "meta": META, "body": body}
    target = agent_uri("did:wba:node.example")
    ours = sign_payload(who.signer, payload, method="anp.negotiate", target=target, now=today.now)
    peer.verify_rfc9421_origin_proof(ours["auth"], "anp.negotiate", META, body, did_document=who.document)
    # Without these it makes up two nonces, one to sign and one to send.
    options = peer.Rfc9421OriginProofGenerationOptions(
        created=today.now, expires=today.now + 300, nonce="a-nonce-of-theirs"
    )
    key = who.signer.key._key
    theirs = peer.generate_rfc9421_origin_proof("anp.negotiate", META, body, key, who.signer.keyid, options=options)
    message = {"auth": theirs, "payload": payload}
    proven = await prove_payload(today.house.verification, message, method="anp.negotiate", target=target)
    assert proven.did.text == who.did


@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1"])
def test_the_peers_documents_are_read(algorithm: Algorithm) -> None:
    document, key = _peer_document(algorithm)
    found = DidDocument.load(document["id"], document)
    assert found.authentication[document["authentication"][0]] == key.public
