"""Files of the operator that are followed while a node runs: when a change of them counts.

An editor may empty a file before it writes it, and a copy may stand there half: what is seen for the first time is not
taken yet, only what the next look, a second later, finds unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar

EVERY: Final = 1.0
"""Seconds between two looks, at least."""


class Mark(NamedTuple):
    """What tells one state of a file from another: time of change, size, inode."""

    changed: int
    size: int
    inode: int


S = TypeVar("S")


def mark(path: Path) -> Mark | None:
    """The state of a file; None: it is not there, or cannot be seen."""
    try:
        state = path.stat()
    except OSError:
        return None
    return Mark(state.st_mtime_ns, state.st_size, state.st_ino)


class Watched(Generic[S]):
    """The state that was taken last, and whether another one has come to stay.

    Args:
        state: tells the state of now; states are compared.
        monotonic: seconds.
    """

    def __init__(self, state: Callable[[], S], monotonic: Callable[[], float]) -> None:
        self._state, self._monotonic = state, monotonic
        self._next = monotonic() + EVERY
        self._seen = state()
        self._taken: S | None = self._seen

    def look(self) -> bool:
        """Whether there is a state to take: not the one taken, and the same as at the look before."""
        now = self._monotonic()
        if now < self._next:
            return False
        self._next = now + EVERY
        before, self._seen = self._seen, self._state()
        return self._seen == before and self._seen != self._taken

    def take(self) -> S:
        """Take the state of now; what is read after this is at least as new."""
        self._taken = self._seen = self._state()
        return self._seen

    def is_still(self) -> bool:
        """Whether the files are as they were taken: what was read since then is not half of something."""
        return self._state() == self._taken

    def put_back(self) -> None:
        """Nothing was made of what was taken, by no fault of its own: the next look offers it again."""
        self._taken = None
