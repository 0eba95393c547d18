"""Which of several equal providers is called next: in turn, or whoever answers soonest and fails least (row CAL-12)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Policy = Literal["round_robin", "least_latency"]

_MOST: Final = 1000
_WEIGHT: Final = 0.2
"""Of the latest call in the running means."""
_EVERY: Final = 20
"""Every so many choices the provider that was not called for longest is, so that one that has mended is noticed."""
_PENALTY: Final = 10.0
"""How many times longer a provider that always fails counts as taking."""
_LEAST: Final = 0.000_1
_EQUAL: Final = 1.25
"""How much more than the cheapest one costs who counts as equal to it, and takes calls in turn with it."""


@dataclass(slots=True)
class _Record:
    """What is known of a provider: seconds and share of failures, as running means; calls under way; its last turn."""

    seconds: float = 0.0
    failing: float = 0.0
    calls: int = 0
    under_way: int = 0
    turn: int = 0

    @property
    def cost(self) -> float:
        return max(self.seconds, _LEAST) * (1 + _PENALTY * self.failing) * (1 + self.under_way)


def _costs(records: Mapping[str, _Record]) -> Callable[[str], float]:
    """What a provider costs beside the others; what was never called costs nothing, so that it is known soon.

    Those that are about equal cost the same: a hair's breadth would have all calls go to one of them.
    """
    called = [record.cost for record in records.values() if record.calls]
    bound = _EQUAL * min(called, default=0.0)
    costs = {target: record.cost if record.calls else 0.0 for target, record in records.items()}
    return lambda target: bound if 0 < costs[target] <= bound else costs[target]


class Balancer:
    """Orders providers, and learns from how their calls went. For one event loop; the thousand used last are known."""

    def __init__(self, policy: Policy = "least_latency") -> None:
        self._policy = policy
        self._known: OrderedDict[str, _Record] = OrderedDict()
        self._turn = 0

    def order(self, targets: Sequence[str]) -> list[str]:
        """The order in which they are asked: one is called, the others are there if it fails."""
        if len(targets) < 2:  # noqa: PLR2004 - nothing to choose
            return list(targets)
        self._turn += 1
        records = {target: self._of(target) for target in targets}
        waiting = sorted(targets, key=lambda target: (records[target].turn, target))
        if self._policy == "round_robin":
            chosen = waiting
        else:
            chosen = sorted(waiting, key=_costs(records))
            if self._turn % _EVERY == 0:
                chosen = [waiting[0], *(target for target in chosen if target != waiting[0])]
        records[chosen[0]].turn = self._turn
        return chosen

    def begin(self, target: str) -> None:
        """A call of a provider begins."""
        self._of(target).under_way += 1

    def end(self, target: str, seconds: float, *, failed: bool) -> None:
        """It is over."""
        record = self._of(target)
        record.under_way = max(0, record.under_way - 1)
        weight = _WEIGHT if record.calls else 1.0
        record.seconds += weight * (seconds - record.seconds)
        record.failing += weight * (float(failed) - record.failing)
        record.calls += 1

    def _of(self, target: str) -> _Record:
        record = self._known.get(target)
        if record is None:
            record = self._known[target] = _Record()
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(target)
        return record
