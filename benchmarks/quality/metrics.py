"""The figures of a plan and of a whole negotiation, as values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Score:
    """How a plan did. The regrets are ``None`` for a plan that covers nothing."""

    coverage: float
    relative: float
    regret: float | None
    advertised_regret: float | None
    welfare: float
    optimum: float
    broken: tuple[str, ...]
    surplus: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything about one negotiation of the product."""

    score: Score
    recall: float
    ceiling: float
    precision: float
    understood: bool
    false_success: bool
    false_failure: bool
    gaps_right: int
    gaps_told: int
    gaps_true: int
    finalized: bool
    full: bool
    rounds: int
    calls: int
    seconds: float
    withdrew: int
    reason: str = ""
    notes: tuple[str, ...] = field(default=())
