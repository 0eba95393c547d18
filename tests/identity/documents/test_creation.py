"""New identities: what their documents hold."""

from __future__ import annotations

from typing import Any

import base58
import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import x25519

from moothall.errors import InvalidInput
from moothall.identity import jwk
from moothall.identity.creation import described, new_did
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.keys import PrivateKey
from tests.identity.documents.made import NOW, made, made_of

DID = r"did:wba:[a-z0-9.-]+(%3A[0-9]+)?(:[A-Za-z0-9._-]+)*"


def method(fragment: str, kind: str, **material: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "id": {"pattern": f"^{DID}#{fragment}$"},
            "type": {"const": kind},
            "controller": {"pattern": f"^{DID}$"},
            **material,
        },
        "required": ["id", "type", "controller", *material],
        "additionalProperties": False,
    }


MULTIKEY = method("key-1", "Multikey", publicKeyMultibase={"pattern": "^z6Mk[1-9A-HJ-NP-Za-km-z]{44}$"})
P256 = method(
    "key-2",
    "EcdsaSecp256r1VerificationKey2019",
    publicKeyJwk={
        "properties": {"crv": {"const": "P-256"}, "kty": {"const": "EC"}},
        "required": ["crv", "kty", "x", "y"],
    },
)
X25519 = method("key-3", "X25519KeyAgreementKey2019", publicKeyMultibase={"pattern": "^z[1-9A-HJ-NP-Za-km-z]{32,44}$"})

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["@context", "id", "verificationMethod", "authentication", "assertionMethod", "service", "proof"],
    "additionalProperties": False,
    "properties": {
        "@context": {
            "type": "array",
            "prefixItems": [
                {"const": "https://www.w3.org/ns/did/v1"},
                {"const": "https://w3id.org/security/data-integrity/v2"},
                {"const": "https://w3id.org/security/multikey/v1"},
            ],
            "minItems": 3,
            "items": {"type": "string", "format": "uri"},
        },
        "id": {"pattern": f"^{DID}$"},
        "verificationMethod": {"type": "array", "prefixItems": [MULTIKEY, P256, X25519], "minItems": 1, "maxItems": 3},
        "authentication": {"type": "array", "items": {"pattern": f"^{DID}#key-1$"}, "minItems": 1, "maxItems": 1},
        "assertionMethod": {"type": "array", "items": {"pattern": f"^{DID}#key-1$"}, "minItems": 1, "maxItems": 1},
        "keyAgreement": {"type": "array", "items": {"pattern": f"^{DID}#key-3$"}, "minItems": 1, "maxItems": 1},
        "service": {
            "type": "array",
            "contains": {
                "properties": {"type": {"const": "AgentDescription"}, "serviceEndpoint": {"pattern": "/ad\\.json$"}},
                "required": ["id", "type", "serviceEndpoint"],
            },
        },
        "proof": {
            "properties": {
                "type": {"const": "DataIntegrityProof"},
                "cryptosuite": {"const": "eddsa-jcs-2022"},
                "proofPurpose": {"const": "assertionMethod"},
                "verificationMethod": {"pattern": f"^{DID}#key-1$"},
                "proofValue": {"pattern": "^z[1-9A-HJ-NP-Za-km-z]{86,88}$"},
                "created": {"type": "string"},
                "@context": {"type": "array"},
            },
            "required": ["type", "cryptosuite", "created", "proofPurpose", "verificationMethod", "proofValue"],
            "additionalProperties": False,
        },
    },
}
URL = "https://example.com/agents/alice/ad.json"


@pytest.mark.requirement("WIRE-DOC-01", "WIRE-DID-06")
@pytest.mark.parametrize("path", [("agents", "alice"), ()])
@pytest.mark.parametrize("agreement", [True, False])
def test_a_new_document_passes_the_schema_and_points_to_the_description(path: tuple[str, ...], agreement: bool) -> None:
    more: dict[str, Any] = {}
    if agreement:
        point = x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()
        more = {"signing": PrivateKey.generate("P-256").public, "agreement": point}
    who = made(path=path, description_url=URL, **more)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(who.document, SCHEMA)
    loaded = DidDocument.load(who.did, who.document, now=NOW)
    assert loaded.description_url == URL
    assert list(loaded.authentication) == [f"{who.did}#key-1"]
    if agreement:
        assert base58.b58decode(who.document["verificationMethod"][2]["publicKeyMultibase"][1:]) == more["agreement"]
        assert who.document["keyAgreement"] == [f"{who.did}#key-3"]


@pytest.mark.requirement("WIRE-DID-03")
def test_a_path_ends_with_the_fingerprint_and_no_path_stays_bare() -> None:
    key = PrivateKey.generate().public
    assert new_did("example.com:3000", ["user", "alice"], key).text == f"did:wba:example.com%3A3000:user:alice:{jwk.binding(key)}"  # fmt: skip
    assert new_did("example.com", [], key).text == "did:wba:example.com"


@pytest.mark.requirement("WIRE-DID-06")
@pytest.mark.parametrize("domain", ["127.0.0.1", "192.0.2.7:443", "[::1]", "::1"])
def test_no_identity_is_made_for_an_address(domain: str) -> None:
    with pytest.raises(InvalidInput):
        new_did(domain, ["user"], PrivateKey.generate().public)


def test_no_document_is_made_for_a_key_that_makes_no_proofs() -> None:
    with pytest.raises(InvalidInput):
        made_of(Did.parse("did:wba:example.com"), PrivateKey.generate("P-256"))


def test_a_document_that_names_another_description_keeps_all_else_and_holds() -> None:
    who = made(description_url=URL, agreement=bytes(32))
    document = DidDocument.load(who.did, who.document, now=NOW)
    changed = described(document, who.signer, "http://localhost:1/ad.json", NOW)
    assert DidDocument.load(who.did, changed, now=NOW).description_url == "http://localhost:1/ad.json"
    kept = {name: value for name, value in changed.items() if name not in {"service", "proof"}}
    assert kept == {name: value for name, value in who.document.items() if name not in {"service", "proof"}}
