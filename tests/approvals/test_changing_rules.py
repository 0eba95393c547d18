"""Rules that change while calls wait: what was begun or approved by other steps does not stand for the new ones."""

from __future__ import annotations

import pytest

from moothall.approvals.rules import read
from moothall.errors import Unavailable
from tests.approvals.hall import ANNA, BEN, CARA, Hall, ask, config, meanwhile

LAX, STRICT = {"approvers": ["user:anna"]}, {"type": "all", "approvers": ["user:anna", BEN.id]}


async def test_a_workflow_that_was_begun_by_other_steps_is_not_joined(hall: Hall) -> None:
    site = await hall.site(config(LAX))
    lax = await site.desk.ask(ask(workflow="two-eyes"))
    site.rules.use(config(LAX, webhook="https://chat.example.com/hooks/1", expires=60))
    assert (await site.desk.ask(ask(workflow="two-eyes"))).id == lax.id
    site.rules.use(config(STRICT))
    strict = await site.desk.ask(ask(workflow="two-eyes"))
    assert strict.id != lax.id
    assert (await site.desk.ask(ask(workflow="two-eyes"))).id == strict.id
    assert (await site.desk.show(BEN, strict.id)).steps[0].needed == 2
    other = await site.desk.ask(ask())
    assert other.id not in {lax.id, strict.id}


@pytest.mark.parametrize("change", ["steps", "rule", "gone"])
async def test_what_was_approved_by_other_steps_than_are_asked_for_now_is_not_made(hall: Hall, change: str) -> None:
    site = await hall.site(config(LAX))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    later = {
        "steps": config(STRICT),
        "rule": read({"rule": [{"name": "all"}], "workflow": {"two-eyes": {"step": [LAX]}}}),
        "gone": config(LAX, name="another"),
    }
    site.rules.use(later[change])
    await site.desk.decide(ANNA, begun.id, "approved")
    await site.end(begun.id)
    done = await site.desk.standing(begun.id)
    assert done is not None
    assert (done.status, done.executed, done.failed, hall.executions.made) == ("approved", False, "outdated", [])
    assert hall.records.actions == ["asked", "decided", "failed"]


async def test_rules_that_change_while_an_approved_call_cannot_be_made_hold_for_it(hall: Hall) -> None:
    site = await hall.site(config(LAX))
    hall.executions.failures += [Unavailable("not here")] * 100
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.desk.decide(ANNA, begun.id, "approved")
    await hall.executions.refused.wait()
    site.rules.use(config(STRICT))
    await meanwhile(hall.clock, site.end(begun.id), 30)
    done = await site.desk.standing(begun.id)
    assert done is not None
    assert (done.executed, done.failed != "", hall.executions.made) == (False, True, [])


async def test_a_requester_reads_which_group_decides_and_not_who_belongs_to_it(hall: Hall) -> None:
    hall.people.groups["unit:board"] = {ANNA.id, BEN.id}
    site = await hall.site(config({"type": "quorum", "quorum": 2, "approvers": ["unit:board", CARA.id]}))
    asked = ask(workflow="two-eyes")
    begun = await site.desk.ask(asked)
    await site.desk.decide(ANNA, begun.id, "approved")
    shown = await site.desk.show(asked.principal, begun.id)
    assert sorted(shown.waiting_for) == sorted(shown.steps[0].approvers) == ["unit:board", CARA.id]
    assert (shown.steps[0].needed, [vote.approver for vote in shown.steps[0].votes]) == (2, ["unit:board"])
    (listed,) = (await site.desk.page(asked.principal)).approvals
    assert sorted(listed.waiting_for) == ["unit:board", CARA.id]
    for one_of_them in (BEN, CARA):
        told = await site.desk.show(one_of_them, begun.id)
        assert sorted(told.steps[0].approvers) == sorted([ANNA.id, BEN.id, CARA.id])


async def test_a_small_page_reads_no_more_often_than_a_large_one(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    site = await hall.site()
    for n in range(12):
        await site.desk.ask(ask(BEN, n=n))
    reads, runs = [], site.log.runs

    async def counted(**given: object) -> object:
        reads.append(given)
        return await runs(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(site.log, "runs", counted)
    assert (await site.desk.page(CARA, limit=1)).approvals == []
    assert len(reads) == 1
    first = await site.desk.page(BEN, limit=5)
    second = await site.desk.page(BEN, limit=5, cursor=first.next_cursor or "")
    assert len({one.approval_id for one in (*first.approvals, *second.approvals)}) == 10
