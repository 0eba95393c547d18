"""Nonces that were used: the port, and a store in memory for one process (row WIRE-NONCE-01)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import islice
from typing import Final, Protocol

from moothall.errors import Overloaded

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


class MemoryNonces:
    """Nonces of one process, forgotten with it."""

    def __init__(self, now: Callable[[], float], *, most: int = 1_000_000) -> None:
        """Ask `now` for the time (Unix seconds); with `most` nonces alive, refuse rather than forget one."""
        self._now, self._most = now, most
        self._alive: dict[bytes, int] = {}

    async def use(self, key: str, nonce: str, expires: int) -> bool:
        """As `NonceStore.use`."""
        self._forget()
        taken = fingerprint(key, nonce)
        if taken in self._alive:
            return False
        if len(self._alive) >= self._most:
            raise Overloaded("too many signatures at a time", why=f"{self._most} nonces are alive", hint="try again")
        self._alive[taken] = expires
        return True

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._alive)

    def _forget(self) -> None:
        """Drop the oldest two if they expired, which keeps up with one that comes."""
        for taken in list(islice(self._alive, 2)):
            if self._alive[taken] < self._now():
                del self._alive[taken]
