"""Signed statements: one form, two algorithms, and nothing in them that chooses how they are read."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from moothall.errors import MoothallError
from moothall.identity import base64url, jws
from moothall.identity.keys import Algorithm, PrivateKey, Signer

TYPE = "some+jwt"
KEYID = "did:wba:agents.example:user:x#key-1"
CLAIMS = {"iss": "x", "n": 1}
NAMES: dict[Algorithm, str] = {"Ed25519": "EdDSA", "secp256k1": "ES256K"}


def public_pem(key: PrivateKey) -> bytes:
    private = serialization.load_pem_private_key(key.pem(), None)
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def header(token: str, **changed: Any) -> str:
    """The token with other members in its header; None takes one out."""
    first, rest = token.split(".", 1)
    members = {**json.loads(base64url.decode(first)), **changed}
    kept = {name: member for name, member in members.items() if member is not None}
    return f"{base64url.encode(json.dumps(kept).encode())}.{rest}"


@pytest.mark.parametrize("algorithm", NAMES)
def test_what_is_signed_can_be_read_here_and_by_others(algorithm: Algorithm) -> None:
    key = PrivateKey.generate(algorithm)
    token = jws.sign(Signer(KEYID, key), TYPE, CLAIMS)
    read = jws.read(token, TYPE)
    assert (read.keyid, dict(read.claims), read.signed_by(key.public)) == (KEYID, CLAIMS, True)
    assert jwt.decode(token, public_pem(key), algorithms=[NAMES[algorithm]], options={"verify_iss": False}) == CLAIMS


@pytest.mark.parametrize("algorithm", NAMES)
def test_another_key_or_content_does_not_hold(algorithm: Algorithm) -> None:
    key = PrivateKey.generate(algorithm)
    token = jws.sign(Signer(KEYID, key), TYPE, CLAIMS)
    parts = token.split(".")
    bent = f"{parts[0]}.{base64url.encode(b'{}')}.{parts[2]}"
    assert not jws.read(bent, TYPE).signed_by(key.public)
    for other in NAMES:
        assert not jws.read(token, TYPE).signed_by(PrivateKey.generate(other).public)


def test_a_key_of_another_kind_than_the_header_says_does_not_hold() -> None:
    key = PrivateKey.generate("secp256k1")
    token = jws.sign(Signer(KEYID, key), TYPE, CLAIMS)
    assert not jws.read(header(token, alg="EdDSA"), TYPE).signed_by(key.public)


HEADERS: dict[str, dict[str, Any]] = {
    "no-algorithm": {"alg": "none"},
    "a-secret": {"alg": "HS256"},
    "p-256": {"alg": "ES256"},
    "another-type": {"typ": "at+jwt"},
    "no-key": {"kid": None},
    "a-key-of-its-own": {"jwk": {"kty": "OKP"}},
    "an-extension": {"crit": ["b64"], "b64": False},
    "a-list": {"alg": ["EdDSA"]},
}


@pytest.mark.parametrize("name", HEADERS)
def test_any_other_header_is_refused(name: str) -> None:
    token = jws.sign(Signer(KEYID, PrivateKey.generate()), TYPE, CLAIMS)
    with pytest.raises(MoothallError):
        jws.read(header(token, **HEADERS[name]), TYPE)


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c.d", "é.e.e", "W10.W10.AA", "e30=.e30.AA", "x" * (jws.LONGEST + 1)], ids=range(7)
)
def test_any_other_form_is_refused(token: str) -> None:
    with pytest.raises(MoothallError):
        jws.read(token, TYPE)


def test_claims_with_a_name_twice_are_refused() -> None:
    token = jws.sign(Signer(KEYID, PrivateKey.generate()), TYPE, CLAIMS)
    parts = token.split(".")
    twice = base64url.encode(b'{"iss":"x","iss":"y"}')
    with pytest.raises(MoothallError):
        jws.read(f"{parts[0]}.{twice}.{parts[2]}", TYPE)


def test_a_key_that_no_statement_is_signed_with_is_refused() -> None:
    with pytest.raises(MoothallError):
        jws.sign(Signer(KEYID, PrivateKey.generate("P-256")), TYPE, CLAIMS)
