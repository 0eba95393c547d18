"""Several nodes on one PostgreSQL: one workflow for one call, decided here and driven there."""

from __future__ import annotations

import asyncio

from moothall.approvals.kept import EXECUTED, OPENED
from moothall.errors import Conflict
from tests.approvals.hall import ANNA, BEN, Hall, ask, config

STEPS = config({"approvers": ["user:anna"]}, {"approvers": [BEN.id]})


async def test_twenty_asks_at_two_nodes_are_one_workflow_and_one_execution(shared: Hall) -> None:
    here, there = await shared.site(STEPS), await shared.site(STEPS)
    asked = ask(workflow="two-eyes", amount=1)
    for turn in range(2):
        many = await asyncio.gather(*(site.desk.ask(asked) for site in (here, there) * 10))
        assert len({one.id for one in many}) == 1
        run = many[0].id
        await here.until(run, OPENED)
        votes = [site.desk.decide(ANNA, run, "approved") for site in (here, there) * 5]
        results = await asyncio.gather(*votes, return_exceptions=True)
        assert [type(result) for result in results].count(Conflict) == 9
        await there.until(run, OPENED, times=2)
        assert (await there.desk.decide(BEN, run, "approved")).status == "approved"
        done = await here.desk.ended(run, shared.clock.monotonic() + 60)
        assert (done.status, done.executed) == ("approved", True)
        assert (await here.told(run))[EXECUTED] == 1
        assert len(shared.executions.made) == turn + 1


async def test_a_decision_at_a_node_that_drives_nothing_counts_when_it_returns(shared: Hall) -> None:
    drives, idle = await shared.site(STEPS), await shared.site(STEPS, works=False)
    begun = await idle.desk.ask(ask(workflow="two-eyes"))
    await drives.until(begun.id, OPENED)
    assert (await idle.desk.decide(ANNA, begun.id, "rejected", "no")).status == "rejected"
    assert (await idle.desk.ended(begun.id, shared.clock.monotonic() + 60)).reason == "no"
