"""Public keys as Multikey: ``z``, then base58 of a prefix that names the kind, and the key's bytes. Pure."""

from __future__ import annotations

from typing import Final

from moothall.errors import InvalidInput, Told
from moothall.identity import base58
from moothall.identity.keys import Algorithm, PublicKey

_PREFIXES: Final[dict[Algorithm, bytes]] = {
    "Ed25519": b"\xed\x01",
    "secp256k1": b"\xe7\x01",
    "P-256": b"\x80\x24",
}
_SIZES: Final[dict[Algorithm, int]] = {"Ed25519": 32, "secp256k1": 33, "P-256": 33}


def encode(key: PublicKey) -> str:
    """Write a key; points are compressed."""
    return multibase(_PREFIXES[key.algorithm] + key.raw)


def decode(text: str) -> PublicKey:
    """Read a key.

    Raises:
        InvalidInput: another base than ``z``, an unknown kind, or no key of its kind.
    """
    if text.startswith("z"):
        data = base58.decode(text[1:])
        for algorithm, prefix in _PREFIXES.items():
            if data.startswith(prefix) and len(data) == len(prefix) + _SIZES[algorithm]:
                return PublicKey.from_raw(algorithm, data[len(prefix) :])
    raise InvalidInput("not a Multikey that can be used", told=Told("identity.key"))


def multibase(data: bytes) -> str:
    """Write bytes as ``z`` and base58."""
    return "z" + base58.encode(data)
