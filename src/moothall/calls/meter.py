"""Figures of calls: how many, how they ended, how long they took (rows TPL-45, TPL-46).

Counted in plain integers of the event loop, which costs a call next to nothing, and shown when somebody asks: a
`CallMeter` is a collector that a registry of prometheus-client can hold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

OK: Final = "ok"
CANCELLED: Final = "cancelled"
UNKNOWN: Final = "unknown"
"""The label of capabilities that there are not: what strangers make up gets no label of its own."""
_OTHERS: Final = "others"
_MOST: Final = 2000
_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Tally:
    """The calls of one capability, or of one remote."""

    __slots__ = ("buckets", "outcomes", "seconds")

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, str], int] = {}
        self.buckets = [0] * (len(_BUCKETS) + 1)
        self.seconds = 0.0

    def add(self, door: str, outcome: str, seconds: float) -> None:
        """Count one call."""
        key = (door, outcome)
        self.outcomes[key] = self.outcomes.get(key, 0) + 1
        self.buckets[bisect_left(_BUCKETS, seconds)] += 1
        self.seconds += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        """The buckets as Prometheus has them: how many took at most so many seconds."""
        rows: list[tuple[str, float]] = []
        count = 0
        for bound, more in zip((*map(str, _BUCKETS), "+Inf"), self.buckets, strict=True):
            count += more
            rows.append((bound, count))
        return rows


class Tallies:
    """A tally for each name; beyond 2,000 names the others share one."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def of(self, name: str) -> Tally:
        """The tally of a name."""
        tally = self._tallies.get(name)
        if tally is None:
            name = name if len(self._tallies) < _MOST else _OTHERS
            tally = self._tallies.setdefault(name, Tally())
        return tally

    def rows(self) -> list[tuple[str, Tally]]:
        """Every name with its tally, in order."""
        return sorted(self._tallies.items())


class CallMeter(Collector):
    """Counts calls by capability, door and outcome, and calls that leave this node by the remote they go to.

    An outcome is ``ok``, ``cancelled`` or the code of the error that the caller reads.
    """

    def __init__(self) -> None:
        self.capabilities = Tallies()
        self.remotes = Tallies()

    def collect(self) -> Iterable[Metric]:
        """Every metric family."""
        calls = CounterMetricFamily(
            "capability_calls", "Calls of capabilities, by how they ended", labels=["capability", "door", "outcome"]
        )
        latency = HistogramMetricFamily(
            "capability_latency_seconds", "Seconds that calls of a capability took", labels=["capability"]
        )
        for name, tally in self.capabilities.rows():
            for (door, outcome), count in sorted(tally.outcomes.items()):
                calls.add_metric([name, door, outcome], count)
            latency.add_metric([name], tally.cumulative(), tally.seconds)
        yield calls
        yield latency
        outgoing = HistogramMetricFamily(
            "outgoing_latency_seconds", "Seconds that calls to a remote took", labels=["endpoint"]
        )
        for name, tally in self.remotes.rows():
            outgoing.add_metric([name], tally.cumulative(), tally.seconds)
        yield outgoing
