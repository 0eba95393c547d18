"""The port of a side's judgement: everything in a protocol negotiation that is not prescribed.

Two fill it: a language model (`model_brain`) and the deterministic engine (`rules_brain`). What either says is checked
by whoever asks: a proposal is a document that can be read, an acceptance is of the very text that was proposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.results import NegotiationHistoryEntry, NegotiationResult

Role = Literal["requester", "provider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a side knows when it judges a proposal.

    Attributes:
        role: the side's.
        need: the requester's own need; of the provider what the proposal says is needed.
        capability: what the provider can do, in words or JSON, from `get_capability_info`; of the requester empty.
        proposal: the other side's whole text.
        summary: what it says that it changed.
        history: all proposals so far, the judged one included.
        rounds_left: messages that may still be sent.
    """

    role: Role
    need: Need | None = None
    capability: str = ""
    proposal: str = field(default="", repr=False)
    summary: str = ""
    history: Sequence[NegotiationHistoryEntry] = ()
    rounds_left: int = 0


@dataclass(frozen=True, slots=True)
class Cases:
    """What a side makes of test cases: accepted, rejected with a reason, or its own whole list."""

    status: Literal["negotiating", "accepted", "rejected"]
    cases: tuple[JsonObject, ...] = ()
    summary: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Whether an error that the other side reports is one of ours."""

    confirmed: bool
    reason: str = ""


class Brain(Protocol):
    """A side's judgement. Every method raises ModelUnavailable, ModelTimeout or DecisionRefused where it has none."""

    @property
    def source(self) -> Literal["rules", "llm"]:
        """Who judges."""
        ...

    async def propose(self, need: Need) -> str:
        """The text of a first proposal, in the headings of the specification.

        Raises:
            NegotiationRejected: the need is not clear enough for one; says what is missing.
        """
        ...

    async def evaluate(self, situation: Situation) -> NegotiationResult:
        """What to answer to a proposal."""
        ...

    async def propose_cases(self, document: str, need: Need | None) -> tuple[JsonObject, ...]:
        """Test cases for an agreed protocol: ``{name, request, expected}``; may be none."""
        ...

    async def judge_cases(self, document: str, cases: Sequence[JsonObject], capability: str) -> Cases:
        """What to answer to the other side's test cases."""
        ...

    async def diagnose(self, document: str, source: str, description: str) -> Diagnosis:
        """Whether an error that the other side describes is a fault of this side's code."""
        ...

    async def answer(self, document: str, message: str, capability: str) -> str:
        """What to answer to a message in natural language."""
        ...
