"""One side's conduct of a negotiation from the first proposal to tested code on both sides, over either wire.

It may be a durable run: every choice goes through the journal, so a run that starts again says what it said before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from moothall.clock import Clock
from moothall.negotiation.protocol.brain import Brain, Role
from moothall.negotiation.protocol.conversation import Conversation, Manner
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.ports import Carrier, Journal
from moothall.negotiation.protocol.results import NegotiationHistoryEntry, NegotiationStatus


class Coder(Protocol):
    """Makes this side's half of an agreed protocol, or finds it made, and keeps it."""

    async def code(self, document: str, cases: Sequence[JsonObject]) -> str:
        """The hash of a module that passed its gate and these cases; called once in a run that may start again.

        Raises:
            CodeRefused, BudgetSpent, ModelUnavailable, ModelTimeout, DecisionRefused, SandboxFault: there is none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a negotiation.

    Attributes:
        role: which.
        brain: judges.
        need: what the requester wants.
        capability: what the provider says that it can do for a need.
        coder: makes the code; None: it ends when both agree.
        limits: what it may take.
        with_cases: whether the other side knows test cases.
        known: whether this side has tested code for a protocol (its digest) already; it is accepted as it stands.
    """

    role: Role
    brain: Brain
    need: Need | None = None
    capability: Callable[[Need | None], Awaitable[str]] | None = None
    coder: Coder | None = None
    limits: Limits = field(default_factory=Limits)
    with_cases: bool = True
    known: Callable[[str], Awaitable[bool]] | None = None

    @property
    def manner(self) -> Manner:
        """What the conversation is held with."""
        return Manner(
            role=self.role,
            brain=self.brain,
            need=self.need,
            capability=self.capability,
            limits=self.limits,
            known=self.known,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Conducted:
    """What came of it.

    Attributes:
        status: accepted, rejected or timeout.
        document: the agreed text; empty where there is none.
        digest: its ``sha256:…``.
        cases: the agreed test cases.
        module: the hash of this side's code.
        ready: whether both sides reported code for the same digest.
        code: how it failed, in one word of `machine.Code`; empty when it did not.
        reason: why, for people; may repeat what the other side said.
        history: every proposal.
        messages: all messages with their senders, in the order in which this side sent and received them.
    """

    status: NegotiationStatus
    document: str = field(default="", repr=False)
    digest: str = ""
    cases: tuple[JsonObject, ...] = ()
    module: str = ""
    ready: bool = False
    code: str = ""
    reason: str = ""
    history: tuple[NegotiationHistoryEntry, ...] = ()
    messages: tuple[tuple[Role, JsonObject], ...] = field(default=(), repr=False)


async def conduct(side: Side, carrier: Carrier, journal: Journal, clock: Clock) -> Conducted:
    """Negotiate, agree on test cases, make code, and wait until the other side has made its own.

    Whatever the other side does ends in a result.

    Raises:
        What the journal raises: LeaseLost, StorageError, Parked.
    """
    talk = Conversation(side.manner, carrier, journal, clock)
    await talk.agree()
    if side.coder is None or not talk.agreed:
        return concluded(talk)
    if side.role == "requester" and side.with_cases:
        await talk.settle_cases()
    elif side.role == "provider":
        await talk.answer_cases()
    module = await _made(talk, side.coder, journal)
    await talk.finish()
    return concluded(talk, module)


def concluded(talk: Conversation, module: str = "") -> Conducted:
    """What came of a conversation so far."""
    state, outcome = talk.state, talk.state.outcome
    return Conducted(
        status=NegotiationStatus.ACCEPTED if outcome is None else outcome.status,
        document=state.agreed,
        digest=state.digest,
        cases=talk.cases,
        module=module,
        ready=state.phase == "ready",
        code="" if outcome is None else outcome.code,
        reason="" if outcome is None else outcome.reason or outcome.code,
        history=tuple(talk.history),
        messages=tuple(talk.messages),
    )


async def _made(talk: Conversation, coder: Coder, journal: Journal) -> str:
    """This side's code, reported to the other side; empty where there is none."""
    if talk.state.over:
        return ""
    document, cases = talk.state.agreed, talk.cases

    async def make() -> object:
        return await talk.attempt(lambda: coder.code(document, cases))

    made = await journal.step("code.1", make)
    module = made.get("value", "") if isinstance(made, dict) else ""
    await talk.built(generated=bool(module), reason=made.get("reason", "") if isinstance(made, dict) else "")
    return str(module)
