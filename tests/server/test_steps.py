"""What a demand's requester reads beside its events: every decision, and what opens the streams."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall.negotiation.demand.prompts import PROMPTS
from tests.negotiation.demand.test_subnet import DEMAND as LARGER
from tests.negotiation.demand.test_subnet import POOL, speakers
from tests.server.door import Door, opened, served, stream_of
from tests.server.test_access import ADMIN_KEY, ALICE, BOB, KEYS, bearer, shown
from tests.support.demand import running


def address(demand_id: str) -> str:
    return f"/api/v1/demand/{demand_id}"


async def test_the_steps_of_a_demand_are_those_of_its_log(door: Door) -> None:
    demand_id = await door.submit()
    await door.stream(demand_id)
    told = (await door.client.get(f"{address(demand_id)}/steps")).json()
    assert told["demand_id"] == demand_id
    numbers = {prompt.kind: prompt.number for prompt in PROMPTS}
    assert [step["prompt"] for step in told["steps"]][:2] == ["understand", "filter"]
    assert {"respond", "aggregate", "review"} <= {step["prompt"] for step in told["steps"]}
    for step in told["steps"]:
        assert step.keys() == {
            *("key", "at", "prompt", "number", "agent_id", "display_name", "round", "source", "degraded", "error"),
            *("model", "requests", "repaired", "input_tokens", "output_tokens", "cost_usd", "seconds", "result"),
        }
        assert (step["number"], step["source"]) == (numbers[step["prompt"]], "rules")
    assert "floors" not in str(told)


async def test_there_are_no_steps_of_a_demand_that_the_caller_may_not_see(tmp_path: Path) -> None:
    async with served(tmp_path, settings=KEYS) as door:
        demand_id = await _submitted(door)
        steps = f"{address(demand_id)}/steps"
        assert (await door.client.get(steps, headers=bearer(ALICE))).status_code == 200
        assert (await door.client.get(steps, headers=shown(ADMIN_KEY))).status_code == 200
        refused = await door.client.get(steps, headers=bearer(BOB))
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "E002")
        token = (await door.client.get(address(demand_id), headers=bearer(ALICE))).json()["stream_token"]
        assert (await door.client.get(f"{steps}?token={token}")).status_code == 401
        assert (await door.client.get(f"{address('d-00000000')}/steps", headers=bearer(ALICE))).status_code == 404


async def _submitted(door: Door) -> str:
    answer = await door.client.post("/api/v1/demand/submit", json={"raw_input": LARGER}, headers=bearer(ALICE))
    return str(answer.json()["demand_id"])


@pytest.mark.parametrize("key", [ALICE, ADMIN_KEY])
async def test_who_may_read_a_demand_is_told_what_opens_its_stream(tmp_path: Path, key: str) -> None:
    async with served(tmp_path, settings=KEYS) as door:
        answer = await door.client.post("/api/v1/demand/submit", json={"raw_input": LARGER}, headers=bearer(ALICE))
        demand_id, token = answer.json()["demand_id"], answer.json()["stream_token"]
        told = (await door.client.get(address(demand_id), headers=shown(key))).json()
        assert told["stream_token"] == token
        assert "stream_token" not in (await door.client.get(f"{address(demand_id)}/status", headers=shown(key))).json()
        assert token not in (await door.client.get("/api/v1/demand", headers=shown(key))).text
        assert await door.stream(demand_id, params={"token": token})


async def test_the_token_of_a_demand_opens_the_streams_of_its_sub_negotiations(tmp_path: Path) -> None:
    async with (
        running(tmp_path, POOL, participants=speakers(always=False), **KEYS) as node,
        opened(node) as door,
    ):
        answer = await door.client.post("/api/v1/demand/submit", json={"raw_input": LARGER}, headers=bearer(ALICE))
        demand_id, token = answer.json()["demand_id"], answer.json()["stream_token"]
        events = await door.stream(demand_id, params={"token": token})
        (below,) = [item["payload"] for item in events if item["event_type"] == "towow.subnet.triggered"]
        child = await door.stream(below["sub_demand_id"], params={"token": token})
        assert child[-1]["event_type"] in {"towow.proposal.finalized", "towow.negotiation.failed"}
        alias = {"channel_id": below["sub_channel_id"], "token": token}
        assert (await door.client.get("/api/v1/events/stream", params=alias)).status_code == 200
        assert (await door.client.get(stream_of(below["sub_demand_id"]), params={"token": "other"})).status_code == 404
        own = (await door.client.get(address(below["sub_demand_id"]), headers=bearer(ALICE))).json()
        assert own["stream_token"] == token
        steps = (await door.client.get(f"{address(below['sub_demand_id'])}/steps", headers=bearer(ALICE))).json()
        assert {"filter", "respond"} <= {step["prompt"] for step in steps["steps"]}


async def test_a_node_without_keys_tells_everybody_what_opens_a_stream(door: Door) -> None:
    demand_id = await door.submit()
    assert (await door.client.get(address(demand_id))).json()["stream_token"]
