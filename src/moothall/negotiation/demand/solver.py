"""Choosing a team: who takes which role on which day, as an exact optimisation.

The goals are lexicographic, in this order: coverage (importance of what is provided), merit (what the team costs, with
a little off for a better match and a lot on for conditions nobody meets), price, and at last a seeded draw. The draw is
the only place where a name has any effect. Hard rules: an agent holds a role at most once and no more roles than it
accepts, everybody is free on the one common day, what counts against the budget stays within it, and no more is taken
of a role than the demand needs.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from moothall.negotiation.demand.lexicographic import Part, Program
from moothall.negotiation.demand.teams import Bid, Need, Pick, Problem, Team

MATCH = 0.001
"""What a point of match is worth, as a part of the lowest price for the role: ten points outweigh one per cent."""
SUPPORT = 0.2
"""What a role costs beside its price which the demand does not need itself, as a part of the lowest price for it."""
KEEP = 0.25
"""What it is worth to keep somebody who has already agreed, as a part of the lowest price for the role."""
MOST_OVER = 50.0
"""Prices above so many times the lowest one for the role count as that; no figure may drown the others."""
GRAIN = 100_000
"""Merit is counted in these parts of the least that the whole demand could cost."""
FINE = 5040
"""Importance is counted in these parts, which most head counts divide."""
TOP = 15
"""How many bids per role are looked at; cheaper than all, and with 20 invitations hardly ever a limit."""


@dataclass(frozen=True, slots=True)
class _Scored:
    """A bid with its part in the merit: ``charge`` once, ``gain`` for each unit, ``unmet`` for each open condition."""

    bid: Bid
    charge: int
    gain: int
    unmet: int
    draw: int

    @property
    def merit(self) -> int:
        """What a single unit of it adds to the merit."""
        return self.gain - self.charge


@dataclass(frozen=True, slots=True)
class _Unmet:
    """A condition of ``bid`` as a part of the merit; ``met`` are the bids of which any one meets it."""

    part: Part
    bid: int
    met: frozenset[int]


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
    of = {(item.bid.agent, item.bid.concept): item for item in scored}
    chosen = [(of[pick.bid.agent, pick.bid.concept], pick.quantity) for pick in picks]
    covered = sum(weight.get(item.bid.concept, 0) * units for item, units in chosen)
    gained = sum(item.gain * units - item.charge for item, units in chosen)
    return covered, gained - sum(item.unmet * len(item.bid.requires - provided) for item, _ in chosen)


def _draw(problem: Problem, bid: Bid) -> int:
    text = f"{problem.seed}\n{bid.agent}\n{bid.concept}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=2).digest(), "big")


def _score(problem: Problem) -> list[_Scored]:
    """The bids that can matter, in an order that depends on nothing but the seed."""
    needed = {need.concept for need in problem.needs}
    wanted = _closure(needed, problem.bids)
    free = frozenset(problem.preferred)
    bids = [bid for bid in problem.bids if bid.concept in wanted and (bid.dates is None or bid.dates & free)]
    lowest = _lowest(bids)
    counts = {need.concept: need.count for need in problem.needs}
    grain = max(0.01, sum(lowest.get(concept, 0.0) * count for concept, count in counts.items()) / GRAIN)
    scored = [_scored(bid, lowest[bid.concept] / grain, grain, problem) for bid in bids]
    return sorted(scored, key=lambda item: (item.bid.concept, item.draw, item.bid.agent))


def _lowest(bids: Iterable[Bid]) -> dict[str, float]:
    """The lowest price of one unit by role; what is given away sets no measure, unless everybody gives it away."""
    lowest: dict[str, float] = {}
    for bid in bids:
        unit = bid.price / bid.quantity
        lowest[bid.concept] = min(unit or math.inf, lowest.get(bid.concept, math.inf))
    return {concept: 1.0 if math.isinf(price) else price for concept, price in lowest.items()}


def _scored(bid: Bid, lowest: float, grain: float, problem: Problem) -> _Scored:
    """Weigh a bid; ``lowest`` is the lowest price of a unit of its role, in grains like the result."""
    needed = any(need.concept == bid.concept for need in problem.needs)
    unmet = round(lowest * problem.unmet_points / 100)
    gain = lowest * (MATCH * bid.match if needed else -SUPPORT) + (lowest * KEEP if bid.kept else 0)
    return _Scored(
        bid=bid,
        charge=round(min(bid.price / grain, MOST_OVER * lowest * bid.quantity)),
        gain=round(gain) - bid.burden * unmet,
        unmet=unmet,
        draw=_draw(problem, bid),
    )


def _closure(concepts: set[str], bids: Sequence[Bid]) -> set[str]:
    """The concepts and whatever bids for them require, directly or not."""
    wanted = set(concepts)
    while more := {concept for bid in bids if bid.concept in wanted for concept in bid.requires} - wanted:
        wanted |= more
    return wanted


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
    on_day = _one_day(program, scored, taken, problem)
    unmet = _conditions(program, scored, taken)
    charges = [Part(taken[index], -item.charge) for index, item in enumerate(scored)]
    weight = _weights(problem)

    def total(value: Callable[[_Scored], int], of: Sequence[int]) -> list[Part]:
        return [Part(of[index], value(item)) for index, item in enumerate(scored)]

    goals = [
        total(lambda item: weight.get(item.bid.concept, 0), units),
        total(lambda item: item.gain, units) + charges + [one.part for one in unmet],
        total(lambda item: -_cents(item.bid), taken),
        total(lambda item: -item.draw, taken),
    ]
    day, quick = _quick(scored, problem)
    start = {taken[index]: 1 for index in quick} | {units[index]: count for index, count in quick.items()}
    start |= {on_day[day]: 1} if day in on_day else {}
    start |= {one.part.variable: 1 for one in unmet if one.bid in quick and not quick.keys() & one.met}
    values, proven = program.maximise(goals, limit=limit, seed=problem.seed, start=start)
    picks = [Pick(item.bid, values[units[index]]) for index, item in enumerate(scored) if values[taken[index]]]
    return picks, proven


def _quick(scored: Sequence[_Scored], problem: Problem) -> tuple[date, dict[int, int]]:
    """A team that keeps every hard rule, found without a search: the day, and for each bid taken its units.

    The most important roles come first, each to the best that fits what is left, on each day; the day that covers most
    wins. The search begins there, so that a demand for which there is a team never ends without one for lack of time.
    """
    weight = _weights(problem)
    needs = sorted(problem.needs, key=lambda need: -weight[need.concept])
    best: tuple[int, date, dict[int, int]] = 0, problem.preferred[0], {}
    for day in _classes(scored, problem):
        free = [index for index, item in enumerate(scored) if _free(item.bid, day)]
        for order in (_by_merit, _by_cost) if problem.budget is not None else (_by_merit,):
            team = _filled(sorted(free, key=lambda index: order(scored[index])), scored, needs, problem)
            covers = sum(weight[scored[index].bid.concept] * count for index, count in team.items())
            if covers > best[0]:
                best = covers, day, team
    return best[1], best[2]


def _by_merit(item: _Scored) -> tuple[float, float, int]:
    return -item.merit, item.bid.price, item.draw


def _by_cost(item: _Scored) -> tuple[float, float, int]:
    return item.bid.cost, -item.merit, item.draw


def _filled(order: Sequence[int], scored: Sequence[_Scored], needs: Sequence[Need], problem: Problem) -> dict[int, int]:
    """Each need filled in turn, by whoever comes first in ``order`` and fits roles and money."""
    left = math.inf if problem.budget is None else problem.budget
    roles: Counter[str] = Counter()
    team: dict[int, int] = {}
    for need in needs:
        lacking = need.count
        for index in order:
            bid = scored[index].bid
            fits = (
                bid.concept == need.concept
                and bid.cost <= left
                and roles[bid.agent] < problem.max_roles.get(bid.agent, 1)
            )
            if lacking and fits:
                team[index] = min(bid.quantity, lacking)
                lacking -= team[index]
                left -= bid.cost
                roles[bid.agent] += 1
    return team


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


def _one_day(program: Program, scored: Sequence[_Scored], taken: Sequence[int], problem: Problem) -> dict[date, int]:
    """Everybody taken is free on one day; the variables of the days among which there is a choice."""
    days = _classes(scored, problem)
    if len(days) == 1:
        for index, item in enumerate(scored):
            if not _free(item.bid, days[0]):
                program.at_most(0, [Part(taken[index], 1)])
        return {}
    chosen = [program.whole(1) for _ in days]
    program.at_most(1, [Part(variable, 1) for variable in chosen])
    for index, item in enumerate(scored):
        free = [Part(variable, -1) for day, variable in zip(days, chosen, strict=True) if _free(item.bid, day)]
        program.at_most(0, [Part(taken[index], 1), *free])
    return dict(zip(days, chosen, strict=True))


def _conditions(program: Program, scored: Sequence[_Scored], taken: Sequence[int]) -> list[_Unmet]:
    """A part of the merit per condition: what it costs when its bid is taken and nobody provides what it requires."""
    unmet: list[_Unmet] = []
    for index, item in enumerate(scored):
        for concept in sorted(item.bid.requires):
            variable = program.whole(1)
            met = [other for other, item2 in enumerate(scored) if item2.bid.concept == concept]
            unmet.append(_Unmet(Part(variable, -item.unmet), index, frozenset(met)))
            others = [Part(taken[other], -1) for other in met]
            program.at_most(0, [Part(taken[index], 1), Part(variable, -1), *others])
    return unmet
