"""Values that come one by one: each is held back for a moment, to know whether it is the last."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from moothall.capability.spec import JsonObject

_HELD: Final = 0.05
"""Seconds for which a value waits for the next one, or the end."""

MOST: Final = 10_000
"""Values of a task that are kept."""

MOST_BYTES: Final = 16 * 1024 * 1024
"""And their characters, as JSON."""


class Give(Protocol):
    """Hands a value on."""

    def __call__(self, part: JsonObject, *, last: bool) -> None:
        """Hand it on; ``last``: it is known that no other comes."""
        ...


class Chunks:
    """The values of one run.

    Attributes:
        given: how many were handed on.
    """

    def __init__(self, give: Give) -> None:
        self._give = give
        self._held: JsonObject | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._count = self._size = 0
        self.given = 0

    def fits(self, size: int) -> bool:
        """Count a value of that size; whether there is room for it."""
        self._count += 1
        self._size += size
        return self._count <= MOST and self._size <= MOST_BYTES

    def add(self, part: JsonObject) -> None:
        """Take a value; the one before was not the last."""
        self.flush(last=False)
        self._held = part
        self._timer = asyncio.get_running_loop().call_later(_HELD, self.flush)

    def flush(self, *, last: bool = False) -> None:
        """Hand on what is held back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._held is not None:
            part, self._held = self._held, None
            self.given += 1
            self._give(part, last=last)
