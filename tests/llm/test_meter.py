"""What the model's calls took."""

from __future__ import annotations

import pytest

from moothall.llm.meter import Meter
from moothall.llm.model import Reply
from tests.llm.small import BLUE, CHOOSE, GREEN, Ask, brain
from tests.support.fake_llm import HANG, INPUT_TOKENS, OUTPUT_TOKENS, FakeLLM


def reply(cost: float | None = 0.01) -> Reply:
    return Reply({}, "model", 100, 10, cost)


def test_a_meter_without_calls_shows_no_failure() -> None:
    snapshot = Meter().snapshot()
    assert (snapshot.calls, snapshot.success_rate, snapshot.p95_seconds, snapshot.by_prompt) == (0, 1.0, 0.0, {})


def test_calls_are_counted_in_all_and_by_prompt() -> None:
    meter = Meter()
    meter.record("filter", "ok", 2.0, reply())
    meter.record("respond", "invalid", 1.0, reply(None))
    meter.record("respond", "timeout", 10.0)
    meter.record("respond", "cancelled", 99.0)
    everything = meter.snapshot()
    assert (everything.calls, everything.successes, everything.failures) == (4, 1, 2)
    assert everything.success_rate == pytest.approx(1 / 3)
    assert (everything.input_tokens, everything.output_tokens) == (200, 20)
    assert (everything.cost_usd, everything.unpriced) == (0.01, 1)
    assert everything.by_prompt["filter"].calls == 1
    assert everything.by_prompt["respond"].outcomes == {"invalid": 1, "timeout": 1, "cancelled": 1}


def test_the_95th_percentile_is_that_of_the_latest_calls_and_no_callers_impatience() -> None:
    meter = Meter()
    for hundredth in range(1, 101):
        meter.record("filter", "ok", hundredth / 100, reply())
    meter.record("filter", "cancelled", 1000.0)
    assert meter.snapshot().p95_seconds == 0.95
    for _ in range(2000):
        meter.record("filter", "ok", 0.01, reply())
    assert meter.snapshot().p95_seconds == 0.01


def test_a_reset_counts_from_zero() -> None:
    meter = Meter()
    meter.record("filter", "ok", 2.0, reply())
    meter.reset()
    assert meter.snapshot() == Meter().snapshot()


async def test_every_request_to_the_provider_is_counted_once(llm: FakeLLM) -> None:
    mind = brain(llm, llm_timeout=60.0, llm_failure_threshold=9)
    llm.script["choose"] = [BLUE, GREEN, BLUE, 500, HANG]
    for seconds in (60.0, 60.0, 60.0, 0.5):
        await mind.answer(CHOOSE, Ask(), seconds)
    figures = mind.meter.snapshot()
    assert figures.outcomes == {"ok": 2, "invalid": 1, "unavailable": 1, "timeout": 1}
    assert figures.calls == len(llm.requests) == 5
    assert (figures.input_tokens, figures.output_tokens) == (3 * INPUT_TOKENS, 3 * OUTPUT_TOKENS)
    assert figures.cost_usd == pytest.approx(3 * 0.0102)
