"""From offers to a team: what each could be paid, where and in which currency, and who is chosen."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from moothall.directory.profiles import MOST_MONEY
from moothall.negotiation.demand.models import Constraints, DemandUnderstanding, Offer, Term
from moothall.negotiation.demand.rules.calendars import preferred_days
from moothall.negotiation.demand.rules.conditions import COUNTED, attended
from moothall.negotiation.demand.rules.money import distribute
from moothall.negotiation.demand.rules.phrasing import Lexica
from moothall.negotiation.demand.rules.pricing import PLANNING_ATTENDEES, within
from moothall.negotiation.demand.solver import assemble, is_trivial
from moothall.negotiation.demand.teams import UNMET_POINTS, Bid, Need, Problem, Team

MOST_TERMS = 20
"""How many terms of an offer are looked at."""
OPENING_SHARE = 0.8
"""Part of the advertised prices that must fit into a budget: a first plan may pay less than asked, down to this."""


BURDENS = COUNTED | {"theme"}
"""Conditions that no choice of team can meet: a head count, and a theme that the demand does not state."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One term of one offer, as it could enter a plan.

    ``wanted`` is the price to pay if the money allows, ``least`` what is paid at least (and what counts against the
    budget when the team is chosen); ``kept`` favours somebody who has agreed already.
    """

    offer: Offer
    term: Term
    wanted: float
    least: float
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """A slot that was filled, how many units of it are used, and what the plan pays."""

    slot: Slot
    quantity: int
    price: float


@dataclass(frozen=True, slots=True)
class Staffing:
    """A team on a day.

    ``pool`` are the slots it was chosen from, ``city`` the place where the demand left it open, ``coverage`` what of
    the demand it provides, in the measure of the solver.
    """

    posts: tuple[Post, ...]
    day: date
    city: str | None
    currency: str
    proven: bool
    pool: tuple[Slot, ...]
    coverage: int = 0


def standing_terms(offer: Offer, demand: DemandUnderstanding, lexica: Lexica) -> tuple[Term, ...]:
    """The terms of a standing offer, each capability once; of one in prose, the needs it names, without a price."""
    if offer.decision == "decline":
        return ()
    if not offer.terms:
        named = {mention.concept.id for mention in lexica.vocabulary.find(offer.contribution)}
        currency = demand.constraints.currency
        needs = [item for item in demand.requirements if item.concept in named]
        return tuple(Term(tag=item.tag, concept=item.concept, price=0, currency=currency) for item in needs)
    cheapest: dict[str, Term] = {}
    for term in offer.terms[:MOST_TERMS]:
        if term.concept not in cheapest or term.price < cheapest[term.concept].price:
            cheapest[term.concept] = term
    return tuple(cheapest.values())


def opening_slots(demand: DemandUnderstanding, offers: Iterable[Offer], lexica: Lexica) -> list[Slot]:
    """Every term of every standing offer at its own price; under a budget at least ``OPENING_SHARE`` of it."""
    return [
        opening_slot(offer, term, demand.constraints)
        for offer in offers
        for term in standing_terms(offer, demand, lexica)
    ]


def opening_slot(offer: Offer, term: Term, limits: Constraints) -> Slot:
    """One term at the price it was offered for."""
    if within(limits, term.currency) is None:
        return Slot(offer, term, term.price, term.price)
    fees = [item.value or 0 for item in term.conditions if item.kind == "min_fee"]
    least = min(term.price, max([math.floor(term.price * OPENING_SHARE), *fees]))
    return Slot(offer, term, term.price, least)


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses the team for a demand."""

    demand: DemandUnderstanding
    today: date
    seed: int
    limit: float = 1.5
    unmet_points: int = UNMET_POINTS

    async def choose(self, slots: Sequence[Slot], first_days: Sequence[date] = ()) -> Staffing:
        """The best team over the possible currencies and, while the place is open, cities.

        ``first_days`` are preferred to all others. The search runs in a thread where it needs the solver.
        """
        usable = self._with_room([slot for slot in slots if slot.wanted <= MOST_MONEY])
        best: tuple[tuple[int, bool, int], Staffing] | None = None
        variants = self._variants(usable)
        for currency, city in variants:
            pool = [slot for slot in usable if slot.term.currency == currency and _in_city(slot.term, city)]
            problem = self._problem(pool, currency, first_days)
            if is_trivial(problem):
                team = assemble(problem)
            else:
                team = await asyncio.to_thread(assemble, problem, limit=self.limit / len(variants))
            covered, merit = team.value
            own = currency == self.demand.constraints.currency
            value = (covered, own, merit if own else 0)  # sums of different money are not compared
            if best is None or value > best[0]:
                best = value, self._staffing(team, pool, currency, city)
        if best is None:
            day = preferred_days(self.demand.constraints, self.today, frozenset())[0]
            return Staffing((), day, None, self.demand.constraints.currency, proven=True, pool=())
        return best[1]

    def _with_room(self, slots: Sequence[Slot]) -> list[Slot]:
        """The slots with room for everybody; without a head count for as many as a plan assumes, where any has."""
        people = self.demand.constraints.attendees
        roomy = [slot for slot in slots if _holds(slot.term, PLANNING_ATTENDEES if people is None else people)]
        if people is not None:
            return roomy
        served = {slot.term.concept for slot in roomy}
        return [slot for slot in slots if slot in roomy or slot.term.concept not in served]

    def _variants(self, slots: Sequence[Slot]) -> list[tuple[str, str | None]]:
        """Currencies and cities to try, in an order that no offer decides: the demand's own currency first."""
        limits = self.demand.constraints
        currencies = sorted({slot.term.currency for slot in slots}, key=lambda code: (code != limits.currency, code))
        if limits.budget is not None and limits.currency in currencies:
            currencies = [limits.currency]
        cities = sorted({city for slot in slots if (city := home(slot.term)) is not None})
        places: list[str | None] = [*cities] if cities else [None]
        return [(currency, city) for currency in currencies for city in places]

    def _problem(self, pool: Sequence[Slot], currency: str, first_days: Sequence[date]) -> Problem:
        limits = self.demand.constraints
        offered = frozenset(day for slot in pool for day in slot.term.dates or ())
        days = preferred_days(limits, self.today, offered)
        ahead = [day for day in first_days if day in offered or not offered]
        return Problem(
            needs=tuple(Need(item.concept, item.importance, item.count) for item in self.demand.requirements),
            bids=tuple(self._bid(slot) for slot in pool),
            preferred=tuple(dict.fromkeys((*ahead, *days))),
            budget=within(limits, currency),
            max_roles={slot.offer.agent_id: slot.offer.max_roles for slot in pool},
            seed=self.seed,
            unmet_points=self.unmet_points,
        )

    def _bid(self, slot: Slot) -> Bid:
        """The slot as the solver sees it; more units than the demand needs count for nothing."""
        term, limits = slot.term, self.demand.constraints
        count = next((item.count for item in self.demand.requirements if item.concept == term.concept), 1)
        return Bid(
            agent=slot.offer.agent_id,
            concept=term.concept,
            price=slot.wanted,
            cost=slot.least,
            quantity=min(term.quantity, count),
            match=slot.offer.match,
            dates=None if term.dates is None else frozenset(term.dates),
            requires=frozenset(item.concept for item in term.conditions if item.kind == "requires" and item.concept),
            burden=sum(
                item.kind == "theme" or not attended(item, limits) for item in term.conditions if item.kind in BURDENS
            )
            + (not slot.offer.terms)  # a price that nobody knows is none to save
            + min(1, slot.offer.doubts),
            kept=slot.kept,
        )

    def _staffing(self, team: Team, pool: Sequence[Slot], currency: str, city: str | None) -> Staffing:
        of = {(slot.offer.agent_id, slot.term.concept): slot for slot in pool}
        chosen = [(of[pick.bid.agent, pick.bid.concept], pick.quantity) for pick in team.picks]
        prices = distribute(
            [slot.wanted for slot, _ in chosen],
            [slot.least for slot, _ in chosen],
            within(self.demand.constraints, currency),
        )
        posts = tuple(Post(slot, units, price) for (slot, units), price in zip(chosen, prices, strict=True))
        return Staffing(posts, team.day, city, currency, team.proven, tuple(pool), team.value[0])


def _holds(term: Term, people: int) -> bool:
    return term.capacity is None or term.capacity * term.quantity >= people


def home(term: Term) -> str | None:
    """The only city in which a term holds, where the demand left the place open."""
    return next((item.concept for item in term.conditions if item.kind == "city"), None)


def _in_city(term: Term, city: str | None) -> bool:
    return home(term) in {None, city}


def at_price(slot: Slot, price: float, *, kept: bool = False) -> Slot:
    """The slot at a price that is settled."""
    return replace(slot, wanted=price, least=price, kept=kept)
