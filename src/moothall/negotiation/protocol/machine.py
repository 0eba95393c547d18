"""Where a negotiation of a protocol stands, and what may come next (rows META-LIMIT-01, 05, 07, 08). Pure.

One side's view: `step` takes what happened and says what is to be done. There is no I/O here, no clock, no model. ::

    idle ─▶ proposing ◀──▶ evaluating          proposals go to and fro, one number each
                │               │
                │  accepted     │  own acceptance
                ▼               ▼
           generating ◀──── accepted           each side has accepted the same digest
                │
                ▼  own code stands, the other side's too, for the same digest
              ready                            failed: from everywhere

An ``accepted`` counts for the very text that its receiver proposed last. Who receives one answers with an ``accepted``
of the same text, so each side has said which digest it means before either generates code.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from moothall.errors import Conflict
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.moves import (
    MOST_FAULTS,
    Built,
    Code,
    Effect,
    Ended,
    Evaluate,
    Event,
    GaveUp,
    Generate,
    Heard,
    Judged,
    Left,
    Malformed,
    Outcome,
    Pass,
    Propose,
    Ready,
    Reuse,
    Send,
    State,
    Step,
    TimedOut,
)
from moothall.negotiation.protocol.results import NegotiationResult, NegotiationStatus, protocol_hash
from moothall.negotiation.protocol.wire.messages import (
    CodeGeneration,
    ErrorReply,
    FixErrorNegotiation,
    Message,
    NaturalLanguageNegotiation,
    ProtocolNegotiation,
    TestCasesNegotiation,
)

_FIRST_IDS: Final = (0, 1)
_FATAL_ACTIONS: Final = ("protocolNegotiation", "codeGeneration")
_FATAL_CODES: Final = ("too_long",)
_MOST_REASON: Final = 2_000
_WORD: Final = re.compile(r"[a-z_]{1,64}\Z")


def begin(role: Role, limits: Limits | None = None) -> State:
    """The state before anything was said."""
    return State(role=role, limits=limits or Limits())


def step(state: State, event: Event) -> Step:
    """What becomes of a negotiation when something happens, and what is to be done then.

    A negotiation that failed stays as it is, whatever happens.

    Raises:
        Conflict: this side does what its own state does not allow.
    """
    if state.over or (state.phase == "ready" and isinstance(event, TimedOut)):  # nothing is waited for any more
        return state, ()
    match event:
        case Heard(message):
            return _heard(state, message)
        case Malformed(code, action):
            return _malformed(state, code, action)
        case TimedOut() | GaveUp() | Left():
            return _stopped(state, event)
    return _own(state, event)


def _stopped(state: State, event: TimedOut | GaveUp | Left) -> Step:
    """The end for a reason that no message gave."""
    match event:
        case TimedOut(what):
            return _fail(state, "timeout", what)
        case GaveUp(code, reason):
            return _fail(state, code, reason)
        case Left():
            return _fail(state, "left", tell=False)


def _own(state: State, event: Propose | Reuse | Judged | Built) -> Step:
    """What this side does on purpose, each in its phase."""
    match event:
        case Propose(text, summary):
            _only(state, "idle")
            if state.role != "requester":
                raise Conflict("the requester makes the first proposal")
            return _propose(state, text, summary)
        case Reuse(text):
            _only(state, "idle")
            return _agreed(state, text)
        case Judged(result):
            _only(state, "evaluating")
            return _judged(state, result)
        case Built(generated, reason):
            _only(state, "generating")
            return _built(state, generated=generated, reason=reason)


def _only(state: State, phase: str) -> None:
    if state.phase != phase:
        raise Conflict("the negotiation is at another point", why=f"{state.phase}, not {phase}")


def _propose(state: State, text: str, summary: str) -> Step:
    """A proposal of this side: its first one, or one in answer to another."""
    if not text.strip():
        return _fail(state, "model", "empty")
    if _too_long(state, text):
        return _fail(state, "too_long", "own")
    if state.rounds_left <= 1:  # nobody could answer it
        return _fail(replace(state, own=text), "rounds")
    message = _negotiation(state, NegotiationStatus.NEGOTIATING, text, summary)
    return replace(_counted(state, state.next_id), phase="proposing", own=text), (Send(message),)


def _judged(state: State, result: NegotiationResult) -> Step:
    text = result.candidate_protocols
    if result.status is NegotiationStatus.REJECTED:
        return _fail(state, "rejected", result.reason)
    if result.status is NegotiationStatus.TIMEOUT:
        return _fail(state, "timeout", result.reason)
    if result.status is NegotiationStatus.NEGOTIATING and text != state.theirs:
        return _propose(state, text, result.modification_summary)
    if text not in {"", state.theirs}:  # an acceptance is of what was proposed, of nothing else
        return _fail(state, "model", "other_text")
    message = _negotiation(state, NegotiationStatus.ACCEPTED, state.theirs)
    return replace(_counted(state, state.next_id), phase="accepted"), (Send(message),)


def _built(state: State, *, generated: bool, reason: str) -> Step:
    if state.own_code is not None:
        raise Conflict("what came of this side's code was said before")
    if not generated:
        return _fail(state, "generation", reason)
    said = Send(CodeGeneration(status="generated", protocol_hash=state.digest))
    return _ready(replace(state, own_code=True), said)


def _ready(state: State, *before: Effect) -> Step:
    """Ready, where both sides' code was made."""
    if state.own_code and state.peer_code:
        return replace(state, phase="ready"), (*before, Ready(state.digest))
    return state, before


def _heard(state: State, message: Message) -> Step:
    match message:
        case ProtocolNegotiation():
            return _negotiated(state, message)
        case CodeGeneration():
            return _code_told(state, message)
        case ErrorReply():
            if not message.fatal and state.phase in {"generating", "ready"}:
                return state, (Pass(message),)
            return _fail(state, "peer_error", message.code, tell=False)
        case NaturalLanguageNegotiation():
            return state, (Pass(message),)
        case TestCasesNegotiation() | FixErrorNegotiation():
            may = state.phase in {"generating", "ready"}
        case _:
            may = state.phase == "ready"
    return (state, (Pass(message),)) if may else _fault(state, "too_early")


def _negotiated(state: State, message: ProtocolNegotiation) -> Step:
    if message.protocol_hash and message.protocol_hash != message.digest:
        return _violation(state, "other_hash")
    match message.status:
        case NegotiationStatus.REJECTED:
            return _fail(state, "rejected", message.reason, tell=False)
        case NegotiationStatus.TIMEOUT:
            return _fail(state, "timeout", message.reason, tell=False)
        case NegotiationStatus.ACCEPTED:
            return _acceptance(state, message)
        case NegotiationStatus.NEGOTIATING:
            return _proposal(state, message)


def _proposal(state: State, message: ProtocolNegotiation) -> Step:
    """The other side proposes: its turn, its number, its whole text."""
    turn = state.phase == "proposing" or (state.phase == "idle" and state.role == "provider")
    if not turn:
        return _violation(state, "out_of_turn")
    expected = (state.next_id,) if state.sequence_id is not None else _FIRST_IDS
    if message.sequence_id not in expected:
        return _violation(state, "sequence")
    text = message.candidate_protocols
    if not text.strip():
        return _violation(state, "empty_text")
    heard = replace(_counted(state, message.sequence_id), phase="evaluating")
    if _too_long(state, text):
        return _fail(heard, "too_long", "theirs")
    heard = replace(heard, theirs=text)
    if not heard.rounds_left:
        return _fail(heard, "rounds")
    return heard, (Evaluate(text, message.modification_summary, heard.rounds_left),)


def _acceptance(state: State, message: ProtocolNegotiation) -> Step:
    """The other side accepts: the very text that this side proposed last, or accepted itself."""
    text, number = message.candidate_protocols, message.sequence_id
    meant = {"proposing": state.own, "accepted": state.theirs}.get(state.phase, state.agreed)
    if not meant:
        return _violation(state, "accepted_first" if state.phase == "idle" else "out_of_turn")
    if text != meant:
        return _violation(state, "other_text")
    if state.agreed:  # an echo once more
        return state, ()
    first = state.next_id if state.phase == "proposing" else state.first_id  # an echo may have a number once more
    if not first <= number <= state.next_id:
        return _violation(state, "sequence")
    if state.phase == "accepted":
        return _agreed(state, text)
    heard = _counted(state, number)
    echo = _negotiation(heard, NegotiationStatus.ACCEPTED, text)
    agreed, effects = _agreed(replace(heard, sequence_id=heard.next_id), text)
    return agreed, (Send(echo), *effects)


def _code_told(state: State, message: CodeGeneration) -> Step:
    """The other side says whether its code was made; that it was says, too, that it agreed to what it names."""
    if state.phase in {"idle", "proposing", "evaluating"}:
        return _violation(state, "too_early")
    if message.status == "error":
        return _fail(state, "peer_generation", message.reason, tell=False)
    confirmed: tuple[Effect, ...] = ()
    if state.phase == "accepted":
        if message.protocol_hash != protocol_hash(state.theirs):
            return _violation(state, "other_hash")
        state, confirmed = _agreed(state, state.theirs)
    if message.protocol_hash not in {"", state.digest}:
        return _violation(state, "other_hash")
    if state.phase == "ready":
        return state, (Pass(message),)
    return _ready(replace(state, peer_code=True), *confirmed)


def _malformed(state: State, code: str, action: str) -> Step:
    if action in _FATAL_ACTIONS or code in _FATAL_CODES:
        return _violation(state, code)
    return _fault(state, code)


def _fault(state: State, code: str) -> Step:
    """Something that is answered with an error, and leaves everything as it is, a few times."""
    if state.faults >= MOST_FAULTS:
        return _violation(state, code)
    return replace(state, faults=state.faults + 1), (Send(_error(code)),)


def _violation(state: State, code: str) -> Step:
    return _ended(state, "violation", code, Send(_error(code, fatal=True)))


def _error(code: str, *, fatal: bool = False) -> ErrorReply:
    return ErrorReply(code=code if _WORD.match(code) else "violation", fatal=fatal)


def _agreed(state: State, text: str) -> Step:
    agreed = replace(state, phase="generating", agreed=text)
    return agreed, (Generate(text, agreed.digest),)


def _fail(state: State, code: Code, reason: str = "", *, tell: bool = True) -> Step:
    """The end; the other side is told of it by the message that it waits for, where it waits for one."""
    reason = reason[:_MOST_REASON]
    if code == "violation":
        return _violation(state, reason)
    if not tell or state.phase == "idle":
        return _ended(state, code, reason)
    if state.phase in {"generating", "ready"}:
        why = reason or code
        return _ended(state, code, reason, Send(CodeGeneration(status="error", protocol_hash=state.digest, reason=why)))
    outcome = Outcome(code, reason)
    text = state.own if state.phase == "proposing" else state.theirs
    return _ended(state, code, reason, Send(_negotiation(state, outcome.status, text, reason=reason or code)))


def _ended(state: State, code: Code, reason: str, *said: Effect) -> Step:
    outcome = Outcome(code, reason)
    return replace(state, phase="failed", agreed="", outcome=outcome), (*said, Ended(outcome))


def _negotiation(
    state: State, status: NegotiationStatus, text: str, summary: str = "", reason: str = ""
) -> ProtocolNegotiation:
    return ProtocolNegotiation.of(NegotiationResult(status, text, summary, reason), state.next_id)


def _counted(state: State, sequence_id: int) -> State:
    first = sequence_id if state.sequence_id is None else state.first_id
    return replace(state, sequence_id=sequence_id, first_id=first, messages=state.messages + 1)


def _too_long(state: State, text: str) -> bool:
    return len(text.encode("utf-8", "surrogatepass")) > state.limits.max_protocol_bytes
