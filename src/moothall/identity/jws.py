"""Statements signed with the key of a DID: compact JWS with one possible form (RFC 7515, RFC 8037, RFC 8812). Pure.

The header has the three members that are written here and no other, so that nothing in a token chooses how it is
verified: neither an algorithm that its key is not of, nor a key of its own, nor an extension.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NoReturn

from moothall.canonical import dumps, strict_json
from moothall.errors import InvalidInput, Told
from moothall.identity import base64url
from moothall.identity.keys import Algorithm, PublicKey, Signer

NAMES: Final[Mapping[Algorithm, str]] = MappingProxyType({"Ed25519": "EdDSA", "secp256k1": "ES256K"})
"""The algorithms that count, by the kinds of their keys."""

LONGEST: Final = 16 * 1024
"""Characters of a token."""

_PARTS: Final = 3
_HEADER: Final = frozenset({"alg", "typ", "kid"})
_MOST_VALUES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Jws:
    """A statement that was read; who made it is not known before `signed_by`.

    Attributes:
        keyid: the DID URL of the key that it says it was signed with.
        claims: what it says.
    """

    keyid: str
    claims: Mapping[str, Any] = field(repr=False)
    _algorithm: str
    _signed: bytes = field(repr=False)
    _signature: bytes = field(repr=False)

    def signed_by(self, key: PublicKey) -> bool:
        """Whether this key, of the kind that the header names, made the signature."""
        return NAMES.get(key.algorithm) == self._algorithm and key.verify(self._signed, self._signature)


def sign(signer: Signer, typ: str, claims: Mapping[str, Any]) -> str:
    """Make a statement.

    Raises:
        InvalidInput: the key is of no kind that counts.
    """
    name = NAMES.get(signer.key.public.algorithm)
    if name is None:
        _refuse("key")
    header = {"alg": name, "typ": typ, "kid": signer.keyid}
    signed = f"{base64url.encode(dumps(header))}.{base64url.encode(dumps(dict(claims)))}"
    return f"{signed}.{base64url.encode(signer.sign(signed.encode('ascii')))}"


def read(token: str, typ: str) -> Jws:
    """Read a statement of this type.

    Raises:
        InvalidInput: it has another form, type or algorithm.
    """
    parts = token.split(".")
    if len(token) > LONGEST or not token.isascii() or len(parts) != _PARTS:
        _refuse("jws")
    header, claims = (_object(part) for part in parts[:2])
    if header.keys() != _HEADER or header["typ"] != typ:
        _refuse("jws")
    keyid, algorithm = header["kid"], header["alg"]
    if not isinstance(keyid, str) or algorithm not in NAMES.values():
        _refuse("jws")
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    return Jws(keyid, MappingProxyType(claims), algorithm, signed, base64url.decode(parts[2]))


def _object(part: str) -> dict[str, Any]:
    value = strict_json(base64url.decode(part), _MOST_VALUES)
    if not isinstance(value, dict):
        _refuse("jws")
    return value


def _refuse(why: str) -> NoReturn:
    raise InvalidInput("not a signed statement that can be used", told=Told(f"identity.{why}"))
