"""Reading a channel over HTTP, and its log for the owner."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from moothall.negotiation.demand.machine import ChannelStatus
from moothall.negotiation.demand.wire import MESSAGES
from tests.server.door import Door, Gate, refused, served

CHANNELS = "/api/v1/channels"
TEN = {
    "offer_id", "agent_id", "demand_id", "decision", "contribution", "conditions", "reasoning", "decline_reason",
    "confidence", "submitted_at",
}  # fmt: skip


def channel_of(demand_id: str) -> str:
    return demand_id.replace("d-", "collab-")


def owner(door: Door) -> dict[str, str]:
    return {"X-Admin-Key": door.node.owner_token}


async def finished(door: Door) -> str:
    """The channel of a demand that has ended."""
    demand_id = await door.submit()
    await door.stream(demand_id)
    return channel_of(demand_id)


@pytest.mark.requirement("NEG-API-17")
async def test_a_channel_tells_candidates_offers_plans_feedback_and_gaps(door: Door) -> None:
    channel_id = await finished(door)
    seen = (await door.client.get(f"{CHANNELS}/{channel_id}")).json()
    assert seen["status"] == ChannelStatus.FINALIZED
    assert {item["agent_id"] for item in seen["candidates"]} == {item["agent_id"] for item in seen["offers"]}
    assert [item["version"] for item in seen["proposals"]] == [seen["round"]] == [1]
    assert seen["final_proposal"]["consensus"] == "full"
    assert {item["agent_id"] for item in seen["feedback"]} == {
        item["agent_id"] for item in seen["final_proposal"]["assignments"]
    }
    assert all((item["round"], item["by_default"]) == (1, False) for item in seen["feedback"])
    assert seen["gaps"] == []


@pytest.mark.requirement("NEG-DATA-02")
async def test_offers_have_their_ten_fields(door: Door) -> None:
    channel_id = await finished(door)
    seen = (await door.client.get(f"{CHANNELS}/{channel_id}/offers")).json()
    assert len(seen["offers"]) == 4
    for number, offer in enumerate(seen["offers"], start=1):
        assert offer.keys() >= TEN
        assert "doubts" not in offer
        assert offer["offer_id"] == f"offer_{number:03d}"
        assert 0 <= offer["confidence"] <= 100
        assert offer["submitted_at"].endswith("Z")
    assert "floor" not in json.dumps(seen)


async def test_before_the_barrier_closes_only_names_and_counts_are_told(tmp_path: Path) -> None:
    async with served(tmp_path) as door:
        person = [{"display_name": "小林", "capability_tags": ["摄影"]}]
        demand_id = await door.submit(participants=person)
        async for event in door.node.log.follow(demand_id):
            if event.type == "towow.offer.submitted":
                break
        seen = (await door.client.get(f"{CHANNELS}/{channel_of(demand_id)}")).json()
    assert seen["status"] in {"broadcasting", "collecting"}
    assert seen["offers_sealed"] is True
    assert seen["offers"] == []
    assert seen["invited_count"] == 5
    assert event.payload["agent_id"] in seen["answered"]
    assert seen["deadline_at"] is not None


async def test_everybody_who_was_thought_of_is_there_with_the_reason(door: Door) -> None:
    channel_id = await finished(door)
    seats = (await door.client.get(f"{CHANNELS}/{channel_id}/agents")).json()["agents"]
    standing = {item["agent_id"]: item["standing"] for item in seats}
    assert sorted(standing.values()) == ["in_plan", "in_plan", "in_plan", "not_chosen"]
    left_out = next(item for item in seats if item["standing"] == "not_chosen")
    assert left_out["why_not_code"] == "not_chosen"
    told = (await door.client.get(f"{CHANNELS}/{channel_id}")).json()["final_proposal"]["rationale"]
    assert left_out["why_not"] in {"要价高于方案为同一角色支付的费用", "同一角色已由更适合整个方案的人选承担"}
    assert f"（1位）：{left_out['why_not']}。" in told
    assert all(item["roles"] for item in seats if item["in_plan"])


async def test_all_versions_of_the_plan_can_be_read(door: Door) -> None:
    channel_id = await finished(door)
    seen = (await door.client.get(f"{CHANNELS}/{channel_id}/proposals")).json()
    assert [item["proposal_id"] for item in seen["proposals"]] == ["prop_001"]
    assert seen["final_proposal"]["proposal_id"] == "prop_001"


@refused
@pytest.mark.requirement("NEG-API-17", "NEG-API-27")
@pytest.mark.parametrize("path", ["", "/offers", "/proposals", "/agents", "/invitation"])
async def test_an_unknown_channel_is_e007_everywhere(firm: Door, path: str) -> None:
    for name in ("collab-00000000", "d-00000000", "x"):
        answer = await firm.client.get(f"{CHANNELS}/{name}{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "E007")
    answer = await firm.client.get("/api/v1/admin/channels/collab-00000000/log", headers=owner(firm))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "E007")


@pytest.mark.requirement("NEG-API-27")
async def test_the_log_holds_messages_and_transitions_in_order_with_real_senders(door: Door) -> None:
    channel_id = await finished(door)
    answer = await door.client.get(f"/api/v1/admin/channels/{channel_id}/log", headers=owner(door))
    log = answer.json()
    assert log.keys() == {"messages", "transitions"}
    assert all(item.keys() == {"seq", "at", "from", "to", "body"} for item in log["messages"])
    keys = {"seq", "at", "from_state", "to_state", "trigger", "round"}
    assert all(item.keys() == keys for item in log["transitions"])
    for rows in log.values():
        assert [item["seq"] for item in rows] == sorted({item["seq"] for item in rows})
    assert {item["body"]["type"] for item in log["messages"]} == set(MESSAGES)
    for item in log["messages"]:
        MESSAGES[item["body"]["type"]].model_validate(item["body"])
        assert item["from"] == item["body"].get("agent_id", item["from"])
    states = [log["transitions"][0]["from_state"], *(item["to_state"] for item in log["transitions"])]
    assert states == [
        "created", "broadcasting", "collecting", "aggregating", "proposal_sent", "negotiating", "finalized",
    ]  # fmt: skip
    assert "floors" not in answer.text


async def test_only_the_owner_reads_the_log(door: Door) -> None:
    channel_id = await finished(door)
    answer = await door.client.get(f"/api/v1/admin/channels/{channel_id}/log")
    assert answer.status_code in {401, 403}


@pytest.mark.requirement("NEG-API-21")
async def test_the_stream_by_channel_sends_the_same_frames(door: Door) -> None:
    channel_id = await finished(door)
    demand_id = channel_id.replace("collab-", "d-")
    by_demand = await door.client.get(f"/api/v1/events/negotiations/{demand_id}/stream")
    by_channel = await door.client.get("/api/v1/events/stream", params={"channel_id": channel_id})
    assert by_channel.text == by_demand.text
    assert by_channel.headers["content-type"].startswith("text/event-stream")
    unknown = await door.client.get("/api/v1/events/stream", params={"channel_id": "collab-00000000"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "E007")
    assert (await door.client.get("/api/v1/events/stream")).status_code == 404


@pytest.mark.requirement("NEG-API-21")
async def test_the_stream_by_channel_can_be_switched_off(tmp_path: Path) -> None:
    async with served(tmp_path, settings={"stream_alias": False}) as door:
        channel_id = await finished(door)
        answer = await door.client.get("/api/v1/events/stream", params={"channel_id": channel_id})
        described = (await door.client.get("/openapi.json")).json()["paths"]
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert "/api/v1/events/stream" not in described


async def test_answers_fit_their_description(door: Door) -> None:
    channel_id = await finished(door)
    document = (await door.client.get("/openapi.json")).json()
    for suffix in ("", "/offers", "/proposals", "/agents"):
        operation = document["paths"][f"{CHANNELS}/{{channel_id}}{suffix}"]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        body = (await door.client.get(f"{CHANNELS}/{channel_id}{suffix}")).json()
        jsonschema.validate(body, {**schema, "components": document["components"]})
        assert {"401", "404"} <= operation["responses"].keys()


async def test_a_standing_channel_can_be_read_in_the_middle(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id = await door.submit()
        async for event in door.node.log.follow(demand_id):
            if event.type == "towow.proposal.distributed":
                break
        seen = (await door.client.get(f"{CHANNELS}/{channel_of(demand_id)}")).json()
        gate.opened.set()
    assert (seen["status"], seen["round"], seen["offers_sealed"]) == ("negotiating", 1, False)
    assert len(seen["offers"]) == 4
    assert seen["proposals"][0]["version"] == 1
    assert seen["final_proposal"] is None
