"""What an operator sees and resets (row NEG-OPS-08)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.door import DEMAND, SUBMIT, Door, Gate, opened, served
from tests.support.clock import ManualClock
from tests.support.demand import running
from tests.support.fake_llm import fake_llm

ADMIN = "/api/v1/admin"
KEY = {"X-Admin-Key": "an-admin-key"}
SETTINGS = {"admin_api_key": "an-admin-key"}
SPEC_PATHS = [
    ("GET", "/health"), ("GET", "/stats"), ("GET", "/demo-mode"), ("POST", "/demo-mode"), ("GET", "/demo-mode/demands"),
    ("GET", "/scenarios"), ("POST", "/session"), ("GET", "/session"), ("POST", "/session/{session_id}/run"),
    ("GET", "/circuit-breaker"), ("POST", "/circuit-breaker/reset"), ("GET", "/rate-limiter"),
    ("POST", "/rate-limiter/reset-stats"), ("POST", "/llm/reset-stats"), ("GET", "/agents"),
]  # fmt: skip


async def asked(door: Door, method: str, path: str, **more: Any) -> httpx.Response:
    body = {} if method == "POST" else None
    return await door.client.request(method, f"{ADMIN}{path}", headers=KEY, json=more or body)


async def told(door: Door, path: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    answer = await asked(door, method, path, **more)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.requirement("NEG-OPS-08", "NEG-API-22", "NEG-ARCH-13")
async def test_every_path_of_the_specification_works_with_the_key_and_is_described(tmp_path: Path) -> None:
    async with served(tmp_path, settings=SETTINGS) as door:
        document = (await door.client.get("/openapi.json")).json()
        for method, path in SPEC_PATHS:
            operation = document["paths"][f"{ADMIN}{path}"][method.lower()]
            assert operation["security"], path
            assert operation["tags"] == ["admin"]
            session = (await told(door, "/session", "POST"))["session_id"]
            answer = await asked(door, method, path.format(session_id=session))
            assert answer.is_success, (path, answer.text)
            assert "an-admin-key" not in answer.text
            assert door.node.owner_token not in answer.text
        tags = {tag for row in document["paths"].values() for operation in row.values() for tag in operation["tags"]}
        assert {"admin", "demands"} <= tags
        assert {"/api/v1/demand/submit", "/api/v1/events/negotiations/{demand_id}/stream"} <= document["paths"].keys()


async def test_the_condition_says_what_is_missing(tmp_path: Path) -> None:
    async with served(tmp_path, settings=SETTINGS) as door:
        well = await told(door, "/health")
        assert (well["status"], well["store"], well["worker"], well["why"]) == ("ready", True, True, [])
        assert well["circuit_breaker"]["configured"] is False
        async with opened(door.node, ready=lambda: False) as idle:
            ill = await told(idle, "/health")
        assert (ill["status"], len(ill["why"])) == ("unavailable", 1)


async def test_the_figures_are_of_demands_agents_and_streams(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, settings=SETTINGS, participants=gate.behind) as door:
        await door.submit()
        going = await told(door, "/stats")
        assert going["demands"] == {"open": 1, "closed": 0}
        gate.opened.set()
        await door.stream(await door.submit())
        await told(door, "/agents/user_agent_hall/disable", "POST")
        replay = (await told(door, "/session", "POST"))["session_id"]
        await told(door, f"/session/{replay}/run", "POST")
        found = await told(door, "/stats")
        assert found["demands"]["open"] + found["demands"]["closed"] == 2
        assert found["ended"]["full"] >= 1
        assert found["ended"]["success_rate"] == 1
        assert found["agents"] == {"active": 3, "disabled": 1}
        assert found["llm"]["provider"] is None
        assert found["llm"]["calls"] == 0


async def test_the_breaker_is_shown_and_can_be_closed(tmp_path: Path) -> None:
    async with fake_llm() as llm, served(tmp_path, settings=llm.settings(llm_failure_threshold=2, **SETTINGS)) as door:
        closed = await told(door, "/circuit-breaker")
        assert (closed["configured"], closed["state"], closed["threshold"]) == (True, "closed", 2)
        llm.script["*"] = 500
        await door.stream(await door.submit())
        opened_ = await told(door, "/circuit-breaker")
        assert opened_["state"] == "open"
        assert 0 < opened_["retry_in"] <= opened_["recovery_seconds"]
        assert (await told(door, "/health"))["circuit_breaker"]["state"] == "open"
        assert (await told(door, "/circuit-breaker/reset", "POST"))["state"] == "closed"
        llm.script.pop("*")
        llm.forget()
        await door.stream(await door.submit())
        assert llm.counts["understand"] == 1


async def test_calls_of_the_model_are_counted_until_they_are_reset(tmp_path: Path) -> None:
    async with fake_llm() as llm, served(tmp_path, settings=llm.settings(**SETTINGS)) as door:
        await door.stream(await door.submit())
        before = (await told(door, "/stats"))["llm"]
        assert before["calls"] == before["successes"] == sum(llm.counts.values())
        assert before["by_prompt"]["respond"]["calls"] == llm.counts["respond"]
        assert before["provider"] == "anthropic"
        after = await told(door, "/llm/reset-stats", "POST")
        assert (after["calls"], after["by_prompt"], after["model"]) == (0, {}, before["model"])


async def test_the_limiter_counts_users_without_naming_them(tmp_path: Path) -> None:
    keys = {"api_keys": "alice:alice-key-0123456789", "rate_limit": 1, **SETTINGS}
    async with running(tmp_path, [], clock=ManualClock(), **keys) as node, opened(node) as door:
        for status in (400, 429, 429):
            answer = await door.client.post(
                SUBMIT, json={"raw_input": ""}, headers={"Authorization": "Bearer alice-key-0123456789"}
            )
            assert answer.status_code == status
        answer = await asked(door, "GET", "/rate-limiter")
        assert answer.json() == {"per_minute": 1, "users": 1, "allowed": 1, "refused": 2}
        assert "alice" not in answer.text
        assert await told(door, "/rate-limiter/reset-stats", "POST") == {
            "per_minute": 1, "users": 1, "allowed": 0, "refused": 0
        }  # fmt: skip


async def test_an_empty_body_where_none_is_needed_is_fine(tmp_path: Path) -> None:
    async with served(tmp_path, settings=SETTINGS) as door:
        answer = await door.client.post(f"{ADMIN}/circuit-breaker/reset", headers=KEY)
        assert answer.status_code == 200
        assert (await door.client.post(SUBMIT, json={"raw_input": DEMAND})).status_code == 200
