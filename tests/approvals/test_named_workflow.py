"""`ApprovalWorkflow` and `ApprovalStep` by the names of the specification."""

from __future__ import annotations

from datetime import timedelta

import pytest

from moothall.approvals.workflow import ApprovalStep, ApprovalWorkflow
from moothall.errors import Conflict, InternalError, InvalidInput, PermissionDeniedError
from tests.support.clock import ManualClock

BOSS, CHIEF, CLERK = "user:boss", "user:chief", "user:clerk"


@pytest.fixture
async def workflow() -> ApprovalWorkflow:
    made = ApprovalWorkflow("wf-1", CLERK, clock=ManualClock(), expires=60)
    await made.add_approval_step(BOSS, "any")
    await made.add_approval_step(CHIEF, "all")
    return made


@pytest.mark.requirement("SEC-06", "SEC-07")
async def test_a_new_workflow_is_pending_at_its_first_step(workflow: ApprovalWorkflow) -> None:
    empty = ApprovalWorkflow("wf-0")
    assert (empty.workflow_id, empty.steps, empty.current_step, empty.status) == ("wf-0", [], 0, "pending")
    assert workflow.steps == [ApprovalStep(BOSS, "any", status="pending"), ApprovalStep(CHIEF, "all")]
    with pytest.raises(InternalError):
        await empty.start()
    with pytest.raises(Conflict):
        await empty.notify_next_approver()


@pytest.mark.requirement("SEC-07")
async def test_steps_are_added_before_the_start_by_known_types_and_never_for_the_requester(
    workflow: ApprovalWorkflow,
) -> None:
    for approver, kind in ((CLERK, "any"), ((BOSS, CLERK), "all"), (BOSS, "most"), (BOSS, ""), ((), "any")):
        with pytest.raises(InvalidInput):
            await workflow.add_approval_step(approver, kind)
    with pytest.raises(InvalidInput):
        await workflow.add_approval_step([BOSS, CHIEF], "quorum", quorum=3)
    await workflow.start()
    with pytest.raises(Conflict):
        await workflow.add_approval_step(BOSS, "any")
    assert len(workflow.steps) == 2


@pytest.mark.requirement("SEC-08")
async def test_a_decision_is_by_the_approver_in_known_words_and_final(workflow: ApprovalWorkflow) -> None:
    for wrong in (CHIEF, CLERK, ""):
        with pytest.raises(PermissionError) as refused:
            await workflow.process_approval(wrong, "approved")
        assert str(refused.value) == "Invalid approver"
        assert isinstance(refused.value, PermissionDeniedError)
    with pytest.raises(InvalidInput) as misspelt:
        await workflow.process_approval(BOSS, "aproved")
    assert misspelt.value.appearance.http == 400
    assert workflow.steps[0].status == "pending"
    assert await workflow.process_approval(BOSS, "rejected", "no budget") == "rejected"
    step = workflow.steps[0]
    assert (step.decision, step.reason, step.status) == ("rejected", "no budget", "completed")
    assert step.decided_at is not None
    assert step.decided_at.utcoffset() == timedelta(0)
    for who in (BOSS, CHIEF):
        with pytest.raises(Conflict):
            await workflow.process_approval(who, "approved")
    assert workflow.status == "rejected"


@pytest.mark.requirement("SEC-09")
async def test_the_next_approver_is_told_when_the_one_before_has_approved() -> None:
    told: list[tuple[str, tuple[str, ...]]] = []

    async def notify(name: str, approvers: tuple[str, ...]) -> None:
        told.append((name, approvers))

    workflow = ApprovalWorkflow("wf-2", CLERK, notify=notify)
    await workflow.add_approval_step([BOSS, CHIEF], "all")
    await workflow.add_approval_step("user:last", "any")
    await workflow.start()
    assert await workflow.process_approval(BOSS, "approved") == "pending"
    with pytest.raises(Conflict):
        await workflow.process_approval(BOSS, "approved")
    assert (told, workflow.current_step, workflow.steps[0].status) == ([("wf-2", (BOSS, CHIEF))], 0, "pending")
    assert await workflow.process_approval(CHIEF, "approved") == "pending"
    assert (told[1:], workflow.current_step) == ([("wf-2", ("user:last",))], 1)
    assert await workflow.process_approval("user:last", "approved") == "approved"
    assert (len(told), workflow.current_step) == (2, 2)
    await workflow.notify_next_approver()
    assert len(told) == 2


@pytest.mark.requirement("SEC-10")
async def test_an_expired_workflow_refuses_a_late_decision() -> None:
    clock = ManualClock()
    workflow = ApprovalWorkflow("wf-3", clock=clock, expires=60)
    await workflow.add_approval_step(BOSS)
    await workflow.start()
    await clock.advance(61)
    with pytest.raises(Conflict):
        await workflow.process_approval(BOSS, "approved")
    assert workflow.status == "pending"
