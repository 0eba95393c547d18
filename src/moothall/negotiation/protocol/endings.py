"""How a negotiation that failed is told to whoever called for it: an error of a kind for each way to fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moothall.errors import (
    BudgetSpent,
    CallTimeout,
    CodeRefused,
    ModelUnavailable,
    MoothallError,
    NegotiationRejected,
    ProtocolViolation,
    SessionEnded,
    UpstreamError,
)
from moothall.negotiation.protocol.moves import Outcome

_ERRORS: Final[Mapping[str, tuple[type[MoothallError], str]]] = {
    "rejected": (NegotiationRejected, "the two sides agree on no protocol"),
    "rounds": (NegotiationRejected, "the two sides did not agree within the rounds that there are"),
    "timeout": (CallTimeout, "the negotiation did not end in time"),
    "too_long": (ProtocolViolation, "the other side sent more than is allowed"),
    "violation": (ProtocolViolation, "the other side broke the rules of the conversation"),
    "peer_error": (ProtocolViolation, "the other side ended the conversation with an error"),
    "generation": (CodeRefused, "no code could be made for the agreed protocol"),
    "peer_generation": (UpstreamError, "the other side could make no code for the agreed protocol"),
    "budget": (BudgetSpent, "the calls of a language model that this may take are used up"),
    "model": (ModelUnavailable, "the language model gave no answer that can be used"),
    "left": (SessionEnded, "the other side left"),
}


def failure(outcome: Outcome | None) -> MoothallError:
    """The error for an outcome; its ``details`` have ``outcome`` and, as the other side's words, ``reason``."""
    if outcome is None:
        return SessionEnded("the session is over")
    kind, message = _ERRORS[outcome.code]
    return kind(message, details={"outcome": outcome.code, "reason": outcome.reason[:500]})
