"""The choice of a team against a referee that knows the rules in plain Python and tries everything."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from moothall.negotiation.demand.solver import assemble, is_trivial
from moothall.negotiation.demand.teams import Bid, Need, Pick, Problem, Team

FIRST = date(2027, 3, 1)
DAYS = tuple(FIRST + timedelta(days=offset) for offset in range(4))


def problem(seed: int, *, bids: int = 7, roles: int = 3, loose: bool = False) -> Problem:
    """A random small instance; a loose one has no budget, packages, conditions or agents with several bids."""
    draw = random.Random(seed)
    concepts = [f"c{index}" for index in range(roles)]
    found: dict[tuple[str, str], Bid] = {}
    for index in range(bids):
        agent = f"a{index}" if loose else f"a{draw.randrange(bids)}"
        concept = draw.choice([*concepts, "support"])
        price = float(draw.randrange(1, 9) * 100)
        found[agent, concept] = Bid(
            agent,
            concept,
            price,
            cost=price * draw.choice([0.8, 1.0]),
            quantity=1 if loose else draw.choice([1, 1, 2]),
            match=draw.randrange(40, 100),
            dates=None if draw.random() < 0.3 else frozenset(day for day in DAYS if draw.random() < 0.5),
            requires=frozenset({draw.choice([*concepts, "support"])})
            if not loose and draw.random() < 0.3
            else frozenset(),
            kept=draw.random() < 0.15,
            burden=draw.choice([0, 0, 0, 1]),
        )
    return Problem(
        needs=tuple(Need(concept, draw.choice([50, 80]), draw.choice([1, 1, 2, 3])) for concept in concepts),
        bids=tuple(found.values()),
        preferred=tuple(draw.sample(DAYS, len(DAYS))),
        budget=None if loose or draw.random() < 0.3 else float(draw.randrange(3, 20) * 100),
        max_roles={f"a{index}": draw.choice([1, 1, 2]) for index in range(bids)},
        seed=seed,
    )


def hard_rules_hold(given: Problem, picks: Sequence[Pick], day: date) -> bool:
    """Every hard rule once more, without any of the code under test."""
    counts = {need.concept: need.count for need in given.needs}
    agents = [pick.bid.agent for pick in picks]
    return (
        len({(pick.bid.agent, pick.bid.concept) for pick in picks}) == len(picks)
        and all(pick.bid in given.bids and 1 <= pick.quantity <= pick.bid.quantity for pick in picks)
        and all(pick.bid.dates is None or day in pick.bid.dates for pick in picks)
        and all(agents.count(agent) <= given.max_roles.get(agent, 1) for agent in agents)
        and (given.budget is None or sum(pick.bid.cost for pick in picks) <= given.budget + 1e-9)
        and all(
            sum(pick.quantity for pick in picks if pick.bid.concept == concept) <= counts.get(concept, 1)
            for concept in {pick.bid.concept for pick in picks}
        )
    )


def worth(given: Problem, picks: Sequence[Pick]) -> tuple[int, int, int]:
    """Coverage, merit and (negative) price, from the definitions in the documentation."""
    needs = {need.concept: need for need in given.needs}
    relevant = set(needs)
    while True:
        wider = relevant | {one for bid in given.bids if bid.concept in relevant for one in bid.requires}
        if wider == relevant:
            break
        relevant = wider
    usable = [bid for bid in given.bids if bid.concept in relevant and (bid.dates is None or bid.dates & set(DAYS))]
    units = {one: [bid.price / bid.quantity for bid in usable if bid.concept == one] for one in relevant}
    lowest = {one: min(prices) for one, prices in units.items() if prices}
    grain = max(0.01, sum(lowest.get(need.concept, 0) * need.count for need in given.needs) / 100_000)
    coverage = merit = 0
    provided = {pick.bid.concept for pick in picks}
    for pick in picks:
        bid, least = pick.bid, lowest[pick.bid.concept] / grain
        if bid.concept in needs:
            coverage += pick.quantity * round(needs[bid.concept].importance * 5040 / needs[bid.concept].count)
        gained = least * bid.match / 1000 if bid.concept in needs else -least / 5
        merit += pick.quantity * (round(gained + (least / 4 if bid.kept else 0)) - round(3 * least) * bid.burden)
        merit -= round(bid.price / grain) + round(3 * least) * len(bid.requires - provided)
    return coverage, merit, -sum(round(100 * pick.bid.price) for pick in picks)


def every_team(given: Problem) -> Iterator[list[Pick]]:
    """All allowed teams of a small instance, on any day."""
    for units in itertools.product(*(range(bid.quantity + 1) for bid in given.bids)):
        picks = [Pick(bid, number) for bid, number in zip(given.bids, units, strict=True) if number]
        if any(hard_rules_hold(given, picks, day) for day in given.preferred):
            yield picks


def best_worth(given: Problem) -> tuple[int, int, int]:
    reachable = {need.concept for need in given.needs}
    wanted = reachable | {one for bid in given.bids if bid.concept in reachable for one in bid.requires}
    if "support" in wanted:
        wanted |= {one for bid in given.bids if bid.concept == "support" for one in bid.requires}
    teams = (team for team in every_team(given) if all(pick.bid.concept in wanted for pick in team))
    return max(worth(given, team) for team in teams)


def roles_of(team: Team) -> set[tuple[str, str, int]]:
    return {(pick.bid.agent, pick.bid.concept, pick.quantity) for pick in team.picks}


@pytest.mark.parametrize("seed", range(80))
def test_the_team_keeps_every_hard_rule_and_no_other_is_better(seed: int) -> None:
    given = problem(seed)
    team = assemble(given, limit=20)
    assert hard_rules_hold(given, team.picks, team.day)
    assert team.proven
    assert worth(given, team.picks) == best_worth(given)
    assert team.value == worth(given, team.picks)[:2]


@pytest.mark.parametrize("seed", range(40))
def test_the_way_without_a_solver_finds_the_same_optimum(seed: int) -> None:
    given = problem(seed, loose=True)
    assert is_trivial(given)
    quick = assemble(given)
    assert worth(given, quick.picks) == best_worth(given)
    ample = replace(given, budget=1e6)  # changes nothing but forces the solver
    assert not is_trivial(ample)
    assert roles_of(assemble(ample, limit=20)) == roles_of(quick)


@pytest.mark.parametrize("seed", range(25))
def test_the_order_of_the_bids_changes_nothing(seed: int) -> None:
    given = problem(seed, bids=9)
    shuffled = list(given.bids)
    random.Random(seed + 1).shuffle(shuffled)
    first, second = assemble(given, limit=20), assemble(replace(given, bids=tuple(shuffled)), limit=20)
    assert (roles_of(first), first.day) == (roles_of(second), second.day)
    assert first.picks == second.picks


@pytest.mark.parametrize("seed", range(30))
def test_other_names_change_the_winner_of_a_draw_at_most(seed: int) -> None:
    given = problem(seed, bids=8)
    renamed = replace(
        given,
        bids=tuple(replace(bid, agent=f"zz_{bid.agent[::-1]}") for bid in given.bids),
        max_roles={f"zz_{agent[::-1]}": roles for agent, roles in given.max_roles.items()},
    )
    assert worth(given, assemble(given, limit=20).picks) == worth(renamed, assemble(renamed, limit=20).picks)


def test_of_two_equal_bids_the_seed_draws_one_and_each_has_its_turn() -> None:
    bids = tuple(Bid(name, "venue", 100, 100) for name in ("a", "b"))
    winners = {assemble(Problem((Need("venue", 80),), bids, DAYS, seed=seed)).picks[0].bid.agent for seed in range(40)}
    assert winners == {"a", "b"}


@pytest.mark.parametrize("seed", range(20))
def test_a_duplicate_under_another_name_changes_no_figure(seed: int) -> None:
    given = problem(seed, bids=6)
    twin = [replace(bid, agent="twin") for bid in given.bids if bid.agent == given.bids[0].agent]
    more = replace(
        given,
        needs=tuple(replace(need, count=1) for need in given.needs),
        bids=tuple(replace(bid, quantity=1) for bid in given.bids),
        max_roles=dict.fromkeys([*given.max_roles, "twin"], 20),
    )
    doubled = replace(more, bids=(*more.bids, *(replace(bid, quantity=1) for bid in twin)))
    assert worth(more, assemble(more, limit=20).picks) == worth(doubled, assemble(doubled, limit=20).picks)


def test_a_condition_brings_in_somebody_whom_the_demand_did_not_ask_for() -> None:
    band = Bid("band", "live_music", 500, 500, requires=frozenset({"sound_equipment"}))
    sound = Bid("sound", "sound_equipment", 200, 200)
    needs = (Need("live_music", 80),)
    assert {pick.bid.agent for pick in assemble(Problem(needs, (band, sound), DAYS)).picks} == {"band", "sound"}
    poor = assemble(Problem(needs, (band, sound), DAYS, budget=600))
    assert [pick.bid.agent for pick in poor.picks] == ["band"], "a condition is soft, coverage is not"


def test_coverage_comes_before_any_match_or_price() -> None:
    bids = (
        Bid("star", "venue", 900, 900, match=100),
        Bid("plain", "venue", 400, 400, match=10),
        Bid("cook", "catering", 500, 500, match=10),
    )
    team = assemble(Problem((Need("venue", 80), Need("catering", 50)), bids, DAYS, budget=950))
    assert {pick.bid.agent for pick in team.picks} == {"plain", "cook"}


def test_everybody_is_free_on_the_common_day() -> None:
    early, late = frozenset({DAYS[0]}), frozenset({DAYS[2]})
    bids = (
        Bid("hall", "venue", 100, 100, match=90, dates=early),
        Bid("yard", "venue", 100, 100, match=50, dates=late),
        Bid("cook", "catering", 100, 100, dates=late),
    )
    team = assemble(Problem((Need("venue", 80), Need("catering", 80)), bids, DAYS))
    assert ({pick.bid.agent for pick in team.picks}, team.day) == ({"yard", "cook"}, DAYS[2])


def test_without_bids_there_is_an_empty_team_on_the_first_day() -> None:
    team = assemble(Problem((Need("venue", 80),), (), DAYS))
    assert (team.picks, team.day, team.proven) == ((), DAYS[0], True)


def test_when_the_time_is_over_the_team_found_so_far_stands_and_says_so() -> None:
    given = replace(problem(3, bids=9), budget=1500.0)
    team = assemble(given, limit=0)
    assert not team.proven
    assert hard_rules_hold(given, team.picks, team.day)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("limit", [0, 1e-6])
def test_a_search_without_time_ends_with_a_team_wherever_there_is_one(seed: int, limit: float) -> None:
    given = replace(problem(seed, bids=9), budget=400.0 + 50 * seed)
    best, team = assemble(given, limit=20), assemble(given, limit=limit)
    assert hard_rules_hold(given, team.picks, team.day)
    assert bool(team.picks) is bool(best.picks)
    assert team.value <= best.value
