"""The proof on an agent's description (row WIRE-AD-03): who vouches for it, where, and for which occasion. Pure.

What is signed is SHA-256 over the canonical form of the whole description, its proof without ``proofValue`` included.
Descriptions of other implementations may have the kind of proof that DID documents have; that is read, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any, Final, Literal

from moothall.canonical import canonical
from moothall.clock import rfc3339
from moothall.errors import InvalidInput
from moothall.identity import base64url
from moothall.identity.document import DidDocument, too_deep
from moothall.identity.keys import Algorithm, PublicKey, Signer
from moothall.identity.proofs import PURPOSE, Proof

Verdict = Literal["signed", "unsigned", "invalid"]
"""What a description's proof is worth: it holds, there is none, or it does not hold."""

_TYPES: Final[Mapping[Algorithm, str]] = {
    "Ed25519": "Ed25519Signature2020",
    "secp256k1": "EcdsaSecp256k1Signature2019",
    "P-256": "EcdsaSecp256r1Signature2019",
}


def sign_description(
    description: Mapping[str, Any], signer: Signer, *, domain: str, challenge: str, created: datetime
) -> dict[str, Any]:
    """The description with a proof, in place of one that it may have had.

    `domain` is where it is served (``host`` or ``host:port``), `challenge` a value that tells this signing from others.

    Raises:
        InvalidInput: the description has no canonical form.
    """
    proof = {
        "type": _TYPES[signer.key.public.algorithm],
        "created": rfc3339(created),
        "proofPurpose": PURPOSE,
        "verificationMethod": signer.keyid,
        "domain": domain,
        "challenge": challenge,
    }
    signature = signer.sign(_digest({**description, "proof": proof}))
    return {**description, "proof": {**proof, "proofValue": base64url.encode(signature)}}


def check_description(
    description: Mapping[str, Any], document: DidDocument | None, *, domains: Container[str]
) -> Verdict:
    """Whether the agent that a description names vouches for it.

    `document` is that agent's, None if it could not be resolved; `domains` are the names of the place where the
    description was found, one of which the proof must have.
    """
    if "proof" not in description:
        return "unsigned"
    try:
        return "signed" if _holds(description, document, domains) else "invalid"
    except InvalidInput:
        return "invalid"


def _holds(description: Mapping[str, Any], document: DidDocument | None, domains: Container[str]) -> bool:
    proof = description["proof"]
    if document is None or not isinstance(proof, dict) or too_deep(description):
        return False
    occasion = proof.get("challenge")
    named = description.get("did") == document.did.text and proof.get("proofPurpose") == PURPOSE
    key = document.assertion.get(str(proof.get("verificationMethod")))
    if not named or key is None or not (isinstance(occasion, str) and occasion):
        return False
    if not isinstance(proof.get("domain"), str) or proof["domain"] not in domains:
        return False
    if proof.get("type") == "DataIntegrityProof":
        return Proof.of(description).holds(description, key)
    return _signed_plainly(description, proof, key)


def _signed_plainly(description: Mapping[str, Any], proof: Mapping[str, Any], key: PublicKey) -> bool:
    value = proof.get("proofValue")
    if not isinstance(value, str):
        return False
    options = {name: member for name, member in proof.items() if name != "proofValue"}
    return key.verify(_digest({**description, "proof": options}), base64url.decode(value))


def _digest(description: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(canonical(dict(description))).digest()
