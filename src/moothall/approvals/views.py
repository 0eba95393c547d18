"""A workflow as those see it whom it concerns. Texts of approvers are plain data; whoever shows them escapes them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from moothall.approvals.asking import Ask, Failure, Standing, Status
from moothall.approvals.kept import executed
from moothall.approvals.machine import Decision, Step, Workflow
from moothall.approvals.plan import StepType
from moothall.clock import rfc3339
from moothall.events.model import JsonObject, RunRecord


class VoteView(BaseModel):
    """What an approver said; times are RFC 3339."""

    approver: str
    decision: Decision
    reason: str
    decided_at: str


class StepView(BaseModel):
    """One step: who is asked, how many have to agree, who has said what.

    Members of a group are named to the operator and to those who are asked themselves; others read ``unit:ID``.
    """

    type: StepType
    approvers: list[str]
    needed: int
    status: str
    opened: str | None
    votes: list[VoteView]


class ApprovalSummary(BaseModel):
    """One line of a list.

    ``failed``: the node gave the approved call up; it was never made (`not_made`), or nobody knows (`unknown`).
    """

    approval_id: str
    requester: str
    target: str
    action: str
    status: Status
    executed: bool
    failed: Failure
    waiting_for: list[str]
    created: str
    expires: str


class ApprovalPage(BaseModel):
    """Some approvals, the newest first; ``next_cursor`` leads to older ones, null at the end.

    A page may be shorter than its limit although there are more.
    """

    approvals: list[ApprovalSummary]
    next_cursor: str | None = None


class ApprovalView(ApprovalSummary):
    """A workflow, whole; ``executed``: the call was made, and its requester can have the answer.

    ``arguments`` are kept as long as the call may still be made; null after that. ``on_behalf_of``: whose right the
    requester uses, where it was lent to it.
    """

    digest: str
    arguments: JsonObject | None
    policy: str
    workflow: str
    purpose: str
    on_behalf_of: str
    reason: str
    current_step: int
    steps: list[StepView]


class ApprovalReply(BaseModel):
    """How far a workflow is after a decision or a cancellation.

    ``counted``: false: it is accepted and on record, but whoever drives the workflow has not taken it yet.
    """

    approval_id: str
    status: Status
    executed: bool
    failed: Failure
    reason: str
    counted: bool


def summary(record: RunRecord, flow: Workflow, *, names: bool) -> ApprovalSummary:
    """A workflow in a list; ``names``: for somebody who may know who belongs to the groups that decide."""
    return ApprovalSummary(**_brief(record, flow, names=names))


def view(record: RunRecord, flow: Workflow, ask: Ask, *, names: bool) -> ApprovalView:
    """A workflow with its steps and its call; ``names`` as in `summary`."""
    return ApprovalView(
        **_brief(record, flow, names=names),
        digest=ask.digest,
        arguments=ask.arguments if flow.needs_call else None,
        policy=ask.policy,
        workflow=ask.workflow,
        purpose=ask.purpose,
        on_behalf_of=ask.on_behalf_of,
        reason=flow.reason,
        current_step=flow.current_step,
        steps=[_step(step, names=names) for step in flow.steps],
    )


def reply(standing: Standing) -> ApprovalReply:
    """The answer to a decision."""
    return ApprovalReply(
        approval_id=standing.id,
        status=standing.status,
        executed=standing.executed,
        failed=standing.failed,
        reason=standing.reason,
        counted=standing.counted,
    )


def _brief(record: RunRecord, flow: Workflow, *, names: bool) -> JsonObject:
    step = flow.current
    said = {vote.approver for vote in step.votes} if step else set()
    waiting = _Names(step, names=names).of(one for one in step.deciders if one not in said) if step else []
    return {
        "approval_id": record.id,
        "requester": flow.requester,
        "target": record.meta["target"],
        "action": record.meta["action"],
        "status": flow.status,
        "executed": executed(record, flow),
        "failed": flow.failed,
        "waiting_for": waiting,
        "created": rfc3339(record.created_at),
        "expires": rfc3339(flow.expires),
    }


class _Names:
    """What approvers are called: themselves, or, for those who may not know its members, their group."""

    def __init__(self, step: Step, *, names: bool) -> None:
        self._groups = {} if names else dict(step.through)

    def one(self, approver: str) -> str:
        """One approver."""
        return self._groups.get(approver, approver)

    def of(self, approvers: Iterable[str]) -> list[str]:
        """Several; a group once, however many of it there are."""
        return list(dict.fromkeys(self.one(approver) for approver in approvers))


def _step(step: Step, *, names: bool) -> StepView:
    called = _Names(step, names=names)
    return StepView(
        type=step.approval_type,
        approvers=called.of(step.deciders),
        needed=step.needed,
        status=step.status,
        opened=rfc3339(step.opened) if step.opened else None,
        votes=[
            VoteView(
                approver=called.one(vote.approver),
                decision=vote.decision,
                reason=vote.reason,
                decided_at=rfc3339(vote.decided_at),
            )
            for vote in step.votes
        ],
    )
