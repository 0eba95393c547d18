"""How a version of a service does: its last calls, and whether they are within the limits (row GEN-12). Pure.

Whoever may call a service can find arguments that it takes ill. So no caller from elsewhere switches off alone what
others call, too: a limit is reached when it is reached without each of them as well.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Final

OURS: Final = ""
"""Who calls where it is somebody of this node."""

_PERCENTILE: Final = 0.95
_CALLERS: Final = 20
"""Of whom the last calls are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLimits:
    """What is too much.

    Attributes:
        error_rate: the share of failed calls from which on it is ill; above 1: never.
        latency: seconds, of the 95th percentile, from which on it is.
        least: calls that have to be known before anything is said.
        most: of the last calls of one caller count.
    """

    error_rate: float = 0.5
    latency: float = 5.0
    least: int = 10
    most: int = 100


USUAL: Final = HealthLimits()


@dataclass(frozen=True, slots=True)
class _Sum:
    """Calls, those of them that failed, and those that were too slow."""

    calls: int = 0
    failed: int = 0
    slow: int = 0

    def __add__(self, other: _Sum) -> _Sum:
        return _Sum(self.calls + other.calls, self.failed + other.failed, self.slow + other.slow)

    def __sub__(self, other: _Sum) -> _Sum:
        return _Sum(self.calls - other.calls, self.failed - other.failed, self.slow - other.slow)


class _Voice:
    """The last calls of one caller."""

    def __init__(self, most: int) -> None:
        self._calls: deque[_Sum] = deque(maxlen=most)
        self.sum = _Sum()

    def add(self, call: _Sum) -> None:
        if len(self._calls) == self._calls.maxlen:
            self.sum -= self._calls[0]
        self._calls.append(call)
        self.sum += call


class Health:
    """The last calls of one version."""

    def __init__(self, limits: HealthLimits) -> None:
        self._limits = limits
        self._voices: OrderedDict[str, _Voice] = OrderedDict()

    def add(self, seconds: float, *, failed: bool, caller: str = OURS) -> None:
        """Note how a call went; one that says nothing of the service itself is not handed in."""
        voice = self._voices.get(caller)
        if voice is None:
            voice = self._voices[caller] = _Voice(self._limits.most)
        self._voices.move_to_end(caller)
        voice.add(_Sum(1, int(failed), int(seconds >= self._limits.latency)))
        if len(self._voices) > _CALLERS:
            self._voices.popitem(last=False)

    @property
    def ill(self) -> str:
        """``error_rate`` or ``latency``, where that limit is reached; empty: it does well, or nobody knows yet."""
        if self._all.calls < self._limits.least:
            return ""
        if self._reached(self._fails):
            return "error_rate"
        return "latency" if self._reached(self._lags) else ""

    @property
    def _all(self) -> _Sum:
        return sum((voice.sum for voice in self._voices.values()), _Sum())

    def _reached(self, limit: Callable[[_Sum], bool]) -> bool:
        """Whether all calls together reach a limit, and those of all but one caller as well, whoever that is."""
        whole = self._all
        rests = [whole - voice.sum for caller, voice in self._voices.items() if caller != OURS]
        return limit(whole) and all(limit(rest) for rest in rests if rest.calls)

    def _fails(self, calls: _Sum) -> bool:
        return calls.failed / calls.calls >= self._limits.error_rate > 0

    def _lags(self, calls: _Sum) -> bool:
        return calls.slow > calls.calls - ceil(calls.calls * _PERCENTILE)
