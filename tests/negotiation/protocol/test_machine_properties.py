"""Whatever is said in whatever order: no side is ready alone, and no two sides end with different protocols."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moothall.errors import Conflict
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.machine import begin, step
from moothall.negotiation.protocol.moves import (
    Built,
    Effect,
    Evaluate,
    Event,
    GaveUp,
    Generate,
    Heard,
    Judged,
    Left,
    Malformed,
    Propose,
    Ready,
    Reuse,
    Send,
    State,
    TimedOut,
)
from moothall.negotiation.protocol.results import NegotiationResult, NegotiationStatus, protocol_hash
from moothall.negotiation.protocol.wire.messages import (
    CodeGeneration,
    ErrorReply,
    Message,
    NaturalLanguageNegotiation,
    ProtocolNegotiation,
)

TEXTS = st.sampled_from(["# a", "# b", "# c", "", "x" * 40])
STATUSES = st.sampled_from(list(NegotiationStatus))
HASHES = st.sampled_from(["", protocol_hash("# a"), protocol_hash("# b")])
LIMITS = Limits(max_rounds=5, max_protocol_bytes=30)

MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        ProtocolNegotiation,
        sequence_id=st.integers(0, 6),
        candidate_protocols=TEXTS,
        status=STATUSES,
        protocol_hash=HASHES,
    ),
    st.builds(CodeGeneration, status=st.sampled_from(["generated", "error"]), protocol_hash=HASHES),
    st.builds(ErrorReply, code=st.just("bad_json"), fatal=st.booleans()),
    st.just(NaturalLanguageNegotiation(type="REQUEST", message_id="x" * 16, message="?")),
)
RESULTS = st.builds(NegotiationResult, status=STATUSES, candidate_protocols=TEXTS)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Heard, MESSAGES),
    st.builds(Judged, RESULTS),
    st.builds(Propose, TEXTS),
    st.builds(Built, st.booleans()),
    st.builds(
        Malformed,
        st.sampled_from(["bad_json", "too_long"]),
        st.sampled_from(["", "codeGeneration", "fixErrorNegotiation"]),
    ),
    st.just(TimedOut()),
    st.just(GaveUp("budget")),
)


@pytest.mark.requirement("META-LIMIT-08")
@settings(max_examples=150, deadline=None)
@given(
    role=st.sampled_from(["requester", "provider"]),
    script=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 5), EVENTS), min_size=6, max_size=14),
)
def test_no_sequence_reaches_ready_without_two_equal_digests_and_two_generated(
    role: Role, script: list[tuple[int, int, Event]]
) -> None:
    state = begin(role, LIMITS)
    heard: list[Message] = []
    said: list[Message] = []
    built: list[bool] = []
    for stray, choice, anything in script:
        likely = _plausible(state)
        event = anything if stray == 0 else likely[choice % len(likely)]
        try:
            state, effects = step(state, event)
        except Conflict:
            continue
        heard += [event.message] if isinstance(event, Heard) else []
        built += [event.generated] if isinstance(event, Built) else []
        said += [effect.message for effect in effects if isinstance(effect, Send)]
        if state.phase == "ready":
            digest = state.digest
            proposed_here = any(_proposes(m, digest) for m in said) and any(_accepts(m, digest) for m in heard)
            proposed_there = any(_proposes(m, digest) for m in heard) and any(
                _accepts(m, digest) or _generated(m, digest) for m in heard
            )
            assert proposed_here or proposed_there
            assert any(_accepts(m, digest) for m in said)
            codes = [m for m in heard if isinstance(m, CodeGeneration)]
            assert codes
            assert all(m.status == "generated" and m.protocol_hash in {"", digest} for m in codes)
            assert any(_generated(m, digest) for m in said)
            assert built == [True]
        assert state.messages <= LIMITS.max_rounds
        assert sum(isinstance(m, ErrorReply) for m in said) <= 4


def _plausible(state: State) -> list[Event]:
    """What could come next if all went well, and one near miss: so that the far phases are reached, too."""
    accepted = {"status": NegotiationStatus.ACCEPTED, "sequence_id": state.next_id}
    match state.phase:
        case "idle" if state.role == "requester":
            return [Propose("# a"), Propose("# b")]
        case "idle":
            said = {"status": NegotiationStatus.NEGOTIATING, "sequence_id": 1}
            return [Heard(ProtocolNegotiation(candidate_protocols=text, **said)) for text in ("# a", "# b")]
        case "proposing":
            counter = ProtocolNegotiation(
                candidate_protocols="# c", status=NegotiationStatus.NEGOTIATING, sequence_id=state.next_id
            )
            return [
                Heard(ProtocolNegotiation(candidate_protocols=state.own, **accepted)),
                Heard(counter),
                Heard(ProtocolNegotiation(candidate_protocols="# b", **accepted)),
            ]
        case "evaluating":
            return [
                Judged(NegotiationResult(NegotiationStatus.ACCEPTED)),
                Judged(NegotiationResult(NegotiationStatus.NEGOTIATING, "# b")),
            ]
        case "accepted":
            return [
                Heard(ProtocolNegotiation(candidate_protocols=state.theirs, **accepted)),
                Heard(CodeGeneration(status="generated", protocol_hash=protocol_hash(state.theirs))),
                Heard(ProtocolNegotiation(candidate_protocols="# b", **accepted)),
            ]
        case _:
            return [
                Built(generated=True),
                Heard(CodeGeneration(status="generated")),
                Heard(CodeGeneration(status="generated", protocol_hash=state.digest)),
                Heard(CodeGeneration(status="generated", protocol_hash=protocol_hash("# b"))),
            ]


def _accepts(message: Message, digest: str) -> bool:
    return isinstance(message, ProtocolNegotiation) and message.status == "accepted" and message.digest == digest


def _proposes(message: Message, digest: str) -> bool:
    return isinstance(message, ProtocolNegotiation) and message.status == "negotiating" and message.digest == digest


def _generated(message: Message, digest: str) -> bool:
    return isinstance(message, CodeGeneration) and message.status == "generated" and message.protocol_hash == digest


@pytest.mark.requirement("META-LIMIT-05", "META-LIMIT-01")
@settings(max_examples=150, deadline=None)
@given(
    verdicts=st.lists(RESULTS, max_size=12),
    builds=st.lists(st.booleans(), min_size=2, max_size=2),
    order=st.lists(st.integers(0, 3), max_size=60),
    cut=st.one_of(
        st.none(), st.tuples(st.integers(0, 40), st.integers(0, 1), st.sampled_from([TimedOut(), GaveUp("budget")]))
    ),
    reuse=st.booleans(),
)
def test_two_sides_never_end_with_different_protocols(
    verdicts: list[NegotiationResult],
    builds: list[bool],
    order: list[int],
    cut: tuple[int, int, Event] | None,
    reuse: bool,
) -> None:
    pair = _Pair(verdicts, builds)
    if reuse:
        pair.do(0, Reuse("# a"))
        pair.do(1, Reuse("# a"))
    else:
        pair.do(0, Propose("# a"))
    for turn, choice in enumerate(order):
        if cut and turn == cut[0]:
            pair.do(cut[1], cut[2])
        pair.go_on(choice)
        digests = {state.digest for state in pair.states} - {""}
        assert len(digests) <= 1
    pair.finish()
    one, two = pair.states
    assert one.digest == two.digest
    assert (one.phase == "ready") == (two.phase == "ready")
    assert pair.ready[0] == pair.ready[1] or "failed" in {one.phase, two.phase}
    assert one.messages <= LIMITS.max_rounds
    assert two.messages <= LIMITS.max_rounds


class _Pair:
    """A requester and a provider, joined by queues that keep their order; their judgements come from a script."""

    def __init__(self, verdicts: list[NegotiationResult], builds: list[bool]) -> None:
        self.states: list[State] = [begin("requester", LIMITS), begin("provider", LIMITS)]
        self.wires: list[deque[Message]] = [deque(), deque()]
        self.work: list[deque[Effect]] = [deque(), deque()]
        self.ready: list[str] = ["", ""]
        self._verdicts = deque(verdicts)
        self._builds = builds

    def do(self, who: int, event: Event) -> None:
        self.states[who], effects = step(self.states[who], event)
        for effect in effects:
            if isinstance(effect, Send):
                self.wires[1 - who].append(effect.message)
            elif isinstance(effect, Evaluate | Generate):
                self.work[who].append(effect)
            elif isinstance(effect, Ready):
                self.ready[who] = effect.digest

    def go_on(self, choice: int) -> bool:
        """Deliver a message or do a piece of work of one side; False: there is none of that kind."""
        who, kind = choice % 2, choice // 2
        if kind == 0 and self.wires[who]:
            self.do(who, Heard(self.wires[who].popleft()))
            return True
        if kind == 1 and self.work[who]:
            self._worked(who, self.work[who].popleft())
            return True
        return False

    def _worked(self, who: int, effect: Effect) -> None:
        if self.states[who].over:
            return
        if isinstance(effect, Generate):
            self.do(who, Built(generated=self._builds[who]))
        else:
            self.do(
                who,
                Judged(self._verdicts.popleft() if self._verdicts else NegotiationResult(NegotiationStatus.ACCEPTED)),
            )

    def finish(self) -> None:
        while any(self.go_on(choice) for choice in range(4)):
            pass
        for who, state in enumerate(self.states):
            if state.phase not in {"ready", "failed"}:  # the time limit of who still waits
                self.do(who, TimedOut())
        while any(self.go_on(choice) for choice in range(4)):
            pass


@settings(max_examples=100, deadline=None)
@given(events=st.lists(EVENTS, max_size=15))
def test_the_same_events_lead_to_the_same_state_and_an_end_is_final(events: list[Event]) -> None:
    states = [begin("provider", LIMITS), begin("provider", LIMITS)]
    for event in events:
        try:
            steps = [step(state, event) for state in states]
        except Conflict:
            continue
        assert steps[0] == steps[1]
        states = [state for state, _ in steps]
    ended, _ = step(states[0], Left())
    assert all(step(ended, event) == (ended, ()) for event in events)
