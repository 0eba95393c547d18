"""What the model's calls took: how many, how well, how long, how many tokens, how much money (row NEG-OPS-06)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final, Literal

from moothall.llm.model import Reply

CallOutcome = Literal["ok", "invalid", "timeout", "unavailable", "cancelled"]
"""Used; answered but of no use; no answer in time; no answer at all; the caller went away before one came."""

_RECENT: Final = 1024
"""Calls that the 95th percentile is taken over."""
_P95: Final = 0.95


@dataclass(frozen=True, slots=True)
class CallFigures:
    """Calls of one prompt, or of all.

    A call is one request to the provider. ``failures`` are all calls but the successful and the cancelled ones;
    ``outcomes`` counts each :data:`CallOutcome`; ``p95_seconds`` is over the latest 1024 calls, 0 without any;
    ``cost_usd`` sums what has a known price, ``unpriced`` counts the answers without one.
    """

    calls: int = 0
    successes: int = 0
    failures: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    p95_seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0

    @property
    def success_rate(self) -> float:
        """Successes among the calls that ended by themselves; 1.0 as long as there is none."""
        ended = self.successes + self.failures
        return self.successes / ended if ended else 1.0


@dataclass(frozen=True, slots=True)
class MeterSnapshot(CallFigures):
    """All calls since the last reset, and the same by the kind of prompt."""

    by_prompt: Mapping[str, CallFigures] = field(default_factory=dict)


class _Tally:
    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.recent: deque[float] = deque(maxlen=_RECENT)
        self.seconds = self.cost_usd = 0.0
        self.input_tokens = self.output_tokens = self.unpriced = 0

    def add(self, outcome: CallOutcome, seconds: float, reply: Reply | None) -> None:
        self.outcomes[outcome] += 1
        self.seconds += seconds
        if outcome != "cancelled":  # how long a caller had patience says nothing about the model
            self.recent.append(seconds)
        if reply is None:
            return
        self.input_tokens += reply.input_tokens
        self.output_tokens += reply.output_tokens
        if reply.cost_usd is None:
            self.unpriced += 1
        else:
            self.cost_usd += reply.cost_usd

    def figures(self) -> CallFigures:
        calls, good = self.outcomes.total(), self.outcomes["ok"]
        return CallFigures(
            calls=calls,
            successes=good,
            failures=calls - good - self.outcomes["cancelled"],
            outcomes=dict(self.outcomes),
            seconds=self.seconds,
            p95_seconds=_percentile(self.recent),
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost_usd=self.cost_usd,
            unpriced=self.unpriced,
        )


class Meter:
    """Counts the calls of one model, in all and by the kind of prompt."""

    def __init__(self) -> None:
        self._all = _Tally()
        self._by_prompt: dict[str, _Tally] = {}

    def record(self, kind: str, outcome: CallOutcome, seconds: float, reply: Reply | None = None) -> None:
        """Count one call; ``reply`` is what came back, if anything did."""
        for tally in (self._all, self._by_prompt.setdefault(kind, _Tally())):
            tally.add(outcome, seconds, reply)

    def snapshot(self) -> MeterSnapshot:
        """The figures now."""
        everything = self._all.figures()
        return MeterSnapshot(
            **{name: getattr(everything, name) for name in CallFigures.__dataclass_fields__},
            by_prompt={kind: tally.figures() for kind, tally in sorted(self._by_prompt.items())},
        )

    def reset(self) -> None:
        """Count from zero again."""
        self._all = _Tally()
        self._by_prompt = {}


def _percentile(seconds: deque[float]) -> float:
    """The nearest-rank 95th percentile."""
    if not seconds:
        return 0.0
    return sorted(seconds)[ceil(_P95 * len(seconds)) - 1]
