"""The older header ``Authorization: DIDWba …`` and its JSON form (rows WIRE-LEGACY-01, 02, 04).

It proves who sent it, to whom by name, and when; method, path and body may be anybody's. So it is off unless the
settings allow it, a principal made of it says ``binding="header"``, and no access token is given for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from moothall.canonical import canonical
from moothall.clock import parse_rfc3339
from moothall.errors import InvalidInput
from moothall.identity import base64url
from moothall.identity.refusal import refused
from moothall.identity.signature import LONGEST_HEADER
from moothall.identity.verification import AHEAD, OLDEST, Proven, Verification

SCHEME: Final = "didwba"

_PAIR: Final = re.compile(r'[ \t]*([a-z_]+)="([^"\\]*)"[ \t]*(?:,|$)')
_VERSION: Final = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,2})?", re.ASCII)
_NAMES_AUDIENCE: Final = 1.1  # the first version that signs `aud`; those before call it `service`
_FIELDS: Final = ("did", "nonce", "timestamp", "verification_method", "signature")


@dataclass(frozen=True, slots=True)
class LegacyProof:
    """The six fields, as received."""

    version: str
    did: str
    nonce: str
    timestamp: str
    verification_method: str
    signature: str

    @classmethod
    def of_header(cls, credentials: str) -> LegacyProof:
        """Read what stands after ``DIDWba`` in the header.

        Raises:
            Unauthenticated: it does not have the form.
        """
        fields: dict[str, object] = {}
        at = 0
        while at < len(credentials):
            pair = _PAIR.match(credentials, at)
            if pair is None or pair[1] in fields:
                raise refused("invalid_request", "the older header does not have the form")
            fields[pair[1]] = pair[2]
            at = pair.end()
        return cls.of_json(fields)

    @classmethod
    def of_json(cls, fields: Mapping[str, object]) -> LegacyProof:
        """Take the fields of the JSON form; a version that is not named is 1.1.

        Raises:
            Unauthenticated: one is missing, too long or no text.
        """
        texts = [fields.get("v", "1.1"), *(fields.get(name) for name in _FIELDS)]
        if not all(isinstance(text, str) and 0 < len(text) <= LONGEST_HEADER for text in texts):
            raise refused("invalid_request", "the older proof lacks a field")
        proof = cls(*map(str, texts))
        if not _VERSION.fullmatch(proof.version):
            raise refused("invalid_request", "the older proof has no version that is known")
        return proof

    def signed(self, audience: str) -> bytes:
        """The bytes that the key signs for a server of this host name."""
        name = "aud" if float(self.version) >= _NAMES_AUDIENCE else "service"
        return _hash(name, audience, self.did, self.nonce, self.timestamp)


class Legacy:
    """Checks the older proofs with the keys and nonces of the newer ones."""

    def __init__(self, verification: Verification, now: Callable[[], float]) -> None:
        """Find keys and use nonces through `verification`; `now` tells the time in Unix seconds."""
        self._verification, self._now = verification, now

    async def prove(self, proof: LegacyProof, audience: str) -> Proven:
        """Who made the proof for this server.

        Args:
            proof: the fields as received.
            audience: this server's host name without its port.

        Raises:
            Unauthenticated: it does not hold.
            Overloaded: too many nonces wait or live.
            StorageError: the store of nonces failed.
        """
        now = int(self._now())
        self._verification.check_nonce(proof.nonce, now)
        created = _created(proof.timestamp, now)
        keyid = f"{proof.did}#{proof.verification_method.rpartition('#')[2]}"
        proven = await self._verification.key(keyid)
        if not proven.key.verify(proof.signed(audience), _decoded(proof.signature)):
            raise refused("invalid_signature", "the signature of the older header does not fit")
        await self._verification.use_nonce(keyid, proof.nonce, created)
        return proven


def _hash(name: str, audience: str, did: str, nonce: str, timestamp: str) -> bytes:
    return sha256(canonical({"nonce": nonce, "timestamp": timestamp, name: audience, "did": did})).digest()


def _created(timestamp: str, now: int) -> int:
    """When a proof that counts now was made."""
    try:
        made = parse_rfc3339(timestamp).timestamp()
    except ValueError as error:
        raise refused("invalid_timestamp", "the timestamp does not have the form") from error
    if made > now + AHEAD or now - made > OLDEST:
        raise refused("invalid_timestamp", "the timestamp is too old or from the future")
    return int(made)


def _decoded(signature: str) -> bytes:
    try:
        return base64url.decode(signature)
    except InvalidInput as error:
        raise refused("invalid_signature", "the signature of the older header is not base64url") from error
