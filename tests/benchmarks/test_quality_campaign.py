"""A small campaign from end to end: the product negotiates sentences, the oracle judges, the goals hold with a margin."""

from __future__ import annotations

import pytest

pytest.importorskip("ortools", reason="the oracle needs OR-Tools, which has no wheels for this Python")

from benchmarks.quality.arms import BASE
from benchmarks.quality.campaign import Outcome, run
from benchmarks.quality.intervals import ratio
from benchmarks.quality.report import as_json, sections, table

SCENARIOS = 6


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return run(0, SCENARIOS, jobs=2, arms=("silent",))


@pytest.mark.timeout(240)
def test_plans_cover_what_can_be_covered_at_little_more_than_the_least_cost(outcome: Outcome) -> None:
    scores = [one.score for one in outcome.arms[BASE]]
    assert sum(one.relative for one in scores) / SCENARIOS >= 0.97
    assert sum(one.regret or 0.0 for one in scores) / SCENARIOS <= 0.06
    assert [one.broken for one in scores] == [()] * SCENARIOS
    assert all(one.understood and not one.false_success for one in outcome.arms[BASE])


@pytest.mark.timeout(240)
def test_names_order_words_about_persons_injected_text_and_twins_change_no_selection(outcome: Outcome) -> None:
    assert outcome.changed == dict.fromkeys(("shuffled", "renamed", "swapped", "injected", "twin"), [0] * SCENARIOS)


@pytest.mark.timeout(240)
def test_silent_agents_cost_little_and_simpler_ways_much(outcome: Outcome) -> None:
    assert sum(one.score.relative for one in outcome.arms["silent"]) / SCENARIOS >= 0.93
    for name in ("random feasible", "greedy set-cover", "central on cards"):
        scores = outcome.baselines[name]
        assert ratio([one.welfare for one in scores], [one.optimum for one in scores]).mean <= 0.9, name


@pytest.mark.timeout(240)
def test_the_table_and_the_json_tell_every_figure(outcome: Outcome) -> None:
    found = sections(outcome)
    text = table(found)
    assert "ours beside the baselines" in text
    assert "one central call: not run" in text
    assert [section["title"] for section in as_json(found)] == [section.title for section in found]
