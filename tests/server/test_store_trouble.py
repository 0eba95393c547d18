"""A node whose store takes no writes: what its clients are told, and that nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.server.door import DEMAND, SUBMIT, Gate, read_only, served


@pytest.mark.requirement("NEG-FAIL-01")
async def test_a_demand_that_cannot_be_stored_is_refused_with_e009_and_can_be_stated_again(tmp_path: Path) -> None:
    async with served(tmp_path) as door:
        async with read_only(door.node):
            answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND}, headers={"Accept-Language": "zh"})
            assert answer.status_code == 500
            assert answer.json()["error"]["code"] == "E009"
            assert "事件推送失败" in answer.json()["error"]["message"]
            assert await door.node.log.runs() == []
            assert await door.node.log.writable() is False
        events = await door.stream(await door.submit())
        assert events[-1]["event_type"] == "towow.proposal.finalized"
        assert await door.node.log.writable() is True


async def test_a_negotiation_rests_while_the_store_takes_no_writes_and_then_goes_on(tmp_path: Path) -> None:
    gate = Gate()
    quick = {"lease_seconds": 0.5, "sweep_seconds": 0.1}
    async with served(tmp_path, participants=gate.behind, settings=quick) as door:
        demand_id = await door.submit()
        before = await door.first(8, demand_id)
        (driving,) = (task for task in asyncio.all_tasks() if task.get_name() == f"run {demand_id}")
        async with read_only(door.node):
            gate.opened.set()
            await asyncio.wait([driving])
            assert (await door.client.get(f"/api/v1/demand/{demand_id}")).status_code == 200
        events = await door.stream(demand_id)
        assert events[-1]["event_type"] == "towow.proposal.finalized"
        assert events[: len(before)] == before
        seqs = [event.seq for event in await door.node.log.load(demand_id)]
        assert seqs == list(range(len(seqs)))
