"""The door with a language model behind it: what it is shown of the requester, when it is asked, what people say to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.door import DEMAND, SUBMIT, opened, served
from tests.support.demand import profile, running
from tests.support.fake_llm import fake_llm


@pytest.mark.requirement("NEG-API-23")
async def test_no_second_prompt_is_asked_before_the_confirmation(tmp_path: Path) -> None:
    async with fake_llm() as llm, served(tmp_path, settings=llm.settings()) as door:
        body = {"raw_input": DEMAND, "confirm": True, "user_context": {"history": "去年办过读书会"}}
        reply = (await door.client.post(SUBMIT, json=body)).json()
        before = dict(llm.counts)
        edits = {"understanding": {"context": {"expected_attendees": 44}}}
        confirmed = await door.client.post(f"/api/v1/demand/{reply['demand_id']}/confirm", json=edits)
        await door.stream(reply["demand_id"])
        seen = (await door.client.get(f"/api/v1/demand/{reply['demand_id']}")).json()
        shown = llm.calls("understand")[0].data["user_context"]
        asked = llm.calls("filter")[0].data["demand"]
    assert before == {"understand": 1}
    assert confirmed.status_code == 200
    assert shown == {"history": "去年办过读书会"}
    assert asked["context"]["expected_attendees"] == 44
    assert (seen["source"], seen["status"]) == ("llm", "completed")
    assert seen["usage"]["by_prompt"]["filter"]["requests"] == 1
    assert seen["usage"]["requests"] == sum(seen["usage"]["by_prompt"][kind]["requests"] for kind in llm.counts)


@pytest.mark.requirement("NEG-API-28")
async def test_a_persons_offer_reaches_the_model_that_makes_the_plan_and_nobody_speaks_for_them(tmp_path: Path) -> None:
    pool = [profile("hall", "场地提供"), profile("planner", "活动策划", price=800)]
    async with fake_llm() as llm, running(tmp_path, pool, **llm.settings()) as node, opened(node) as door:
        people = [{"display_name": "小林", "capability_tags": ["演讲嘉宾"]}]
        reply = (await door.client.post(SUBMIT, json={"raw_input": DEMAND, "participants": people})).json()
        ((name, token),) = reply["participant_tokens"].items()
        channel, head = f"/api/v1/channels/{reply['channel_id']}", {"X-Participant-Token": token}
        offer = {"decision": "participate", "contribution": "讲一小时", "price": 500}
        async for event in node.log.follow(reply["demand_id"]):
            if event.type == "towow.demand.broadcast":
                assert (await door.client.post(f"{channel}/offer", json=offer, headers=head)).status_code == 200
            if event.type == "towow.proposal.distributed":
                answer = await door.client.post(f"{channel}/feedback", json={"feedback_type": "accept"}, headers=head)
                assert answer.status_code == 200
        offers = llm.calls("aggregate")[0].data["offers"]
        asked = [call.data["agent_profile"]["agent_id"] for kind in ("respond", "review") for call in llm.calls(kind)]
    assert event.payload["consensus"] == "full"
    assert name in {item["agent_id"] for item in event.payload["final_proposal"]["assignments"]}
    assert next(item["contribution"] for item in offers if item["agent_id"] == name) == "讲一小时"
    assert name not in asked
    assert token not in str([request.data for kind in llm.counts for request in llm.calls(kind)])
