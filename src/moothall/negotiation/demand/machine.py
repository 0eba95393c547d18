"""The channel's state machine: eight states, one table, no I/O (spec C §5, rows NEG-STATE-02 to -11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from moothall.errors import InternalError

MAX_NEGOTIATION_ROUNDS = 3
"""Rounds of one negotiation at the most (ADR-002)."""


class ChannelStatus(StrEnum):
    """Where a channel stands; the values are the specification's."""

    CREATED = "created"
    BROADCASTING = "broadcasting"
    COLLECTING = "collecting"
    AGGREGATING = "aggregating"
    PROPOSAL_SENT = "proposal_sent"
    NEGOTIATING = "negotiating"
    FINALIZED = "finalized"
    FAILED = "failed"


class Trigger(StrEnum):
    """What moves a channel."""

    BROADCAST_STARTED = "broadcast_started"
    BROADCAST_DONE = "broadcast_done"
    OFFERS_CLOSED = "offers_closed"
    PLAN_READY = "plan_ready"
    PLAN_DISTRIBUTED = "plan_distributed"
    NEXT_ROUND = "next_round"
    AGREED = "agreed"
    NO_CANDIDATES = "no_candidates"
    NO_ANSWER = "no_answer"
    NO_PARTICIPANTS = "no_participants"
    DISAGREED = "disagreed"
    CANCELLED = "cancelled"
    ABORTED = "aborted"


_S, _T = ChannelStatus, Trigger
TERMINAL = frozenset({_S.FINALIZED, _S.FAILED})

TRANSITIONS: Mapping[tuple[ChannelStatus, Trigger], ChannelStatus] = MappingProxyType(
    {
        (_S.CREATED, _T.BROADCAST_STARTED): _S.BROADCASTING,
        (_S.CREATED, _T.NO_CANDIDATES): _S.FAILED,
        (_S.BROADCASTING, _T.BROADCAST_DONE): _S.COLLECTING,
        (_S.COLLECTING, _T.OFFERS_CLOSED): _S.AGGREGATING,
        (_S.COLLECTING, _T.NO_ANSWER): _S.FAILED,
        (_S.AGGREGATING, _T.PLAN_READY): _S.PROPOSAL_SENT,
        (_S.AGGREGATING, _T.NO_PARTICIPANTS): _S.FAILED,
        (_S.PROPOSAL_SENT, _T.PLAN_DISTRIBUTED): _S.NEGOTIATING,
        (_S.NEGOTIATING, _T.NEXT_ROUND): _S.PROPOSAL_SENT,
        (_S.NEGOTIATING, _T.AGREED): _S.FINALIZED,
        (_S.NEGOTIATING, _T.DISAGREED): _S.FAILED,
        **{
            (state, trigger): _S.FAILED
            for state in _S
            if state not in TERMINAL
            for trigger in (_T.CANCELLED, _T.ABORTED)
        },
    }
)
"""Every legal move; what is not here cannot happen."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One move, as it is logged."""

    from_state: ChannelStatus
    to_state: ChannelStatus
    trigger: Trigger
    round: int


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel's state: where it stands and in which round (0 before the first plan)."""

    status: ChannelStatus = ChannelStatus.CREATED
    round: int = 0

    @property
    def ended(self) -> bool:
        """Whether the state is terminal."""
        return self.status in TERMINAL

    def fire(self, trigger: Trigger) -> tuple[ChannelState, Transition | None]:
        """Move by ``trigger``; a terminal state absorbs everything and gives no transition.

        Raises:
            InternalError: the move is not in the table, or a round beyond the last would begin.
        """
        if self.ended:
            return self, None
        target = TRANSITIONS.get((self.status, trigger))
        if target is None:
            message = f"{trigger} cannot happen in state {self.status}"
            raise InternalError(message)
        number = self.round + (target is ChannelStatus.PROPOSAL_SENT)
        if number > MAX_NEGOTIATION_ROUNDS:
            message = f"round {number} would begin, {MAX_NEGOTIATION_ROUNDS} is the last"
            raise InternalError(message)
        return ChannelState(target, number), Transition(self.status, target, trigger, number)
