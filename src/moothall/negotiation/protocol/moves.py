"""The words of the machine: where a negotiation stands, what may happen to it, what is to be done then. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.results import NegotiationResult, NegotiationStatus, protocol_hash
from moothall.negotiation.protocol.wire.messages import Message

Phase = Literal["idle", "proposing", "evaluating", "accepted", "generating", "ready", "failed"]

Code = Literal[
    "rejected",
    "rounds",
    "timeout",
    "too_long",
    "violation",
    "peer_error",
    "generation",
    "peer_generation",
    "budget",
    "model",
    "left",
]
"""How a negotiation failed.

``rejected``: one side will not agree; ``rounds``, ``timeout``: it took too many messages, or too long; ``too_long``: a
proposal is longer than the limit; ``violation``: the other side broke the rules; ``peer_error``: it says that we did;
``generation``, ``peer_generation``: code could not be made; ``budget``: our model may not be asked any more; ``model``:
what it says is of no use; ``left``: the other side is gone.
"""

FIRST_ID: Final = 1
MOST_FAULTS: Final = 3
"""Messages that cannot be used, but touch nothing, before the negotiation ends."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a negotiation failed, and why; ``reason`` may repeat what the other side said."""

    code: Code
    reason: str = ""

    @property
    def status(self) -> NegotiationStatus:
        """The outcome in the words of the specification."""
        return NegotiationStatus.TIMEOUT if self.code in {"rounds", "timeout"} else NegotiationStatus.REJECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One side's view.

    Attributes:
        role: this side's.
        limits: this side's; the other side cannot change them.
        phase: see `machine`.
        sequence_id: of the last ``protocolNegotiation`` message of either side; None before the first.
        first_id: of the first one.
        messages: how many of them there were; echoes of an acceptance are not counted.
        own: the text that this side proposed last.
        theirs: the text that the other side proposed last.
        agreed: the text that both accepted; empty before.
        own_code: whether this side's code was made; None: not known yet.
        peer_code: whether the other side's was.
        faults: messages that could not be used.
        outcome: set when it failed.
    """

    role: Role
    limits: Limits = field(default_factory=Limits)
    phase: Phase = "idle"
    sequence_id: int | None = None
    first_id: int = FIRST_ID
    messages: int = 0
    own: str = field(default="", repr=False)
    theirs: str = field(default="", repr=False)
    agreed: str = field(default="", repr=False)
    own_code: bool | None = None
    peer_code: bool | None = None
    faults: int = 0
    outcome: Outcome | None = None

    @property
    def digest(self) -> str:
        """``sha256:…`` of the text that both accepted; empty before."""
        return protocol_hash(self.agreed) if self.agreed else ""

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.phase == "failed"

    @property
    def next_id(self) -> int:
        """The number of the next message."""
        return FIRST_ID if self.sequence_id is None else self.sequence_id + 1

    @property
    def rounds_left(self) -> int:
        """Messages that may still be sent, of both sides together."""
        return max(0, self.limits.max_rounds - self.messages)


@dataclass(frozen=True, slots=True)
class Propose:
    """The requester begins with its first proposal."""

    text: str = field(repr=False)
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Reuse:
    """In their hellos both named the hash of this text, which each of them has: there is nothing to negotiate."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the other side."""

    message: Message


@dataclass(frozen=True, slots=True)
class Judged:
    """What this side makes of the proposal that it was given to evaluate."""

    result: NegotiationResult


@dataclass(frozen=True, slots=True)
class Built:
    """Whether this side's code was made."""

    generated: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something came that is no message; ``action`` is what it tried to be, where that is known."""

    code: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A time limit of this side passed; ``what`` names it."""

    what: str = ""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """This side ends it on its own account."""

    code: Code
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """The other side is gone, or what carries the messages."""


Event = Propose | Reuse | Heard | Judged | Built | Malformed | TimedOut | GaveUp | Left


@dataclass(frozen=True, slots=True)
class Send:
    """A message is to be sent."""

    message: Message


@dataclass(frozen=True, slots=True)
class Evaluate:
    """A proposal is to be judged; the judgement is handed in as `Judged`."""

    text: str = field(repr=False)
    summary: str
    rounds_left: int


@dataclass(frozen=True, slots=True)
class Generate:
    """Both sides accepted: code is to be made for this text; what came of it is handed in as `Built`."""

    text: str = field(repr=False)
    digest: str


@dataclass(frozen=True, slots=True)
class Pass:
    """A message that others handle: test cases, errors, words, signatures."""

    message: Message


@dataclass(frozen=True, slots=True)
class Ready:
    """Requests may be sent and answered."""

    digest: str


@dataclass(frozen=True, slots=True)
class Ended:
    """It failed."""

    outcome: Outcome


Effect = Send | Evaluate | Generate | Pass | Ready | Ended
Step = tuple[State, tuple[Effect, ...]]
