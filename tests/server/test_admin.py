"""The admins' routes: agents of the registry and runs; who may use them is in `test_access`."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from moothall.directory.loading import parse_profiles
from moothall.directory.profiles import AgentProfile
from tests.server.door import DEMAND, SUBMIT, Door, Gate, refused, served
from tests.support.demand import profile

AGENTS = "/api/v1/admin/agents"


def owner(door: Door) -> dict[str, str]:
    return {"Authorization": f"Bearer {door.node.owner_token}"}


def sent(agent: AgentProfile) -> dict[str, Any]:
    return agent.private()


NEW = profile("photographer", "摄影", price=900, floor=731)


async def test_a_load_of_a_stranger_is_refused_before_its_body_is_read(door: Door) -> None:
    reader, writer = await asyncio.open_connection(door.address.host, door.address.port)
    writer.write(
        f"PUT {AGENTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 8000000\r\n\r\n".encode()
    )
    assert (await reader.readline()).split()[1] == b"403"
    writer.close()


async def test_others_are_answered_while_a_load_is_checked(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def patient(rows: list[object]) -> list[AgentProfile]:
        assert answered.wait(30), "nobody was answered meanwhile"
        return parse_profiles(rows)

    monkeypatch.setattr("moothall.server.admin.parse_profiles", patient)
    load = asyncio.create_task(door.client.put(AGENTS, json=[sent(NEW)], headers=owner(door)))
    assert (await door.client.get("/health")).status_code == 200
    answered.set()
    assert (await load).json() == {"loaded": 1}


@pytest.mark.requirement("NEG-API-18")
async def test_an_agent_is_created_read_changed_disabled_and_deleted(door: Door) -> None:
    call, path = owner(door), f"{AGENTS}/{NEW.agent_id}"
    created = await door.client.post(AGENTS, json=sent(NEW), headers=call)
    assert created.status_code == 201
    assert (await door.client.post(AGENTS, json=sent(NEW), headers=call)).status_code == 409
    assert (await door.client.get(path, headers=call)).json()["user_name"] == "photographer"
    changed = await door.client.put(path, json=sent(NEW) | {"location": "上海"}, headers=call)
    assert changed.json()["location"] == "上海"
    assert changed.json()["revision"] > created.json()["revision"]
    assert (await door.client.post(f"{path}/disable", headers=call)).json()["status"] == "disabled"
    listed = (await door.client.get(AGENTS, params={"status": "disabled"}, headers=call)).json()["agents"]
    assert [row["agent_id"] for row in listed] == [NEW.agent_id]
    assert (await door.client.post(f"{path}/enable", headers=call)).json()["status"] == "active"
    assert (await door.client.delete(path, headers=call)).status_code == 204
    gone = await door.client.get(path, headers=call)
    assert gone.status_code == 404
    assert gone.json()["error"]["code"] == "E008"


async def test_reservation_values_go_in_and_never_come_out(door: Door) -> None:
    call, path = owner(door), f"{AGENTS}/{NEW.agent_id}"
    answers = [
        await door.client.post(AGENTS, json=sent(NEW), headers=call),
        await door.client.get(path, headers=call),
        await door.client.get(AGENTS, headers=call),
        await door.client.put(path, json=NEW.public(), headers=call),
        await door.client.put(path, json=sent(NEW), headers=call),
    ]
    for answer in answers:
        assert answer.is_success
        assert "reservation" not in answer.text
        assert not re.search(r"\b731\b(?!Z)", answer.text)
    outgoing = (await door.client.get("/openapi.json")).json()["components"]["schemas"]["AgentView"]
    assert "reservation" not in outgoing["properties"]


async def test_an_edit_that_leaves_the_reservation_out_keeps_it(door: Door) -> None:
    call, path = owner(door), f"{AGENTS}/{NEW.agent_id}"
    await door.client.post(AGENTS, json=sent(NEW), headers=call)
    await door.client.put(path, json=NEW.public() | {"location": "上海"}, headers=call)
    kept = (await door.node.registry.get(NEW.agent_id)).profile
    assert kept.reservation == NEW.reservation
    assert kept.location == "上海"


async def test_an_edit_of_an_older_revision_is_a_conflict(door: Door) -> None:
    call, path = owner(door), f"{AGENTS}/{NEW.agent_id}"
    first = (await door.client.post(AGENTS, json=sent(NEW), headers=call)).json()["revision"]
    await door.client.put(path, json=NEW.public(), headers=call)
    late = await door.client.put(path, params={"revision": first}, json=NEW.public(), headers=call)
    assert late.status_code == 409


async def test_a_wrong_profile_names_the_field_and_never_the_value(door: Door) -> None:
    body = sent(NEW) | {"location": "", "reservation": {"floors": {"摄影": 98_765}}}
    answer = await door.client.post(AGENTS, json=body, headers=owner(door))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "INVALID_INPUT"
    assert "location" in answer.json()["error"]["why"]
    assert "98765" not in answer.text.replace("_", "")


async def test_an_agent_has_one_name(door: Door) -> None:
    call = owner(door)
    answer = await door.client.put(f"{AGENTS}/user_agent_hall", json=sent(NEW), headers=call)
    assert answer.status_code == 400


async def test_many_agents_are_loaded_all_or_none(door: Door) -> None:
    call = owner(door)
    many = [sent(profile(f"guest{number}", "摄影")) for number in range(300)]
    assert len(json.dumps(many)) > 128 * 1024
    loaded = await door.client.put(AGENTS, json=many, headers=call)
    assert loaded.json() == {"loaded": 300}
    spoiled = await door.client.put(AGENTS, json=[sent(NEW), {"agent_id": "x"}], headers=call)
    assert spoiled.status_code == 400
    assert (await door.client.get(f"{AGENTS}/{NEW.agent_id}", headers=call)).status_code == 404


@refused
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[", ""),
        (b"\xff", ""),
        (b"", ""),
        (b"{}", ""),
        (json.dumps([sent(NEW), {"agent_id": "x"}]).encode(), "row 2"),
        (json.dumps([sent(NEW), sent(NEW)]).encode(), "row 1 has the same agent_id"),
        (json.dumps([sent(NEW) | {"reservation": {"floors": {"摄影": "ninety"}}}]).encode(), "reservation.floors"),
    ],
)
async def test_a_bad_load_names_row_and_field_and_never_the_value(firm: Door, body: bytes, why: str) -> None:
    answer = await firm.client.put(AGENTS, content=body, headers=owner(firm) | {"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "INVALID_INPUT"
    assert why in answer.text
    assert "ninety" not in answer.text


async def test_only_a_load_may_be_large(door: Door) -> None:
    body = json.dumps(sent(NEW) | {"interests": ["x" * 60] * 5000}).encode()
    answer = await door.client.post(AGENTS, content=body, headers=owner(door) | {"Content-Type": "application/json"})
    assert answer.status_code == 413


async def test_the_description_of_a_load_is_a_list_of_profiles(door: Door) -> None:
    document = (await door.client.get("/openapi.json")).json()
    schema = document["paths"][AGENTS]["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["items"]["$ref"].rpartition("/")[2] in document["components"]["schemas"]


@pytest.mark.requirement("NEG-DATA-10")
async def test_edits_reach_the_next_demand_and_a_running_channel_keeps_its_agents(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        call, hall = owner(door), f"{AGENTS}/user_agent_hall"
        running = await door.submit()
        async with aclosing(door.events(running)) as events:
            async for _, event in events:
                if event["event_type"] == "towow.proposal.distributed":
                    break
        await door.client.put(hall, json=sent(profile("hall", "场地提供", price=640)), headers=call)
        await door.client.post(f"{AGENTS}/user_agent_loft/disable", headers=call)
        await door.client.delete(f"{AGENTS}/user_agent_speaker", headers=call)
        await door.client.post(AGENTS, json=sent(profile("orator", "演讲嘉宾", price=300)), headers=call)
        gate.opened.set()
        before, after = await ended(door, running), await ended(door, await door.submit())
        assert (before["user_agent_hall"], before["user_agent_speaker"]) == (1000, 600)
        assert (after["user_agent_hall"], after["user_agent_orator"]) == (640, 300)
        assert not {"user_agent_orator"} & before.keys()
        assert not {"user_agent_speaker", "user_agent_loft"} & after.keys()


async def ended(door: Door, demand_id: str) -> dict[str, float]:
    """Who takes part in the plan of a demand, and for how much."""
    last = (await door.stream(demand_id))[-1]
    assert last["event_type"] == "towow.proposal.finalized"
    return {row["agent_id"]: row["price"] for row in last["payload"]["final_proposal"]["assignments"]}


async def test_the_runs_are_listed_newest_first(door: Door) -> None:
    demands = [await door.submit() for _ in range(3)]
    for demand in demands:
        await door.stream(demand)
    listed = (await door.client.get("/api/v1/admin/runs", params={"limit": 2}, headers=owner(door))).json()["runs"]
    assert [row["run"] for row in listed] == demands[:0:-1]
    assert {row["status"] for row in listed} == {"closed"}


async def test_the_owner_token_is_not_needed_to_submit(door: Door) -> None:
    assert (await door.client.post(SUBMIT, json={"raw_input": DEMAND})).status_code == 200
