"""Nonces that were used: the port, and what is remembered of each (row WIRE-NONCE-01)."""

from __future__ import annotations

import hashlib
from typing import Final, Protocol

KEPT: Final = 420
"""Seconds that a nonce is remembered from when its signature was made: longer than that counts, which is 300."""


class NonceStore(Protocol):
    """Remembers which nonces were used; what a node with several processes shares."""

    async def use(self, key: str, nonce: str, expires: int) -> bool:
        """Take a nonce for a key: True exactly once until `expires` (Unix seconds), however many ask at a time.

        `expires` follows from what was signed: who sends the same again gives the same.

        Raises:
            Overloaded: more wait or live than the store has room for.
            StorageError: the store failed; the nonce may have been taken.
        """
        ...


def fingerprint(key: str, nonce: str) -> bytes:
    """What is remembered of a nonce: 12 bytes; a key has no line feed, so no two pairs read the same."""
    return hashlib.blake2b(f"{key}\n{nonce}".encode(), digest_size=12).digest()
