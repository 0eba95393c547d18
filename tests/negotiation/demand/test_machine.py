"""The channel's state machine (spec C §5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.errors import InternalError
from moothall.negotiation.demand.channel_admin import ChannelAdmin, ChannelAdminAgent
from moothall.negotiation.demand.machine import (
    MAX_NEGOTIATION_ROUNDS,
    TERMINAL,
    TRANSITIONS,
    ChannelState,
    ChannelStatus,
    Trigger,
)

S, T = ChannelStatus, Trigger


@pytest.mark.requirement("NEG-ARCH-02")
def test_three_rounds_by_both_names() -> None:
    assert ChannelAdmin.MAX_NEGOTIATION_ROUNDS == MAX_NEGOTIATION_ROUNDS == 3
    assert ChannelAdminAgent is ChannelAdmin


def test_the_states_are_the_eight_of_the_specification() -> None:
    assert [state.value for state in S] == [
        "created",
        "broadcasting",
        "collecting",
        "aggregating",
        "proposal_sent",
        "negotiating",
        "finalized",
        "failed",
    ]


@pytest.mark.requirement("NEG-STATE-02", "NEG-STATE-03", "NEG-STATE-04", "NEG-STATE-05", "NEG-STATE-06")
def test_the_straight_path() -> None:
    path = [
        (T.BROADCAST_STARTED, S.BROADCASTING),
        (T.BROADCAST_DONE, S.COLLECTING),
        (T.OFFERS_CLOSED, S.AGGREGATING),
        (T.PLAN_READY, S.PROPOSAL_SENT),
        (T.PLAN_DISTRIBUTED, S.NEGOTIATING),
        (T.AGREED, S.FINALIZED),
    ]
    state = ChannelState()
    for trigger, expected in path:
        state, moved = state.fire(trigger)
        assert moved is not None
        assert (state.status, moved.to_state, moved.trigger) == (expected, expected, trigger)
    assert state.round == 1


@pytest.mark.requirement("NEG-STATE-11")
@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("trigger", list(T))
def test_every_pair_moves_by_the_table_is_absorbed_or_is_impossible(status: S, trigger: T) -> None:
    state = ChannelState(status, 1)
    if status in TERMINAL:
        assert state.fire(trigger) == (state, None)
    elif (status, trigger) in TRANSITIONS:
        assert state.fire(trigger)[0].status is TRANSITIONS[status, trigger]
    else:
        with pytest.raises(InternalError):
            state.fire(trigger)


@pytest.mark.requirement("NEG-STATE-11")
@given(st.lists(st.sampled_from(list(T)), max_size=60))
def test_any_sequence_stays_within_the_table_and_three_rounds(triggers: list[T]) -> None:
    state = ChannelState()
    for trigger in triggers:
        before = state
        try:
            state, moved = state.fire(trigger)
        except InternalError:
            continue
        assert state.round <= MAX_NEGOTIATION_ROUNDS
        assert moved is None or (moved.from_state, moved.trigger) in TRANSITIONS
        if before.ended:
            assert state == before


def test_every_open_state_can_be_cancelled_and_aborted() -> None:
    for status in set(S) - TERMINAL:
        for trigger in (T.CANCELLED, T.ABORTED):
            assert ChannelState(status).fire(trigger)[0].status is S.FAILED


@pytest.mark.requirement("NEG-STATE-08")
def test_a_fourth_round_cannot_begin() -> None:
    state = ChannelState(S.NEGOTIATING, 2).fire(T.NEXT_ROUND)[0]
    assert (state.status, state.round) == (S.PROPOSAL_SENT, 3)
    with pytest.raises(InternalError):
        ChannelState(S.NEGOTIATING, 3).fire(T.NEXT_ROUND)
