"""How a round ends: the decision table of row NEG-STATE-09, over all counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from moothall.negotiation.demand.outcome import FailReason, Outcome, Tally, Verdict, decide


def tallies() -> Iterator[Tally]:
    """All (accept, negotiate, withdraw, silent) counts for 1 to 6 participants, 3 rounds, core lost or not."""
    for participants in range(1, 7):
        for accepts in range(participants + 1):
            for negotiates in range(participants + 1 - accepts):
                for withdraws in range(participants + 1 - accepts - negotiates):
                    silent = participants - accepts - negotiates - withdraws
                    for number in (1, 2, 3):
                        for core_lost in (False, True) if withdraws else (False,):
                            for substitute in (False, True) if core_lost else (False,):
                                yield Tally(
                                    number,
                                    participants,
                                    accepts,
                                    negotiates,
                                    withdraws,
                                    silent=silent,
                                    core_lost=core_lost,
                                    substitute=substitute,
                                )


def by_the_row(t: Tally) -> Outcome:
    """The row's five cases, written again from its text."""
    if t.core_lost and (not t.substitute or t.round == 3):
        return Outcome(Verdict.FAIL, FailReason.CORE_ROLE_LOST)
    if t.withdraws / t.participants > 0.5:
        return Outcome(Verdict.FAIL, FailReason.MAJORITY_WITHDREW)
    if t.negotiates == 0 and not t.core_lost:
        return Outcome(Verdict.FINALIZE)
    if t.round < 3:
        return Outcome(Verdict.SUBSTITUTE if t.core_lost else Verdict.NEXT_ROUND)
    if t.accepts / t.participants >= 0.5:
        return Outcome(Verdict.FINALIZE, divided=True)
    return Outcome(Verdict.FAIL, FailReason.NO_AGREEMENT)


@pytest.mark.requirement("NEG-STATE-09")
def test_the_table_over_all_counts() -> None:
    cases = list(tallies())
    assert len(cases) > 1000
    assert {(t, decide(t)) for t in cases} == {(t, by_the_row(t)) for t in cases}


@pytest.mark.requirement("NEG-STATE-07")
def test_everyone_accepts_in_the_first_round() -> None:
    assert decide(Tally(1, 4, 4, 0, 0)) == Outcome(Verdict.FINALIZE)


@pytest.mark.requirement("NEG-STATE-08")
def test_one_wish_before_the_last_round_is_enough_for_another() -> None:
    assert decide(Tally(2, 6, 5, 1, 0)).verdict is Verdict.NEXT_ROUND


def test_half_of_the_accepts_carry_the_last_round_and_less_does_not() -> None:
    assert decide(Tally(3, 4, 2, 2, 0)) == Outcome(Verdict.FINALIZE, divided=True)
    assert decide(Tally(3, 3, 1, 2, 0)) == Outcome(Verdict.FAIL, FailReason.NO_AGREEMENT)


def test_exactly_half_withdrawing_is_not_a_majority() -> None:
    assert decide(Tally(1, 4, 2, 0, 2)).verdict is Verdict.FINALIZE


def test_a_sub_negotiation_has_one_round() -> None:
    assert decide(Tally(1, 2, 1, 1, 0, max_rounds=1)) == Outcome(Verdict.FINALIZE, divided=True)


def test_accept_rate_counts_answers() -> None:
    assert Tally(1, 4, 3, 1, 0).accept_rate == 0.75
    assert Tally(1, 2, 0, 0, 0, silent=2).accept_rate == 0.0


@pytest.mark.requirement("NEG-EVENT-12")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_plan_of_nobody_is_no_success(number: int) -> None:
    assert decide(Tally(number, 0, 0, 0, 0)) == Outcome(Verdict.FAIL, FailReason.NO_FEASIBLE_PLAN)
