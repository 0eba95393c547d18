"""What Prometheus scrapes: six figures with their meaning, OpenTelemetry's names, and nobody's name (NEG-OPS-06)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from moothall.clock import SystemClock
from moothall.events.model import Draft
from moothall.negotiation.demand.figures import ended_since, totals
from moothall.node import Node
from moothall.settings import Settings
from moothall.storage import schema
from tests.server.door import DEMAND, SUBMIT, Door, Gate, opened, served, team
from tests.support.clock import ManualClock
from tests.support.demand import running
from tests.support.fake_llm import Hang, fake_llm

SIX = {"llm_call_total", "llm_call_success_rate", "llm_call_latency_p95", "circuit_breaker_open",
       "negotiation_success_rate", "sse_active_connections"}  # fmt: skip
USER = "user_of_the_metrics_test"


async def scraped(door: Door) -> dict[str, float]:
    """Each sample by its name and labels, as Prometheus reads it."""
    answer = await door.client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = list(text_string_to_metric_families(answer.text))
    found = {}
    for family in families:
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def ended(node: Node, name: str, kind: str, *, of: str = "demand", parent: str = "", **payload: object) -> None:
    """A run that ends now."""
    terminal = Draft("terminal", kind, {"demand_id": name, **payload})
    await node.log.create(name, of, (terminal,), parent=parent or None)
    run = schema.run
    close = sa.update(run).where(run.c.id == name).values(status="closed", closed_at=run.c.created_at)
    await node.log.store.write(lambda connection: connection.execute(close))


@pytest.mark.requirement("NEG-OPS-06")
async def test_the_six_names_are_there_from_the_start(door: Door) -> None:
    found = await scraped(door)
    assert found.keys() >= SIX
    assert {name: found[name] for name in SIX} == {
        "llm_call_total": 0,
        "llm_call_success_rate": 1,
        "llm_call_latency_p95": 0,
        "circuit_breaker_open": 0,
        "negotiation_success_rate": 1,
        "sse_active_connections": 0,
    }


@pytest.mark.requirement("NEG-OPS-06")
async def test_calls_of_the_model_are_counted_and_none_of_their_words_are(tmp_path: Path) -> None:
    async with fake_llm() as llm, served(tmp_path, settings=llm.settings()) as door:
        await door.stream(await door.submit(user_id=USER))
        found, text = await scraped(door), (await door.client.get("/metrics")).text
        assert found["llm_call_total"] == sum(llm.counts.values())
        assert found["llm_call_success_rate"] == 1
        assert found["llm_call_latency_p95"] > 0
        assert found["circuit_breaker_open"] == 0
        asked = "gen_ai_operation_name=chat,gen_ai_provider_name=anthropic,gen_ai_request_model="
        tokens = {name: value for name, value in found.items() if name.startswith("gen_ai_client_token_usage_sum")}
        assert sum(tokens.values()) == sum(llm.counts.values()) * (2500 + 180)
        assert any(f"{asked}" in name and "gen_ai_token_type=input" in name for name in tokens)
        durations = [name for name in found if name.startswith("gen_ai_client_operation_duration_seconds_count")]
        assert sum(found[name] for name in durations) == found["llm_call_total"]
        assert USER not in text
        assert "北京" not in text
        assert "d-" not in text.replace("seconds-", "")


@pytest.mark.requirement("NEG-OPS-06")
async def test_a_model_that_fails_opens_the_breaker_and_lowers_the_rate(tmp_path: Path) -> None:
    async with fake_llm() as llm, served(tmp_path, settings=llm.settings(llm_failure_threshold=3)) as door:
        llm.script["*"] = 500
        await door.stream(await door.submit())
        found = await scraped(door)
        assert found["circuit_breaker_open"] == 1
        assert found["llm_call_success_rate"] == 0
        assert found["llm_call_total"] >= 3


@pytest.mark.requirement("NEG-OPS-06")
async def test_the_success_rate_is_finalized_by_ended_of_the_last_quarter_of_an_hour(
    tmp_path: Path, database_url: str
) -> None:
    clock = ManualClock()
    settings = Settings(data=tmp_path, database_url=database_url, demo_agents=False)
    quoted = '"consensus":"partial"'
    async with Node(settings, clock=clock) as node, opened(node) as door:
        await ended(node, "d-00000001", "towow.proposal.finalized", consensus="full", said=quoted)
        await clock.advance(timedelta(minutes=10))
        await ended(node, "d-00000002", "towow.proposal.finalized", consensus="partial")
        await ended(node, "d-00000003", "towow.negotiation.failed", reason="no_candidates", said=quoted)
        await ended(node, "d-00000004", "towow.negotiation.failed", of="replay", reason="internal_error")
        await ended(node, "d-00000005", "towow.negotiation.failed", parent="d-00000001", reason="no_answer")
        await node.log.create("d-00000006", "another kind", ())
        found = await scraped(door)
        assert found["negotiation_success_rate"] == pytest.approx(2 / 3)
        parts = {name: value for name, value in found.items() if name.startswith("negotiation_ended")}
        assert parts == {
            "negotiation_ended{outcome=full}": 1,
            "negotiation_ended{outcome=partial}": 1,
            "negotiation_ended{outcome=failed}": 1,
        }
        await clock.advance(timedelta(minutes=6))
        assert (await scraped(door))["negotiation_success_rate"] == pytest.approx(1 / 2)
    async with Node(settings, clock=clock) as node, opened(node) as door:
        assert (await scraped(door))["negotiation_success_rate"] == pytest.approx(1 / 2)
        await clock.advance(timedelta(minutes=15))
        assert (await scraped(door))["negotiation_success_rate"] == 1
        everything = await ended_since(node.log.store, None)
        assert (everything.full, everything.partial, everything.failed) == (1, 1, 1)
        assert (await totals(node.log.store)).closed == 3


@pytest.mark.requirement("NEG-OPS-06")
async def test_real_negotiations_count_by_their_ends(tmp_path: Path) -> None:
    async with served(tmp_path) as door:
        for demand in (DEMAND, "在火星上建基地"):
            await door.stream(await door.submit(demand))
        found = await scraped(door)
        assert found["negotiation_success_rate"] == pytest.approx(1 / 2)
        assert found["negotiation_ended{outcome=failed}"] == 1


@pytest.mark.requirement("NEG-OPS-06")
async def test_open_streams_are_counted(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id, following = await door.submit(), []
        async with AsyncExitStack() as streams:
            for number in range(1, 4):
                events = await streams.enter_async_context(aclosing(door.events(demand_id)))
                following.append(events)
                await anext(events)
                assert (await scraped(door))["sse_active_connections"] == number
            gate.opened.set()
            for events in following:
                assert [event async for event in events]
        assert (await scraped(door))["sse_active_connections"] == 0


async def test_a_scrape_asks_for_a_key_where_keys_are_configured(tmp_path: Path) -> None:
    settings = {"api_keys": "scraper:scraper-key-0123456789", "admin_api_key": "admin-key"}
    async with served(tmp_path, settings=settings) as door:
        assert (await door.client.get("/metrics")).status_code == 401
        for headers in ({"Authorization": "Bearer scraper-key-0123456789"}, {"X-Admin-Key": "admin-key"}):
            assert (await door.client.get("/metrics", headers=headers)).status_code == 200


async def test_a_call_under_way_is_not_counted_yet(tmp_path: Path) -> None:
    async with fake_llm() as llm, running(tmp_path, team(), clock=SystemClock(), **llm.settings()) as node:
        llm.script["understand"] = Hang()
        async with opened(node) as door:
            submitting = asyncio.create_task(door.client.post(SUBMIT, json={"raw_input": DEMAND}))
            await llm.got(1)
            assert (await scraped(door))["llm_call_total"] == 0
            llm.release()
            assert (await submitting).status_code == 200
