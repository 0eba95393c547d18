"""The proof on a description (ANP-07, row WIRE-AD-03): over its JCS form with all of the proof but its value. Pure."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from moothall.canonical import canonical
from moothall.capability.spec import JsonObject
from moothall.clock import rfc3339
from moothall.errors import InvalidInput
from moothall.identity import base64url
from moothall.identity.keys import Algorithm, PublicKey, Signer

Seal = Literal["signed", "unsigned", "invalid"]
"""What a description's proof is worth: it holds, there is none, or it does not hold."""

_TYPES: Final[Mapping[Algorithm, str]] = {
    "Ed25519": "Ed25519Signature2020",
    "secp256k1": "EcdsaSecp256k1Signature2019",
    "P-256": "EcdsaSecp256r1Signature2019",
}
_CHALLENGE: Final = 16
_PURPOSE: Final = "assertionMethod"


def sealed(document: JsonObject, signer: Signer, base: str, now: datetime) -> JsonObject:
    """The description with its proof, which holds at the domain of ``base``."""
    proof = {
        "type": _TYPES[signer.key.public.algorithm],
        "created": rfc3339(now),
        "proofPurpose": _PURPOSE,
        "verificationMethod": signer.keyid,
        "domain": urlsplit(base).netloc,
        "challenge": secrets.token_hex(_CHALLENGE),
    }
    value = base64url.encode(signer.sign(_hash({**document, "proof": proof})))
    return {**document, "proof": {**proof, "proofValue": value}}


def seal_of(document: JsonObject, url: str, keys: Mapping[str, PublicKey]) -> Seal:
    """What the proof of a description is worth.

    Args:
        document: the description as received.
        url: where it was received from; the proof's domain must be that of this address.
        keys: those that may vouch for the agent's documents, by their DID URLs.
    """
    proof = document.get("proof")
    if proof is None:
        return "unsigned"
    if not isinstance(proof, dict):
        return "invalid"
    key = keys.get(str(proof.get("verificationMethod")))
    if key is None or not _fits(proof, key, url):
        return "invalid"
    rest = {name: value for name, value in proof.items() if name != "proofValue"}
    try:
        signature = base64url.decode(str(proof.get("proofValue")))
        held = key.verify(_hash({**document, "proof": rest}), signature)
    except InvalidInput:  # no base64url, or the document has no canonical form
        return "invalid"
    return "signed" if held else "invalid"


def _fits(proof: Mapping[str, Any], key: PublicKey, url: str) -> bool:
    """Whether the proof is of the key's type, for its purpose, and for the place where the document was found."""
    if proof.get("type") != _TYPES[key.algorithm] or proof.get("proofPurpose") != _PURPOSE:
        return False
    at = urlsplit(url)
    return bool(proof.get("challenge")) and proof.get("domain") in {at.netloc, at.hostname}


def _hash(document: JsonObject) -> bytes:
    return hashlib.sha256(canonical(document)).digest()
