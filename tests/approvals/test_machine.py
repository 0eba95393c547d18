"""The machine: no way leads to an execution but by all steps, and every end is an end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moothall.approvals import machine
from moothall.approvals.machine import Decision, Step, Vote, Workflow
from moothall.approvals.plan import StepType
from moothall.errors import Conflict, InternalError, MoothallError, PermissionDeniedError

BEGIN = datetime(2026, 1, 22, 10, 5, tzinfo=UTC)
REQUESTER = "did:wba:example.com:agents:asker"
PEOPLE = ["user:a", "user:b", "user:c", "user:d", REQUESTER, "user:nobody"]


@dataclass(frozen=True)
class Move:
    """Something that somebody tries: whether it may be done is for the machine."""

    kind: str
    who: str
    decision: Decision
    seconds: int


@st.composite
def steps(draw: st.DrawFn) -> Step:
    kind: StepType = draw(st.sampled_from(["any", "all", "quorum"]))
    approvers = tuple(draw(st.lists(st.sampled_from(PEOPLE[:3]), min_size=1, max_size=3, unique=True)))
    quorum = draw(st.integers(1, len(approvers)))
    after = draw(st.sampled_from([0, 10]))
    needed = {"any": 1, "all": len(approvers), "quorum": quorum}[kind]
    to = ("user:d",) if after else ()
    return Step(approval_type=kind, approvers=approvers, needed=needed, escalate_after=after, escalate_to=to)


RUN, END = Move("run", "", "approved", 0), Move("end", "", "approved", 0)
KINDS = {"decide": 20, "open": 6, "escalate": 4, "expire": 2, "cancel": 1}


def moves_of(rng: random.Random) -> Iterator[Move]:
    """What people and the time may do, in any order, and before and after each of it an attempt to execute."""
    for kind in rng.choices(list(KINDS), list(KINDS.values()), k=40):
        yield RUN
        yield END
        decision: Decision = "rejected" if rng.random() < 0.08 else "approved"
        yield Move(kind, rng.choice(PEOPLE), decision, rng.choice([0, 0, 1, 3, 8]))
    yield RUN
    yield END


def tried(flow: Workflow, move: Move, now: datetime) -> Workflow:
    vote = Vote(approver=move.who, decision=move.decision, reason="", decided_at=now)
    moves: dict[str, Callable[[], Workflow]] = {
        "decide": lambda: machine.decide(flow, vote),
        "open": lambda: machine.open_step(flow, now),
        "escalate": lambda: machine.escalate(flow, now),
        "expire": lambda: machine.expire(flow, now),
        "cancel": lambda: machine.cancel(flow, move.who, ""),
        "run": lambda: machine.execute(flow),
        "end": lambda: machine.finish(flow, "sealed"),
    }
    return moves[move.kind]()


@pytest.mark.requirement("SEC-09", "SEC-10")
@settings(max_examples=300)
@given(st.lists(steps(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_no_sequence_of_moves_reaches_an_execution_without_all_steps(made: list[Step], rng: random.Random) -> None:
    played(made, rng)


def test_many_of_those_sequences_reach_each_end() -> None:
    one, two = replace(ANY, approvers=("user:a", "user:b", "user:c")), replace(TWO_OF_THREE, needed=2)
    ends = Counter(played([one, two], random.Random(seed)) for seed in range(400))
    assert {"executed", "rejected", "expired", "cancelled"} <= ends.keys()
    assert min(ends[end] for end in ("executed", "rejected", "expired", "cancelled")) > 5


def played(made: list[Step], rng: random.Random) -> str:
    """How a workflow ends; fails where it gets somewhere on a way that is none."""
    flow = machine.begin(REQUESTER, made, BEGIN + timedelta(seconds=60))
    now, ends, executions = BEGIN, set(), 0
    for move in moves_of(rng):
        now += timedelta(seconds=move.seconds)
        before = flow
        try:
            flow = tried(flow, move, now)
        except (Conflict, PermissionDeniedError):
            continue
        executions += move.kind == "end"
        if before.status != "pending":
            assert flow.status == before.status  # nothing leads out of an end
        if flow.status != "pending":
            ends.add(flow.status)
        if flow.executing:
            assert_all_agreed(flow, made)
    assert len(ends) <= 1
    assert executions <= 1
    assert flow.executed == (executions == 1)
    return "executed" if flow.executed else flow.status


def assert_all_agreed(flow: Workflow, made: list[Step]) -> None:
    assert flow.current_step == len(flow.steps) == len(made)
    for step, plan in zip(flow.steps, made, strict=True):
        agreed = {vote.approver for vote in step.votes if vote.decision == "approved"}
        assert len(agreed) >= plan.needed
        assert agreed <= {*plan.approvers, *plan.escalate_to}
        assert REQUESTER not in agreed
        assert all(vote.decided_at <= flow.expires for vote in step.votes)
        if plan.approval_type != "quorum":
            assert all(vote.decision == "approved" for vote in step.votes)


def flow_of(*made: Step, expires: float = 60) -> Workflow:
    return machine.open_step(machine.begin(REQUESTER, made, BEGIN + timedelta(seconds=expires)), BEGIN)


def said(who: str, decision: Decision = "approved", after: float = 1, person: str = "") -> Vote:
    when = BEGIN + timedelta(seconds=after)
    return Vote(approver=who, decision=decision, reason="", decided_at=when, person=person)


ANY = Step(approval_type="any", approvers=("user:a", "user:b"), needed=1)
ALL = Step(approval_type="all", approvers=("user:a", "user:b"), needed=2)
TWO_OF_THREE = Step(approval_type="quorum", approvers=("user:a", "user:b", "user:c"), needed=2)


@pytest.mark.parametrize(
    ("step", "votes", "status"),
    [
        (ANY, [said("user:b")], "approved"),
        (ANY, [said("user:a", "rejected")], "rejected"),
        (ALL, [said("user:a")], "pending"),
        (ALL, [said("user:a"), said("user:b")], "approved"),
        (ALL, [said("user:a"), said("user:b", "rejected")], "rejected"),
        (TWO_OF_THREE, [said("user:a"), said("user:c")], "approved"),
        (TWO_OF_THREE, [said("user:a", "rejected")], "pending"),
        (TWO_OF_THREE, [said("user:a", "rejected"), said("user:b", "rejected")], "rejected"),
    ],
    ids=["any-yes", "any-no", "all-one", "all-both", "all-one-no", "quorum-two", "quorum-one-no", "quorum-two-no"],
)
def test_types_of_steps(step: Step, votes: list[Vote], status: str) -> None:
    flow = flow_of(step)
    for vote in votes:
        flow = machine.decide(flow, vote)
    assert flow.status == status


def test_agents_of_one_person_have_one_voice_in_a_step() -> None:
    flow = machine.decide(flow_of(TWO_OF_THREE), said("user:a", person="a"))
    with pytest.raises(Conflict):
        machine.decide(flow, said("user:b", person="a"))
    assert machine.decide(flow, said("user:c", person="c")).status == "approved"


def test_the_very_moment_of_expiry_is_in_time_and_the_next_is_not() -> None:
    assert machine.decide(flow_of(ANY), said("user:a", after=60)).status == "approved"
    with pytest.raises(Conflict):
        machine.decide(flow_of(ANY), said("user:a", after=60.001))
    with pytest.raises(Conflict):
        machine.expire(flow_of(ANY), BEGIN + timedelta(seconds=59))


def test_who_is_added_stands_in_for_somebody_and_does_not_make_it_less() -> None:
    step = replace(ALL, escalate_after=10, escalate_to=("user:d",))
    flow = flow_of(step)
    with pytest.raises(Conflict):
        machine.escalate(flow, BEGIN + timedelta(seconds=9))
    flow = machine.escalate(flow, BEGIN + timedelta(seconds=10))
    assert flow.due == flow.expires
    flow = machine.decide(flow, said("user:d", after=11))
    assert flow.status == "pending"
    assert machine.decide(flow, said("user:a", after=12)).status == "approved"


@pytest.mark.parametrize(
    "made",
    [
        [],
        [replace(ANY, approvers=())],
        [replace(ALL, needed=3)],
        [replace(ANY, needed=0)],
        [replace(ANY, approvers=(REQUESTER,))],
        [replace(ANY, escalate_after=1, escalate_to=(REQUESTER,))],
    ],
    ids=["no-step", "nobody", "too-many", "none-needed", "requester", "requester-later"],
)
def test_workflows_that_nobody_else_can_pass_do_not_begin(made: list[Step]) -> None:
    with pytest.raises(InternalError):
        machine.begin(REQUESTER, made, BEGIN)


@pytest.mark.parametrize("move", ["execute", "finish"])
def test_nothing_is_executed_before_it_is_approved(move: str) -> None:
    with pytest.raises(MoothallError):
        machine.execute(flow_of(ANY)) if move == "execute" else machine.finish(flow_of(ANY), "sealed")
