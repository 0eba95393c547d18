"""What agents would really do: the one place that decides what an agent accepts and what a plan is worth.

Written apart from the product's rules, from the meaning of a card alone, so that both can be wrong only separately.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, timedelta

from benchmarks.quality.catalogue import BY_CONCEPT
from benchmarks.quality.world import GONE, Agent, Asked, Behaviour, Plan, Role, Scenario, Service

NAMED_WORTH, IMPLIED_WORTH = 2.0, 1.4
"""What a role is worth to the requester, in usual prices."""


@dataclass(frozen=True, slots=True)
class Option:
    """One agent in one role as it could be: for ``ask`` publicly, for ``floor`` at the least, on these days."""

    agent_id: str
    concept: str
    ask: int
    floor: int
    days: frozenset[date]
    requires: str | None
    max_roles: int


def fee_of(service: Service, *, travels: bool) -> int:
    """What the way costs."""
    return service.travel_fee if travels else 0


def price_of(unit_price: int, service: Service, fee: int, attendees: int) -> int:
    """A price for the whole demand; a minimum fee binds it."""
    times = attendees if service.per_person else 1
    return max(unit_price * times + fee, service.min_fee)


def window_of(demand: Asked) -> tuple[date, ...]:
    """The days of the demand."""
    return tuple(demand.start + timedelta(days=offset) for offset in range((demand.end - demand.start).days + 1))


def option(agent: Agent, service: Service, scenario: Scenario) -> Option | None:
    """The service as this demand could have it, if place, size and days allow it at all."""
    demand = scenario.demand
    travels = agent.city != demand.city
    if travels and demand.city not in service.travel:
        return None
    bounds = [item for item in (service.capacity, service.max_attendees) if item is not None]
    if demand.attendees < service.min_attendees or any(demand.attendees > bound for bound in bounds):
        return None
    earliest = scenario.today + timedelta(days=service.lead_days)
    days = frozenset(
        day
        for day in window_of(demand)
        if day not in agent.busy and day >= earliest and (not service.weekdays or day.weekday() in service.weekdays)
    )
    if not days:
        return None
    fee = fee_of(service, travels=travels)
    ask = price_of(service.ask, service, fee, demand.attendees)
    floor = min(ask, price_of(service.floor, service, fee, demand.attendees))
    return Option(agent.agent_id, service.concept, ask, floor, days, service.requires, agent.max_roles)


def real_options(scenario: Scenario) -> list[Option]:
    """Every role that somebody truthful and available would really take."""
    return [
        found
        for agent in scenario.agents
        if agent.behaviour not in GONE
        for service in agent.services
        if service.true and service.concept not in scenario.demand.excluded
        if (found := option(agent, service, scenario))
    ]


def advertised_options(scenario: Scenario) -> list[Option]:
    """Every role that the cards promise; whoever reads only the cards knows neither lies nor silence."""
    return [
        found
        for agent in scenario.agents
        for service in agent.services
        if service.concept not in scenario.demand.excluded
        if (found := option(agent, service, scenario))
    ]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a plan comes to when the day arrives.

    ``kept`` are the roles that are really filled; ``broken`` names hard constraints that the plan violates;
    ``real_cost`` is what all its roles would at least have to be paid.
    """

    kept: tuple[Role, ...]
    broken: tuple[str, ...]
    coverage: float
    real_cost: float
    welfare: float


def coverage_of(demand: Asked, concepts: Iterable[str]) -> float:
    """The share of the required capabilities that these roles provide; of one wanted thrice each is a third."""
    have = Counter(concepts)
    return sum(min(need.count, have[need.concept]) / need.count for need in demand.needs) / len(demand.needs)


def worth_of(demand: Asked, concepts: Iterable[str]) -> float:
    """What these roles are worth to the requester."""
    have = Counter(concepts)
    return sum(unit_worth(demand, need.concept) * min(need.count, have[need.concept]) for need in demand.needs)


def unit_worth(demand: Asked, concept: str) -> float:
    """What one provider of a required capability is worth."""
    kind, need = BY_CONCEPT[concept], next(need for need in demand.needs if need.concept == concept)
    usual = kind.price * (demand.attendees if kind.per_person else 1)
    return usual * (NAMED_WORTH if need.named else IMPLIED_WORTH)


def judge(scenario: Scenario, plan: Plan, waived: AbstractSet[tuple[str, str]] = frozenset()) -> Verdict:
    """See what becomes of a plan: whom it can count on, what it breaks, what it is worth.

    Who goes without what it requires counts for nothing, unless it is among the ``waived``.
    """
    options = {
        (item.agent_id, item.concept): replace(item, requires=None) if (item.agent_id, item.concept) in waived else item
        for item in real_options(scenario)
    }
    kept = _kept(plan, options)
    real_cost = sum(
        found.floor if (found := options.get((role.agent_id, role.concept))) else role.price for role in plan.roles
    )
    concepts = [role.concept for role in kept]
    return Verdict(
        kept=kept,
        broken=tuple(_broken(scenario, plan)),
        coverage=coverage_of(scenario.demand, concepts),
        real_cost=real_cost,
        welfare=worth_of(scenario.demand, concepts) - sum(options[one.agent_id, one.concept].floor for one in kept),
    )


def _kept(plan: Plan, options: dict[tuple[str, str], Option]) -> tuple[Role, ...]:
    """The roles whose holders can, come, are paid enough and have what they insist on; who lacks that stays away."""
    kept = [
        role
        for role in plan.roles
        if (found := options.get((role.agent_id, role.concept)))
        and plan.day in found.days
        and role.price >= found.floor
    ]
    while True:
        provided = {role.concept for role in kept}
        content = [role for role in kept if options[role.agent_id, role.concept].requires in {None, *provided}]
        if len(content) == len(kept):
            return tuple(_within_cap(content, options))
        kept = content


def _within_cap(roles: Sequence[Role], options: dict[tuple[str, str], Option]) -> Iterable[Role]:
    taken: Counter[str] = Counter()
    for role in roles:
        taken[role.agent_id] += 1
        if taken[role.agent_id] <= options[role.agent_id, role.concept].max_roles:
            yield role


def _broken(scenario: Scenario, plan: Plan) -> Iterable[str]:
    """The hard constraints that a plan does not keep, seen with the eyes of the truth."""
    demand = scenario.demand
    if demand.budget is not None and plan.cost > demand.budget:
        yield f"budget: {plan.cost:g} > {demand.budget}"
    if plan.roles and plan.day not in window_of(demand):
        yield f"day: {plan.day}"
    for role in plan.roles:
        if role.concept in demand.excluded:
            yield f"excluded: {role.concept}"
        yield from _role_broken(scenario, plan, role)
    for agent_id, count in Counter(role.agent_id for role in plan.roles).items():
        agent = scenario.agent(agent_id)
        if agent and count > agent.max_roles:
            yield f"roles: {agent_id} {count}"
    held = Counter((role.agent_id, role.concept) for role in plan.roles)
    yield from (f"twice: {agent_id} {concept}" for (agent_id, concept), count in held.items() if count > 1)


def _role_broken(scenario: Scenario, plan: Plan, role: Role) -> Iterable[str]:
    """What stands against one assignment."""
    agent = scenario.agent(role.agent_id)
    service = next((item for item in agent.services if item.concept == role.concept), None) if agent else None
    if agent is None or service is None:
        yield f"invented: {role.agent_id} {role.concept}"
        return
    found = option(agent, service, scenario)
    if found is None:
        yield f"place, size or days: {role.agent_id} {role.concept}"
    elif plan.day not in found.days:
        yield f"busy: {role.agent_id} {plan.day}"
    elif role.price < found.floor and agent.behaviour is Behaviour.HONEST:
        yield f"below the floor: {role.agent_id} {role.price:g} < {found.floor}"
    elif found.requires not in {None, *(one.concept for one in plan.roles)} and not role.waived:
        yield f"condition: {role.agent_id} requires {found.requires}"


def is_whole(value: float) -> bool:
    """Whether a coverage is complete."""
    return math.isclose(value, 1.0)
