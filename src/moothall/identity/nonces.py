"""Nonces that were used: the port, and a store in memory for one process (row WIRE-NONCE-01)."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from moothall.errors import Overloaded

KEPT: Final = 420
"""Seconds that a nonce is remembered: longer than any signature with it counts, which is 60 + 300."""


class NonceStore(Protocol):
    """Remembers which nonces were used; what a node with several processes shares."""

    async def use(self, key: str, nonce: str, expires: int) -> bool:
        """Take a nonce for a key: True exactly once until `expires` (Unix seconds), however many ask at a time.

        Raises:
            Overloaded: more wait or live than the store has room for.
            StorageError: the store failed; the nonce may have been taken.
        """
        ...


def fingerprint(key: str, nonce: str) -> bytes:
    """What is remembered of a nonce: 16 bytes; a key has no line feed, so no two pairs read the same."""
    return hashlib.blake2b(f"{key}\n{nonce}".encode(), digest_size=16).digest()


class MemoryNonces:
    """Nonces of one process, forgotten with it: for tests and for nodes that keep nothing."""

    def __init__(self, now: Callable[[], float], *, most: int = 1_000_000) -> None:
        """Ask `now` for the time (Unix seconds); with `most` nonces alive, refuse rather than forget one."""
        self._now, self._most = now, most
        self._alive: dict[bytes, int] = {}
        self._by_age: deque[bytes] = deque()

    async def use(self, key: str, nonce: str, expires: int) -> bool:
        """As `NonceStore.use`."""
        self._forget()
        taken = fingerprint(key, nonce)
        if taken in self._alive:
            return False
        if len(self._alive) >= self._most:
            raise Overloaded("too many signatures at a time", why=f"{self._most} nonces are alive", hint="try again")
        self._alive[taken] = expires
        self._by_age.append(taken)
        return True

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._alive)

    def _forget(self) -> None:
        """Drop two that expired at most, which keeps up with one that comes."""
        now = self._now()
        for _ in range(2):
            if not self._by_age or self._alive[self._by_age[0]] >= now:
                return
            del self._alive[self._by_age.popleft()]
