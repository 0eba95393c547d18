"""Why somebody who offered is not in a plan: told out of offers and plan alone, the same wherever it is told. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from moothall.messages import Lang, text
from moothall.negotiation.demand.models import DemandUnderstanding, Offer, Term
from moothall.negotiation.demand.plan_models import Assignment, covered
from moothall.negotiation.demand.rules.pricing import PLANNING_ATTENDEES
from moothall.negotiation.demand.rules.staffing import home

Reason = Literal[
    "not_needed", "currency", "elsewhere", "too_small", "busy", "dearer", "taken", "money", "combination", "whole",
    "asked",
]  # fmt: skip
_LATER = ("currency", "elsewhere", "too_small", "busy", "money", "combination", "dearer", "taken")
"""What keeps a term out, in the order in which it is looked at; of several terms the one that came farthest counts."""


@dataclass(frozen=True, slots=True)
class Unchosen:
    """A plan seen from those who are not in it: who offered, who does what on which day, in which money.

    ``refused`` are those who were asked to fill an open place and did not agree.
    """

    demand: DemandUnderstanding
    offers: Sequence[Offer]
    assignments: Sequence[Assignment]
    currency: str
    day: str
    refused: Collection[str] = ()

    def why(self, offer: Offer) -> Reason:
        """The plainest true reason; an offer in prose is told no more than that the others suit better as a whole."""
        if offer.agent_id in self.refused:
            return "asked"
        if not offer.terms:
            return "whole"
        needs = {item.concept for item in self.demand.requirements}
        found = [self._of(term) for term in offer.terms if term.concept in needs]
        return max(found, key=_LATER.index) if found else "not_needed"

    def words(self, reason: Reason, lang: Lang) -> str:
        """A reason as a clause."""
        return text(f"demand.because.{reason}", lang, people=self._people)

    @property
    def _people(self) -> int:
        """How many people are reckoned with."""
        stated = self.demand.constraints.attendees
        return PLANNING_ATTENDEES if stated is None else stated

    def _of(self, term: Term) -> Reason:
        if term.currency != self.currency:
            return "currency"
        city = self._city()
        if city is not None and home(term) not in {None, city}:
            return "elsewhere"
        if not self._holds(term) and (self.demand.constraints.attendees is not None or self._roomy(term.concept)):
            return "too_small"
        if term.dates is not None and self.day not in {day.isoformat() for day in term.dates}:
            return "busy"
        need = next(item for item in self.demand.requirements if item.concept == term.concept)
        if covered(need, self.assignments) < need.count:
            return "money" if self.demand.constraints.budget is not None else "combination"
        paid = [item.price / item.quantity for item in self.assignments if item.concept == term.concept]
        return "dearer" if term.price / term.quantity > max(paid) else "taken"

    def _city(self) -> str | None:
        """Where the plan takes place, as far as those in it leave it to nobody."""
        chosen = {(item.agent_id, item.concept) for item in self.assignments}
        terms = (term for offer in self.offers for term in offer.terms if (offer.agent_id, term.concept) in chosen)
        return next((city for term in terms if (city := home(term)) is not None), None)

    def _roomy(self, concept: str) -> bool:
        """Whether anybody offers a capability with room for as many as are reckoned with."""
        return any(term.concept == concept and self._holds(term) for offer in self.offers for term in offer.terms)

    def _holds(self, term: Term) -> bool:
        return term.capacity is None or term.capacity * term.quantity >= self._people
