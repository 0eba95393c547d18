"""Runs the scenarios: the product in some processes, the oracle in others.

They never meet in one process: the product's solver and the oracle's are two builds of one library underneath, and the
figures should owe nothing to a shared state anyway.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchmarks.quality.arms import BASE, MISBEHAVIOUR, SAME, Case, selection
from benchmarks.quality.metrics import Figures, Score
from benchmarks.quality.product import Policy, Result
from benchmarks.quality.world import Plan, Scenario

BASELINES = ("random feasible", "greedy set-cover", "central on cards")
ONE_CALL = "one central call"
STRICT = "fading, policy withdraw"
"""The arm of agents that fall silent, with silence in a review counted as leaving."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything measured: figures by arm, scores by baseline, and how often an arm of ``SAME`` changed the selection.

    All lists are in the order of the scenarios, so that figures can be paired.
    """

    arms: dict[str, list[Figures]]
    baselines: dict[str, list[Score]]
    changed: dict[str, list[int]]


def run(
    campaign: int, count: int, *, jobs: int = 2, arms: Sequence[str] = (*MISBEHAVIOUR, STRICT), same: bool = True
) -> Outcome:
    """Negotiate scenarios 0 to ``count`` of a campaign in every arm and judge what came of it."""
    results: dict[str, list[Result]] = {}
    wanted = [BASE, *arms, *(SAME if same else ())]
    with _workers(jobs) as pool:
        for arm in wanted:
            results[arm] = list(pool.map(_negotiate, _cases(campaign, count, arm), chunksize=4))
        called = list(pool.map(_one_call, _cases(campaign, count, BASE))) if _has_model() else []
    figures: dict[str, list[Figures]] = {}
    with _workers(jobs) as pool:
        for arm in (BASE, *arms):
            figures[arm] = list(pool.map(_judge, _cases(campaign, count, arm), results[arm], chunksize=10))
        plans = list(pool.map(_baselines, _cases(campaign, count, BASE), chunksize=10))
        baselines = {name: [row[index] for row in plans] for index, name in enumerate(BASELINES)}
        if called:
            baselines[ONE_CALL] = list(pool.map(_score, _cases(campaign, count, BASE), called, chunksize=10))
    changed = {arm: _changes(_cases(campaign, count, BASE), results[BASE], results[arm], arm) for arm in SAME if same}
    return Outcome(figures, baselines, changed)


def _cases(campaign: int, count: int, arm: str) -> list[Case]:
    return [Case(campaign, index, arm) for index in range(count)]


@contextmanager
def _workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes: one that has loaded the one solver cannot load the other."""
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        yield pool


def _changes(cases: Sequence[Case], plain: Sequence[Result], other: Sequence[Result], arm: str) -> list[int]:
    """By scenario, 1 where the selection is another one."""
    changed = []
    for case, one, two in zip(cases, plain, other, strict=True):
        staged_as = replace(case, arm=arm).stage()
        changed.append(int(selection(one.plan, case.stage()) != selection(two.plan, staged_as)))
    return changed


# -- what the workers do; each imports only the solver it needs ----------------------------------------------------


def _negotiate(case: Case) -> Result:
    from benchmarks.quality.product import negotiate  # noqa: PLC0415 - see the top of this file

    policy: Policy = "withdraw" if case.arm == STRICT else "accept"
    return asyncio.run(negotiate(case.stage(), policy))


def _judge(case: Case, result: Result) -> Figures:
    from benchmarks.quality.scoring import figures, truth_of  # noqa: PLC0415 - see the top of this file

    scenario = case.stage()
    return figures(scenario, truth_of(scenario), result)


def _score(case: Case, plan: Plan) -> Score:
    from benchmarks.quality.scoring import score, truth_of  # noqa: PLC0415 - see the top of this file

    scenario = case.stage()
    return score(scenario, truth_of(scenario), plan)


def _baselines(case: Case) -> list[Score]:
    from benchmarks.quality.baselines import central, greedy, random_feasible  # noqa: PLC0415 - see the top of this file
    from benchmarks.quality.scoring import score, truth_of  # noqa: PLC0415 - see the top of this file

    scenario = case.stage()
    truth = truth_of(scenario)
    choosers: tuple[Callable[[Scenario], Plan], ...] = (random_feasible, greedy, central)
    return [score(scenario, truth, choose(scenario)) for choose in choosers]


def _has_model() -> bool:
    from benchmarks.quality.one_call import configured  # noqa: PLC0415 - loads the settings of the environment

    return configured()


def _one_call(case: Case) -> Plan:
    from benchmarks.quality.one_call import ask  # noqa: PLC0415 - loads the client of a model

    return ask(case.stage())
