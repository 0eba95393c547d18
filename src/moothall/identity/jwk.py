"""Public keys as JSON Web Keys, and the fingerprints made of them (RFC 7517, RFC 7638). Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from moothall.errors import InvalidInput, Told
from moothall.identity import base64url
from moothall.identity.keys import COORDINATE, Algorithm, PublicKey

_CURVES: Final[Mapping[str, Algorithm]] = {"secp256k1": "secp256k1", "P-256": "P-256"}
BINDINGS: Final[Mapping[Algorithm, str]] = {"Ed25519": "e1_", "secp256k1": "k1_"}
"""How the last segment of a bound DID begins, for the kinds of keys that a DID can be bound to."""


def encode(key: PublicKey) -> dict[str, str]:
    """The members that make up a key, in the order of RFC 7638."""
    x, *y = (base64url.encode(coordinate) for coordinate in key.coordinates())
    if key.algorithm == "Ed25519":
        return {"crv": "Ed25519", "kty": "OKP", "x": x}
    return {"crv": key.algorithm, "kty": "EC", "x": x, "y": y[0]}


def decode(jwk: Mapping[str, object]) -> PublicKey:
    """Read a key; members that say nothing of it are left alone.

    Raises:
        InvalidInput: an unknown kind, a coordinate that is not of 32 bytes (a leading zero was stripped, row
            WIRE-DID-04), a point that is not on its curve, or a private key.
    """
    kty, curve = jwk.get("kty"), jwk.get("crv")
    if "d" in jwk:
        raise _refused()
    if kty == "OKP" and curve == "Ed25519":
        return PublicKey.from_raw("Ed25519", _coordinate(jwk, "x"))
    if kty == "EC" and isinstance(curve, str) and curve in _CURVES:
        return PublicKey.from_raw(_CURVES[curve], b"\x04" + _coordinate(jwk, "x") + _coordinate(jwk, "y"))
    raise _refused()


@lru_cache(maxsize=4096)
def thumbprint(key: PublicKey) -> str:
    """SHA-256 over the members of `encode`, in base64url: 43 characters (RFC 7638 §3)."""
    members = json.dumps(encode(key), separators=(",", ":"), sort_keys=True)
    return base64url.encode(hashlib.sha256(members.encode()).digest())


def binding(key: PublicKey) -> str:
    """The last segment of a DID that is bound to this key: ``e1_`` or ``k1_`` and the thumbprint.

    Raises:
        InvalidInput: no DID can be bound to a key of this kind.
    """
    prefix = BINDINGS.get(key.algorithm)
    if prefix is None:
        raise InvalidInput("no DID can be bound to this kind of key", told=Told("identity.key"))
    return prefix + thumbprint(key)


def _coordinate(jwk: Mapping[str, object], name: str) -> bytes:
    text = jwk.get(name)
    data = base64url.decode(text) if isinstance(text, str) else b""
    if len(data) != COORDINATE:
        raise _refused()
    return data


def _refused() -> InvalidInput:
    return InvalidInput("not a JSON Web Key that can be used", told=Told("identity.key"))
