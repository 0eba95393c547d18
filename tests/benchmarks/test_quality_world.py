"""The generated worlds: repeatable, as described, and hard for simpler ways of choosing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.quality.arms import MISBEHAVIOUR, SAME, staged
from benchmarks.quality.cards import card, true_card
from benchmarks.quality.catalogue import KINDS, UNDERTAKINGS
from benchmarks.quality.generate import scenario
from benchmarks.quality.reality import coverage_of, judge, option, real_options, window_of
from benchmarks.quality.world import Agent, Behaviour, Plan, Role, Scenario, Service
from moothall.directory.activities import load_activities
from moothall.directory.concepts import load_vocabulary

SEEDS = range(12)


def base(index: int) -> Scenario:
    return scenario(0, index)


def test_every_word_of_the_catalogue_is_a_word_of_the_vocabulary() -> None:
    vocabulary, activities = load_vocabulary(), load_activities()
    for kind in KINDS:
        assert {vocabulary.normalise(word) for word in (*kind.zh, *kind.en)} == {kind.concept}
    for item in UNDERTAKINGS:
        found = {mention.activity.id: mention.activity for mention in activities.find(item.zh)}
        assert [activity.implies for activity in found.values()] == [(item.implies,)]


@pytest.mark.parametrize("index", SEEDS)
def test_a_seed_always_gives_the_same_scenario_and_campaigns_differ(index: int) -> None:
    assert scenario(1, index) == scenario(1, index)
    assert scenario(0, index) != scenario(1, index)
    assert all(card(agent).agent_id == agent.agent_id for agent in base(index).agents)


@pytest.mark.parametrize("index", SEEDS)
def test_agents_are_as_described(index: int) -> None:
    given = base(index)
    window = set(window_of(given.demand))
    for agent in given.agents:
        assert agent.busy <= window
        for service in agent.services:
            assert 0 < service.floor <= service.ask
        known = true_card(agent)
        true = {service.tag for service in agent.services if service.true}
        assert (set(known.tags) if known else set()) == true
    assert any(not service.true for index in SEEDS for agent in base(index).agents for service in agent.services)


def test_the_variants_keep_their_promise() -> None:
    """In a gap nobody able is left for a need; where no team is feasible each day lacks somebody."""
    found = Counter(base(index).variant for index in range(60))
    assert found["plain"] > found["gap"] > 0 < found["infeasible"]
    for given in (base(index) for index in range(60)):
        options = real_options(given)
        lacking = {need.concept for need in given.demand.needs} - {item.concept for item in options}
        assert bool(lacking) == (given.variant == "gap")
        if given.variant == "infeasible":
            for day in window_of(given.demand):
                free = [item.concept for item in options if day in item.days]
                assert coverage_of(given.demand, free) < 1


@pytest.mark.parametrize("arm", MISBEHAVIOUR)
def test_every_fifth_agent_misbehaves(arm: str) -> None:
    given = staged(base(0), arm)
    changed = [agent for agent in given.agents if agent.behaviour is not Behaviour.HONEST]
    assert len(changed) == round(0.2 * len(given.agents))
    assert {agent.behaviour for agent in changed} <= set(MISBEHAVIOUR[arm])


@pytest.mark.parametrize("arm", SAME)
def test_changes_that_must_not_matter_leave_what_agents_can_do(arm: str) -> None:
    def offers(given: Scenario) -> Counter[tuple[object, ...]]:
        return Counter((agent.city, agent.services, agent.busy, agent.max_roles) for agent in given.agents)

    plain, changed = base(1), staged(base(1), arm)
    assert changed.agents != plain.agents
    assert sum((offers(changed) - offers(plain)).values()) == (3 if arm == "twin" else 0)


def judged(given: Scenario, **changes: object) -> Scenario:
    """The scenario with one demand of a single venue and a single agent who can do it."""
    service = replace(
        Service("venue", "venue", ask=1000, floor=800, capacity=given.demand.attendees),
        **changes,  # type: ignore[arg-type]
    )
    agent = Agent("user_agent_a", "A", given.demand.city, (service,))
    need = replace(given.demand.needs[0], concept="venue", count=1, named=True)
    demand = replace(given.demand, needs=(need,), budget=1000, excluded=frozenset())
    return replace(given, demand=demand, agents=(agent,))


def one_role(given: Scenario, price: float = 900) -> Plan:
    return Plan((Role("user_agent_a", "venue", price),), given.demand.start)


def test_a_plan_that_can_be_counted_on_covers_and_breaks_nothing() -> None:
    given = judged(base(0))
    verdict = judge(given, one_role(given))
    assert (verdict.coverage, verdict.broken, verdict.real_cost) == (1.0, (), 800)
    assert verdict.welfare == 2 * 6000 - 800


@pytest.mark.parametrize(
    ("changes", "price", "broken"),
    [
        ({"capacity": 1}, 900, "place, size or days"),
        ({"min_attendees": 10_000}, 900, "place, size or days"),
        ({"lead_days": 300}, 900, "place, size or days"),
        ({"floor": 950}, 900, "below the floor"),
        ({"ask": 2000}, 1500, "budget"),
        ({"requires": "dj"}, 900, "condition"),
        ({"true": False}, 900, ""),
    ],
)
def test_what_agents_would_not_do_covers_nothing(changes: dict[str, object], price: float, broken: str) -> None:
    given = judged(base(0), **changes)
    verdict = judge(given, one_role(given, price))
    assert all(text.startswith(broken) for text in verdict.broken)
    assert bool(verdict.broken) == bool(broken)
    assert verdict.coverage == (1.0 if broken == "budget" else 0.0)


def test_nobody_is_invented_unseen() -> None:
    given = judged(base(0))
    plan = Plan((Role("user_agent_b", "venue", 900), Role("user_agent_a", "dj", 1)), given.demand.start)
    assert [text.split(":")[0] for text in judge(given, plan).broken] == ["invented", "invented"]


def test_who_is_gone_cannot_be_counted_on() -> None:
    given = judged(base(0))
    for behaviour in (Behaviour.SILENT, Behaviour.FADING, Behaviour.WITHDRAWING):
        gone = replace(given, agents=(replace(given.agents[0], behaviour=behaviour),))
        assert judge(gone, one_role(gone)).coverage == 0
    assert option(given.agents[0], given.agents[0].services[0], given) is not None
