"""Guards around what may fail or be asked too often: a circuit breaker and a rate limiter.

Both are plain objects of one event loop: no method awaits, so none needs a lock, and each reads the time through the
callable it is given (:meth:`moothall.clock.Clock.monotonic`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

BreakerState = Literal["closed", "open", "half_open"]
Outcome = Literal["ok", "failed", "neutral"]
"""What a call says about the service: it works, it is out of order, or nothing (bad output, caller gone)."""

_KEYS: Final = 10_000
_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one call; goes back to :meth:`Breaker.done` together with the outcome."""

    period: int
    probe: bool = False


@dataclass(frozen=True, slots=True)
class BreakerSnapshot:
    """A breaker at one moment; ``retry_in`` are the seconds until a probe is let through, 0 when not open."""

    state: BreakerState
    consecutive_failures: int
    threshold: int
    recovery_seconds: float
    retry_in: float
    opened: int
    refused: int


class Breaker:
    """Leaves a failing service alone (spec C §6.2.1, rows NEG-FAIL-02 to 04).

    ``threshold`` failures in a row open it for ``recovery_seconds``; then exactly one call, the probe, finds out
    whether the service is back, however many ask: success closes it, failure opens it again, a neutral outcome
    leaves the probe to the next caller. Every change of state begins a new period, and the outcome of a call from
    an earlier one is not counted: calls that were under way when it opened neither prolong the wait nor free or
    decide a probe that is not theirs.
    """

    def __init__(self, threshold: int, recovery_seconds: float, monotonic: Callable[[], float]) -> None:
        self._threshold = threshold
        self._recovery = recovery_seconds
        self._monotonic = monotonic
        self._failures = 0
        self._until: float | None = None
        self._probing = False
        self._period = 0
        self._opened = 0
        self._refused = 0

    @property
    def state(self) -> BreakerState:
        """``half_open`` begins when the wait is over, even before anybody asks."""
        if self._until is None:
            return "closed"
        return "open" if self._monotonic() < self._until else "half_open"

    def allow(self) -> Permit | None:
        """Leave for one call, or None; whoever gets a permit must hand it back by :meth:`done`."""
        state = self.state
        if state == "closed":
            return Permit(self._period)
        if state == "open" or self._probing:
            self._refused += 1
            return None
        self._probing = True
        return Permit(self._period, probe=True)

    def stands(self, permit: Permit) -> bool:
        """Whether a permit is still good: nothing has opened or closed the breaker since it was given."""
        return permit.period == self._period

    def done(self, permit: Permit, outcome: Outcome) -> None:
        """Take a call's outcome; without effect when the state has changed since the permit was given."""
        if not self.stands(permit):
            return
        if permit.probe:
            self._probing = False
        if outcome == "ok":
            self._failures = 0
            if permit.probe:
                self._close()
        elif outcome == "failed":
            self._failures += 1
            if permit.probe or self._failures >= self._threshold:
                self._open()

    def reset(self) -> None:
        """Close it, whatever has happened; calls under way are not counted any more."""
        self._failures = 0
        self._close()

    def snapshot(self) -> BreakerSnapshot:
        """What it looks like now."""
        left = 0.0 if self._until is None else max(0.0, self._until - self._monotonic())
        return BreakerSnapshot(
            state=self.state,
            consecutive_failures=self._failures,
            threshold=self._threshold,
            recovery_seconds=self._recovery,
            retry_in=left,
            opened=self._opened,
            refused=self._refused,
        )

    def _open(self) -> None:
        self._until = self._monotonic() + self._recovery
        self._period += 1
        self._opened += 1

    def _close(self) -> None:
        self._until = None
        self._probing = False
        self._period += 1


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


@dataclass(frozen=True, slots=True)
class LimiterSnapshot:
    """A rate limiter at one moment: its terms, how many keys it remembers, and what it said since the last reset."""

    per_minute: int
    keys: int
    allowed: int
    refused: int


class RateLimiter:
    """A token bucket for each key: ``per_minute`` calls at once, refilled evenly; 0 lets everything pass.

    At most ``keys`` buckets are kept, the least recently used goes first: a flood of invented keys costs memory for
    that many and no more.
    """

    def __init__(self, per_minute: int, monotonic: Callable[[], float], *, keys: int = _KEYS) -> None:
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._most = keys
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._allowed = 0
        self._refused = 0

    def allow(self, key: str) -> float:
        """Take one call of ``key``: 0.0 when it may go ahead, else the seconds after which the next one may."""
        if not self._per_minute:
            self._allowed += 1
            return 0.0
        bucket, rate = self._filled(key), self._per_minute / _MINUTE
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            self._allowed += 1
            return 0.0
        self._refused += 1
        return (1 - bucket.tokens) / rate

    def snapshot(self) -> LimiterSnapshot:
        """What it looks like now."""
        return LimiterSnapshot(self._per_minute, len(self._buckets), self._allowed, self._refused)

    def reset_stats(self) -> None:
        """Count from zero again; what the keys have used stays used."""
        self._allowed = self._refused = 0

    def _filled(self, key: str) -> _Bucket:
        now = self._monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(float(self._per_minute), now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(key)
        earned = (now - bucket.filled) * self._per_minute / _MINUTE
        bucket.tokens = min(float(self._per_minute), bucket.tokens + earned)
        bucket.filled = now
        return bucket
