"""Erasing demands while a real node negotiates them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.events.remains import everything
from tests.negotiation.demand.test_subnet import DEMAND, POOL, speakers
from tests.support.demand import kinds, negotiate, profile, running

SECRET = "紫檀木风铃"
TEXT = f"我想在北京办一场{SECRET}主题聚会，需要场地和讲师"
TEAM = [profile("hall", "场地提供"), profile("speaker", "演讲"), profile("hall2", "场地提供")]


@pytest.mark.requirement("NEG-OPS-11")
@pytest.mark.parametrize("moment", ["demand.understood", "offer.submitted", "proposal.distributed"])
async def test_no_text_of_a_demand_stays_when_it_is_erased_while_it_is_negotiated(
    database_url: str, tmp_path: Path, moment: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path / "node", TEAM, database_url=database_url) as node:
        submitted = await node.demands.submit(TEXT, "user-of-the-test")
        seen = []
        async for event in node.log.follow(submitted.demand_id):
            seen.append(event)
            if event.type == f"towow.{moment}":
                await node.log.erase(submitted.demand_id)
        left = await everything(node.log.store)
        assert SECRET not in left
        assert "user-of-the-test" not in left
        events = await node.log.load(submitted.demand_id)
        assert [event.seq for event in events] == list(range(len(events)))
        assert moment in kinds(seen)
        assert kinds(await negotiate(node, "我想在北京办一场聚会，需要场地和讲师"))[-1] == "proposal.finalized"
        assert SECRET not in await everything(node.log.store)
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.requirement("NEG-OPS-11")
async def test_a_demand_that_has_ended_is_erased_with_its_sub_negotiation(database_url: str, tmp_path: Path) -> None:
    shy = speakers(always=False)
    async with running(tmp_path / "node", POOL, participants=shy, database_url=database_url) as node:
        submitted = await node.demands.submit(f"{DEMAND}，主题是{SECRET}")
        seen = [event async for event in node.log.follow(submitted.demand_id)]
        assert kinds(seen).count("subnet.triggered") == 1
        assert SECRET in await everything(node.log.store)
        assert await node.log.erase(submitted.demand_id) is True
        assert SECRET not in await everything(node.log.store)
        erased = await node.log.runs(erased=True)
        assert [record.parent for record in erased] == [submitted.demand_id, None]
        assert all(record.erased_at for record in erased)
