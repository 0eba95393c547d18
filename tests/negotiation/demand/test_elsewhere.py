"""A demand that only agents in another city could serve: they are asked, and the requester is told where they are."""

from __future__ import annotations

from pathlib import Path

from tests.server.door import opened
from tests.support.demand import profile, running


async def test_the_end_says_where_those_are_who_could_do_it(tmp_path: Path) -> None:
    agents = [*(profile(f"near_{number}", "活动策划") for number in range(4)), profile("far", "婚礼策划", city="广州")]
    async with running(tmp_path, agents) as node, opened(node) as door:
        demand_id = await door.submit("在北京办婚礼，需要婚礼策划，100人，预算5万")
        ended = (await door.stream(demand_id))[-1]["payload"]
        seats = (await door.client.get(f"/api/v1/channels/{demand_id.replace('d-', 'collab-')}/agents")).json()
    assert ended["reason"] == "no_participants"
    assert "考虑改在广州举办，那里有可提供服务的人" in ended["suggestions"]
    far = next(seat for seat in seats["agents"] if seat["agent_id"] == "user_agent_far")
    assert (far["standing"], far["why_not_code"]) == ("declined", "declined")
    assert "北京" in far["why_not"]
    assert [gap["reason"] for gap in ended["gaps"]] == ["没有合适的报价能承担婚礼策划"]
    assert ended["compromise"]["compromises"] == []
    assert ended["compromise"]["unresolved"] == ["婚礼策划：没有合适的报价能承担婚礼策划"]
