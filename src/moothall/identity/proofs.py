"""Proofs inside documents: who vouches for what they say (rows WIRE-DOC-02 to 05). Pure.

Two ways to write `eddsa-jcs-2022` are in use. The standard's has ``z`` and base58 as its value, and hashes the
document's ``@context`` with the proof's options; the older one has base64url and leaves the context out. Both are read,
the first is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast, get_args

from moothall.canonical import canonical
from moothall.clock import parse_rfc3339, rfc3339
from moothall.errors import InvalidInput, Told
from moothall.identity import base58, base64url, multikey
from moothall.identity.keys import Algorithm, PublicKey, Signer

Suite = Literal["eddsa-jcs-2022", "didwba-jcs-ecdsa-secp256k1-2025", "EcdsaSecp256k1Signature2019"]
"""How a proof is made; the last is the old one, a type of its own, read for older documents only."""

EDDSA: Final = "eddsa-jcs-2022"
SECP256K1: Final = "didwba-jcs-ecdsa-secp256k1-2025"
OLD_SECP256K1: Final = "EcdsaSecp256k1Signature2019"
PURPOSE: Final = "assertionMethod"

_DATA_INTEGRITY: Final = "DataIntegrityProof"
_KEYS: Final[Mapping[Suite, Algorithm]] = {
    EDDSA: "Ed25519",
    SECP256K1: "secp256k1",
    OLD_SECP256K1: "secp256k1",
}
_SIGNATURE: Final = 64


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as a document bears it.

    Attributes:
        suite: how it is made.
        method: the DID URL of the key it names.
        purpose: what the key was used for.
        signature: its 64 bytes.
        options: what is hashed beside the document.
        expires: when it ends, if it says so.
    """

    suite: Suite
    method: str
    purpose: str
    signature: bytes
    options: Mapping[str, Any]
    expires: datetime | None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Proof:
        """Read the proof of a document.

        Raises:
            InvalidInput: there is none, it is not of a form in use, or a value in it is damaged.
        """
        proof = document.get("proof")
        if not isinstance(proof, dict):
            raise _refused("proof_missing" if proof is None else "proof_form")
        suite = _suite(proof)
        method, purpose, value = (proof.get(name) for name in ("verificationMethod", "proofPurpose", "proofValue"))
        if not (isinstance(method, str) and isinstance(purpose, str) and isinstance(value, str)):
            raise _refused("proof_form")
        signature, options = _read(suite, value, proof, document)
        return cls(suite, method, purpose, signature, options, _expiry(proof))

    def holds(self, document: Mapping[str, Any], key: PublicKey) -> bool:
        """Whether `key` made this proof over the document.

        Raises:
            InvalidInput: the document has no canonical form.
        """
        if key.algorithm != _KEYS[self.suite]:
            return False
        return key.verify(_signed_bytes(document, self.options), self.signature)


def prove(document: Mapping[str, Any], signer: Signer, created: datetime) -> dict[str, Any]:
    """The document with a proof, in place of one that it may have had: of the standard's form for Ed25519.

    Raises:
        InvalidInput: the document has no canonical form, or the key is of a kind that makes no such proofs.
    """
    algorithm = signer.key.public.algorithm
    if algorithm == "P-256":
        raise _refused("proof_key")
    standard = algorithm == "Ed25519"
    options: dict[str, Any] = {
        "type": _DATA_INTEGRITY,
        "cryptosuite": EDDSA if standard else SECP256K1,
        "created": rfc3339(created),
        "verificationMethod": signer.keyid,
        "proofPurpose": PURPOSE,
    }
    if standard and "@context" in document:
        options = {"@context": document["@context"], **options}
    signature = signer.sign(_signed_bytes(document, options))
    value = multikey.multibase(signature) if standard else base64url.encode(signature)
    return {**_bare(document), "proof": {**options, "proofValue": value}}


def _suite(proof: Mapping[str, Any]) -> Suite:
    kind, suite = proof.get("type"), proof.get("cryptosuite")
    if kind == _DATA_INTEGRITY and suite in (EDDSA, SECP256K1):
        return cast("Suite", suite)
    if kind == OLD_SECP256K1 and suite is None:
        return OLD_SECP256K1
    raise _refused("proof_suite", suites=", ".join(get_args(Suite)))


def _read(
    suite: Suite, value: str, proof: Mapping[str, Any], document: Mapping[str, Any]
) -> tuple[bytes, Mapping[str, Any]]:
    options = {name: member for name, member in proof.items() if name != "proofValue"}
    if suite == EDDSA:
        standard = _standard(value)
        context = document.get("@context")
        if standard is not None:
            if options.setdefault("@context", context) != context:
                raise _refused("proof_context")
            if context is None:
                del options["@context"]
            return standard, options
        if "@context" in options:
            raise _refused("proof_context")
    signature = base64url.decode(value)
    if len(signature) != _SIGNATURE:
        raise _refused("proof_form")
    return signature, options


def _standard(value: str) -> bytes | None:
    """The signature in a value of the standard's form; None if it is of the older one (row WIRE-DOC-04)."""
    if not value.startswith("z"):
        return None
    try:
        signature = base58.decode(value[1:])
    except InvalidInput:
        return None
    return signature if len(signature) == _SIGNATURE else None


def _expiry(proof: Mapping[str, Any]) -> datetime | None:
    times: list[datetime | None] = []
    for name in ("created", "expires"):
        told = proof.get(name)
        try:
            times.append(None if told is None else parse_rfc3339(told))
        except (TypeError, ValueError) as error:
            raise _refused("proof_time") from error
    return times[1]


def _signed_bytes(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    hashes = (hashlib.sha256(canonical(part)).digest() for part in (dict(options), _bare(document)))
    return b"".join(hashes)


def _bare(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in document.items() if name != "proof"}


def _refused(why: str, **values: object) -> InvalidInput:
    return InvalidInput("the proof of the document does not hold", told=Told(f"identity.{why}", values))
