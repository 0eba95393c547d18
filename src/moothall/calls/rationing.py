"""How many calls a caller may make in a day (row POL-14): the port of the store's counts, and counts in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from moothall.calls.call import Call
from moothall.calls.limits import Window, partition
from moothall.capability.spec import UNITS
from moothall.errors import RateLimited

_DAY: Final = UNITS["day"]
_KINDS: Final = 1024


class Quotas(Protocol):
    """Where calls are counted that a day's quota limits."""

    async def take(self, caller: str, capability: str, limit: int) -> int:
        """Count a call; how many are left.

        Raises:
            RateLimited: there was none left; ``details.retry_after`` are the seconds until there is.
            StorageError: it cannot be counted.
        """
        ...


class CountedHere:
    """Counts in memory, for call paths without a store: a restart forgets them."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._windows: dict[tuple[str, int], Window] = {}

    async def take(self, caller: str, capability: str, limit: int) -> int:
        """As `Quotas.take`; the day is the last 24 hours."""
        window = self._windows.get((capability, limit))
        if window is None:
            while len(self._windows) >= _KINDS:
                del self._windows[next(iter(self._windows))]
            window = self._windows[capability, limit] = Window(limit, _DAY, self._monotonic)
        return window.take(caller)


async def ration(call: Call, quotas: Quotas) -> None:
    """Count a call, unless an operator of the node makes it; of its caller, and of whoever has lent the right.

    Else a right that is lent to many would be as many quotas.

    One that somebody has approved counts as well, and is made also where the day's calls are used up meanwhile.

    Raises:
        RateLimited, StorageError: as `Quotas.take`.
    """
    principal = call.facts.principal
    if principal.operator:
        return
    decision = call.decision
    for caller in filter(None, (partition(principal, call.facts.address), decision.charged)):
        try:
            left = await quotas.take(caller, call.name, decision.quota)
        except RateLimited:
            if not call.execution:
                raise
            left = 0
        call.remaining = left if call.remaining is None else min(left, call.remaining)
