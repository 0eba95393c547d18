"""The workflow as the specification names it: a small object over the same machine, for programs of one process.

What has to outlive its process is asked for at the desk (`ApprovalDesk.ask`); the rules of both are the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from moothall.approvals import machine
from moothall.approvals.asking import Status
from moothall.approvals.machine import Decision, Step, Vote, Workflow
from moothall.approvals.plan import DAY, STEP_TYPES
from moothall.clock import Clock, SystemClock
from moothall.errors import Conflict, InvalidInput, Told

Notify = Callable[[str, tuple[str, ...]], Awaitable[None]]
"""Tells the approvers of a step, of a workflow by its id, that it is their turn."""


@dataclass(slots=True)
class ApprovalStep:
    """One step (row SEC-07); ``decision``, ``reason`` and ``decided_at`` are of the vote that completed it."""

    approver: str | tuple[str, ...]
    approval_type: str
    status: str = "pending"
    decision: Decision | None = None
    reason: str = ""
    decided_at: datetime | None = None


class ApprovalWorkflow:
    """Steps that have to agree one after the other (rows SEC-06 to SEC-09).

    Args:
        workflow_id: its name.
        requester: who asks; it can be no approver.
        notify: told whose turn it is.
        clock: the source of time.
        expires: seconds from the start after which it is too late.
    """

    def __init__(
        self,
        workflow_id: str,
        requester: str = "",
        *,
        notify: Notify | None = None,
        clock: Clock | None = None,
        expires: float = DAY,
    ) -> None:
        self.workflow_id = workflow_id
        self.requester = requester
        self.steps: list[ApprovalStep] = []
        self._made: list[Step] = []
        self._notify = notify
        self._clock = clock or SystemClock()
        self._expires = timedelta(seconds=expires)
        self._flow: Workflow | None = None

    @property
    def current_step(self) -> int:
        """The index of the step whose turn it is."""
        return self._flow.current_step if self._flow else 0

    @property
    def status(self) -> Status:
        """How far it is."""
        return self._flow.status if self._flow else "pending"

    async def add_approval_step(
        self, approver: str | Sequence[str], approval_type: str = "any", *, quorum: int = 1
    ) -> None:
        """Add a step of one approver, or of several of whom ``any``, ``all`` or a ``quorum`` have to agree.

        Raises:
            Conflict: the workflow has started.
            InvalidInput: there is no such type, or the requester would approve, or the quorum cannot be reached.
        """
        if self._flow is not None:
            raise Conflict("the workflow has started", told=Told("approvals.started"))
        kind = next((known for known in STEP_TYPES if known == approval_type), None)
        if kind is None:
            told = Told("approvals.step_type", {"choices": ", ".join(STEP_TYPES)})
            raise InvalidInput("there is no such type of step", told=told)
        approvers = (approver,) if isinstance(approver, str) else tuple(dict.fromkeys(approver))
        if self.requester and self.requester in approvers:
            raise InvalidInput("the requester cannot be an approver", told=Told("approvals.own"))
        needed = {"any": 1, "all": len(approvers), "quorum": quorum}[kind]
        if not 1 <= needed <= len(approvers):
            raise InvalidInput("nobody can pass this step", told=Told("approvals.nobody"))
        self._made.append(Step(approval_type=kind, approvers=approvers, needed=needed))
        self.steps.append(ApprovalStep(approver if isinstance(approver, str) else approvers, kind))

    async def start(self) -> None:
        """Tell the first approvers; from now on the steps stand. A second start does nothing.

        Raises:
            InternalError: there is no step.
        """
        if self._flow is None:
            now = self._clock.now()
            self._flow = machine.open_step(machine.begin(self.requester, self._made, now + self._expires), now)
            await self.notify_next_approver()

    async def process_approval(self, approver: str, decision: str, reason: str = "") -> Status:
        """Decide in the current step, in the name of an approver that the caller has verified.

        Raises:
            InvalidInput: the decision is neither ``approved`` nor ``rejected``.
            PermissionDeniedError: ``Invalid approver``.
            Conflict: the workflow has ended, or this approver has decided.
        """
        word = machine.decision_of(decision)
        await self.start()
        flow, now = self._started(), self._clock.now()
        place = flow.current_step
        flow = machine.decide(flow, Vote(approver=approver, decision=word, reason=reason, decided_at=now))
        done = flow.steps[place]
        if done.decision is not None:
            shown = self.steps[place]
            shown.status, shown.decision, shown.reason, shown.decided_at = "completed", done.decision, reason, now
        if flow.status == "pending" and flow.current_step != place:
            self._flow = machine.open_step(flow, now)
            await self.notify_next_approver()
        else:
            self._flow = flow
        return self.status

    async def notify_next_approver(self) -> None:
        """Tell those whose turn it is; nobody once it has ended (row SEC-09)."""
        step = self._started().current
        if step is not None and self._notify is not None:
            await self._notify(self.workflow_id, step.deciders)

    def _started(self) -> Workflow:
        if self._flow is None:
            raise Conflict("the workflow has not started")
        return self._flow
