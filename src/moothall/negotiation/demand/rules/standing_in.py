"""Who could take the places that a plan leaves open: unchosen offers, at their own terms, on the plan's day.

Nobody who is in the plan is moved, paid otherwise or asked anything.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from moothall.negotiation.demand.models import DemandUnderstanding, Offer, Term
from moothall.negotiation.demand.plan_models import Assignment, Proposal, covered, uncovered
from moothall.negotiation.demand.rules.plan import Writer
from moothall.negotiation.demand.rules.pricing import within
from moothall.negotiation.demand.rules.staffing import (
    Chooser,
    Post,
    Slot,
    Staffing,
    at_price,
    home,
    opening_slots,
    standing_terms,
)

if TYPE_CHECKING:
    from moothall.negotiation.demand.rules.phrasing import Lexica


CENT = 0.01


@dataclass(frozen=True, slots=True)
class Vacancies:
    """A plan with open places, and who might fill them; ``asked`` are those who are not to be asked again."""

    demand: DemandUnderstanding
    plan: Proposal
    offers: Sequence[Offer]
    asked: Collection[str]
    today: date
    seed: int
    lexica: Lexica

    async def stand_ins(self) -> tuple[Assignment, ...]:
        """What the best of them would do; nothing where no offer fits day, place, size and the money that is left."""
        wanted = self._rest()
        slots = self._slots(wanted)
        if not slots:
            return ()
        chosen = await Chooser(wanted, self.today, self.seed).choose(
            [_without_met(slot, self._provided) for slot in slots]
        )
        if chosen.day != self._day:
            return ()
        of = {(slot.offer.agent_id, slot.term.concept): slot for slot in slots}
        posts = [replace(post, slot=of[post.slot.offer.agent_id, post.slot.term.concept]) for post in chosen.posts]
        return self._written(posts, slots)

    def _rest(self) -> DemandUnderstanding:
        """What is left of the demand: the open places, on the plan's day, for the money that is left."""
        needs = tuple(
            item.model_copy(update={"count": item.count - covered(item, self.plan.assignments)})
            for item in uncovered(self.demand.requirements, self.plan.assignments)
        )
        cost = self.plan.cost
        budget = within(self.demand.constraints, cost.currency)
        limits = {
            "date_start": self._day,
            "date_end": self._day,
            "currency": cost.currency,
            "budget": None if budget is None else max(0.0, budget - cost.total),
        }
        constraints = self.demand.constraints.model_copy(update=limits)
        return self.demand.model_copy(update={"requirements": needs, "constraints": constraints})

    def _slots(self, wanted: DemandUnderstanding) -> list[Slot]:
        """The terms that fit the open places, of those who are neither in the plan nor to be left alone.

        As in any plan the price may lie a little below what was asked, where the money is short: its owner may say no,
        and silence is no yes to it, see `pays_what_was_asked`.
        """
        out = {*self.plan.assignees(), *self.asked}
        concepts = {item.concept for item in wanted.requirements}
        places = {place for post in self._kept() if (place := home(post.slot.term)) is not None}
        return [
            slot
            for slot in opening_slots(wanted, [one for one in self.offers if one.agent_id not in out], self.lexica)
            if slot.term.concept in concepts
            and slot.term.currency == self.plan.cost.currency
            and (not places or home(slot.term) in {None, *places})
        ]

    def _written(self, posts: Sequence[Post], slots: Sequence[Slot]) -> tuple[Assignment, ...]:
        """The new roles, in the words of the plan as it would be with them."""
        team = [*self._kept(), *posts]
        city = next((place for post in team if (place := home(post.slot.term)) is not None), None)
        pool = (*(post.slot for post in team), *slots)
        staffing = Staffing(tuple(team), self._day, city, self.plan.cost.currency, proven=True, pool=pool)
        voice = self.lexica.voice(self.demand.lang)
        written = Writer(self.demand, self.offers, self.today, voice, final=True).write(staffing).assignments
        return written[len(team) - len(posts) :]

    def _kept(self) -> list[Post]:
        """The plan as it is."""
        offers = {offer.agent_id: offer for offer in self.offers}
        return [self._post(item, offers[item.agent_id]) for item in self.plan.assignments if item.agent_id in offers]

    def _post(self, item: Assignment, offer: Offer) -> Post:
        terms = standing_terms(offer, self.demand, self.lexica)
        plain = Term(tag=item.role, concept=item.concept, price=item.price, currency=item.currency)
        term = next((one for one in terms if one.concept == item.concept), plain)
        return Post(at_price(Slot(offer, term, item.price, item.price), item.price), item.quantity, item.price)

    @property
    def _day(self) -> date:
        return date.fromisoformat(self.plan.timeline.start_date)

    @property
    def _provided(self) -> frozenset[str]:
        return frozenset(item.concept for item in self.plan.assignments)


def pays_what_was_asked(item: Assignment, offer: Offer, demand: DemandUnderstanding, lexica: Lexica) -> bool:
    """Whether a role gets at least the price that its owner's standing offer names for it."""
    terms = standing_terms(offer, demand, lexica)
    asked = next((term.price / term.quantity for term in terms if term.concept == item.concept), 0.0)
    return item.price >= asked * item.quantity - CENT / 2


def _without_met(slot: Slot, provided: Collection[str]) -> Slot:
    """The slot without the conditions that the plan meets already."""
    left = tuple(item for item in slot.term.conditions if item.kind != "requires" or item.concept not in provided)
    return replace(slot, term=slot.term.model_copy(update={"conditions": left}))
