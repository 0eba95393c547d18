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
_MOST_FAILED: Final = 4 * 1024 * 1024
"""Of failures, counted by `_cost`."""
_OVERHEAD: Final = 1024
"""Bytes that a failure takes at least: its error, its entry, and what they point to."""


@dataclass(slots=True)
class Kept:
    """A document, its length in bytes, until when it counts, and when its host was asked last (monotonic seconds)."""

    document: DidDocument
    size: int
    until: float
    asked: float


class KeptDocuments:
    """The documents that were resolved lately, and the DIDs that could not be."""

    def __init__(self, *, most: int = _MOST, most_bytes: int = _MOST_BYTES, most_failed: int = _MOST_FAILED) -> None:
        self._most, self._most_bytes, self._most_failed = most, most_bytes, most_failed
        self._documents: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0
        self._failures: OrderedDict[str, tuple[MoothallError, float]] = OrderedDict()
        self._failed = 0

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
            self._forgive(did)
            return None
        return error

    def keep(self, did: str, kept: Kept) -> None:
        """Remember a document, in place of what was known of the DID."""
        self._forgive(did)
        self._drop(did)
        self._documents[did] = kept
        self._bytes += kept.size
        while len(self._documents) > self._most or self._bytes > self._most_bytes:
            self._drop(next(iter(self._documents)))

    def keep_failure(self, did: str, error: MoothallError, until: float, now: float) -> None:
        """Remember that a DID could not be resolved; documents are not forgotten for it.

        `error` has neither traceback nor cause (a raised one keeps whatever the frames it went through hold), and
        failures come in the order in which they end, so that those which ended are found at the front.
        """
        self._forgive(did)
        self._failures[did] = error, until
        self._failed += _cost(did, error)
        while self._failures:
            first, (_, ends) = next(iter(self._failures.items()))
            if ends > now and len(self._failures) <= self._most and self._failed <= self._most_failed:
                break
            self._forgive(first)

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self._documents)

    def _drop(self, did: str) -> None:
        if kept := self._documents.pop(did, None):
            self._bytes -= kept.size

    def _forgive(self, did: str) -> None:
        if failed := self._failures.pop(did, None):
            self._failed -= _cost(did, failed[0])


def _cost(did: str, error: MoothallError) -> int:
    return _OVERHEAD + len(did) + len(error.message) + len(error.why)
