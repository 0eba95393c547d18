"""The published package `anp` and this node read each other's documents."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from moothall.errors import InvalidInput
from moothall.identity.description_proof import check_description
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm, PrivateKey
from tests.identity.documents.made import NOW, made

anp = pytest.importorskip("anp.authentication.did_wba")
URL = "https://example.com/agents/alice/ad.json"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The peer writes every step into the root log."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def theirs(profile: str, **more: Any) -> tuple[dict[str, Any], PrivateKey]:
    document, keys = anp.create_did_wba_document(
        "example.com", 3000, ["user", "alice"], did_profile=profile, agent_description_url=URL, **more
    )
    return json.loads(json.dumps(document)), PrivateKey.from_pem(keys["key-1"][0])


@pytest.mark.requirement("WIRE-DID-03", "WIRE-DID-04", "WIRE-DOC-03", "WIRE-DOC-05")
@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1"])
@pytest.mark.parametrize("agreement", [b"", bytes(range(32))])
def test_the_peer_accepts_our_documents(algorithm: Algorithm, agreement: bytes) -> None:
    who = made(algorithm, description_url=URL, agreement=agreement)
    document = json.loads(json.dumps(who.document))
    assert anp.validate_did_document_binding(document, verify_proof=True)
    assert anp.verify_did_key_binding(document["id"], document["verificationMethod"][0])
    document["service"] = []
    assert not anp.validate_did_document_binding(document, verify_proof=True)


@pytest.mark.requirement("WIRE-DID-03", "WIRE-DID-04", "WIRE-DOC-04", "WIRE-DOC-05")
@pytest.mark.parametrize("profile", ["e1", "k1"])
@pytest.mark.parametrize("enable_e2ee", [True, False])
def test_we_accept_the_peers_documents_and_no_changed_one(profile: str, enable_e2ee: bool) -> None:
    document, key = theirs(profile, enable_e2ee=enable_e2ee)
    loaded = DidDocument.load(document["id"], document)
    assert loaded.key_bound
    assert loaded.authentication == {f"{document['id']}#key-1": key.public}
    assert loaded.description_url == URL
    assert ("proof" in document) is True
    with pytest.raises(InvalidInput):
        DidDocument.load(document["id"], {**document, "service": []})


@pytest.mark.requirement("WIRE-DID-05", "WIRE-DOC-05")
def test_the_peers_old_documents_need_permission() -> None:
    document, key = theirs("plain_legacy")
    assert document["proof"]["type"] == "EcdsaSecp256k1Signature2019"
    with pytest.raises(InvalidInput):
        DidDocument.load(document["id"], document)
    loaded = DidDocument.load(document["id"], document, allow_legacy=True)
    assert list(loaded.authentication.values()) == [key.public]
    assert not loaded.key_bound


@pytest.mark.requirement("WIRE-DID-04")
def test_the_peer_verifies_what_our_keys_sign() -> None:
    methods = pytest.importorskip("anp.authentication.verification_methods")
    for algorithm in ("Ed25519", "secp256k1"):
        who = made(algorithm)  # type: ignore[arg-type]
        method = methods.create_verification_method(who.document["verificationMethod"][0])
        signature = method.encode_signature(who.signer.sign(b"message"))
        assert method.verify_signature(b"message", signature)
        assert not method.verify_signature(b"massage", signature)


def test_a_description_with_a_proof_made_by_the_peer_is_signed() -> None:
    proofs = pytest.importorskip("anp.proof")
    who = made()
    description = {"did": who.did.text, "name": "x"}
    made_there = proofs.generate_w3c_proof(
        description, who.signer.key._key, who.signer.keyid, domain="example.com", challenge="c",
        proof_type="DataIntegrityProof", cryptosuite="eddsa-jcs-2022",
    )  # fmt: skip
    document = DidDocument.load(who.did, who.document, now=NOW)
    assert check_description(made_there, document, domains={"example.com"}) == "signed"
    assert check_description({**made_there, "name": "y"}, document, domains={"example.com"}) == "invalid"
