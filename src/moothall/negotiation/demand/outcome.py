"""How a round ends: one decision table, first match wins (row NEG-STATE-09). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from moothall.negotiation.demand.machine import MAX_NEGOTIATION_ROUNDS


class Verdict(StrEnum):
    """What follows a round."""

    FINALIZE = "finalize"
    NEXT_ROUND = "next_round"
    SUBSTITUTE = "substitute"
    FAIL = "fail"


class FailReason(StrEnum):
    """Why a negotiation failed; the ``reason`` of ``towow.negotiation.failed``."""

    NOT_UNDERSTOOD = "not_understood"
    NOT_CONFIRMED = "not_confirmed"
    NO_CANDIDATES = "no_candidates"
    NO_ANSWER = "no_answer"
    NO_PARTICIPANTS = "no_participants"
    NO_FEASIBLE_PLAN = "no_feasible_plan"
    CORE_ROLE_LOST = "core_role_lost"
    MAJORITY_WITHDREW = "majority_withdrew"
    NO_AGREEMENT = "no_agreement"
    CANCELLED = "cancelled"
    INTERNAL = "internal_error"


@dataclass(frozen=True, slots=True)
class Tally:
    """The answers of one round. All counts are of participants who were sent this round's review.

    ``accepts`` includes ``defaults`` (silence counted as acceptance); ``silent`` are those counted as nothing.
    """

    round: int
    participants: int
    accepts: int
    negotiates: int
    withdraws: int
    defaults: int = 0
    silent: int = 0
    core_lost: bool = False
    substitute: bool = False
    max_rounds: int = MAX_NEGOTIATION_ROUNDS

    @property
    def accept_rate(self) -> float:
        """Accepts ÷ answers counted; 0 when nobody answered."""
        counted = self.accepts + self.negotiates + self.withdraws
        return self.accepts / counted if counted else 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on a round; ``divided`` marks a plan finalized although somebody still wants a change (case 5)."""

    verdict: Verdict
    reason: FailReason | None = None
    divided: bool = False


def decide(tally: Tally) -> Outcome:
    """Apply the table; a plan with nobody in it is no plan.

    1 core role lost, no substitute or no round left: fail. 2 more than half withdrew: fail. (Core role lost with a
    substitute: a further round with it.) 3 nobody wants a change: finalize. 4 a round is left: next round.
    5 last round: finalize divided from 50 % accepts on, else fail.
    """
    last = tally.round >= tally.max_rounds
    table = (
        (tally.participants == 0, Outcome(Verdict.FAIL, FailReason.NO_FEASIBLE_PLAN)),
        (tally.core_lost and (last or not tally.substitute), Outcome(Verdict.FAIL, FailReason.CORE_ROLE_LOST)),
        (2 * tally.withdraws > tally.participants, Outcome(Verdict.FAIL, FailReason.MAJORITY_WITHDREW)),
        (tally.core_lost, Outcome(Verdict.SUBSTITUTE)),
        (not tally.negotiates, Outcome(Verdict.FINALIZE)),
        (not last, Outcome(Verdict.NEXT_ROUND)),
        (2 * tally.accepts >= tally.participants, Outcome(Verdict.FINALIZE, divided=True)),
        (True, Outcome(Verdict.FAIL, FailReason.NO_AGREEMENT)),
    )
    return next(outcome for holds, outcome in table if holds)
