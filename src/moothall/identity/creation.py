"""New DIDs and their documents (rows WIRE-DID-06, WIRE-DOC-01). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from moothall.identity import jwk, multikey
from moothall.identity.did import Did
from moothall.identity.document import DESCRIPTION, DidDocument
from moothall.identity.keys import PrivateKey, PublicKey, Signer
from moothall.identity.proofs import prove

KEY: Final = "key-1"
"""The fragment of the key that signs."""

_CONTEXT: Final = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/data-integrity/v2",
    "https://w3id.org/security/multikey/v1",
)
_JWK_CONTEXT: Final = "https://w3id.org/security/suites/jws-2020/v1"
_SECP256K1_CONTEXT: Final = "https://w3id.org/security/suites/secp256k1-2019/v1"
_X25519_CONTEXT: Final = "https://w3id.org/security/suites/x25519-2019/v1"


def new_did(domain: str, path: Sequence[str], key: PublicKey) -> Did:
    """The DID of a key at `domain` (``host`` or ``host:port``); with a path it ends with the key's fingerprint.

    Raises:
        InvalidInput: the domain is an IP address or none, a segment is none, or the key binds no DID.
    """
    return Did.at(domain, [*path, jwk.binding(key)] if path else [])


def new_document(
    did: Did,
    key: PrivateKey,
    *,
    created: datetime,
    description_url: str = "",
    signing: PublicKey | None = None,
    agreement: bytes = b"",
) -> dict[str, Any]:
    """A document with its proof: ``#key-1`` authenticates and asserts.

    `description_url` is where the agent describes itself; `signing` (P-256, ``#key-2``) and `agreement` (32 bytes of
    X25519, ``#key-3``) are for messages that only their receiver can read.

    Raises:
        InvalidInput: the key makes no proofs.
    """
    signer = Signer(f"{did}#{KEY}", key)
    methods = [_signing_method(did, key.public)]
    document: dict[str, Any] = {
        "@context": _contexts(key.public, signing, agreement),
        "id": did.text,
        "verificationMethod": methods,
        "authentication": [signer.keyid],
        "assertionMethod": [signer.keyid],
    }
    if signing:
        methods.append(_jwk_method(did, "key-2", "EcdsaSecp256r1VerificationKey2019", signing))
    if agreement:
        methods.append(_multibase_method(did, "key-3", "X25519KeyAgreementKey2019", multikey.multibase(agreement)))
        document["keyAgreement"] = [f"{did}#key-3"]
    if description_url:
        document["service"] = [_description(did, description_url)]
    return prove(document, signer, created)


def described(document: DidDocument, signer: Signer, description_url: str, created: datetime) -> dict[str, Any]:
    """A document that names another address of the agent's description, proved anew."""
    found = document.raw.get("service", [])
    others = [service for service in found if not (isinstance(service, dict) and service.get("type") == DESCRIPTION)]
    return prove({**document.raw, "service": [_description(document.did, description_url), *others]}, signer, created)


def _description(did: Did, url: str) -> dict[str, Any]:
    return {"id": f"{did}#ad", "type": DESCRIPTION, "serviceEndpoint": url}


def _contexts(key: PublicKey, signing: PublicKey | None, agreement: bytes) -> list[str]:
    curve = key.algorithm == "secp256k1"
    more = {_JWK_CONTEXT: curve or bool(signing), _SECP256K1_CONTEXT: curve, _X25519_CONTEXT: bool(agreement)}
    return [*_CONTEXT, *(context for context, wanted in more.items() if wanted)]


def _signing_method(did: Did, key: PublicKey) -> dict[str, Any]:
    """Other implementations read secp256k1 keys of DIDs in this form only."""
    if key.algorithm == "secp256k1":
        return _jwk_method(did, KEY, "EcdsaSecp256k1VerificationKey2019", key)
    return _multibase_method(did, KEY, "Multikey", multikey.encode(key))


def _multibase_method(did: Did, name: str, kind: str, text: str) -> dict[str, Any]:
    return {"id": f"{did}#{name}", "type": kind, "controller": did.text, "publicKeyMultibase": text}


def _jwk_method(did: Did, name: str, kind: str, key: PublicKey) -> dict[str, Any]:
    return {"id": f"{did}#{name}", "type": kind, "controller": did.text, "publicKeyJwk": jwk.encode(key)}
