"""The signatures of a card (A2A 1.0 §8.4): JSON Web Signatures over its canonical form (RFC 7515, RFC 8785). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from moothall.canonical import canonical, dumps
from moothall.capability.spec import JsonObject
from moothall.identity import base64url
from moothall.identity.jwk import encode
from moothall.identity.keys import Algorithm, Signer

ALGORITHMS: Final[Mapping[Algorithm, str]] = {"Ed25519": "EdDSA", "P-256": "ES256", "secp256k1": "ES256K"}


def signatures(forms: Sequence[JsonObject], signer: Signer, keys_url: str) -> list[JsonObject]:
    """One signature for each canonical form that a reader may find in a card; equal ones are signed once.

    Readers differ in two things: whether members of 0.3 belong to the card, and whether empty values within the
    parameters of an extension do. One signature that holds is enough for each of them.

    Args:
        forms: the card without signatures, as each kind of reader takes it.
        signer: the agent's key.
        keys_url: where its public half is found.
    """
    algorithm = ALGORITHMS[signer.key.public.algorithm]
    header = {"alg": algorithm, "typ": "JOSE", "kid": signer.keyid, "jku": keys_url}
    protected = base64url.encode(dumps(header))
    payloads = dict.fromkeys(canonical(form) for each in forms for form in (each, without_empty(each)))
    return [
        {
            "protected": protected,
            "signature": base64url.encode(signer.sign(f"{protected}.{base64url.encode(payload)}".encode())),
        }
        for payload in payloads
    ]


def key_set(signer: Signer) -> JsonObject:
    """The public key as a JSON Web Key Set (RFC 7517 §5)."""
    public = signer.key.public
    return {"keys": [{**encode(public), "kid": signer.keyid, "alg": ALGORITHMS[public.algorithm], "use": "sig"}]}


def without_empty(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """A value without the empty texts, lists and objects in it, and without what is empty then."""
    if isinstance(value, dict):
        return {key: kept for key, each in value.items() if not _empty(kept := without_empty(each))}
    if isinstance(value, list):
        return [kept for each in value if not _empty(kept := without_empty(each))]
    return value


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)
