"""The figures behind prompt 8: what a sub-negotiation would gain, and what it would cost (row NEG-PROMPT-8b). Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from moothall.negotiation.demand.plan_models import Gap
from moothall.negotiation.demand.questions import EstimatedCost, RecurseInput


@dataclass(frozen=True, slots=True)
class Weights:
    """What speaks for a sub-negotiation and what against it.

    ``worthwhile`` are the gaps that count and that somebody could close; ``gain`` is their part of the importance of
    all requirements; ``share`` is the cost in parts of what the run has cost; ``affordable``: new people can be paid
    without worse terms for those who agreed.
    """

    worthwhile: tuple[Gap, ...]
    gain: float
    share: float
    affordable: bool
    enough_gain: bool
    cheap: bool

    @property
    def benefit(self) -> float:
        """Gain for one part of cost."""
        return self.gain / self.share if self.share else math.inf

    @property
    def all_hold(self) -> bool:
        """Whether the three conditions of the specification hold."""
        return self.enough_gain and self.affordable and self.cheap


def weigh(data: RecurseInput) -> Weights:
    """Weigh a sub-negotiation for the gaps of a plan."""
    limits = data.limits
    worthwhile = tuple(
        gap for gap in data.gaps if gap.importance >= limits.min_importance and data.askable.get(gap.gap_type, 0) > 0
    )
    total = sum(item.importance for item in data.demand.requirements)
    gain = sum(gap.importance for gap in worthwhile) / total if total else 0.0
    share = cost_share(data.estimated_cost)
    benefit = gain / share if share else math.inf
    return Weights(
        worthwhile=worthwhile,
        gain=gain,
        share=share,
        affordable=_affordable(data),
        enough_gain=bool(worthwhile) and gain >= limits.min_gain,
        cheap=gain > 0 and share <= limits.max_cost_share and benefit > limits.min_benefit,
    )


def cost_share(cost: EstimatedCost) -> float:
    """What the sub-negotiation costs in parts of what the run has cost: tokens where any were spent, else calls."""
    planned, used = (cost.tokens, cost.tokens_used) if cost.tokens_used else (cost.calls, cost.calls_used)
    if used:
        return planned / used
    return math.inf if planned else 0.0


def _affordable(data: RecurseInput) -> bool:
    """New people are paid out of what is left of the budget, never out of others' prices."""
    limits, cost = data.demand.constraints, data.current_proposal.cost
    if limits.budget is None or (limits.currency != cost.currency and cost.total):
        return True
    return limits.budget > cost.total
