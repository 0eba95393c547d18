"""Choosing a team: who takes which role on which day, as an exact optimisation.

The goals are lexicographic, in this order: coverage (importance of what is provided), merit (match against price, minus
conditions nobody meets), price, and at last a seeded draw. The draw is the only place where a name has any effect. Hard
rules: an agent holds a role at most once and no more roles than it accepts, everybody is free on the one common day,
what counts against the budget stays within it, and no more is taken of a role than the demand needs.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from moothall.negotiation.demand.lexicographic import Part, Program
from moothall.negotiation.demand.teams import Bid, Pick, Problem, Team

POINT = 100
"""Merit is counted in hundredths of a point of match."""
PRICE_POINTS = 20
"""Points of match that paying twice the lowest price for a role is worth."""
SUPPORT_POINTS = 20
"""Points that a role costs which the demand does not need itself."""
KEEP_POINTS = 50
"""Points for keeping somebody who has already agreed."""
FINE = 5040
"""Importance is counted in these parts, which most head counts divide."""
TOP = 15
"""How many bids per role are looked at; cheaper than all, and with 20 invitations hardly ever a limit."""


@dataclass(frozen=True, slots=True)
class _Scored:
    bid: Bid
    merit: int
    draw: int


def assemble(problem: Problem, *, limit: float = 1.5) -> Team:
    """Choose the team; ``limit`` is in seconds. Among more than ``TOP`` bids for a role only the best are looked at."""
    scored = _prune(_score(problem), problem)
    picks = _separable(scored, problem)
    proven = True
    if picks is None:
        picks, proven = _optimise(scored, problem, limit)
    order = {need.concept: index for index, need in enumerate(problem.needs)}
    picks.sort(key=lambda pick: (order.get(pick.bid.concept, len(order)), pick.bid.concept, _draw(problem, pick.bid)))
    return Team(tuple(picks), _day(picks, problem), proven, _value(picks, scored, problem))


def is_trivial(problem: Problem) -> bool:
    """Whether the choice falls apart into one choice per role, which needs no solver."""
    return _separable(_prune(_score(problem), problem), problem) is not None


def _value(picks: Sequence[Pick], scored: Sequence[_Scored], problem: Problem) -> tuple[int, int]:
    weight, provided = _weights(problem), {pick.bid.concept for pick in picks}
    merit = {(item.bid.agent, item.bid.concept): item.merit for item in scored}
    unmet = sum(len(pick.bid.requires - provided) for pick in picks)
    covered = sum(weight.get(pick.bid.concept, 0) * pick.quantity for pick in picks)
    gained = sum(merit[pick.bid.agent, pick.bid.concept] * pick.quantity for pick in picks)
    return covered, gained - problem.unmet_points * POINT * unmet


def _draw(problem: Problem, bid: Bid) -> int:
    text = f"{problem.seed}\n{bid.agent}\n{bid.concept}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=2).digest(), "big")


def _score(problem: Problem) -> list[_Scored]:
    """The bids that can matter, in an order that depends on nothing but the seed."""
    needed = {need.concept for need in problem.needs}
    wanted = _closure(needed, problem.bids)
    free = frozenset(problem.preferred)
    bids = [bid for bid in problem.bids if bid.concept in wanted and (bid.dates is None or bid.dates & free)]
    cheapest: dict[str, float] = {}
    for bid in bids:
        unit = bid.price / bid.quantity
        cheapest[bid.concept] = min(unit, cheapest.get(bid.concept, unit))
    scored = [
        _Scored(
            bid,
            _merit(bid, cheapest[bid.concept], bid.concept in needed) - bid.burden * problem.unmet_points * POINT,
            _draw(problem, bid),
        )
        for bid in bids
    ]
    return sorted(scored, key=lambda item: (item.bid.concept, item.draw, item.bid.agent))


def _closure(concepts: set[str], bids: Sequence[Bid]) -> set[str]:
    """The concepts and whatever bids for them require, directly or not."""
    wanted = set(concepts)
    while more := {concept for bid in bids if bid.concept in wanted for concept in bid.requires} - wanted:
        wanted |= more
    return wanted


def _merit(bid: Bid, cheapest: float, needed: bool) -> int:  # noqa: FBT001 - private, one caller
    over = (bid.price / bid.quantity / cheapest - 1) if cheapest > 0 else float(bid.price > 0) * 2
    dear = min(round(PRICE_POINTS * POINT * over), 2 * PRICE_POINTS * POINT)
    gained = bid.match * POINT if needed else -SUPPORT_POINTS * POINT
    return gained - dear + (KEEP_POINTS * POINT if bid.kept else 0)


def _prune(scored: list[_Scored], problem: Problem) -> list[_Scored]:
    """The best bids per role by merit, as many again by cost under a budget, and always those already agreed."""
    by_concept: dict[str, list[_Scored]] = defaultdict(list)
    for item in scored:
        by_concept[item.bid.concept].append(item)
    counts = {need.concept: need.count for need in problem.needs}
    kept: list[_Scored] = []
    for concept, items in sorted(by_concept.items()):
        top = max(TOP, 2 * counts.get(concept, 1))
        best = sorted(items, key=lambda item: (-item.merit, item.bid.price, item.draw))[:top]
        cheap = (
            sorted(items, key=lambda item: (item.bid.cost, item.draw))[: top // 3] if problem.budget is not None else []
        )
        chosen = {id(item) for item in (*best, *cheap)}
        kept.extend(item for item in items if id(item) in chosen or item.bid.kept)
    return kept


def _separable(scored: Sequence[_Scored], problem: Problem) -> list[Pick] | None:
    """The optimum role by role, or ``None`` where roles depend on each other.

    Without budget, conditions and packages, and with nobody bidding for more roles than it accepts, the goals add up
    over the roles once the day is fixed; a lexicographic order survives addition, so the best of each role are the best
    team.
    """
    roles = Counter(item.bid.agent for item in scored)
    bound = any(count > problem.max_roles.get(agent, 1) for agent, count in roles.items())
    if problem.budget is not None or bound or any(item.bid.requires or item.bid.quantity > 1 for item in scored):
        return None
    weight = _weights(problem)
    best: tuple[tuple[int, ...], list[Pick]] | None = None
    for day in _classes(scored, problem):
        team: list[Pick] = []
        value = [0, 0, 0, 0]
        for need in problem.needs:
            able = [item for item in scored if item.bid.concept == need.concept and _free(item.bid, day)]
            able.sort(key=lambda item: (-item.merit, _cents(item.bid), item.draw, item.bid.agent))
            for item in able[: need.count]:
                team.append(Pick(item.bid, 1))
                value[0] += weight[need.concept]
                value[1] += item.merit
                value[2] -= _cents(item.bid)
                value[3] -= item.draw
        if best is None or tuple(value) > best[0]:
            best = tuple(value), team
    return best[1] if best is not None else []


def _weights(problem: Problem) -> dict[str, int]:
    """What one provider of each needed role adds to the coverage: its share of the importance, as a whole number."""
    return {need.concept: round(need.importance * FINE / need.count) for need in problem.needs}


def _cents(bid: Bid) -> int:
    return round(100 * bid.price)


def _free(bid: Bid, day: date) -> bool:
    return bid.dates is None or day in bid.dates


def _classes(scored: Sequence[_Scored], problem: Problem) -> list[date]:
    """One day, the most preferred, for each different set of bids that are free on it."""
    seen: dict[tuple[bool, ...], date] = {}
    for day in problem.preferred:
        seen.setdefault(tuple(_free(item.bid, day) for item in scored), day)
    return list(seen.values())


def _day(picks: Iterable[Pick], problem: Problem) -> date:
    bids = [pick.bid for pick in picks]
    return next(day for day in problem.preferred if all(_free(bid, day) for bid in bids))


def _optimise(scored: Sequence[_Scored], problem: Problem, limit: float) -> tuple[list[Pick], bool]:
    program = Program()
    taken = [program.whole(1) for _ in scored]
    units = [
        taken[index] if item.bid.quantity == 1 else program.whole(item.bid.quantity)
        for index, item in enumerate(scored)
    ]
    for index, item in enumerate(scored):
        if item.bid.quantity > 1:
            program.at_most(0, [Part(units[index], 1), Part(taken[index], -item.bid.quantity)])
            program.at_most(0, [Part(taken[index], 1), Part(units[index], -1)])
    _limit_roles(program, scored, taken, units, problem)
    _one_day(program, scored, taken, problem)
    unmet = _conditions(program, scored, taken)
    weight = _weights(problem)

    def total(value: Callable[[_Scored], int], of: Sequence[int]) -> list[Part]:
        return [Part(of[index], value(item)) for index, item in enumerate(scored)]

    goals = [
        total(lambda item: weight.get(item.bid.concept, 0), units),
        total(lambda item: item.merit, units) + [Part(variable, -problem.unmet_points * POINT) for variable in unmet],
        total(lambda item: -_cents(item.bid), taken),
        total(lambda item: -item.draw, taken),
    ]
    values, proven = program.maximise(goals, limit=limit, seed=problem.seed)
    picks = [Pick(item.bid, values[units[index]]) for index, item in enumerate(scored) if values[taken[index]]]
    return picks, proven


def _limit_roles(
    program: Program, scored: Sequence[_Scored], taken: Sequence[int], units: Sequence[int], problem: Problem
) -> None:
    counts = {need.concept: need.count for need in problem.needs}
    of_concept: dict[str, list[Part]] = defaultdict(list)
    of_agent: dict[str, list[Part]] = defaultdict(list)
    for index, item in enumerate(scored):
        of_concept[item.bid.concept].append(Part(units[index], 1))
        of_agent[item.bid.agent].append(Part(taken[index], 1))
    for concept, terms in of_concept.items():
        program.at_most(counts.get(concept, 1), terms)
    for agent, terms in of_agent.items():
        program.at_most(problem.max_roles.get(agent, 1), terms)
    if problem.budget is not None:
        program.at_most(problem.budget, [Part(taken[index], item.bid.cost) for index, item in enumerate(scored)])


def _one_day(program: Program, scored: Sequence[_Scored], taken: Sequence[int], problem: Problem) -> None:
    days = _classes(scored, problem)
    if len(days) == 1:
        for index, item in enumerate(scored):
            if not _free(item.bid, days[0]):
                program.at_most(0, [Part(taken[index], 1)])
        return
    chosen = [program.whole(1) for _ in days]
    program.at_most(1, [Part(variable, 1) for variable in chosen])
    for index, item in enumerate(scored):
        free = [Part(variable, -1) for day, variable in zip(days, chosen, strict=True) if _free(item.bid, day)]
        program.at_most(0, [Part(taken[index], 1), *free])


def _conditions(program: Program, scored: Sequence[_Scored], taken: Sequence[int]) -> list[int]:
    """One variable per condition of a bid: 1 when the bid is taken and nobody provides what it requires."""
    unmet: list[int] = []
    for index, item in enumerate(scored):
        for concept in sorted(item.bid.requires):
            variable = program.whole(1)
            unmet.append(variable)
            met = [Part(taken[other], -1) for other, item2 in enumerate(scored) if item2.bid.concept == concept]
            program.at_most(0, [Part(taken[index], 1), Part(variable, -1), *met])
    return unmet
