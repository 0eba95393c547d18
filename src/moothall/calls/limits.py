"""How often each caller may call: at most N calls in any window, exact for small N, by slots of it for large ones."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from moothall.errors import RateLimited, Told
from moothall.identity.principal import Principal

_KEYS: Final = 10_000
_SLOTS: Final = 32
"""Parts of a window that calls are counted by where more than so many are allowed."""


@dataclass(slots=True)
class _Slot:
    until: float
    calls: int = 1


@dataclass(slots=True)
class _Used:
    slots: deque[_Slot] = field(default_factory=deque)
    calls: int = 0


class Window:
    """Counts the calls of each key in the last ``seconds``; calls that are refused do not count.

    At most ``keys`` are remembered, the least recently used goes first. A plain object of one event loop.
    """

    def __init__(self, calls: int, seconds: float, monotonic: Callable[[], float], *, keys: int = _KEYS) -> None:
        self.calls = calls
        self._seconds = seconds
        self._width = seconds / _SLOTS if calls > _SLOTS else 0.0
        self._monotonic = monotonic
        self._most = keys
        self._keys: OrderedDict[str, _Used] = OrderedDict()

    def take(self, key: str) -> int:
        """Count a call and return how many are left.

        Raises:
            RateLimited: there was none; ``details.retry_after`` are the whole seconds until the next (row DEC-29).
        """
        now = self._monotonic()
        used = self._current(key, now)
        if used.calls >= self.calls:
            raise limited(used.slots[0].until - now)
        used.calls += 1
        last = used.slots[-1] if used.slots else None
        if last is not None and now < last.until - self._seconds:
            last.calls += 1
        else:
            used.slots.append(_Slot(now + self._width + self._seconds))
        return self.calls - used.calls

    def spent(self, key: str) -> float:
        """Seconds until `key` may call again; 0.0 when it may now. Counts nothing."""
        if key not in self._keys:
            return 0.0
        now = self._monotonic()
        used = self._current(key, now)
        return used.slots[0].until - now if used.calls >= self.calls else 0.0

    def _current(self, key: str, now: float) -> _Used:
        used = self._keys.get(key)
        if used is None:
            used = self._keys[key] = _Used()
            self._forget(now)
            return used
        self._keys.move_to_end(key)
        slots = used.slots
        while slots and slots[0].until <= now:
            used.calls -= slots.popleft().calls
        return used

    def _forget(self, now: float) -> None:
        """Drop keys that used nothing lately, and the oldest where there are too many."""
        while len(self._keys) > 1:
            oldest = next(iter(self._keys.values()))
            if len(self._keys) <= self._most and oldest.slots and oldest.slots[-1].until > now:
                return
            self._keys.popitem(last=False)


def limited(seconds: float) -> RateLimited:
    """The refusal of a call that may come again after so many seconds."""
    wait = max(1, ceil(seconds))
    told = Told("calls.rate", {"seconds": wait})
    return RateLimited(f"the next call may come in {wait} s", told=told, details={"retry_after": wait})


def partition(principal: Principal, address: str) -> str:
    """Whose calls count together: those of a verified identity, else those of a network address (row TPL-39)."""
    return principal.id if principal.verified else f"{principal.id}@{address}"
