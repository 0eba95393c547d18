"""The demonstration over HTTP: sample agents, sample demands, replays (row NEG-DATA-11)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.directory.loading import load_profiles_from_file, mock_profiles_file
from tests.server.door import Door, opened, served, stream_of
from tests.server.test_operations import ADMIN, KEY, SETTINGS, asked, told
from tests.support.demand import profile, running

SHIPPED = {one.agent_id: one for one in load_profiles_from_file(mock_profiles_file())}
FIRST = next(iter(SHIPPED))


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Door]:
    async with running(tmp_path, demo_agents=True, **SETTINGS) as node, opened(node) as door:
        yield door


async def agents(door: Door, **query: str) -> dict[str, dict[str, Any]]:
    answer = await door.client.get(f"{ADMIN}/agents", headers=KEY, params=query)
    return {row["agent_id"]: row for row in answer.json()["agents"]}


async def replayed(door: Door, **body: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A session that was run, and everything its stream sent."""
    session = await told(door, "/session", "POST", speed=1000.0, **body)
    started = await told(door, f"/session/{session['session_id']}/run", "POST")
    assert started["state"] == "running"
    return session, await door.stream(session["demand_id"])


@pytest.mark.requirement("NEG-DATA-11")
async def test_a_reset_restores_count_and_content_of_the_sample_agents(demo: Door) -> None:
    mine = profile("mine", "摄影").private()
    await told(demo, "/agents", "POST", **mine)
    before = await agents(demo)
    first, second, third = list(SHIPPED)[:3]
    assert (await demo.client.delete(f"{ADMIN}/agents/{first}", headers=KEY)).status_code == 204
    edited = SHIPPED[second].private() | {"location": "火星"}
    assert (await demo.client.put(f"{ADMIN}/agents/{second}", headers=KEY, json=edited)).status_code == 200
    await told(demo, f"/agents/{third}/disable", "POST")
    assert await told(demo, "/agents/reset", "POST") == {"loaded": len(SHIPPED), "removed": 0}
    after = await agents(demo, status="active")
    assert after.keys() == before.keys()
    unlike = {"revision", "updated_at"}
    for name, row in before.items():
        assert {key: row[key] for key in row.keys() - unlike} == {
            key: after[name][key] for key in after[name].keys() - unlike
        }
    kept = (await demo.node.registry.get(second)).profile
    assert kept == SHIPPED[second]


async def test_a_reset_removes_sample_agents_that_are_no_longer_shipped(demo: Door) -> None:
    await demo.node.registry.register(profile("former", "摄影"), origin="demo")
    assert await told(demo, "/agents/reset", "POST") == {"loaded": len(SHIPPED), "removed": 1}
    assert "user_agent_former" not in await agents(demo)


@pytest.mark.requirement("NEG-DATA-09")
async def test_after_the_start_as_many_agents_are_active_as_the_file_has_rows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("moothall").propagate = True
    with caplog.at_level(logging.INFO, "moothall"):
        async with running(tmp_path, demo_agents=True, **SETTINGS) as node, opened(node) as door:
            assert len(await agents(door, status="active")) == len(SHIPPED)
            mode = await told(door, "/demo-mode")
    assert mode["enabled"] is True
    assert mode["active"] == mode["agents"] == mode["shipped"] == len(SHIPPED)
    lines = [record.getMessage() for record in caplog.records if "Mock Agent" in record.getMessage()]
    assert lines == [f"已初始化 {len(SHIPPED)} 个 Mock Agent"]


async def test_sample_agents_are_switched_off_and_on_and_those_of_people_are_not(demo: Door) -> None:
    await told(demo, "/agents", "POST", **profile("mine", "摄影").private())
    off = await told(demo, "/demo-mode", "POST", enabled=False)
    assert (off["enabled"], off["active"]) == (False, 0)
    assert list(await agents(demo, status="active")) == ["user_agent_mine"]
    on = await told(demo, "/demo-mode", "POST", enabled=True)
    assert on["active"] == len(SHIPPED)
    await demo.client.delete(f"{ADMIN}/agents/{FIRST}", headers=KEY)
    assert (await told(demo, "/demo-mode", "POST", enabled=True))["agents"] == len(SHIPPED) - 1
    assert (await told(demo, "/demo-mode", "POST", enabled=True, reset=True))["agents"] == len(SHIPPED)


async def test_a_registry_without_sample_agents_gets_them(tmp_path: Path) -> None:
    async with served(tmp_path, settings=SETTINGS) as door:
        assert (await told(door, "/demo-mode"))["agents"] == 0
        assert (await told(door, "/demo-mode", "POST", enabled=True))["active"] == len(SHIPPED)


@pytest.mark.requirement("NEG-DATA-11")
async def test_a_replay_is_marked_and_mixed_with_nothing_real(demo: Door) -> None:
    real = await demo.submit()
    await demo.stream(real)
    before = await told(demo, "/stats")
    scenarios = (await told(demo, "/scenarios"))["scenarios"]
    session, events = await replayed(demo, scenario_id=scenarios[0]["scenario_id"])
    assert len(events) == scenarios[0]["events"]
    assert all(event["payload"]["demo"] is True and event["payload"]["mark"] == "DEMO" for event in events)
    assert {event["payload"]["demand_id"] for event in events} == {session["demand_id"]}
    polled = await demo.client.get(f"/api/v1/events/negotiations/{session['demand_id']}/recent?count=200")
    assert polled.json()["events"] == events
    assert polled.json()["status"] == "closed"
    assert {key: before[key] for key in ("demands", "ended")} == {
        key: (await told(demo, "/stats"))[key] for key in ("demands", "ended")
    }
    listed = (await demo.client.get("/api/v1/demand")).text
    assert real in listed
    assert session["demand_id"] not in listed
    assert "DEMO" not in str(await demo.stream(real))
    for path in ("", "/status"):
        assert (await demo.client.get(f"/api/v1/demand/{session['demand_id']}{path}")).status_code == 404
    assert (await demo.client.get(f"/api/v1/channels/{session['channel_id']}")).status_code == 404


@pytest.mark.requirement("NEG-DATA-11")
async def test_an_ended_negotiation_of_this_node_is_replayed(demo: Door) -> None:
    real = await demo.submit()
    told_live = await demo.stream(real)
    session, events = await replayed(demo, demand_id=real)
    assert session["source_demand_id"] == real
    assert [event["event_type"] for event in events] == [event["event_type"] for event in told_live]
    answer = await demo.client.get(stream_of(session["demand_id"]), headers={"Last-Event-ID": events[-1]["event_id"]})
    assert answer.status_code == 204


async def test_sessions_wait_run_and_end(demo: Door) -> None:
    first = await told(demo, "/session", "POST")
    assert (first["state"], first["mark"], first["speed"]) == ("waiting", "DEMO", 1.0)
    assert first["stream"] == stream_of(first["demand_id"])
    second, _ = await replayed(demo)
    listed = (await told(demo, "/session"))["sessions"]
    assert [(row["session_id"], row["state"]) for row in listed] == [
        (second["session_id"], "ended"), (first["session_id"], "waiting")
    ]  # fmt: skip
    assert "stream_token" not in listed[0]
    assert (await asked(demo, "POST", f"/session/{second['session_id']}/run")).status_code == 409


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"scenario_id": "none"}, 400, "INVALID_INPUT"),
        ({"scenario_id": "../../secret"}, 400, "INVALID_INPUT"),
        ({"demand_id": "d-00000000"}, 404, "E002"),
        ({"demand_id": "d-00000000", "scenario_id": "ai-meetup-beijing"}, 400, "INVALID_INPUT"),
        ({"speed": 0}, 400, "INVALID_INPUT"),
        ({"speed": 1e9}, 400, "INVALID_INPUT"),
    ],
)
async def test_a_session_of_nothing_is_refused(demo: Door, body: dict[str, Any], status: int, code: str) -> None:
    answer = await asked(demo, "POST", "/session", **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    unknown = await asked(demo, "POST", "/session/d-00000000/run")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "E002")


async def test_sample_demands_are_negotiated_by_the_sample_agents(demo: Door) -> None:
    for row in (await told(demo, "/demo-mode/demands"))["demands"]:
        events = await demo.stream(await demo.submit(row["raw_input"]))
        assert events[-1]["event_type"] == "towow.proposal.finalized"


async def test_the_token_of_a_session_opens_its_stream_where_keys_are_asked_for(tmp_path: Path) -> None:
    async with served(tmp_path, settings={"api_keys": "alice:alice-key-0123456789", **SETTINGS}) as door:
        session = await told(door, "/session", "POST", speed=1000.0)
        await told(door, f"/session/{session['session_id']}/run", "POST")
        path = stream_of(session["demand_id"])
        assert (await door.client.get(path)).status_code == 401
        mine = {"Authorization": "Bearer alice-key-0123456789"}
        assert (await door.client.get(path, headers=mine)).status_code == 404
        assert await door.stream(session["demand_id"], params={"token": session["stream_token"]})
