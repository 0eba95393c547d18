"""How a version of a service does: its last calls, and whether they are within the limits (row GEN-12). Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import ceil
from typing import Final

_PERCENTILE: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLimits:
    """What is too much.

    Attributes:
        error_rate: the share of failed calls from which on it is ill; above 1: never.
        latency: seconds, of the 95th percentile, from which on it is.
        least: calls that have to be known before anything is said.
        most: of the last calls count.
    """

    error_rate: float = 0.5
    latency: float = 5.0
    least: int = 10
    most: int = 100


USUAL: Final = HealthLimits()


class Health:
    """The last calls of one version."""

    def __init__(self, limits: HealthLimits) -> None:
        self._limits = limits
        self._calls: deque[tuple[bool, float]] = deque(maxlen=limits.most)

    def add(self, seconds: float, *, failed: bool) -> None:
        """Note how a call went; one that says nothing of the service itself is not handed in."""
        self._calls.append((failed, seconds))

    @property
    def error_rate(self) -> float:
        """The share of failed calls."""
        return sum(failed for failed, _ in self._calls) / len(self._calls) if self._calls else 0.0

    @property
    def latency(self) -> float:
        """Seconds within which 95 of 100 calls ended."""
        seconds = sorted(each for _, each in self._calls)
        return seconds[ceil(len(seconds) * _PERCENTILE) - 1] if seconds else 0.0

    @property
    def ill(self) -> str:
        """``error_rate`` or ``latency``, where that limit is reached; empty: it does well, or nobody knows yet."""
        limits = self._limits
        if len(self._calls) < limits.least:
            return ""
        if self.error_rate >= limits.error_rate > 0:
            return "error_rate"
        return "latency" if self.latency >= limits.latency else ""
