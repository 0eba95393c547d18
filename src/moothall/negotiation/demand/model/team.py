"""A model's plan, made whole: people, day and words are the model's; terms, money and conditions are the node's.

Shared by prompts 4 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from moothall.negotiation.demand.model.casting import (
    AssignmentDraft,
    Casting,
    Part,
    common_day,
    read_day,
    refuse,
    worded,
)
from moothall.negotiation.demand.model.draft import LOOSE, MANY, Amount, Draft, Line, Lines, Text
from moothall.negotiation.demand.model.plan_words import PlanWords
from moothall.negotiation.demand.plan_fit import CENT
from moothall.negotiation.demand.plan_models import Milestone, PlanDraft, Timeline
from moothall.negotiation.demand.rules.conditions import notes
from moothall.negotiation.demand.rules.money import distribute
from moothall.negotiation.demand.rules.plan import Writer
from moothall.negotiation.demand.rules.pricing import within
from moothall.negotiation.demand.rules.staffing import Post, Slot, Staffing, home, opening_slot, opening_slots

if TYPE_CHECKING:
    from moothall.negotiation.demand.models import DemandUnderstanding, Offer
    from moothall.negotiation.demand.plan_models import Assignment
    from moothall.negotiation.demand.rules.phrasing import Lexica, Voice

AFTER = timedelta(days=7)
"""How long after the rules' last step a plan may still have one."""


class MilestoneDraft(Draft):
    """A dated step."""

    name: Line = ""
    date: Line = ""
    deliverable: Line = ""


class TimelineDraft(Draft):
    """When it happens."""

    start_date: Line = ""
    milestones: Annotated[tuple[Annotated[MilestoneDraft, worded("name")], ...], MANY] = ()


class CostDraft(Draft):
    """What the plan costs, where the draft says it."""

    total: Amount | None = None


class TeamDraft(Draft):
    """The specification's plan as a model writes it; ``cost`` may be left out: prices are those of the offers."""

    summary: Text
    objective: Text = ""
    assignments: Annotated[tuple[AssignmentDraft, ...], MANY] = ()
    timeline: Annotated[TimelineDraft, worded("start_date")] = TimelineDraft()
    rationale: Text = ""
    gaps: Lines = ()
    confidence: Annotated[Literal["high", "medium", "low"], LOOSE] = "medium"
    cost: CostDraft = CostDraft()


class Question(Protocol):
    """What prompts 4 and 6 have in common."""

    @property
    def demand(self) -> DemandUnderstanding:
        """What is wanted."""
        ...

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What stands."""
        ...

    @property
    def today(self) -> date:
        """The first possible day."""
        ...


@dataclass(frozen=True, slots=True)
class Team:
    """Writes the plan of a draft.

    ``settled`` are prices that hold already, ``usual`` is the day so far; ``final`` leaves no condition open. ``asked``
    are sums that were asked for since.
    """

    data: Question
    draft: TeamDraft
    lexica: Lexica
    settled: Mapping[tuple[str, str], float]
    usual: date | None = None
    final: bool = False
    asked: frozenset[float] = frozenset()

    def plan(self) -> PlanDraft:
        """The whole plan.

        Raises:
            DecisionRefused: the draft does not fit the offers.
        """
        data, draft = self.data, self.draft
        parts = Casting(data.demand, data.offers, self.lexica).parts(draft.assignments)
        day = common_day(parts, data.demand, data.today, read_day(draft.timeline.start_date), self.usual)
        written = Writer(data.demand, data.offers, data.today, self._voice, final=self.final).write(
            self._staffing(parts, day)
        )
        plan = written.model_copy(update={"timeline": self._timeline(written.timeline)})
        mentioned = frozenset(self.settled.values()) | self.asked
        words = PlanWords(data.demand, data.offers, plan, parts, data.today, self.lexica, mentioned)
        assignments = tuple(
            self._worded(words.part(part, item)) for part, item in zip(parts, plan.assignments, strict=True)
        )
        stated = draft.cost.total
        if stated is not None and abs(stated - written.cost.total) >= CENT:
            message = f"the prices add up to {written.cost.total:g}, not {stated:g}"
            raise refuse(message)
        return plan.model_copy(
            update={
                "summary": words.or_else(draft.summary, written.summary),
                "objective": words.or_else(draft.objective, written.objective),
                "assignments": assignments,
                "timeline": words.timeline(written.timeline),
                "rationale": words.or_else(draft.rationale, written.rationale),
                "confidence": draft.confidence,
            }
        )

    @property
    def _voice(self) -> Voice:
        return self.lexica.voice(self.data.demand.lang)

    def _staffing(self, parts: Sequence[Part], day: date) -> Staffing:
        """The team as the rules would have put it together."""
        limits = self.data.demand.constraints
        slots = [self._slot(part) for part in parts]
        currency = slots[0].term.currency
        budget = within(limits, currency)
        least = sum(slot.least for slot in slots)
        if budget is not None and least > budget + CENT:
            message = f"this team costs {least:g} at least, the budget is {budget:g}"
            raise refuse(message)
        prices = distribute([slot.wanted for slot in slots], [slot.least for slot in slots], budget)
        for part, price in zip(parts, prices, strict=True):
            self._as_stated(part, price)
        return Staffing(
            posts=tuple(Post(slot, part.units, price) for slot, part, price in zip(slots, parts, prices, strict=True)),
            day=day,
            city=next((city for part in parts if (city := home(part.term))), None),
            currency=currency,
            proven=True,
            pool=tuple(opening_slots(self.data.demand, self.data.offers, self.lexica)),
        )

    def _slot(self, part: Part) -> Slot:
        """The part at its price: a settled one, the one the draft states instead of it, or that of the offer."""
        before = self.settled.get(part.key)
        if before is None:
            return opening_slot(part.offer, part.term, self.data.demand.constraints)
        price = before if part.draft.price is None else part.draft.price
        return Slot(part.offer, part.term, price, price)

    def _as_stated(self, part: Part, price: float) -> None:
        """A price that the draft states is the one that is paid, or the one that was offered."""
        stated = part.draft.price
        if stated is None or any(abs(stated - real) < CENT for real in (price, part.term.price)):
            return
        message = f"the price of {part.offer.agent_id} for {part.term.tag} is {price:g}, not {stated:g}"
        raise refuse(message)

    def _worded(self, item: Assignment) -> Assignment:
        """The assignment with what became of its conditions in the notes."""
        said = self._voice.sentences([item.notes, notes(item.conditions, self._voice)])
        return item.model_copy(update={"notes": said})

    def _timeline(self, written: Timeline) -> Timeline:
        """The model's milestones as far as they have a day before the end, in order; the rules' where none has."""
        last = max(date.fromisoformat(day) for day in (written.start_date, *(step.date for step in written.milestones)))
        dated = [(read_day(item.date), item) for item in self.draft.timeline.milestones]
        steps = [
            Milestone(name=item.name, date=day.isoformat(), deliverable=item.deliverable)
            for day, item in dated
            if day is not None and self.data.today <= day <= last + AFTER and item.name
        ]
        if not steps:
            return written
        return written.model_copy(update={"milestones": tuple(sorted(steps, key=lambda step: step.date))})
