"""What a resolver remembers: documents and failures, each for a while and for a bounded cost. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from moothall.errors import MoothallError
from moothall.identity.document import DidDocument

_MOST: Final = 10_000
_MOST_BYTES: Final = 16 * 1024 * 1024
"""Of documents as they came; the least recently used goes first, so the many DIDs of a stranger cost no more."""


@dataclass(slots=True)
class Kept:
    """A document, its length in bytes, until when it counts, and when its host was asked last (monotonic seconds)."""

    document: DidDocument
    size: int
    until: float
    asked: float


class KeptDocuments:
    """The documents that were resolved lately, and the DIDs that could not be."""

    def __init__(self, *, most: int = _MOST, most_bytes: int = _MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._documents: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0
        self._failures: OrderedDict[str, tuple[MoothallError, float]] = OrderedDict()

    def document(self, did: str, now: float) -> Kept | None:
        """The document of a DID, while it counts."""
        kept = self._documents.get(did)
        if kept is None:
            return None
        if kept.until <= now:
            self._drop(did)
            return None
        self._documents.move_to_end(did)
        return kept

    def failure(self, did: str, now: float) -> MoothallError | None:
        """Why a DID could not be resolved, while that counts."""
        error, until = self._failures.get(did, (None, 0.0))
        if error is not None and until <= now:
            del self._failures[did]
            return None
        return error

    def keep(self, did: str, kept: Kept) -> None:
        """Remember a document, in place of what was known of the DID."""
        self._failures.pop(did, None)
        self._drop(did)
        self._documents[did] = kept
        self._bytes += kept.size
        while len(self._documents) > self._most or self._bytes > self._most_bytes:
            self._drop(next(iter(self._documents)))

    def keep_failure(self, did: str, error: MoothallError, until: float) -> None:
        """Remember that a DID could not be resolved; documents are not forgotten for it."""
        self._failures[did] = error, until
        self._failures.move_to_end(did)
        if len(self._failures) > self._most:
            self._failures.popitem(last=False)

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self._documents)

    def _drop(self, did: str) -> None:
        if kept := self._documents.pop(did, None):
            self._bytes -= kept.size
