"""Approvals as they run: asked, decided, executed; on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from moothall.approvals.asks import Limits
from moothall.approvals.desk import ApprovalDesk
from moothall.approvals.driver import DECIDE, ApprovalDriver
from moothall.approvals.kept import DECIDED, ESCALATED, EXECUTED, EXECUTING, FAILED, KIND, OPENED, REFUSED
from moothall.approvals.news import Bells
from moothall.approvals.views import reply
from moothall.errors import (
    Conflict,
    Forbidden,
    InternalError,
    InvalidInput,
    Overloaded,
    PayloadTooLarge,
    PermissionDeniedError,
    RateLimited,
    ServiceNotFoundError,
    Told,
    Unauthenticated,
    Unavailable,
)
from moothall.events.model import Draft, JsonObject
from moothall.events.run import Run
from moothall.identity.principal import ANONYMOUS
from tests.approvals.hall import ANNA, ASKER, BEN, CARA, OPERATOR, STRANGER, Executions, Hall, ask, config, meanwhile

ONE_OF_TWO = {"approvers": ["user:anna", BEN.id]}
ANNA_ONLY = {"approvers": ["user:anna"]}
BEN_ONLY = {"approvers": [BEN.id]}


async def test_the_operator_is_asked_where_nothing_else_is_said_and_the_call_is_made_once(hall: Hall) -> None:
    site = await hall.site()
    asked = ask(amount=2_000)
    begun = await site.desk.ask(asked)
    assert (begun.status, begun.executed, begun.requester, begun.digest) == ("pending", False, ASKER.id, asked.digest)
    await site.until(begun.id, OPENED)
    decided = await site.desk.decide(OPERATOR, begun.id, "approved", "fine")
    assert decided.status == "approved"
    await site.end(begun.id)
    done = await site.desk.standing(begun.id)
    assert done is not None
    assert (done.status, done.executed, done.outcome) == ("approved", True, f"sealed {asked.digest}")
    assert hall.executions.made == [(begun.id, asked)]
    assert hall.records.actions == ["asked", "decided", "executed"]
    assert all(not event.public for event in await site.log.load(begun.id))


@pytest.mark.requirement("SEC-05")
async def test_twenty_asks_of_one_call_at_one_time_are_one_workflow_and_other_arguments_another(hall: Hall) -> None:
    site = await hall.site()
    many = await asyncio.gather(*(site.desk.ask(ask(amount=1)) for _ in range(20)))
    other = await site.desk.ask(ask(amount=2))
    assert len({one.id for one in many}) == 1
    assert other.id != many[0].id
    assert other.digest != many[0].digest
    await site.until(many[0].id, OPENED)
    await site.desk.decide(OPERATOR, many[0].id, "approved")
    await site.end(many[0].id)
    assert [made.arguments for _, made in hall.executions.made] == [{"amount": 1}]
    assert (await site.desk.ask(ask(amount=2))).status == "pending"


async def test_an_approval_is_used_up_by_its_call_and_the_next_one_is_asked_for_anew(hall: Hall) -> None:
    site = await hall.site()
    seen = []
    for _ in range(5):
        begun = await site.desk.ask(ask(amount=1))
        await site.until(begun.id, OPENED)
        await site.desk.decide(OPERATOR, begun.id, "approved")
        await site.end(begun.id)
        seen.append(begun.id)
    assert len(set(seen)) == 5
    assert [workflow for workflow, _ in hall.executions.made] == seen


@pytest.mark.parametrize("decision", ["approved", "rejected"])
async def test_the_arguments_are_kept_until_the_call_has_come_to_its_end(hall: Hall, decision: str) -> None:
    site = await hall.site()
    hall.executions.gate.clear()
    begun = await site.desk.ask(ask(note="between us"))
    await site.until(begun.id, OPENED)
    await site.desk.decide(OPERATOR, begun.id, decision)
    if decision == "approved":
        await site.until(begun.id, EXECUTING)
        assert (await site.desk.show(ASKER, begun.id)).arguments == {"note": "between us"}
        hall.executions.gate.set()
    await site.end(begun.id)
    assert "between us" not in str(await site.log.load(begun.id))
    shown = await site.desk.show(OPERATOR, begun.id)
    assert (shown.arguments, shown.digest, shown.requester) == (None, begun.digest, ASKER.id)
    assert len(hall.executions.made) == (decision == "approved")


async def test_what_has_been_made_is_not_waited_for_though_its_run_is_not_closed_yet(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(run: Run, key: str, payload: JsonObject) -> None:
        closing.set()
        await go_on.wait()

    monkeypatch.setattr(Run, "blank", slowly)
    site = await hall.site()
    begun = await site.desk.ask(ask(amount=1))
    await site.until(begun.id, OPENED)
    await site.desk.decide(OPERATOR, begun.id, "approved")
    await closing.wait()
    again = await site.desk.ask(ask(amount=1))
    assert (again.status, again.id == begun.id) == ("pending", False)
    go_on.set()
    await site.end(begun.id)


async def test_a_call_whose_end_was_not_written_down_is_not_made_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit, broken = Run.emit, [InternalError("the process ends here")]

    async def emitting(run: Run, *drafts: Draft, close: bool = False, **more: Any) -> None:
        if close and broken:
            raise broken.pop()
        await emit(run, *drafts, close=close, **more)

    monkeypatch.setattr(Run, "emit", emitting)
    site = await hall.site()
    begun = await site.desk.ask(ask(amount=1))
    await site.until(begun.id, OPENED)
    await site.desk.decide(OPERATOR, begun.id, "approved")
    await meanwhile(hall.clock, site.end(begun.id), 10)
    assert (len(hall.executions.made), broken) == (1, [])
    assert (await site.told(begun.id))[EXECUTED] == 1


@pytest.mark.requirement("SEC-09")
async def test_the_second_approver_is_told_when_the_first_has_approved_and_the_call_runs_once(hall: Hall) -> None:
    site = await hall.site(config(ANNA_ONLY, BEN_ONLY))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    with pytest.raises(ServiceNotFoundError):
        await site.desk.show(BEN, begun.id)
    with pytest.raises(ServiceNotFoundError):
        await site.desk.decide(BEN, begun.id, "approved")
    assert (await site.desk.page(BEN, whose="waiting")).approvals == []
    assert (await site.desk.decide(ANNA, begun.id, "approved")).status == "pending"
    await site.until(begun.id, OPENED, times=2)
    assert [one.approval_id for one in (await site.desk.page(BEN, whose="waiting")).approvals] == [begun.id]
    assert hall.executions.made == []
    assert (await site.desk.decide(BEN, begun.id, "approved")).status == "approved"
    await site.end(begun.id)
    assert len(hall.executions.made) == 1
    assert (await site.told(begun.id))[EXECUTED] == 1


@pytest.mark.requirement("SEC-08")
async def test_a_rejection_is_final_and_a_misspelt_decision_is_none(hall: Hall) -> None:
    site = await hall.site(config(ONE_OF_TWO))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    for misspelt in ("approve", "Approved", "", "yes"):
        with pytest.raises(InvalidInput) as failure:
            await site.desk.decide(ANNA, begun.id, misspelt)
        assert failure.value.appearance.http == 400
    with pytest.raises(PermissionDeniedError, match=r"^Invalid approver$"):
        await site.desk.decide(OPERATOR, begun.id, "approved")
    with pytest.raises(PermissionDeniedError, match=r"^Invalid approver$"):
        await site.desk.decide(ASKER, begun.id, "approved")
    rejected = await site.desk.decide(ANNA, begun.id, "rejected", "<b>too much</b>")
    assert (rejected.status, rejected.reason) == ("rejected", "<b>too much</b>")
    for who in (ANNA, BEN):
        with pytest.raises(Conflict) as late:
            await site.desk.decide(who, begun.id, "approved")
        assert late.value.appearance.http == 409
    await site.end(begun.id)
    assert hall.executions.made == []
    shown = await site.desk.show(ASKER, begun.id)
    vote = shown.steps[0].votes[0]
    assert (vote.approver, vote.decision, vote.reason) == (ANNA.id, "rejected", "<b>too much</b>")
    assert shown.steps[0].status == "completed"


@pytest.mark.requirement("SEC-10")
async def test_who_decides_too_late_is_refused_by_the_clock_even_before_anybody_noticed(hall: Hall) -> None:
    idle = await hall.site(config(ANNA_ONLY, expires=60), name="node", works=False)
    begun = await idle.desk.ask(ask(workflow="two-eyes"))
    await hall.clock.advance(61)
    with pytest.raises(Conflict, match="expired"):
        await idle.desk.decide(OPERATOR, begun.id, "approved")


@pytest.mark.requirement("SEC-10")
async def test_an_expired_workflow_is_closed_and_never_executed(hall: Hall) -> None:
    site = await hall.site(config(ANNA_ONLY, expires=60))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    await hall.clock.advance(61)
    await site.end(begun.id)
    done = await site.desk.standing(begun.id)
    assert done is not None
    assert (done.status, done.executed) == ("expired", False)
    with pytest.raises(Conflict):
        await site.desk.decide(ANNA, begun.id, "approved")
    assert hall.executions.made == []
    assert hall.records.actions == ["asked", "expired"]
    assert (await site.desk.ask(ask(workflow="two-eyes"))).id != begun.id


@pytest.mark.requirement("SEC-10")
async def test_a_cancelled_workflow_cannot_run_and_only_requester_and_operator_cancel(hall: Hall) -> None:
    site = await hall.site(config(ANNA_ONLY))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    with pytest.raises(ServiceNotFoundError):
        await site.desk.cancel(STRANGER, begun.id)
    with pytest.raises(PermissionDeniedError):
        await site.desk.cancel(ANNA, begun.id)
    done = await site.desk.cancel(ASKER, begun.id, "not needed")
    assert (done.status, done.reason) == ("cancelled", "not needed")
    assert (await site.desk.cancel(OPERATOR, begun.id)).status == "cancelled"
    with pytest.raises(Conflict):
        await site.desk.decide(ANNA, begun.id, "approved")
    await site.end(begun.id)
    assert hall.executions.made == []


@pytest.mark.requirement("SEC-10")
async def test_a_step_that_waits_too_long_is_shown_to_the_configured_approver_as_well(hall: Hall) -> None:
    step = {**ANNA_ONLY, "escalation": {"after": 600, "approver": "user:cara"}}
    site = await hall.site(config(step, expires=3_600))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    with pytest.raises(ServiceNotFoundError):
        await site.desk.decide(CARA, begun.id, "approved")
    await hall.clock.advance(599)
    assert not (await site.told(begun.id))[ESCALATED]
    await hall.clock.advance(1)
    await site.until(begun.id, ESCALATED)
    assert (await site.desk.decide(CARA, begun.id, "approved")).status == "approved"
    await site.end(begun.id)
    assert len(hall.executions.made) == 1
    assert hall.records.actions == ["asked", "escalated", "decided", "executed"]


async def test_a_quorum_needs_so_many_and_one_approver_decides_once(hall: Hall) -> None:
    step = {"type": "quorum", "quorum": 2, "approvers": ["user:anna", BEN.id, "user:cara"]}
    site = await hall.site(config(step))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    assert (await site.desk.decide(ANNA, begun.id, "approved")).status == "pending"
    with pytest.raises(Conflict):
        await site.desk.decide(ANNA, begun.id, "approved")
    assert (await site.desk.decide(BEN, begun.id, "rejected")).status == "pending"
    assert (await site.desk.decide(CARA, begun.id, "approved")).status == "approved"
    await site.end(begun.id)
    assert len(hall.executions.made) == 1


async def test_of_many_who_decide_at_one_time_as_many_count_as_are_needed(hall: Hall) -> None:
    site = await hall.site(config({"approvers": ["user:anna", BEN.id, "user:cara"]}))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    decisions = [site.desk.decide(who, begun.id, "approved") for who in (ANNA, BEN, CARA)]
    results = await asyncio.gather(*decisions, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "Standing"]
    await site.end(begun.id)
    assert len(hall.executions.made) == 1


@pytest.mark.parametrize(
    "odd", ["", "\0", "ap-", "d-0000abcd", "x" * 5_000], ids=["empty", "nul", "short", "run", "long"]
)
async def test_what_is_no_id_of_an_approval_is_none(hall: Hall, odd: str) -> None:
    site = await hall.site()
    for asked in (
        site.desk.show(OPERATOR, odd),
        site.desk.decide(OPERATOR, odd, "approved"),
        site.desk.cancel(ANNA, odd),
    ):
        with pytest.raises(ServiceNotFoundError):
            await asked
    assert await site.desk.standing(odd) is None


async def test_strangers_and_anonymous_callers_learn_nothing(hall: Hall) -> None:
    site = await hall.site()
    with pytest.raises(Unauthenticated):
        await site.desk.ask(ask(ANONYMOUS))
    begun = await site.desk.ask(ask())
    for who in (STRANGER, ANONYMOUS):
        with pytest.raises(ServiceNotFoundError) as hidden:
            await site.desk.show(who, begun.id)
        with pytest.raises(ServiceNotFoundError) as absent:
            await site.desk.show(who, "ap-0000000000000000")
        assert (str(hidden.value), hidden.value.told) == (str(absent.value), absent.value.told)
        assert (await site.desk.page(who)).approvals == []
    assert (await site.desk.show(ASKER, begun.id)).arguments == {}


async def test_a_requester_has_only_so_many_open(hall: Hall) -> None:
    site = await hall.site(limits=Limits(each=3, most=4, reserved=0))
    results = await asyncio.gather(*(site.desk.ask(ask(n=n)) for n in range(6)), return_exceptions=True)
    assert [type(result) for result in results].count(RateLimited) == 3
    await site.desk.ask(ask(STRANGER))
    with pytest.raises(Overloaded):
        await site.desk.ask(ask(BEN))


async def test_the_agents_of_one_host_leave_room_for_others(hall: Hall) -> None:
    site = await hall.site(limits=Limits(domain=2))
    for number in range(2):
        await site.desk.ask(ask(replace(STRANGER, id=f"{STRANGER.id}{number}")))
    with pytest.raises(RateLimited) as full:
        await site.desk.ask(ask(replace(STRANGER, id=f"{STRANGER.id}2")))
    assert full.value.told == Told("approvals.open.domain", {"most": 2}, "approvals.open.each_hint")
    await site.desk.ask(ask(replace(STRANGER, id="did:wba:elsewhere.example.com:agents:eve")))
    await site.desk.ask(ask(replace(STRANGER, id=f"{STRANGER.id}3", owner=True)))


async def test_strangers_leave_room_for_the_users_and_agents_of_the_node(hall: Hall) -> None:
    site = await hall.site(limits=Limits(most=3, reserved=2))
    await site.desk.ask(ask(STRANGER))
    with pytest.raises(Overloaded):
        await site.desk.ask(ask(BEN))
    await site.desk.ask(ask(ANNA))
    await site.desk.ask(ask(replace(BEN, owner=True)))
    with pytest.raises(Overloaded):
        await site.desk.ask(ask(CARA))


async def test_a_requester_begins_only_so_many_in_an_hour_whatever_becomes_of_them(hall: Hall) -> None:
    site = await hall.site(limits=Limits(hourly=2))
    for number in range(2):
        begun = await site.desk.ask(ask(n=number))
        await site.desk.cancel(ASKER, begun.id)
    with pytest.raises(RateLimited) as full:
        await site.desk.ask(ask(n=2))
    assert 0 < full.value.details["retry_after"] <= 3_600
    await hall.clock.advance(3_600)
    assert (await site.desk.ask(ask(n=2))).status == "pending"


async def test_what_cannot_be_kept_or_decided_by_anybody_is_refused_at_once(hall: Hall) -> None:
    site = await hall.site(config(ANNA_ONLY))
    for nobody, workflow in ((ask(ANNA, workflow="two-eyes"), "two-eyes"), (ask(OPERATOR), "default")):
        with pytest.raises(Forbidden, match="nobody is left") as left:
            await site.desk.ask(nobody)
        assert (left.value.appearance.http, left.value.details) == (403, {"workflow": workflow})
    with pytest.raises(InternalError):
        await site.desk.ask(ask(workflow="unheard-of"))
    with pytest.raises(PayloadTooLarge):
        await site.desk.ask(ask(text="x" * 300_000))
    assert await site.log.runs() == []


async def test_a_busy_node_makes_the_call_later(hall: Hall) -> None:
    site = await hall.site()
    hall.executions.failures.append(Unavailable("the node stops"))
    begun = await site.desk.ask(ask())
    await site.until(begun.id, OPENED)
    await site.desk.decide(OPERATOR, begun.id, "approved")
    await hall.executions.refused.wait()
    await meanwhile(hall.clock, site.end(begun.id), 5)
    assert len(hall.executions.made) == 1


async def test_a_node_without_the_capability_leaves_the_approved_call_to_one_that_has_it(hall: Hall) -> None:
    """The command line decides while no node runs: what it starts for that has none of the operator's code."""
    without = Executions(failures=[Unavailable("the capability is not here now")] * 1_000)
    commands = await hall.site(name="node", executions=without)
    begun = await commands.desk.ask(ask())
    await commands.desk.decide(OPERATOR, begun.id, "approved")
    await without.refused.wait()
    await meanwhile(hall.clock, without.again(5), 60)
    await hall.house.stack.aclose()
    node = await hall.site(name="node")
    await meanwhile(hall.clock, node.end(begun.id), 30)
    done = await node.desk.standing(begun.id)
    assert done is not None
    assert (done.executed, done.failed, [made for made, _ in hall.executions.made]) == (True, "", [begun.id])
    assert without.made == []


async def test_of_two_processes_on_one_database_the_one_that_has_the_capability_makes_the_call(shared: Hall) -> None:
    without = Executions(failures=[Unavailable("the capability is not here now")] * 1_000)
    first = await shared.site(executions=without)
    begun = await first.desk.ask(ask())
    await first.desk.decide(OPERATOR, begun.id, "approved")
    await without.refused.wait()
    await shared.site()
    await meanwhile(shared.clock, first.end(begun.id), 30)
    assert [made for made, _ in shared.executions.made] == [begun.id]


async def test_a_call_that_cannot_be_made_for_a_day_is_told_as_never_made(hall: Hall) -> None:
    site = await hall.site(config(ANNA_ONLY, expires=60))
    hall.executions.failures += [Unavailable("nobody is there")] * 1_000
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.desk.decide(ANNA, begun.id, "approved")
    await meanwhile(hall.clock, hall.executions.again(5), 300)
    assert (await site.told(begun.id))[FAILED] == 0
    await meanwhile(hall.clock, site.end(begun.id), 14_400)
    done = await site.desk.standing(begun.id)
    assert done is not None
    assert (done.status, done.executed, done.failed, hall.executions.made) == ("approved", False, "not_made", [])
    shown = await site.desk.show(ASKER, begun.id)
    (listed,) = (await site.desk.page(ASKER)).approvals
    assert (shown.executed, shown.failed, listed.executed, listed.failed) == (False, "not_made", False, "not_made")
    assert hall.records.actions == ["asked", "decided", "failed"]
    assert (await site.desk.ask(ask(workflow="two-eyes"))).id != begun.id


async def test_decisions_that_come_too_late_do_not_keep_a_waiting_call_busy(hall: Hall) -> None:
    site = await hall.site(config({"approvers": ["user:anna", BEN.id]}))
    hall.executions.failures.append(Unavailable("nobody is there"))
    hall.executions.gate.clear()
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    both = [site.desk.decide(who, begun.id, "approved") for who in (ANNA, BEN)]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Standing"]
    hall.executions.gate.set()
    await meanwhile(hall.clock, site.end(begun.id), 5)
    assert len(hall.executions.made) == 1


async def test_a_driver_that_fails_again_and_again_ends_what_it_cannot_carry_on(hall: Hall) -> None:
    site = await hall.site()
    hall.executions.failures += [InternalError("a fault")] * 10
    begun = await site.desk.ask(ask(n=1))
    await site.desk.decide(OPERATOR, begun.id, "approved")
    await meanwhile(hall.clock, site.end(begun.id), 60)
    done = await site.desk.standing(begun.id)
    assert done is not None
    assert (done.status, done.executed, done.failed) == ("approved", False, "unknown")
    assert hall.records.actions == ["asked", "decided", "failed"]
    hall.records.failing = InternalError("a fault")
    stuck = await site.desk.ask(ask(n=2))
    await meanwhile(hall.clock, site.end(stuck.id), 60)
    ended = await site.desk.standing(stuck.id)
    assert ended is not None
    assert (ended.status, ended.executed) == ("cancelled", False)
    assert hall.records.actions[3:] == ["cancelled"]


async def test_an_outcome_that_is_too_long_is_told_as_not_kept(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moothall.approvals.driver.MOST_OUTCOME", 10)
    site = await hall.site()
    begun = await site.desk.ask(ask())
    await site.until(begun.id, OPENED)
    await site.desk.decide(OPERATOR, begun.id, "approved")
    done = await site.desk.ended(begun.id, hall.clock.monotonic() + 30)
    assert (done.status, done.executed, done.outcome) == ("approved", True, "")


async def test_waiting_for_the_end_gives_up_in_time(hall: Hall) -> None:
    site = await hall.site()
    begun = await site.desk.ask(ask())
    assert (await site.desk.ended(begun.id, hall.clock.monotonic())).status == "pending"
    with pytest.raises(ServiceNotFoundError):
        await site.desk.ended("ap-0000000000000000", 0.0)


async def test_two_decisions_of_one_step_are_never_one_of_the_next_step_as_well(hall: Hall) -> None:
    site = await hall.site(config(ANNA_ONLY, ANNA_ONLY), works=False)
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    said = {"step": 0, "approver": ANNA.id, "person": "", "decision": "approved", "reason": ""}
    for key in ("decide.first", "decide.second"):
        await site.log.post(begun.id, key, DECIDE, ANNA.id, {**said, "actor": ANNA.id, "door": "", "request_id": ""})
    await hall.house.worker(site.log, {KIND: ApprovalDriver(hall.executions, hall.records, Bells())})
    await site.until(begun.id, REFUSED)
    told = await site.told(begun.id)
    assert (told[DECIDED], told[REFUSED], told[EXECUTED]) == (1, 1, 0)
    assert (await site.desk.show(ANNA, begun.id)).current_step == 1


async def test_a_decision_that_nobody_takes_yet_is_told_as_accepted_and_not_counted(hall: Hall) -> None:
    site = await hall.site(works=False)
    hasty = ApprovalDesk(site.log, site.rules, Bells(), parties=hall.people, patience=0.01)
    begun = await site.desk.ask(ask())
    waiting = await hasty.decide(OPERATOR, begun.id, "approved")
    assert (waiting.status, waiting.counted, reply(waiting).counted) == ("pending", False, False)
    await hall.house.worker(site.log, {KIND: ApprovalDriver(hall.executions, hall.records, Bells())})
    await site.end(begun.id)
    done = await site.desk.standing(begun.id)
    assert done is not None
    assert (done.status, done.executed, done.counted) == ("approved", True, True)
