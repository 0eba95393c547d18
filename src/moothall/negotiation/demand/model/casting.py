"""From the people a model names to roles they offered: who stands behind each assignment of a draft, on which terms.

A model chooses people, days and words. What somebody can do and for how much stands in the offer, so each named role is
brought to one term of that agent's offer, or the draft is refused with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator

from moothall.errors import DecisionRefused
from moothall.negotiation.demand.model.draft import LOOSE, MANY, Amount, Draft, Line, Lines, Text, Word
from moothall.negotiation.demand.models import DemandUnderstanding, Offer, Term
from moothall.negotiation.demand.rules.calendars import default_day, preferred_days
from moothall.negotiation.demand.rules.staffing import standing_terms

if TYPE_CHECKING:
    from moothall.negotiation.demand.rules.phrasing import Lexica

MOST_DAYS_NAMED = 5
_DAY = re.compile(r"(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})")


def worded(field: str) -> BeforeValidator:
    """Beside a draft: a text where an object belongs is the object's most telling field."""
    return BeforeValidator(lambda value: {field: value} if isinstance(value, str) else value)


class ConditionDraft(Draft):
    """What the plan makes of one condition of an assignment."""

    condition: Line = ""
    status: Annotated[Literal["met", "declined", "open"], LOOSE] = "open"
    reason: Line = ""


class AssignmentDraft(Draft):
    """The specification's assignment; ``tag``, the terms and ``conditions`` help where the role alone does not say."""

    agent_id: Line
    display_name: Line = ""
    role: Word = ""
    responsibility: Text = ""
    dependencies: Lines = ()
    notes: Text = ""
    tag: Word = ""
    price: Amount | None = None
    currency: Word = ""
    quantity: Amount | None = None
    conditions: Annotated[tuple[Annotated[ConditionDraft, worded("condition")], ...], MANY] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One assignment of a draft with the offer and the term behind it; ``units`` is how many of the need it covers."""

    draft: AssignmentDraft
    offer: Offer
    term: Term
    units: int

    @property
    def key(self) -> tuple[str, str]:
        """Whose role it is, and which."""
        return self.offer.agent_id, self.term.concept


def refuse(message: str) -> DecisionRefused:
    """A refusal that goes back to the model."""
    return DecisionRefused(message)


@dataclass(frozen=True, slots=True)
class Casting:
    """Brings drafts to terms for one demand."""

    demand: DemandUnderstanding
    offers: Sequence[Offer]
    lexica: Lexica

    def parts(self, drafts: Iterable[AssignmentDraft]) -> list[Part]:
        """A part for every assignment.

        Raises:
            DecisionRefused: somebody unknown or unwilling, a role that was not offered, twice, or not needed.
        """
        found: list[Part] = []
        for draft in drafts:
            offer = self._offer(draft.agent_id.strip())
            taken = {part.term.concept for part in found if part.offer.agent_id == offer.agent_id}
            term = self._term(draft, offer, taken)
            _stated(draft, term)
            found.append(Part(draft, offer, term, self._units(term, found)))
        required = {item.concept for part in found for item in part.term.conditions if item.kind == "requires"}
        needed = {item.concept for item in self.demand.requirements} | required
        for part in found:
            if part.term.concept not in needed:
                message = f"{part.term.tag} of {part.offer.agent_id} is nothing the demand needs"
                raise refuse(message)
        return found

    def _offer(self, agent_id: str) -> Offer:
        offer = next((item for item in self.offers if item.agent_id == agent_id), None)
        if offer is None:
            message = f"{agent_id} is not among the offers; use an agent_id of the offers"
            raise refuse(message)
        if offer.decision == "decline":
            message = f"{agent_id} declined and cannot be assigned"
            raise refuse(message)
        return offer

    def _term(self, draft: AssignmentDraft, offer: Offer, taken: set[str]) -> Term:
        terms = standing_terms(offer, self.demand, self.lexica)
        named = self._named(draft)
        term = next((item for concept in named for item in terms if item.concept == concept), None)
        if term is None:
            left = [item for item in terms if item.concept not in taken]
            if any(concept in self.lexica.vocabulary for concept in named) or len(left) != 1:
                tags = ", ".join(item.tag for item in terms)
                message = f"{offer.agent_id} did not offer the role {draft.role!r}; it offered: {tags}"
                raise refuse(message)
            term = left[0]
        if term.concept in taken:
            message = f"{offer.agent_id} holds the role {term.tag} twice"
            raise refuse(message)
        return term

    def _named(self, draft: AssignmentDraft) -> list[str]:
        """The concepts that an assignment names, the surest first: its tag, its role, what is named in the role."""
        vocabulary = self.lexica.vocabulary
        words = [vocabulary.key(word) for word in (draft.tag, draft.role) if word.strip()]
        words += [mention.concept.id for mention in vocabulary.find(draft.role)]
        return list(dict.fromkeys(words))

    def _units(self, term: Term, so_far: Sequence[Part]) -> int:
        need = next((item for item in self.demand.requirements if item.concept == term.concept), None)
        if need is None:
            return 1
        others = [part for part in so_far if part.term.concept == term.concept]
        left = need.count - sum(part.units for part in others)
        if left <= 0:
            names = ", ".join(part.offer.agent_id for part in others)
            message = f"{need.tag} is already covered by {names}; choose one of them"
            raise refuse(message)
        return min(term.quantity, left)


def _stated(draft: AssignmentDraft, term: Term) -> None:
    """Currency and quantity, where a draft states them, are those of the offer."""
    if draft.currency and draft.currency.upper() != term.currency:
        message = f"{draft.agent_id} is paid in {term.currency}, not in {draft.currency}"
        raise refuse(message)
    if draft.quantity is not None and draft.quantity > term.quantity:
        message = f"{draft.agent_id} offers {term.quantity} of {term.tag}, not {draft.quantity:g}"
        raise refuse(message)


def read_day(words: str) -> date | None:
    """The day that a text begins with, in any usual order of year, month, day; ``None`` if there is none."""
    found = _DAY.search(words)
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def common_day(
    parts: Sequence[Part], demand: DemandUnderstanding, today: date, named: date | None, usual: date | None = None
) -> date:
    """The day the draft names, if everybody is free on it.

    Where it names none, or one that is past, the ``usual`` one or else the best for everybody.

    Raises:
        DecisionRefused: the day does not fit, or there is no common day.
    """
    limits = demand.constraints
    wanted = None if named is None or named < today else named
    calendars = [frozenset(part.term.dates) for part in parts if part.term.dates is not None]
    if not calendars:
        return wanted or usual or default_day(limits, today)
    shared = frozenset.intersection(*calendars)
    possible = [day for day in preferred_days(limits, today, shared) if day in shared]
    if not possible:
        message = "there is no day on which everybody in the plan is free; choose other people"
        raise refuse(message)
    if wanted is None:
        return usual if usual in possible and usual is not None else possible[0]
    if wanted in possible:
        return wanted
    busy = [part.offer.agent_id for part in parts if part.term.dates is not None and wanted not in part.term.dates]
    days = ", ".join(day.isoformat() for day in possible[:MOST_DAYS_NAMED])
    message = f"{wanted.isoformat()} does not fit (not free: {', '.join(busy) or 'nobody'}); possible are: {days}"
    raise refuse(message)
