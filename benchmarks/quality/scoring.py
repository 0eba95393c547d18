"""From a negotiation to its figures: its plan before the truth and beside the oracle's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.quality.metrics import Figures, Score
from benchmarks.quality.oracle import SHARES, cheapest, most_covered, most_valued
from benchmarks.quality.product import Result
from benchmarks.quality.reality import Option, Verdict, coverage_of, is_whole, judge, real_options
from benchmarks.quality.world import Asked, Best, Plan, Role, Scenario


@dataclass(frozen=True, slots=True)
class Truth:
    """What was possible: the cheapest team of the most coverage, and the team of the greatest welfare."""

    options: tuple[Option, ...]
    best: Best
    coverage: float
    value: float


def truth_of(scenario: Scenario) -> Truth:
    """Ask the oracle."""
    options = real_options(scenario)
    best = most_covered(scenario.demand, options)
    coverage = coverage_of(scenario.demand, [role.concept for role in best.plan.roles])
    return Truth(tuple(options), best, coverage, most_valued(scenario.demand, options).value)


def score(scenario: Scenario, truth: Truth, plan: Plan) -> Score:
    """Judge a plan."""
    verdict = judge(scenario, plan)
    regret, advertised = _regrets(scenario, truth, plan, verdict)
    floors = {(item.agent_id, item.concept): item.floor for item in truth.options}
    gains = [role.price >= floors[role.agent_id, role.concept] for role in verdict.kept]
    return Score(
        coverage=verdict.coverage,
        relative=verdict.coverage / truth.coverage if truth.coverage else 1.0,
        regret=regret,
        advertised_regret=advertised,
        welfare=verdict.welfare,
        optimum=truth.value,
        broken=verdict.broken,
        surplus=sum(gains) / len(gains) if gains else None,
    )


def _regrets(scenario: Scenario, truth: Truth, plan: Plan, verdict: Verdict) -> tuple[float | None, float | None]:
    """What the team costs above the cheapest one that really fills the same roles: at the floors, and at public prices.

    The first is the team's real cost, whoever keeps the margin; roles that come to nothing are paid all the same. The
    second is what the requester pays against what it would have to pay by the cards alone; a budget that makes agents
    yield can bring it below zero.
    """
    same = same_roles(scenario.demand, verdict.kept)
    if not same.needs:
        return None, None
    everything = SHARES * len(same.needs)
    accepted = cheapest(same, truth.options, everything)
    public = cheapest(same, truth.options, everything, "ask")
    return verdict.real_cost / accepted.cost - 1, plan.cost / public.cost - 1


def same_roles(demand: Asked, kept: Sequence[Role]) -> Asked:
    """A demand for exactly those needed roles that a plan really fills, whatever they cost."""
    have = Counter(role.concept for role in kept)
    needs = [replace(need, count=min(need.count, have[need.concept])) for need in demand.needs if have[need.concept]]
    return replace(demand, needs=tuple(needs), budget=None)


def figures(scenario: Scenario, truth: Truth, result: Result) -> Figures:
    """Put one negotiation into figures."""
    found = score(scenario, truth, result.plan)
    invited = set(result.invited)
    useful = {item.agent_id for item in truth.options if any(n.concept == item.concept for n in scenario.demand.needs)}
    team = {role.agent_id for role in truth.best.plan.roles}
    reachable = most_covered(scenario.demand, [item for item in truth.options if item.agent_id in invited])
    true_gaps = _true_gaps(scenario, result.plan)
    told = _told(result)
    consented = {role.agent_id for role in result.plan.roles} <= result.accepted
    return Figures(
        score=found,
        recall=len(team & invited) / len(team) if team else 1.0,
        ceiling=reachable.parts / truth.best.parts if truth.best.parts else 1.0,
        precision=len(useful & invited) / len(invited) if invited else 1.0,
        understood=_understood(scenario, result),
        false_success=result.full and not (is_whole(_promised(scenario, result.plan)) and consented),
        false_failure=not result.finalized and is_whole(truth.coverage),
        gaps_right=len(told & true_gaps),
        gaps_told=len(told),
        gaps_true=len(true_gaps),
        finalized=result.finalized,
        full=result.full,
        rounds=result.rounds,
        calls=result.calls,
        seconds=result.seconds,
        withdrew=len(result.withdrawn),
        reason=result.reason,
    )


def _promised(scenario: Scenario, plan: Plan) -> float:
    """The coverage with those who go without a condition of theirs: they said so themselves, so nobody is deceived."""
    waived = frozenset((role.agent_id, role.concept) for role in plan.roles if role.waived)
    return judge(scenario, plan, waived).coverage


def _told(result: Result) -> set[str]:
    """The capabilities that the product says are missing."""
    concepts = {item.tag: item.concept for item in result.understood.requirements}
    return {concepts.get(gap, gap) for gap in result.gaps}


def _true_gaps(scenario: Scenario, plan: Plan) -> set[str]:
    """The capabilities that the plan does not really provide in full."""
    kept = [role.concept for role in judge(scenario, plan).kept]
    return {need.concept for need in scenario.demand.needs if kept.count(need.concept) < need.count}


def _understood(scenario: Scenario, result: Result) -> bool:
    """Whether every need, bound and day of the sentence arrived as it was meant."""
    demand, limits = scenario.demand, result.understood.constraints
    wanted = {(need.concept, need.count) for need in demand.needs}
    return (
        {(item.concept, item.count) for item in result.understood.requirements} == wanted
        and limits.attendees == demand.attendees
        and (limits.date_start, limits.date_end) == (demand.start, demand.end)
        and (None if limits.budget is None else round(limits.budget)) == demand.budget
        and set(limits.excluded) == demand.excluded
    )
