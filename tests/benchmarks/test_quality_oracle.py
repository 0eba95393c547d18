"""The oracle against trying everything, in a process of its own: it cannot share one with the product's solver."""

from __future__ import annotations

import itertools
import multiprocessing
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

pytest.importorskip("ortools", reason="the oracle needs OR-Tools, which has no wheels for this Python")

from benchmarks.quality.generate import scenario
from benchmarks.quality.reality import Option, unit_worth
from benchmarks.quality.world import Asked, Need

CONCEPTS = ("venue", "dj", "speaker")
Worth = tuple[int, float]


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


def instance(seed: int) -> tuple[Asked, list[Option]]:
    draw = random.Random(seed)
    demand = replace(
        scenario(0, 0).demand,
        needs=(Need("venue"), Need("dj"), Need("speaker", 2)),
        budget=draw.choice((None, draw.randrange(2000, 9000))),
    )
    days = [demand.start + timedelta(days=offset) for offset in range(3)]
    options: dict[tuple[str, str], Option] = {}
    roles = {f"a{number}": draw.choice((1, 2)) for number in range(5)}
    for _ in range(8):
        agent, concept = draw.choice(list(roles)), draw.choice((*CONCEPTS, "lighting"))
        ask = draw.randrange(500, 4000)
        options[agent, concept] = Option(
            agent_id=agent,
            concept=concept,
            ask=ask,
            floor=round(ask * 0.8),
            days=frozenset(day for day in days if draw.random() < 0.6),
            requires=draw.choice((None, None, "lighting")),
            max_roles=roles[agent],
        )
    return demand, list(options.values())


def allowed(demand: Asked, team: tuple[Option, ...], price: Callable[[Option], int]) -> bool:
    """Every rule once more."""
    concepts = [item.concept for item in team]
    counts = {need.concept: need.count for need in demand.needs}
    agents = [item.agent_id for item in team]
    return (
        (not team or bool(frozenset.intersection(*(item.days for item in team))))
        and all(concepts.count(one) <= counts.get(one, 1) for one in concepts)
        and all(agents.count(item.agent_id) <= item.max_roles for item in team)
        and all(item.requires in {None, *concepts} for item in team)
        and (demand.budget is None or sum(map(price, team)) <= demand.budget)
    )


def teams(demand: Asked, options: list[Option], price: Callable[[Option], int]) -> Iterator[tuple[Option, ...]]:
    for size in range(len(options) + 1):
        yield from (team for team in itertools.combinations(options, size) if allowed(demand, team, price))


def parts(demand: Asked, team: tuple[Option, ...]) -> int:
    shares = {need.concept: 60 // need.count for need in demand.needs}
    return sum(shares.get(item.concept, 0) for item in team)


def ask(kind: str, *given: object) -> tuple[int, int, float, bool]:
    """Runs elsewhere."""
    from benchmarks.quality import oracle

    best = getattr(oracle, kind)(*given)
    return best.parts, best.cost, best.value, best.proven


@pytest.mark.parametrize("terms", ["floor", "ask"])
def test_the_most_covered_and_the_cheapest_team_are_those_of_trying_all(
    elsewhere: ProcessPoolExecutor, terms: str
) -> None:
    def price(item: Option) -> int:
        return item.floor if terms == "floor" else item.ask

    for seed in range(15):
        demand, options = instance(seed)
        found = [(parts(demand, team), -sum(map(price, team))) for team in teams(demand, options, price)]
        best = max(found)
        covered, cost, _, proven = elsewhere.submit(ask, "most_covered", demand, options, terms).result()
        assert proven
        assert (covered, -cost) == best
        half = best[0] // 2
        _, cost, _, _ = elsewhere.submit(ask, "cheapest", demand, options, half, terms).result()
        assert cost == min(-paid for covered, paid in found if covered >= half)


def test_the_greatest_welfare_is_that_of_trying_all(elsewhere: ProcessPoolExecutor) -> None:
    for seed in range(15):
        demand, options = instance(seed)
        worths = {need.concept: unit_worth(demand, need.concept) for need in demand.needs}
        tried = teams(demand, options, lambda item: item.floor)
        best = max(sum(worths.get(item.concept, 0) - item.floor for item in team) for team in tried)
        _, _, value, proven = elsewhere.submit(ask, "most_valued", demand, options).result()
        assert proven
        assert value == pytest.approx(best)
