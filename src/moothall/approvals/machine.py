"""How a workflow goes from one state to the next. Pure: no clock, no I/O; every time is handed in.

::

    pending ──► approved ──► (executing) ──► executed
       │           └──► failed
       ├──────► rejected
       ├──────► expired
       └──────► cancelled

Nothing leads out of ``rejected``, ``expired`` and ``cancelled``, and nothing from ``approved`` back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from moothall.approvals.asking import Failure, Status
from moothall.approvals.plan import StepType
from moothall.errors import Conflict, InternalError, InvalidInput, PermissionDeniedError, Told

Decision = Literal["approved", "rejected"]

DECISIONS: Final[tuple[Decision, ...]] = get_args(Decision)

INVALID_APPROVER: Final = "Invalid approver"
"""The text of row SEC-08."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What an approver said; ``person``: whose agent it is, where the node knows."""

    approver: str
    decision: Decision
    reason: str
    decided_at: datetime
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a workflow.

    Attributes:
        approvers: ids of principals, never the requester's; `OPERATOR` for the node's operator.
        needed: how many of them have to agree; whoever is added later may stand in for one of them.
        escalate_after: seconds from `opened` after which `escalate_to` may decide, too; 0: never.
        added: those who were added.
        persons: approvers, each with the person whose agent it is, where several of them are of one person.
        through: approvers, each with the group that made it one; it has to belong there when it decides.
        opened: when its turn came; None: not yet.
    """

    approval_type: StepType
    approvers: tuple[str, ...]
    needed: int
    escalate_after: int = 0
    escalate_to: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    persons: tuple[tuple[str, str], ...] = ()
    through: tuple[tuple[str, str], ...] = ()
    votes: tuple[Vote, ...] = ()
    opened: datetime | None = None

    @property
    def deciders(self) -> tuple[str, ...]:
        """Everybody who may decide."""
        return self.approvers + self.added

    @property
    def decision(self) -> Decision | None:
        """What came out, None as long as it is open: one refusal is enough unless the others can make the quorum."""
        agreed = sum(vote.decision == "approved" for vote in self.votes)
        refused = len(self.votes) - agreed
        if agreed >= self.needed:
            return "approved"
        whose = dict(self.persons)
        voices = {whose.get(one, one) for one in self.deciders}  # the agents of a person are one
        spare = len(voices) - self.needed if self.approval_type == "quorum" else 0
        return "rejected" if refused > spare else None

    def heard(self, vote: Vote) -> bool:
        """Whether whoever votes has voted already, by another agent perhaps: of its person now, or when this began."""
        whose = dict(self.persons)
        person = whose.get(vote.approver, vote.approver)
        return any(
            (vote.person and known.person == vote.person) or whose.get(known.approver, known.approver) == person
            for known in self.votes
        )

    @property
    def status(self) -> Literal["pending", "completed"]:
        """Whether anything came out yet."""
        return "completed" if self.decision else "pending"

    @property
    def escalates(self) -> datetime | None:
        """When it escalates; None: it does not, or did."""
        if self.opened is None or not self.escalate_after:
            return None
        return self.opened + timedelta(seconds=self.escalate_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A call that waits, or how that ended.

    Attributes:
        steps: in order.
        current_step: the index of the one whose turn it is; their number once all have agreed.
        expires: a decision after this is too late.
        reason, ended_by: of a rejection or cancellation.
        executing: whether the approved call was begun; executed: whether it has ended.
        outcome: its sealed reply.
        failed: whether the approved call was given up.
    """

    requester: str
    steps: tuple[Step, ...]
    expires: datetime
    current_step: int = 0
    status: Status = "pending"
    reason: str = ""
    ended_by: str = ""
    executing: bool = False
    executed: bool = False
    outcome: str = ""
    failed: Failure = ""

    @property
    def current(self) -> Step | None:
        """The step whose turn it is."""
        return self.steps[self.current_step] if self.status == "pending" else None

    @property
    def to_be_made(self) -> bool:
        """Whether the call is approved, and how it went not known yet."""
        return self.status == "approved" and not self.executed and not self.failed

    @property
    def needs_call(self) -> bool:
        """Whether the call may still have to be shown or made, so that its arguments are needed."""
        return self.status == "pending" or self.to_be_made

    @property
    def due(self) -> datetime:
        """When something happens by itself, if nobody decides before."""
        step = self.current
        escalates = step.escalates if step else None
        return self.expires if escalates is None else min(self.expires, escalates)


def begin(requester: str, steps: Iterable[Step], expires: datetime) -> Workflow:
    """A workflow whose first step is not open yet.

    Raises:
        InternalError: it has no step, a step nobody can pass, or the requester among those who decide (SEC-07).
    """
    made = tuple(steps)
    if not made:
        raise InternalError("an approval needs at least one step")
    for step in made:
        if not 1 <= step.needed <= len(set(step.approvers)):
            raise InternalError("nobody can approve the call", told=Told("approvals.nobody"))
        if requester in {*step.deciders, *step.escalate_to}:
            raise InternalError("the requester cannot be an approver", told=Told("approvals.own"))
    return Workflow(requester=requester, steps=made, expires=expires)


def open_step(flow: Workflow, at: datetime) -> Workflow:
    """The turn of the current step comes: from now on its approvers may decide."""
    step = _pending(flow)
    if step.opened is not None:
        raise Conflict("the step is open already")
    return _with(flow, replace(step, opened=at))


def decide(flow: Workflow, vote: Vote) -> Workflow:
    """An approver of the current step says yes or no.

    Raises:
        Conflict: the workflow has ended, or has expired by then, or the approver, or another agent of its person, has
            decided in this step already.
        PermissionDeniedError: `INVALID_APPROVER`: somebody else is asked.
    """
    step = _pending(flow)
    if vote.decided_at > flow.expires:
        raise Conflict("the approval has expired", told=Told("approvals.expired"))
    if step.opened is None or vote.approver not in step.deciders or vote.approver == flow.requester:
        raise invalid_approver()
    if step.heard(vote):
        raise Conflict("this approver has decided already", told=Told("approvals.decided"))
    step = replace(step, votes=(*step.votes, vote))
    flow = _with(flow, step)
    if step.decision == "rejected":
        return replace(flow, status="rejected", reason=vote.reason, ended_by=vote.approver)
    if step.decision == "approved":
        place = flow.current_step + 1
        return replace(flow, current_step=place, status="approved" if place == len(flow.steps) else "pending")
    return flow


def escalate(flow: Workflow, at: datetime) -> Workflow:
    """Let those decide, too, whom the current step escalates to.

    Raises:
        Conflict: the workflow has ended, or it is too early, or it was done.
    """
    step = _pending(flow)
    if step.escalates is None or at < step.escalates:
        raise Conflict("the step does not escalate now")
    added = tuple(one for one in step.escalate_to if one not in step.approvers)
    return _with(flow, replace(step, added=added, escalate_after=0))


def expire(flow: Workflow, at: datetime) -> Workflow:
    """End a workflow whose time is over.

    Raises:
        Conflict: it has ended before, or its time is not over.
    """
    _pending(flow)
    if at < flow.expires:
        raise Conflict("the approval has not expired")
    return replace(flow, status="expired")


def cancel(flow: Workflow, by: str, reason: str) -> Workflow:
    """End a workflow that nobody needs any more.

    Raises:
        Conflict: it has ended before.
    """
    _pending(flow)
    return replace(flow, status="cancelled", reason=reason, ended_by=by)


def execute(flow: Workflow) -> Workflow:
    """The approved call begins; said again after a crash it changes nothing.

    Raises:
        Conflict: not all steps have agreed.
    """
    if flow.status != "approved":
        raise Conflict("the call is not approved", told=Told("approvals.not_approved"))
    return replace(flow, executing=True)


def finish(flow: Workflow, outcome: str) -> Workflow:
    """The approved call has ended, once.

    Raises:
        Conflict: it had not begun, or has ended before.
    """
    if not flow.executing or flow.executed or flow.failed:
        raise Conflict("the call is not under way")
    return replace(flow, executed=True, outcome=outcome)


def fail(flow: Workflow, why: Failure) -> Workflow:
    """The node gives an approved call up; it is not made any more.

    Raises:
        Conflict: not all steps have agreed, or it has ended before.
    """
    if flow.status != "approved" or flow.executed or flow.failed:
        raise Conflict("the call is not waited for")
    return replace(flow, failed=why)


def decision_of(text: str) -> Decision:
    """A decision in words.

    Raises:
        InvalidInput: it is neither of the two (SEC-08).
    """
    for decision in DECISIONS:
        if text == decision:
            return decision
    raise InvalidInput(
        "a decision is approved or rejected",
        told=Told("approvals.decision", {"choices": ", ".join(DECISIONS)}),
        details={"decisions": list(DECISIONS)},
    )


def invalid_approver() -> PermissionDeniedError:
    """The answer to those who are not asked."""
    return PermissionDeniedError(INVALID_APPROVER, told=Told("approvals.approver"))


def _pending(flow: Workflow) -> Step:
    step = flow.current
    if step is None:
        told = Told("approvals.ended", {"status": flow.status})
        raise Conflict(f"the approval has ended: {flow.status}", told=told, details={"status": flow.status})
    return step


def _with(flow: Workflow, step: Step) -> Workflow:
    place = flow.current_step
    return replace(flow, steps=(*flow.steps[:place], step, *flow.steps[place + 1 :]))
